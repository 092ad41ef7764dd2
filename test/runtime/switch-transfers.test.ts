import { describe, expect, it, test } from 'vitest';
import { survivesRefer, transfersOn } from '../../control-plane/media/asterisk/admin/transfers.ts';
import type { Ari } from '../../control-plane/media/asterisk/admin/switch-database.ts';

/** A switch that says of itself no more than these two things. */
const onSwitch = (version: string, dialplan: string | null): Ari => ({
  request: (async (operation: string) => {
    if (operation === 'asterisk.getInfo') return { ok: true, body: { system: { version } } };
    return dialplan === null ? { ok: false, error: 'gone', message: '' } : { ok: true, body: { value: dialplan } };
  }) as unknown as Ari['request'],
});

test.each([
  ['20.20.1', false], ['20.21.0', true], ['21.12.0', false], ['22.10.1+dfsg+~cs6.17.60671434-1', false], ['22.11.0-rc1', true], ['23.4.1', false], ['23.5.0', true], ['24.0.0', true], ['GIT-master-1a2b3c', true],
])('Asterisk %s survives a REFER without a subscription: %s', (version, survives) => {
  expect(survivesRefer(version)).toBe(survives);
});

describe('Phones may transfer calls', () => {
  it.each([
    ['auto', '22.11.0', '4'], ['auto', '22.11.0', '5'], ['on', '22.10.1', '4'],
  ] as const)('where it is %s, on Asterisk %s with dialplan %s', async (setting, version, dialplan) => {
    expect(await transfersOn(onSwitch(version, dialplan), setting)).toEqual({ allowed: true });
  });

  it.each([
    ['auto', '22.10.1', '4', 'dies'], ['on', '22.11.0', '3', 'dialplan'], ['on', '22.11.0', null, 'dialplan'], ['off', '22.11.0', '4', 'turned off'],
  ] as const)('not where it is %s, on Asterisk %s with dialplan %s', async (setting, version, dialplan, why) => {
    expect(await transfersOn(onSwitch(version, dialplan), setting)).toEqual({ allowed: false, why: expect.stringContaining(why) });
  });
});
