/** What a run of the model varies: the plan, what each party does, what breaks and when. Plain JSON, so that it can be kept. */
import * as fc from 'fast-check';
import { contentHash } from '../../control-plane/core/ids.ts';
import type { Plan, Attempt, Step } from '../../control-plane/core/routing/plan.ts';
import type { Media } from '../../control-plane/core/routing/config.ts';
import type { PartyStep } from '../../control-plane/media/simulated/parts.ts';

export type Break =
  | { readonly atMs: number; readonly does: 'link loss'; readonly forMs: number }
  /** The journal of the new controller: all, the first `keep` of each call's records, or none. */
  | { readonly atMs: number; readonly does: 'restart'; readonly forMs: number; readonly keep: 'all' | number }
  /** Timers that were armed once, and are not any more, fire; events of bridges and recordings of before come again. */
  | { readonly atMs: number; readonly does: 'late timer' };

export interface ScenarioPhone {
  readonly kind: 'device' | 'external';
  readonly screening: '' | 'any' | '1';
  readonly whisper: boolean;
  readonly ringMs: number;
  readonly script: readonly PartyStep[];
}

export interface Scenario {
  readonly announcement: boolean;
  readonly voicemail: boolean;
  /** Whether calls are recorded; `announced`: once both have heard so. Absent: not. */
  readonly recording?: 'off' | 'on' | 'announced';
  readonly ringMs: number;
  readonly phones: readonly ScenarioPhone[];
  readonly caller: readonly PartyStep[];
  /** Other callers of the same number; they ring the same phones. */
  readonly more?: readonly { readonly afterMs: number; readonly caller: readonly PartyStep[] }[];
  readonly breaks: readonly Break[];
  /** Per cent of requests that fail, of events that come twice, of recordings that fail. */
  readonly faults: { readonly requests: number; readonly twice: number; readonly recordings: number; readonly prompts: boolean };
  /** Longest delay of a message, ms; with `seed` it decides every order. */
  readonly jitterMs: number;
  readonly seed: number;
}

const shortly = fc.integer({ min: 0, max: 4000 });

const talk: fc.Arbitrary<PartyStep> = fc.record({
  afterMs: shortly,
  does: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('1', '2').map((press) => ({ press })) },
    { weight: 2, arbitrary: fc.constantFrom<PartyStep['does']>('hold', 'unhold', 'refer') },
    { weight: 2, arbitrary: fc.constant<PartyStep['does']>('hang-up') },
  ),
});

/** One who keeps pressing everything but the end of the call. */
const fidget: fc.Arbitrary<PartyStep> = fc.record({ afterMs: fc.integer({ min: 0, max: 900 }), does: fc.constantFrom<PartyStep['does']>('hold', 'unhold', 'refer') });

const phoneScript: fc.Arbitrary<readonly PartyStep[]> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(shortly, shortly, fc.array(talk, { maxLength: 5 })).map(([ring, answer, then]): PartyStep[] => [{ afterMs: ring, does: 'ring' }, { afterMs: answer, does: 'answer' }, ...then]) },
  { weight: 1, arbitrary: fc.tuple(shortly, fc.constantFrom<PartyStep['does']>('busy', 'decline')).map(([ms, does]): PartyStep[] => [{ afterMs: ms, does }]) },
  { weight: 1, arbitrary: fc.tuple(shortly, shortly).map(([ring, ms]): PartyStep[] => [{ afterMs: ring, does: 'ring' }, { afterMs: ms, does: 'decline' }]) },
  { weight: 1, arbitrary: shortly.map((ms): PartyStep[] => [{ afterMs: ms, does: 'ring' }]) },
  { weight: 1, arbitrary: fc.constant([]) },
);

const phone: fc.Arbitrary<ScenarioPhone> = fc.record({
  kind: fc.constantFrom('device', 'external'),
  screening: fc.constantFrom('', 'any', '1'),
  whisper: fc.boolean(),
  ringMs: fc.constantFrom(3000, 8000, 15_000),
  script: phoneScript,
});

