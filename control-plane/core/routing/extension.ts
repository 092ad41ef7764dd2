/**
 * A phone dials an extension: the account's own, whoever else has the same. Pure, as compile.ts.
 *
 *   ring ─noAnswer─> hang-up
 *
 * Or one is wanted in the middle of a call: a step that rings it, which leads to where the call says.
 */
import type { PlanExtension } from '../call/commands.ts';
import type { CallEvent } from '../call/events.ts';
import { hour, second, type Ms } from '../time.ts';
import type { Account, AccountId, CallFacts } from './config.ts';
import { indexOf, type OwnedDevice } from './index-of.ts';
import type { Attempt, Plan, Reason, RingStep, Step } from './plan.ts';
import { seal } from './seal.ts';
import { targetOf } from './sip-name.ts';
import { seconds } from './words.ts';

const longestRingMs: Ms = 60 * second;
const maxCallMs: Ms = 4 * hour;

interface Owned extends OwnedDevice {
  readonly account: Account;
}

/** `phone`: the one that calls, by its name on the switch. Undefined when nobody has that phone, or its account has no such extension. */
export function compileExtension(accounts: readonly Account[], phone: string, facts: CallFacts): Plan | undefined {
  for (const account of accounts) {
    const caller = indexOf(account).phones.get(phone);
    if (caller === undefined) continue;
    const callee = at(account, facts.dialled);
    return callee === undefined ? undefined : planOf({ account, ...caller }, callee, facts);
  }
  return undefined;
}

/** The answer to a call's request; `account` is the call's own, `caller` who called. */
export function planExtension(accounts: readonly Account[], account: AccountId, asked: PlanExtension, caller: Attempt['callerId']): Extract<CallEvent, { type: 'ExtensionPlanned' }> {
  const { request, extension, callerId = caller, noAnswer } = asked;
  const own = accounts.find(({ id }) => id === account);
  const callee = own === undefined ? undefined : at(own, extension);
  if (callee === undefined) return { type: 'ExtensionPlanned', request, steps: {}, first: null, why: `there is no extension ${extension}` };
  return { type: 'ExtensionPlanned', request, steps: { [request]: { ...ringStep(callee, callerId, noAnswer), extension } }, first: request, why: whoIs(callee, extension) };
}

function at(account: Account, extension: string): Owned | undefined {
  const found = indexOf(account).extensions.get(extension);
  return found === undefined ? undefined : { account, ...found };
}

function whoIs({ account, user, device }: Owned, extension: string): string {
  return `extension ${extension} is ${user.name}, ${device.label}, of ${account.name}`;
}

function ringStep({ account, user, device }: Owned, callerId: Attempt['callerId'], noAnswer: string): RingStep {
  const attempt: Attempt = {
    user: user.id, label: device.label, target: targetOf(account, device.target), ringMs: Math.min(device.ringMs ?? longestRingMs, longestRingMs),
    callerId, whisper: [],
  };
  return { kind: 'ring', pattern: 'simultaneous', attempts: [attempt], ringMs: attempt.ringMs, taken: [], on: { noAnswer } };
}

function planOf(caller: Owned, callee: Owned, facts: CallFacts): Plan {
  const { account, user, device } = callee;
  const called = whoIs(callee, facts.dialled);
  const itself = device === caller.device;
  const steps: Record<string, Step> = { 'hang-up': { kind: 'hang-up', cause: itself ? 'busy' : 'no-answer' } };
  const reasons: Reason[] = [{ subject: 'extension', taken: true, why: called }];
  if (itself) {
    reasons.push({ subject: 'ring', taken: false, why: 'it is the phone that calls' });
  } else {
    const ring = ringStep(callee, { number: facts.callerNumber, name: facts.callerName }, 'hang-up');
    steps['ring'] = ring;
    reasons.push({ subject: 'ring', taken: true, why: `for ${seconds(ring.ringMs)}` });
    // Nothing announces it to the two, and nobody is recorded unawares.
    reasons.push({ subject: 'recording', taken: false, why: 'calls between extensions are not recorded' });
  }
  return seal({
    account: { id: account.id, name: account.name }, number: { e164: facts.dialled, label: `${user.name}, ${device.label}` },
    first: itself ? 'hang-up' : 'ring', steps, reasons, maxCallMs,
  });
}
