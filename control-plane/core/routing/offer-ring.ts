/** The ring of an offer: an agent's phones, by the configuration of the moment. Where it is not taken the caller waits on. */
import type { QueueId } from '../queue/config.ts';
import type { StepId } from '../ids.ts';
import type { Ms } from '../time.ts';
import type { Account, CallFacts, DeviceId, TrackingNumber, UserId } from './config.ts';
import { digitsOf, indexOf } from './index-of.ts';
import { startMaking } from './making.ts';
import type { RingStep } from './plan.ts';
import type { Phone } from './precedence.ts';
import { numberFor } from './queue-step.ts';
import { attemptsFor, callable } from './ring-attempts.ts';

export interface OfferToRing {
  readonly queue: QueueId;
  readonly agent: UserId;
  /** On which the agent is logged in, be they another's. */
  readonly devices: readonly DeviceId[];
  readonly ringMs: Ms;
  /** Of the call's plan, where the caller waits. */
  readonly step: StepId;
}

/** `facts` of the call as it arrived, but for what is asked of now. Null where none of the devices can be rung. */
export function offerRing(account: Account, { queue: id, agent, devices, ringMs, step }: OfferToRing, facts: CallFacts): RingStep | null {
  const user = indexOf(account).users.get(agent);
  const queue = account.queues?.get(id);
  // the number may have gone while the caller waited
  const dialled = indexOf(account).numbers.get(digitsOf(facts.dialled)) ?? goneNumber(facts.dialled, ringMs);
  const making = startMaking(account, queue === undefined ? dialled : numberFor(queue, dialled), facts);
  const wanted = new Set(devices);
  const phones = account.users.flatMap((owner) => owner.devices)
    .filter((device) => wanted.has(device.id))
    .map(({ label, target, ringMs: own }): Phone => ({ user, label, target, ringMs: own }));
  const rung = user === undefined ? [] : callable(making, '', phones);
  if (rung.length === 0) return null;
  return { kind: 'ring', pattern: 'simultaneous', attempts: attemptsFor(making, '', rung, ringMs), ringMs, taken: making.taken, on: { noAnswer: step } };
}

export function goneNumber(e164: string, ringMs: Ms): TrackingNumber {
  return { e164, label: '', users: [], ringMs, callConnect: 'external' };
}
