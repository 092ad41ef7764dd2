/** What a run of the model varies: the plan, what each party does, what breaks and when. Plain JSON, so that it can be kept. */
import * as fc from 'fast-check';
import { contentHash } from '../../control-plane/core/ids.ts';
import type { PlanExtension } from '../../control-plane/core/call/commands.ts';
import type { CallEvent } from '../../control-plane/core/call/events.ts';
import type { Plan, Attempt, MenuStep, RingPattern, Step } from '../../control-plane/core/routing/plan.ts';
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
  /** Rings so much later than the others. */
  readonly delayMs?: number;
  /** Behind a switchboard. */
  readonly extension?: boolean;
  /** Of the same destination as the phone before it. */
  readonly together?: boolean;
}

/** `extensions`: who is dialled by them; with `as options` their first key is an option, too. */
export interface ScenarioMenu {
  readonly deep: number;
  readonly tries: number;
  readonly extensions: 'none' | 'apart' | 'as options';
  /** Nobody answered: back to it. */
  readonly again: boolean;
}

export interface Scenario {
  readonly announcement: boolean;
  /** Before the phones ring. Absent: none. */
  readonly menu?: ScenarioMenu;
  readonly voicemail: boolean;
  /** How the phones ring; absent: all at once. */
  readonly pattern?: RingPattern;
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
  delayMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, 2000, 9000) }),
  extension: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  together: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

const when = fc.integer({ min: 0, max: 25_000 });
const outage = fc.constantFrom(1, 50, 500, 3000, 9000);

const breaks: fc.Arbitrary<Break> = fc.oneof(
  fc.record({ atMs: when, does: fc.constant('link loss' as const), forMs: outage }),
  fc.record({ atMs: when, does: fc.constant('restart' as const), forMs: outage, keep: fc.oneof(fc.constant('all' as const), fc.integer({ min: 0, max: 40 })) }),
  fc.record({ atMs: when, does: fc.constant('late timer' as const) }),
);

/** Some keys lead on, some lead nowhere, some begin an extension. */
const key: fc.Arbitrary<PartyStep['does']> = fc.constantFrom('1', '1', '1', '2', '3', '4', '41', '419', '7', '#', '*').map((press) => ({ press }));
const chooses: fc.Arbitrary<PartyStep> = fc.record({ afterMs: shortly, does: fc.oneof({ weight: 6, arbitrary: key }, { weight: 1, arbitrary: fc.constant<PartyStep['does']>('hang-up') }) });
/** Who knows the way, or thinks so. */
const types: fc.Arbitrary<PartyStep> = fc.record({ afterMs: fc.integer({ min: 0, max: 400 }), does: key });

const anyCaller: fc.Arbitrary<readonly PartyStep[]> = fc.oneof({ weight: 2, arbitrary: fc.array(talk, { maxLength: 4 }) }, { weight: 1, arbitrary: fc.array(fidget, { maxLength: 30 }) });
const callerOfMenus: fc.Arbitrary<readonly PartyStep[]> = fc.oneof(
  { weight: 2, arbitrary: anyCaller },
  { weight: 2, arbitrary: fc.array(chooses, { maxLength: 8 }) },
  { weight: 1, arbitrary: fc.array(types, { maxLength: 12 }) },
).map((steps) => steps.flatMap(oneByOne));

/** One key a step: `41` is two. */
function oneByOne({ afterMs, does }: PartyStep): readonly PartyStep[] {
  if (typeof does !== 'object') return [{ afterMs, does }];
  return does.press.split('').map((press, i) => ({ afterMs: i === 0 ? afterMs : 150, does: { press } }));
}

const menu: fc.Arbitrary<ScenarioMenu> = fc.record({
  deep: fc.integer({ min: 1, max: 3 }), tries: fc.integer({ min: 1, max: 3 }), extensions: fc.constantFrom('none', 'apart', 'as options'), again: fc.boolean(),
});

