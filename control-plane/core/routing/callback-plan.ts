/**
 * Q6: the plan of a call that calls back who waited in a queue. Who answers is asked for a key, so that no mailbox gets an
 * agent, and then waits in the queue as any caller does, in the place that was kept.
 *
 *   callback: ring ─accepted─> announcement, where an agent's calls are recorded ─> queue ─> as for any caller
 *               └─no answer─> hang-up
 */
import type { StepId } from '../ids.ts';
import type { QueueId } from '../queue/config.ts';
import { hour, second, type EpochMs, type Ms } from '../time.ts';
import { reachedKey, reachedText } from './callback-words.ts';
import type { Account, Callback, CallFacts, E164 } from './config.ts';
import { digitsOf, indexOf } from './index-of.ts';
import { leadTo } from './lead-to.ts';
import { nameStep, say, startMaking, stepsOf, type Making } from './making.ts';
import { goneNumber } from './offer-ring.ts';
import { guardOutbound } from './outbound-guard.ts';
import type { Plan, PlannedCallback } from './plan.ts';
import { isAnnounced } from './queue-step.ts';
import { recordingMedia } from './ring-attempts.ts';
import { seal } from './seal.ts';
import { targetOf } from './sip-name.ts';

/** From the answer: the question fits twice. */
const reachedWaitMs: Ms = 20 * second;
/** For trunks that do not take the call, and for who answers at the last moment. */
const roundMarginMs: Ms = reachedWaitMs + 5 * second;
const maxCallMs: Ms = 4 * hour;

export interface CallbackToMake extends PlannedCallback {
  readonly queue: QueueId;
  /** The one who is called back. */
  readonly number: E164;
  /** Of ours, that they had called: shown to them now. */
  readonly dialled: E164;
  readonly priority: number;
  readonly enteredAt: EpochMs;
}

/** `later`: it is only not to be made now. */
export type CallbackDecision = { readonly plan: Plan } | { readonly refused: string; readonly later: boolean };

export function callbackPlan(account: Account, callback: CallbackToMake, facts: CallFacts): CallbackDecision {
  const { queue: id, number, dialled, priority, enteredAt } = callback;
  const queue = account.queues?.get(id);
  if (queue?.callback === undefined) return { refused: queue === undefined ? `there is no queue “${id}”` : `the queue “${id}” calls nobody back any more`, later: false };
  const decision = guardOutbound(number, account.outbound, facts.callsOut(account.id));
  if (!decision.allowed) return { refused: decision.detail, later: decision.reason === 'concurrent-calls' };
  const making = makingOf(account, dialled, facts);
  const queued = leadTo(making, { to: 'queue', id, priority }, 'no-answer');
  const step = making.steps[queued];
  if (step?.kind === 'queue') making.steps[queued] = { ...step, enteredAt };
  const first = ringCaller(making, number, queue.callback, announcement(making, queued, isAnnounced(making, queue.desk)));
  const { attempt, of } = callback;
  return { plan: sealed(making, first, { id: callback.id, of, attempt }) };
}

/** Of a call of which only the switch knows: it goes on where it is in a queue, and is over where nobody has been reached. */
export function callbackRemainder(account: Account, facts: CallFacts): Plan {
  const making = makingOf(account, facts.dialled, facts);
  for (const id of account.queues?.keys() ?? []) leadTo(making, { to: 'queue', id }, 'no-answer');
  return sealed(making, nobody(making), { id: '', of: null, attempt: 0 });
}

function makingOf(account: Account, dialled: string, facts: CallFacts): Making {
  return startMaking(account, indexOf(account).numbers.get(digitsOf(dialled)) ?? goneNumber(dialled, 0), facts);
}

function ringCaller(making: Making, number: E164, { trunks, ringMs }: Callback, serve: StepId): StepId {
  const { account, facts } = making;
  const { id } = nameStep(making, 'callback', 'callback');
  const prompt = facts.whisperMedia(reachedText(account)) ?? 'tone:accept';
  say(making, id, true, `calls ${number} back`);
  making.steps[id] = {
    kind: 'ring', pattern: 'simultaneous', ringMs: ringMs + roundMarginMs, taken: [], serve, on: { noAnswer: nobody(making) },
    attempts: [{
      user: '', label: 'who is called back', target: targetOf(account, { kind: 'external', number, trunks }), ringMs, callerId: { number: making.number.e164, name: account.name }, whisper: [],
      screening: { key: reachedKey, prompt: [prompt], waitMs: reachedWaitMs },
    }],
  };
  return id;
}

/** An agent's calls may be recorded: said before an agent is there. */
function announcement(making: Making, done: StepId, isWanted: boolean): StepId {
  const media = isWanted ? recordingMedia(making.number, making.facts) : [];
  if (media.length === 0) return done;
  const { id } = nameStep(making, 'announcement', 'announcement');
  making.steps[id] = { kind: 'announcement', media, announcesRecording: true, on: { done } };
  return id;
}

function nobody(making: Making): StepId {
  const { id } = nameStep(making, 'nobody reached', 'hang-up-not-reached');
  making.steps[id] = { kind: 'hang-up', cause: 'no-answer' };
  return id;
}

function sealed(making: Making, first: StepId, callback: PlannedCallback): Plan {
  const { account, number, reasons } = making;
  return seal({
    account: { id: account.id, name: account.name }, number: { e164: number.e164, label: number.label }, first, steps: stepsOf(making), reasons, maxCallMs, callback,
    ...(number.tags === undefined || number.tags.length === 0 ? {} : { tags: number.tags }),
  });
}
