/**
 * From configuration and the facts of one call to its plan. Pure: the same configuration and facts always give the
 * same plan and hash. `explain` prints what this returns, so what it says is what a call does.
 *
 *   announcement ─done─> ring ─noAnswer─> voicemail ─done─> hang-up
 *   a blocked caller: hang-up, or voicemail, or announcement ─done─> hang-up
 *
 * A step that has nothing to do is left out, and `reasons` says why.
 */
import { contentHash, type StepId } from '../ids.ts';
import { hour, second, type Ms } from '../time.ts';
import { whyBlocked } from './blocked.ts';
import { defaultPrecedence, type Account, type Blocked, type CallFacts, type Media, type PrecedenceEntry, type TrackingNumber } from './config.ts';
import { greetingMedia } from './greeting.ts';
import type { Attempt, Plan, Reason, Step } from './plan.ts';
import { devicesOf, phoneAt, type Phone } from './precedence.ts';
import { messageMedia, recordingMedia, ringAttempts, shortestRingMs } from './ring-attempts.ts';
import { takenText } from './whisper.ts';
import { seconds } from './words.ts';

/** Below this a mobile seldom rings before the time is up: networks take seconds to reach it. */
const shortestExternalRingMs: Ms = 15 * second;
/** Above this a mobile's own voicemail tends to answer. */
const longestExternalRingMs: Ms = 20 * second;
const maxCallMs: Ms = 4 * hour;

/** The plan for whichever account has the dialled number; a call to nobody's number is hung up as unallocated. */
export function compileFor(accounts: readonly Account[], facts: CallFacts): Plan {
  const found = findNumber(accounts, facts.dialled);
  if (found === undefined) return unallocated(facts.dialled);
  return compileNumber(found.account, found.number, facts);
}

/** The plan for a call to one of this account's numbers. */
export function compile(account: Account, facts: CallFacts): Plan {
  return compileFor([account], facts);
}

/** Compared by digits alone: carriers send a number with or without its `+`. */
export function findNumber(accounts: readonly Account[], dialled: string): { readonly account: Account; readonly number: TrackingNumber } | undefined {
  const digits = digitsOf(dialled);
  if (digits === '') return undefined;
  for (const account of accounts) {
    const number = account.numbers.find((candidate) => digitsOf(candidate.e164) === digits);
    if (number !== undefined) return { account, number };
  }
  return undefined;
}

function digitsOf(number: string): string {
  return number.replace(/\D/g, '');
}

function unallocated(dialled: string): Plan {
  return seal({
    account: { id: '', name: '' },
    number: { e164: dialled, label: '' },
    first: 'hang-up',
    steps: { 'hang-up': { kind: 'hang-up', cause: 'unallocated' } },
    reasons: [{ subject: 'hang-up', taken: true, why: 'no number of this system was dialled' }],
    maxCallMs,
  });
}

/** A plan in the making. */
interface Making {
  readonly account: Account;
  readonly number: TrackingNumber;
  readonly facts: CallFacts;
  readonly steps: Record<StepId, Step>;
  readonly reasons: Reason[];
}

function compileNumber(account: Account, number: TrackingNumber, facts: CallFacts): Plan {
  const reasons: Reason[] = [{ subject: 'number', taken: true, why: `${number.e164} is “${number.label}” of ${account.name}` }];
  const making: Making = { account, number, facts, steps: {}, reasons };
  const refused = whyBlocked(account.blocked, facts.callerNumber);
  const first = account.blocked === undefined || refused === undefined ? welcome(making) : turnAway(making, account.blocked, refused);
  return seal({
    account: { id: account.id, name: account.name },
    number: { e164: number.e164, label: number.label },
    first,
    steps: making.steps,
    reasons,
    maxCallMs,
  });
}

/** Each of these adds steps and returns the first of them. */
function welcome(making: Making): StepId {
  const { account, number, facts, steps, reasons } = making;
  const announcement = announcementMedia(number, facts, reasons);
  const ring = ringAttempts(account, number, facts, reasons);
  const noAnswer: StepId = number.voicemail === undefined ? 'hang-up-no-answer' : 'voicemail';
  let first = noAnswer;
  if (ring.length > 0) {
    const taken = facts.whisperMedia(takenText) ?? 'sound:vm-goodbye';
    steps['ring'] = { kind: 'ring', pattern: 'simultaneous', attempts: ring, ringMs: number.ringMs, taken: [taken], on: { noAnswer } };
    first = 'ring';
  }
  const recorded = ring.some((attempt) => attempt.recording?.announced === true) ? recordingMedia(number, facts) : [];
  if (announcement.length + recorded.length > 0) {
    const says = recorded.length > 0 ? { announcesRecording: true as const } : {};
    steps['announcement'] = { kind: 'announcement', media: [...announcement, ...recorded], ...says, on: { done: first } };
    first = 'announcement';
  }
  noAnswerSteps(making, ring.length > 0 ? 'nobody answered in time' : 'nobody is rung', ring);
  return first;
}

