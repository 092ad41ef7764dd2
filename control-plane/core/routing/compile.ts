/**
 * From configuration and the facts of one call to its plan. Pure: the same configuration and facts always give the
 * same plan and hash. `explain` prints what this returns, so what it says is what a call does.
 *
 *   announcement ─done─> what the number's route leads to (lead-to.ts), the precedence without one:
 *                        ring ─noAnswer─> voicemail ─done─> hang-up
 *   a blocked caller: hang-up, or voicemail, or announcement ─done─> hang-up
 *
 * A step that has nothing to do is left out, and `reasons` says why.
 */
import type { StepId } from '../ids.ts';
import { hour, second, type Ms } from '../time.ts';
import { whyBlocked } from './blocked.ts';
import type { Account, AccountId, Blocked, CallFacts, Media, TrackingNumber } from './config.ts';
import { digitsOf, indexOf } from './index-of.ts';
import { hangUp, leadTo, voicemail } from './lead-to.ts';
import { nameStep, openNow, say, startMaking, stepsOf, type Making } from './making.ts';
import type { Plan, Reason, Step } from './plan.ts';
import { isAnnounced } from './queue-step.ts';
import { reachOf } from './reach.ts';
import { seal } from './seal.ts';
import type { Target } from './targets.ts';
import { modeAt } from './night.ts';
import { dayAndTime } from './schedule.ts';
import { messageMedia, recordingMedia, shortestRingMs } from './ring-attempts.ts';
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
    const number = indexOf(account).numbers.get(digits);
    if (number !== undefined) return { account, number };
  }
  return undefined;
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

function compileNumber(account: Account, number: TrackingNumber, given: CallFacts): Plan {
  const making = startMaking(account, number, { ...given, callsOut: once(given.callsOut, account.id) });
  const { reasons } = making;
  say(making, 'number', true, `${number.e164} is “${number.label}” of ${account.name}`);
  const refused = whyBlocked(account, given.callerNumber);
  const first = account.blocked === undefined || refused === undefined ? welcome(making) : turnAway(making, account.blocked, refused);
  return seal({
    account: { id: account.id, name: account.name },
    number: { e164: number.e164, label: number.label },
    first,
    ...(making.byKeys ? { last: voicemail(making, 'for callers who go in circles', []) } : {}),
    steps: stepsOf(making),
    reasons,
    maxCallMs,
    ...(number.tags === undefined || number.tags.length === 0 ? {} : { tags: number.tags }),
  });
}

/** The count is the same for every ring of a call. */
function once(callsOut: CallFacts['callsOut'], account: AccountId): CallFacts['callsOut'] {
  let out: number | undefined;
  return () => (out ??= callsOut(account));
}

/** Each of these adds steps and returns the first of them. */
function welcome(making: Making): StepId {
  const { number, facts, steps, reasons } = making;
  const announcement = announcementMedia(number, facts, reasons);
  const { id } = nameStep(making, 'announcement', 'announcement');
  const first = leadTo(making, routeNow(making), 'no-answer');
  const words = recordingMedia(number, facts);
  const recorded = words.length > 0 && Object.values(steps).some((step) => mayBeAnnounced(making, step)) ? words : [];
  if (announcement.length + recorded.length === 0) return first;
  const says = recorded.length > 0 ? { announcesRecording: true as const } : {};
  steps[id] = { kind: 'announcement', media: [...announcement, ...recorded], ...says, on: { done: first } };
  return id;
}

/** A call that this step connects may be one that is recorded, which its caller has to be told before. */
function mayBeAnnounced(making: Making, step: Step): boolean {
  if (step.kind === 'ring') return step.attempts.some((attempt) => attempt.recording?.announced === true);
  const queue = step.kind === 'queue' ? making.account.queues?.get(step.queue) : undefined;
  return queue !== undefined && isAnnounced(making, queue.desk);
}

/** Where the number's calls go at this time. */
function routeNow(making: Making): Target {
  const { account, number, facts } = making;
  const open = number.route ?? { to: 'precedence' };
  if (account.night?.is !== undefined) {
    const { mode, why } = modeAt(account.night.is, facts.at);
    const instead = mode === 'normal' ? undefined : account.night[mode];
    say(making, 'night switch', instead !== undefined, mode !== 'normal' && instead === undefined ? `${why}; nothing is said of where calls go then` : why);
    if (instead !== undefined) return instead;
  }
  if (number.hours === undefined) return open;
  const answer = openNow(making, number.hours.schedule);
  const closed = answer?.open === false;
  say(making, 'hours', closed, answer === undefined ? `there is no schedule “${number.hours.schedule}”: calls are taken` : `${answer.why}; it is ${dayAndTime(answer.local)} there`);
  return closed ? number.hours.closed : open;
}

/** A blocked caller: no phone rings. Where there is no message to play or leave, the call is refused. */
function turnAway(making: Making, blocked: Blocked, why: string): StepId {
  const { number, facts } = making;
  say(making, 'blocked', true, why);
  if (blocked.action === 'voicemail' && number.voicemail !== undefined) return voicemail(making, 'a blocked caller goes straight to voicemail', []);
  const message = blocked.action === 'message' ? messageMedia(blocked.message, facts) : undefined;
  if (message !== undefined) {
    making.steps['announcement'] = { kind: 'announcement', media: [message], on: { done: 'hang-up' } };
    say(making, 'announcement', true, 'blocked callers hear a message');
  } else if (blocked.action !== 'reject') {
    say(making, blocked.action, false, blocked.action === 'message' ? 'its audio is not ready' : 'the number has voicemail turned off');
  }
  const refusal = hangUp(making, 'declined', 'blocked callers are refused');
  return message === undefined ? refusal : 'announcement';
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
  if (number.route === undefined && number.ringMs < shortestRingMs) {
    return number.voicemail === undefined
      ? [`A timeout of ${seconds(number.ringMs)} rings nobody, and voicemail is off: every call is hung up.`]
      : [];
  }
  return reachOf(account, number).phones.filter(({ target }) => target.kind === 'external').flatMap(({ user, label, ringMs = number.ringMs, callConnect = number.callConnect }) => {
    if (callConnect !== 'off') return [];
    const who = `${user === undefined ? '' : `${user.name}, `}${label}, rings ${seconds(ringMs)}`;
    if (ringMs < shortestExternalRingMs) return [`${who}: too short for an external phone to be answered; give it 15 to 20 s.`];
    if (ringMs > longestExternalRingMs) return [`${who} without call connect: its own voicemail may take the call; turn call connect on, or ring 15 to 20 s.`];
    return [];
  });
}
