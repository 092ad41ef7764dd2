/** A plan in the making: the steps so far, why they are there, and what they are made from. */
import type { StepId } from '../ids.ts';
import type { Account, CallFacts, ScheduleId, TrackingNumber } from './config.ts';
import type { Reason, Step } from './plan.ts';
import { openAt, type OpenAnswer } from './schedule.ts';
import type { WhisperAudio } from './whisper.ts';

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
  /** What was passed over, and what is led to instead. */
  readonly skipped: Map<StepId, StepId>;
}

/** Whether one of the account's schedules was open when the call began; undefined for one that there is not. */
export function openNow({ account, facts }: Making, id: ScheduleId): OpenAnswer | undefined {
  const schedule = account.schedules?.get(id);
  return schedule === undefined ? undefined : openAt(schedule, facts.localTime(schedule.timezone));
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

export function say(making: Making, subject: string, taken: boolean, why: string): void {
  making.reasons.push({ subject, taken, why });
}