/** A blocked caller: no phone rings. Where there is no message to play or leave, the call is refused. */
function turnAway(making: Making, blocked: Blocked, why: string): StepId {
  const { number, facts, steps, reasons } = making;
  reasons.push({ subject: 'blocked', taken: true, why });
  if (blocked.action === 'voicemail' && number.voicemail !== undefined) return noAnswerSteps(making, 'a blocked caller goes straight to voicemail', []);
  const message = blocked.action === 'message' ? messageMedia(blocked.message, facts) : undefined;
  steps['hang-up'] = { kind: 'hang-up', cause: 'declined' };
  if (message !== undefined) {
    steps['announcement'] = { kind: 'announcement', media: [message], on: { done: 'hang-up' } };
    reasons.push({ subject: 'announcement', taken: true, why: 'blocked callers hear a message' });
  } else if (blocked.action !== 'reject') {
    reasons.push({ subject: blocked.action, taken: false, why: blocked.action === 'message' ? 'its audio is not ready' : 'the number has voicemail turned off' });
  }
  reasons.push({ subject: 'hang-up', taken: true, why: 'blocked callers are refused' });
  return message === undefined ? 'hang-up' : 'announcement';
}

/** `rung` before: whose greeting it is depends on it. */
function noAnswerSteps({ account, number, facts, steps, reasons }: Making, why: string, rung: readonly Attempt[]): StepId {
  const { voicemail } = number;
  if (voicemail === undefined) {
    reasons.push({ subject: 'voicemail', taken: false, why: 'the number has voicemail turned off' });
    steps['hang-up-no-answer'] = { kind: 'hang-up', cause: 'no-answer' };
    reasons.push({ subject: 'hang-up-no-answer', taken: true, why: 'nobody answered and there is no voicemail' });
    return 'hang-up-no-answer';
  }
  steps['voicemail'] = {
    kind: 'voicemail', greeting: [greetingMedia(account, number, rung, facts, reasons)], maxMs: voicemail.maxMs, silenceMs: voicemail.silenceMs,
    on: { done: 'hang-up' },
  };
  reasons.push({ subject: 'voicemail', taken: true, why });
  steps['hang-up'] = { kind: 'hang-up', cause: 'normal' };
  reasons.push({ subject: 'hang-up', taken: true, why: 'the message is recorded' });
  return 'voicemail';
}

function seal(plan: Omit<Plan, 'version' | 'hash'>): Plan {
  return { version: 1, hash: contentHash(plan), ...plan };
}

function announcementMedia(number: TrackingNumber, facts: CallFacts, reasons: Reason[]): readonly Media[] {
  const subject = 'announcement';
  const media = number.announcementText === undefined ? number.announcement : facts.whisperMedia(number.announcementText);
  if (media !== undefined) {
    reasons.push({ subject, taken: true, why: 'the number has an announcement' });
    return [media];
  }
  const why = number.announcementText === undefined ? 'the number has no announcement' : 'the audio of the announcement is not ready';
  reasons.push({ subject, taken: false, why });
  return [];
}

/** Settings that are accepted but will disappoint, each in a sentence (N9). */
export function warnings(account: Account, number: TrackingNumber): readonly string[] {
  if (number.ringMs < shortestRingMs) {
    return number.voicemail === undefined
      ? [`A timeout of ${seconds(number.ringMs)} rings nobody, and voicemail is off: every call is hung up.`]
      : [];
  }
  return externalPhones(account, number).flatMap(({ user, label, ringMs: own = number.ringMs, callConnect = number.callConnect }) => {
    if (callConnect !== 'off') return [];
    const ringMs = Math.min(own, number.ringMs);
    const who = `${user === undefined ? '' : `${user.name}, `}${label}, rings ${seconds(ringMs)}`;
    if (ringMs < shortestExternalRingMs) return [`${who}: too short for an external phone to be answered; give it 15 to 20 s.`];
    if (ringMs > longestExternalRingMs) return [`${who} without call connect: its own voicemail may take the call; turn call connect on, or ring 15 to 20 s.`];
    return [];
  });
}

/** All that a call to the number may ring outside this system, for one caller or another. */
function externalPhones(account: Account, number: TrackingNumber): readonly Phone[] {
  const order: readonly PrecedenceEntry[] = account.precedence ?? defaultPrecedence;
  const users = account.users.filter((user) => number.users.includes(user.id));
  return [
    ...(account.company === undefined || !order.includes('company') ? [] : [phoneAt(account.company, 'company')]),
    ...(number.forward === undefined || !order.includes('number-forward') ? [] : [phoneAt(number.forward, 'forward')]),
    ...users.flatMap((user) => [
      ...(user.forward === undefined || !order.includes('number-user') ? [] : [phoneAt(user.forward, 'forward', user)]),
      ...devicesOf(user),
    ]),
  ].filter(({ target }) => target.kind === 'external');
}
