import { expect, test } from 'vitest';
import type { CallFact } from '../../control-plane/core/call/facts.ts';
import { describeFact } from '../../control-plane/telemetry/timeline.ts';

const tried = (keys: string, outcome: Extract<CallFact, { type: 'MenuTried' }>['outcome'], to: string | null, why?: string): string =>
  describeFact({ type: 'MenuTried', step: 'menu', keys, outcome, to, ...(why === undefined ? {} : { why }) }, new Map());

test('what a caller does in a menu is told in the words of the field', () => {
  expect([
    describeFact({ type: 'KeyPressed', legId: 'c7', digit: '1' }, new Map()),
    tried('1', 'option', 'sales'),
    tried('102', 'extension', 'extension-3', 'extension 102 is Ben, desk, of Riverside Dental'),
    tried('7', 'invalid', null),
    tried('1999', 'invalid', 'voicemail', 'there is no extension 1999'),
    tried('', 'noKey', null),
    tried('', 'noKey', 'voicemail'),
    tried('', 'left', null),
    tried('10', 'left', null),
    describeFact({ type: 'StepsExhausted', steps: 100 }, new Map()),
  ]).toEqual([
    'key press     caller pressed 1',
    'menu          1: on to sales',
    'menu          102, extension 102 is Ben, desk, of Riverside Dental: on to extension-3',
    'menu          7 leads nowhere: asked again',
    'menu          1999 leads nowhere, there is no extension 1999: on to voicemail',
    'menu          no key: asked again',
    'menu          no key: on to voicemail',
    'menu          left by the caller',
    'menu          left by the caller after 10',
    'step          100 taken: the plan leads in circles, and goes its last way',
  ]);
});

test('a code of the night switch is told with what became of it', () => {
  expect([
    describeFact({ type: 'SettingAsked', setting: { of: 'night-switch', to: 'closed' } }, new Map()), describeFact({ type: 'SettingSettled', ok: true, why: 'dialled by Mara' }, new Map()),
    describeFact({ type: 'SettingSettled', ok: false, why: 'The database cannot be used.' }, new Map()),
  ]).toEqual(['setting       the night switch is to be set to closed', 'setting       done: dialled by Mara', 'setting       not done: The database cannot be used.']);
});

test('who is rung in which order, and why, and an extension that is dialled, are told too', () => {
  expect(describeFact({ type: 'DestinationsOrdered', step: 'ring', order: ['user.ana', 'user.ben'], why: 'turn 17 of c1/front' }, new Map())).toBe('order         user.ana, then user.ben (turn 17 of c1/front)');
  expect(describeFact({ type: 'ExtensionDialed', legId: 'l1', digits: '2w04' }, new Map([['l1', 'Switchboard']]))).toBe('extension     2w04 is dialled to Switchboard');
});
