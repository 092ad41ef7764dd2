/** Numbers of callers in the log, wherever in a line they stand. */
import { expect, it } from 'vitest';
import { createLog } from '../../control-plane/telemetry/log.ts';

const written = (text: string, numbers = false): string => {
  let line = '';
  createLog({ destination: { write: (more) => { line += more; } }, numbers }).warn({ path: text }, 'told');
  return (JSON.parse(line) as { readonly path: string }).path;
};

it.each([
  ['as people write one', 'to +12025550301', 'to +xxxxxxxxx01'],
  ['in an address', '/api/v1/accounts/elm/contacts/%2B12025550301', '/api/v1/accounts/elm/contacts/%2Bxxxxxxxxx01'],
  ['in an address in small letters', '?caller=%2b12025550301&at=1', '?caller=%2bxxxxxxxxx01&at=1'],
  ['of SIP', 'sip:12025550301@192.0.2.7', 'sip:xxxxxxxxx01@192.0.2.7'],
])('%s is masked, unless the log may have it', (_, text, masked) => {
  expect([written(text), written(text, true)]).toEqual([masked, text]);
});

it('is not looked for in the id of a call, or in an extension', () => {
  expect(written('call fd05-1795282756.146 for 2001')).toBe('call fd05-1795282756.146 for 2001');
});
