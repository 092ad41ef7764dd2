/** A plan in the making: the steps so far, why they are there, and what they are made from. */
import type { StepId } from '../ids.ts';
import { second, type Ms } from '../time.ts';
import type { Account, CallFacts, Media, ScheduleId, TrackingNumber } from './config.ts';
import type { Geo } from './conditions.ts';
import { e164Of } from './e164-of.ts';
import { indexOf } from './index-of.ts';
import { modeAt } from './night.ts';
import type { Attempt, Reason, Screening, Step } from './plan.ts';
import { drawOf, type RouterFacts } from './router.ts';
import { openAt, type LocalTime, type OpenAnswer } from './schedule.ts';
import { acceptText, takenText, whisperAudio, type WhisperAudio } from './whisper.ts';

/** From the answer; the longest whisper and the question fit twice. */
const screeningWaitMs: Ms = 20 * second;

export interface Making {
  readonly account: Account;
  readonly number: TrackingNumber;
  readonly facts: CallFacts;
  readonly steps: Record<StepId, Step>;
  readonly reasons: Reason[];
  /** Step ids by what they were made for: a target that is led to twice is one step. */
  readonly made: Map<string, StepId>;
  readonly named: Set<StepId>;
  /** What callees hear for whom the receiving number has nothing to say. */
  readonly whisper: WhisperAudio;
  readonly callerId: Attempt['callerId'];
  /** Of callees who hear `whisper`. */
  readonly screening: Screening;
  /** Heard by one who answered after another had won. */
  readonly taken: readonly Media[];
  /** Whether the caller may press keys: they alone lead in circles. */
  byKeys: boolean;
  /** What was passed over, and what is led to instead. */
  readonly skipped: Map<StepId, StepId>;
}

/** What all phones of a call have in common is made once. */
export function startMaking(account: Account, number: TrackingNumber, facts: CallFacts): Making {
  const whisper = whisperAudio(account, number, undefined, facts);
  return {
    account, number, facts, steps: {}, reasons: [], made: new Map(), named: new Set(), skipped: new Map(), byKeys: false, whisper, screening: screeningFor(number, facts, whisper.media),
    callerId: { number: number.passCalledNumber === true ? number.e164 : facts.callerNumber, name: facts.callerName },
    taken: [facts.whisperMedia(takenText) ?? 'sound:vm-goodbye'],
  };
}

/** The question carries the whisper, so that a callee hears who calls before deciding, and a key bridges at once. */
export function screeningFor(number: TrackingNumber, facts: CallFacts, whisper: readonly Media[]): Screening {
  const question = facts.whisperMedia(acceptText(number.acceptKey)) ?? 'tone:accept';
  return { key: number.acceptKey ?? 'any', prompt: [...whisper, question], waitMs: screeningWaitMs };
}

/** Whether one of the account's schedules was open when the call began; undefined for one that there is not. */
export function openNow({ account, facts }: Pick<Making, 'account' | 'facts'>, id: ScheduleId): (OpenAnswer & { readonly local: LocalTime }) | undefined {
  const schedule = account.schedules?.get(id);
  if (schedule === undefined) return undefined;
  const local = facts.localTime(schedule.timezone);
  return { ...openAt(schedule, local), local };
}

/** What conditions and routers are asked of; of an agent, now. */
export function routerFacts({ account, number, facts }: Making): RouterFacts {
  const caller = e164Of(facts.callerNumber);
  const contact = caller === undefined ? undefined : facts.contact(account.id, caller);
  const last = caller === undefined ? undefined : facts.lastCallAt?.(account.id, caller);
  const place = (): Geo => (caller === undefined ? {} : (facts.placeOf?.(account.id, caller) ?? {}));
  return {
    at: facts.at,
    draw: (router) => drawOf(facts.callId, router),
    caller: { number: caller ?? '', place },
    dialled: { number: number.e164, label: number.label },
    ...(contact === undefined ? {} : { contact }),
    tags: number.tags ?? [],
    local: facts.localTime(account.timezone ?? 'UTC'),
    schedule: (id) => openNow({ account, facts }, id),
    mode: modeAt(account.night?.is, facts.at).mode,
    ...(last === undefined ? {} : { secondsSinceLastCall: Math.max(0, (facts.at - last) / second) }),
    agent: (id) => (indexOf(account).users.has(id) ? (facts.agent?.(account.id, id) ?? 'offline') : undefined),
  };
}

/** The id of what `key` names, whose name is the first free one; `fresh` when it is still to be made. */
export function nameStep(making: Making, key: string, name: string): { readonly id: StepId; readonly fresh: boolean } {
  const known = making.made.get(key);
  if (known !== undefined) return { id: known, fresh: false };
  let id = name;
  for (let n = 2; making.named.has(id); n += 1) id = `${name}-${n}`;
  making.named.add(id);
  making.made.set(key, id);
  return { id, fresh: true };
}

/** A menu may lead back to what was found to be passed over only after the menu was made: it leads to what took its place. */
export function stepsOf({ steps, skipped }: Making): Readonly<Record<StepId, Step>> {
  if (skipped.size === 0) return steps;
  const standIn = (id: StepId): StepId => {
    const instead = skipped.get(id);
    return instead === undefined ? id : standIn(instead);
  };
  return Object.fromEntries(Object.entries(steps).map(([id, step]) => [id, leading(step, standIn)]));
}

function leading(step: Step, standIn: (id: StepId) => StepId): Step {
  switch (step.kind) {
    case 'ring': return { ...step, ...(step.serve === undefined ? {} : { serve: standIn(step.serve) }), on: { noAnswer: standIn(step.on.noAnswer) } };
    case 'menu': return {
      ...step, options: Object.fromEntries(Object.entries(step.options).map(([key, to]) => [key, standIn(to)])),
      on: { noKey: standIn(step.on.noKey), invalid: standIn(step.on.invalid), noAnswer: standIn(step.on.noAnswer) },
    };
    case 'queue': return { ...step, on: { ...(step.on.callback === undefined ? {} : { callback: standIn(step.on.callback) }), exitKey: standIn(step.on.exitKey), full: standIn(step.on.full), empty: standIn(step.on.empty), maxWait: standIn(step.on.maxWait), closed: standIn(step.on.closed) } };
    case 'announcement':
    case 'voicemail': return { ...step, on: { done: standIn(step.on.done) } };
    case 'setting': return { ...step, on: { set: standIn(step.on.set), notSet: standIn(step.on.notSet) } };
    case 'supervise':
    case 'hang-up': return step;
  }
}

export function say(making: Making, subject: string, taken: boolean, why: string): void {
  making.reasons.push({ subject, taken, why });
}