const when = fc.integer({ min: 0, max: 25_000 });
const outage = fc.constantFrom(1, 50, 500, 3000, 9000);

const breaks: fc.Arbitrary<Break> = fc.oneof(
  fc.record({ atMs: when, does: fc.constant('link loss' as const), forMs: outage }),
  fc.record({ atMs: when, does: fc.constant('restart' as const), forMs: outage, keep: fc.oneof(fc.constant('all' as const), fc.integer({ min: 0, max: 40 })) }),
  fc.record({ atMs: when, does: fc.constant('late timer' as const) }),
);

const caller: fc.Arbitrary<readonly PartyStep[]> = fc.oneof({ weight: 2, arbitrary: fc.array(talk, { maxLength: 4 }) }, { weight: 1, arbitrary: fc.array(fidget, { maxLength: 30 }) });

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  announcement: fc.boolean(),
  voicemail: fc.boolean(),
  recording: fc.constantFrom('off', 'on', 'announced'),
  ringMs: fc.constantFrom(4000, 10_000, 15_000),
  phones: fc.array(phone, { minLength: 1, maxLength: 4 }),
  caller,
  more: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 12_000 }), caller }), { maxLength: 2 }) }),
  breaks: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(breaks, { maxLength: 3 }) }),
  faults: fc.oneof(
    { weight: 2, arbitrary: fc.constant({ requests: 0, twice: 0, recordings: 0, prompts: false }) },
    { weight: 1, arbitrary: fc.record({ requests: fc.constantFrom(0, 5, 20), twice: fc.constantFrom(0, 30), recordings: fc.constantFrom(0, 50), prompts: fc.boolean() }) },
  ),
  jitterMs: fc.constantFrom(1, 10, 60),
  seed: fc.nat(),
});

/** What says that the call is recorded. */
export const recordedMedia: Media = 'sound:recorded';

/** External numbers have two trunks each. */
export function planOf(of: Scenario): Plan {
  const attempts = of.phones.map((one, i): Attempt => ({
    user: `u${i}`, label: `phone ${i}`, ringMs: one.ringMs, callerId: { number: '+15550100', name: 'Ann' },
    target: one.kind === 'device' ? { kind: 'device', device: partyOf(of, i) } : { kind: 'external', number: partyOf(of, i), trunks: ['t1', 't2'] },
    whisper: [...(one.whisper ? ['sound:whisper' as const] : []), ...(of.recording === 'announced' ? [recordedMedia] : [])],
    ...(of.recording === 'on' || of.recording === 'announced' ? { recording: { announced: of.recording === 'announced' } } : {}),
    ...(one.screening === '' ? {} : { screening: { key: one.screening, prompt: ['sound:press'], waitMs: 6000 } }),
  }));
  const after = of.voicemail ? 'voicemail' : 'bye';
  const steps: Record<string, Step> = {
    ring: { kind: 'ring', pattern: 'simultaneous', attempts, ringMs: of.ringMs, taken: ['sound:taken'], on: { noAnswer: after } },
    bye: { kind: 'hang-up', cause: 'no-answer' },
  };
  const announces = of.recording === 'announced';
  const said: Media[] = [...(of.announcement ? ['sound:hello' as const] : []), ...(announces ? [recordedMedia] : [])];
  if (said.length > 0) steps['announcement'] = { kind: 'announcement', media: said, ...(announces ? { announcesRecording: true as const } : {}), on: { done: 'ring' } };
  if (of.voicemail) steps['voicemail'] = { kind: 'voicemail', greeting: ['sound:greeting'], maxMs: 20_000, silenceMs: 5000, on: { done: 'bye' } };
  const first = said.length > 0 ? 'announcement' : 'ring';
  const body = { account: { id: 'a', name: 'Clinic' }, number: { e164: '+15550001', label: 'main' }, first, steps, reasons: [], maxCallMs: 600_000 };
  return { version: 1, hash: contentHash(body), ...body };
}

export function partyOf(of: Scenario, i: number): string {
  return of.phones[i]?.kind === 'external' ? `+1555020${i}` : `d${i}`;
}
