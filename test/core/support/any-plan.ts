/** Plans of any shape, ways back included, whose names are whatever people may type. */
import * as fc from 'fast-check';
import { agentActions } from '../../../control-plane/core/routing/config.ts';
import type { Attempt, Plan, Step } from '../../../control-plane/core/routing/plan.ts';

/** What has broken a drawing or a page before, somewhere. */
const hostile = fc.constantFrom(
  '"', '"]', '|', '`', '```', '#', '#quot;', '#35;', '%%', '%%{init: {}}%%', 'end', 'style n0 fill:#f00;', 'style: x#y;', 'classDef x fill:#f9f;', 'click n0 href "javascript:alert(1)"', '-->', '---', '<br/>',
  '</text><script>alert(1)</script>', '<img src=x onerror=alert(1)>', '&lt;', '&#60;', 'ﬂ°°60¶ß', 'ﬂ°lt¶ß', '1. one', '- one', '+ one', '# one', '> one', '**one**', '_one_', '[one](javascript:x)', 'www.example.com',
  '$$x^2$$', 'fa:fa-bell', '\u0000', '\n', '\r\n', '\u2028', '\u202e', '\ud800', '\u0007', 'Müller', '北京', '🦷🪥', ';', '@{ shape: x }', ':::danger', '\\', '{{', '</svg>', ']]>', '<!--',
);
export const anyText: fc.Arbitrary<string> = fc.oneof(hostile, fc.string({ unit: 'binary', maxLength: 60 }), fc.array(fc.oneof(hostile, fc.string({ maxLength: 8 })), { maxLength: 4 }).map((parts) => parts.join('')));

const ms = fc.integer({ min: 0, max: 600_000 });
const attempt: fc.Arbitrary<Attempt> = fc.record({
  user: anyText, label: anyText, ringMs: ms, whisper: fc.constant([]), callerId: fc.record({ number: anyText, name: anyText }),
  target: fc.oneof(anyText.map((device) => ({ kind: 'device' as const, device })), anyText.map((number) => ({ kind: 'external' as const, number, trunks: ['t1'] }))),
});

function stepOf(ids: readonly string[]): fc.Arbitrary<Step> {
  const to = fc.constantFrom(...ids);
  const none = fc.constant([]);
  return fc.oneof(
    fc.record({ kind: fc.constant('announcement' as const), media: none, on: fc.record({ done: to }) }),
    fc.record({
      kind: fc.constant('ring' as const), pattern: fc.constantFrom('simultaneous', 'round-robin', 'sequential', 'least-connected'), attempts: fc.array(attempt, { maxLength: 10 }), ringMs: ms, taken: none, on: fc.record({ noAnswer: to }),
    }),
    fc.record({
      kind: fc.constant('menu' as const), prompt: none, invalid: none, options: fc.dictionary(fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'), to), tries: fc.integer({ min: 1, max: 5 }), waitMs: ms, betweenKeysMs: ms,
      extensions: fc.constant({ firstDigits: '1', shortest: 2, longest: 3 }), on: fc.record({ noKey: to, invalid: to, noAnswer: to }),
    }, { requiredKeys: ['kind', 'prompt', 'invalid', 'options', 'tries', 'waitMs', 'betweenKeysMs', 'on'] }),
    fc.record({ kind: fc.constant('setting' as const), setting: fc.oneof(
      fc.record({ of: fc.constant('night-switch' as const), to: fc.constantFrom('open', 'closed', 'emergency') }),
      fc.record({ of: fc.constant('agent' as const), action: fc.constantFrom(...agentActions), agent: anyText, phone: anyText }),
    ), note: anyText, on: fc.record({ set: to, notSet: to }) }),
    fc.record({ kind: fc.constant('voicemail' as const), greeting: none, maxMs: ms, silenceMs: ms, on: fc.record({ done: to }) }),
    fc.record({ kind: fc.constant('hang-up' as const), cause: fc.constantFrom('normal', 'busy', 'no-answer', 'declined', 'unallocated') }),
  ) as fc.Arbitrary<Step>;
}

/** Steps that lead to each other at random: some are reached by no call. */
export const anyPlan: fc.Arbitrary<Plan> = fc.integer({ min: 1, max: 12 }).chain((size) => {
  const ids = Array.from({ length: size }, (_, i) => (i === 0 ? 'connected' : `step ${i}`));
  return fc.record({
    version: fc.constant(1 as const), hash: fc.constant('h'), account: fc.record({ id: fc.constant('a'), name: anyText }), number: fc.record({ e164: anyText, label: anyText }), first: fc.constantFrom(...ids),
    steps: fc.tuple(...ids.map(() => stepOf(ids))).map((steps) => Object.fromEntries(ids.map((id, i) => [id, steps[i]]))), reasons: fc.constant([]), maxCallMs: ms, last: fc.constantFrom(...ids),
  }, { requiredKeys: ['version', 'hash', 'account', 'number', 'first', 'steps', 'reasons', 'maxCallMs'] }) as fc.Arbitrary<Plan>;
});