const scenarioOf = (caller: fc.Arbitrary<readonly PartyStep[]>): fc.Arbitrary<Scenario> => fc.record({
  announcement: fc.boolean(),
  voicemail: fc.boolean(),
  pattern: fc.constantFrom<RingPattern>('simultaneous', 'simultaneous', 'sequential', 'round-robin', 'round-robin', 'round-robin', 'least-connected'),
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

export const scenario: fc.Arbitrary<Scenario> = fc.oneof(
  { weight: 4, arbitrary: scenarioOf(anyCaller) },
  { weight: 1, arbitrary: fc.tuple(menu, scenarioOf(callerOfMenus)).map(([asks, rest]) => ({ ...rest, menu: asks })) },
);

/** What says that the call is recorded. */
export const recordedMedia: Media = 'sound:recorded';

/** External numbers have two trunks each. */
function attemptsOf(of: Scenario): readonly Attempt[] {
  const { pattern = 'simultaneous' } = of;
  return of.phones.map((one, i) => ({
    user: `u${i}`, label: `phone ${i}`, ringMs: one.ringMs, callerId: { number: '+15550100', name: 'Ann' },
    target: one.kind === 'device' ? { kind: 'device', device: partyOf(of, i) } : { kind: 'external', number: partyOf(of, i), trunks: ['t1', 't2'] },
    whisper: [...(one.whisper ? ['sound:whisper' as const] : []), ...(of.recording === 'announced' ? [recordedMedia] : [])],
    ...(of.recording === 'on' || of.recording === 'announced' ? { recording: { announced: of.recording === 'announced' } } : {}),
    ...(one.screening === '' ? {} : { screening: { key: one.screening, prompt: ['sound:press'], waitMs: 6000 } }),
    ...(pattern === 'simultaneous' ? {} : { destination: `d${of.phones.findLastIndex(({ together }, at) => at <= i && (together !== true || at === 0))}` }),
    ...(one.delayMs === undefined || one.delayMs === 0 ? {} : { delayMs: one.delayMs }),
    ...(one.extension === true ? { dialExtension: { digits: '2w04', delayMs: 300 } } : {}),
  }));
}

export function planOf(of: Scenario): Plan {
  const { pattern = 'simultaneous' } = of;
  const after = of.voicemail ? 'voicemail' : 'bye';
  const begin = of.menu === undefined ? 'ring' : 'menu';
  const steps: Record<string, Step> = {
    ring: {
      kind: 'ring', pattern, ...(pattern === 'round-robin' || pattern === 'least-connected' ? { group: 'front' } : {}), attempts: attemptsOf(of), ringMs: of.ringMs, taken: ['sound:taken'],
      on: { noAnswer: of.menu?.again === true ? 'menu' : after },
    },
    bye: { kind: 'hang-up', cause: 'no-answer' },
  };
  for (let n = 0; n < (of.menu?.deep ?? 0); n++) if (of.menu !== undefined) steps[menuId(n)] = menuStep(of.menu, n, after);
  const announces = of.recording === 'announced';
  const said: Media[] = [...(of.announcement ? ['sound:hello' as const] : []), ...(announces ? [recordedMedia] : [])];
  if (said.length > 0) steps['announcement'] = { kind: 'announcement', media: said, ...(announces ? { announcesRecording: true as const } : {}), on: { done: begin } };
  if (of.voicemail) steps['voicemail'] = { kind: 'voicemail', greeting: ['sound:greeting'], maxMs: 20_000, silenceMs: 5000, on: { done: 'bye' } };
  const first = said.length > 0 ? 'announcement' : begin;
  const body = { account: { id: 'a', name: 'Clinic' }, number: { e164: '+15550001', label: 'main' }, first, last: after, steps, reasons: [], maxCallMs: 600_000 };
  return { version: 1, hash: contentHash(body), ...body };
}

function menuId(n: number): string {
  return n === 0 ? 'menu' : `menu-${n}`;
}

/** 1 leads deeper and at last to the phones, 2 to where nobody answers, 3 back to the first. */
function menuStep({ deep, tries, extensions }: ScenarioMenu, n: number, after: string): MenuStep {
  return {
    kind: 'menu', prompt: ['sound:menu'], invalid: ['sound:invalid'], options: { 1: n + 1 < deep ? menuId(n + 1) : 'ring', 2: after, 3: 'menu' },
    ...(extensions === 'none' ? {} : { extensions: { firstDigits: extensions === 'apart' ? '4' : '14', shortest: 2, longest: 3 } }),
    tries, waitMs: 3000, betweenKeysMs: 1000, on: { noKey: 'ring', invalid: after, noAnswer: 'menu' },
  };
}

/** 41 is the first phone. */
export function extensionOf(of: Scenario, { request, extension, noAnswer }: PlanExtension): Extract<CallEvent, { type: 'ExtensionPlanned' }> {
  if (extension !== '41') return { type: 'ExtensionPlanned', request, steps: {}, first: null, why: `there is no extension ${extension}` };
  const attempts = attemptsOf({ ...of, recording: 'off' }).slice(0, 1);
  return { type: 'ExtensionPlanned', request, steps: { [request]: { kind: 'ring', pattern: 'simultaneous', attempts, ringMs: of.ringMs, taken: [], on: { noAnswer } } }, first: request, why: 'extension 41' };
}

export function partyOf(of: Scenario, i: number): string {
  return of.phones[i]?.kind === 'external' ? `+1555020${i}` : `d${i}`;
}
