/**
 * From configuration and the facts of one call to its plan. Pure: the same configuration and facts always give the
 * same plan and hash. `explain` prints what this returns, so what it says is what a call does.
 *
 *   announcement ─done─> ring ─noAnswer─> voicemail ─done─> hang-up
 *
 * A step that has nothing to do is left out, and `reasons` says why.
 */
import { contentHash, type StepId } from '../ids.ts';
import { hour, second, type Ms } from '../time.ts';
import { maxUsers, type Account, type CallFacts, type Device, type Media, type TrackingNumber, type User, type Voicemail } from './config.ts';
import type { Attempt, Plan, Reason, Screening, Step } from './plan.ts';
import { acceptText, takenText, whisperAudio } from './whisper.ts';

/** Below this a phone cannot be picked up in time, so it is not rung at all. */
export const shortestRingMs: Ms = 5 * second;
/** Below this a mobile seldom rings before the time is up: networks take seconds to reach it. */
const shortestExternalRingMs: Ms = 15 * second;
/** Above this a mobile's own voicemail tends to answer. */
const longestExternalRingMs: Ms = 20 * second;
/** From the answer; the longest whisper and the question fit twice. */
const screeningWaitMs: Ms = 20 * second;
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

function compileNumber(account: Account, number: TrackingNumber, facts: CallFacts): Plan {
  const reasons: Reason[] = [{ subject: 'number', taken: true, why: `${number.e164} is “${number.label}” of ${account.name}` }];
  const steps: Record<StepId, Step> = {};

  const announcement = announcementMedia(number, facts, reasons);
  const ring = ringAttempts(account, number, facts, reasons);
  const voicemail = number.voicemail;

  let next: StepId = voicemail === undefined ? 'hang-up-no-answer' : 'voicemail';
  if (ring.length > 0) {
    const taken = facts.whisperMedia(takenText) ?? 'sound:vm-goodbye';
    steps['ring'] = { kind: 'ring', pattern: 'simultaneous', attempts: ring, ringMs: number.ringMs, taken: [taken], on: { noAnswer: next } };
    next = 'ring';
  }
  if (announcement.length > 0) {
    steps['announcement'] = { kind: 'announcement', media: announcement, on: { done: next } };
    next = 'announcement';
  }
  if (voicemail === undefined) {
    reasons.push({ subject: 'voicemail', taken: false, why: 'the number has voicemail turned off' });
    steps['hang-up-no-answer'] = { kind: 'hang-up', cause: 'no-answer' };
    reasons.push({ subject: 'hang-up-no-answer', taken: true, why: 'nobody answered and there is no voicemail' });
  } else {
    steps['voicemail'] = {
      kind: 'voicemail', greeting: [greetingMedia(voicemail, facts, reasons)], maxMs: voicemail.maxMs, silenceMs: voicemail.silenceMs,
      on: { done: 'hang-up' },
    };
    reasons.push({ subject: 'voicemail', taken: true, why: ring.length > 0 ? 'nobody answered in time' : 'nobody is rung' });
    steps['hang-up'] = { kind: 'hang-up', cause: 'normal' };
    reasons.push({ subject: 'hang-up', taken: true, why: 'the message is recorded' });
  }
  return seal({
    account: { id: account.id, name: account.name },
    number: { e164: number.e164, label: number.label },
    first: next,
    steps,
    reasons,
    maxCallMs,
  });
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

function greetingMedia(voicemail: Voicemail, facts: CallFacts, reasons: Reason[]): Media {
  if (voicemail.greetingText === undefined) return voicemail.greeting;
  const spoken = facts.whisperMedia(voicemail.greetingText);
  if (spoken === undefined) reasons.push({ subject: 'greeting', taken: false, why: 'its audio is not ready: the standard greeting is played' });
  return spoken ?? voicemail.greeting;
}

function ringAttempts(account: Account, number: TrackingNumber, facts: CallFacts, reasons: Reason[]): readonly Attempt[] {
  const skip = (why: string): readonly Attempt[] => {
    reasons.push({ subject: 'ring', taken: false, why });
    return [];
  };
  if (number.ringMs < shortestRingMs) {
    return skip(`${seconds(number.ringMs)} is too short to answer: under ${seconds(shortestRingMs)} no phone is rung`);
  }
  const users = usersOf(account, number, reasons);
  if (users.length === 0) return skip('the number rings no users');
  const devices = users.flatMap((user) => user.devices.map((device) => ({ user, device })));
  if (devices.length === 0) return skip('none of its users has a device');

  const whisper = whisperAudio(account, number, facts);
  const attempts = devices.map(({ user, device }) => attemptFor(user, device, number, facts, whisper.media));
  const whom = `${count(devices.length, 'device')} of ${count(users.length, 'user')}`;
  reasons.push({ subject: 'ring', taken: true, why: `${whom} at once for ${seconds(number.ringMs)}; the first to accept wins` });
  reasons.push({ subject: 'whisper', taken: whisper.media.length > 0, why: whisper.why });
  const asked = attempts.filter((attempt) => attempt.screening !== undefined).length;
  reasons.push({ subject: 'call connect', taken: asked > 0, why: callConnectWhy(number, asked, attempts.length) });
  return attempts;
}

function usersOf(account: Account, number: TrackingNumber, reasons: Reason[]): readonly User[] {
  const ids = number.users.slice(0, maxUsers);
  for (const id of number.users.slice(maxUsers)) {
    reasons.push({ subject: `user ${id}`, taken: false, why: `a number rings at most ${maxUsers} users` });
  }
  return ids.flatMap((id) => {
    const user = account.users.find((candidate) => candidate.id === id);
    if (user === undefined) reasons.push({ subject: `user ${id}`, taken: false, why: 'the account has no such user' });
    else if (user.devices.length === 0) reasons.push({ subject: `user ${id}`, taken: false, why: `${user.name} has no device` });
    return user === undefined ? [] : [user];
  });
}

function attemptFor(user: User, device: Device, number: TrackingNumber, facts: CallFacts, whisper: readonly Media[]): Attempt {
  const asked = number.callConnect === 'every' || (number.callConnect === 'external' && device.target.kind === 'external');
  const attempt = {
    user: user.id,
    label: device.label,
    target: device.target,
    ringMs: Math.min(device.ringMs ?? number.ringMs, number.ringMs),
    callerId: { number: facts.callerNumber, name: facts.callerName },
  };
  // The question carries the whisper, so that a callee hears who calls before deciding, and a key bridges at once.
  return asked ? { ...attempt, whisper: [], screening: screeningFor(number, facts, whisper) } : { ...attempt, whisper };
}

function screeningFor(number: TrackingNumber, facts: CallFacts, whisper: readonly Media[]): Screening {
  const question = facts.whisperMedia(acceptText(number.acceptKey)) ?? 'tone:accept';
  return { key: number.acceptKey ?? 'any', prompt: [...whisper, question], waitMs: screeningWaitMs };
}

function callConnectWhy(number: TrackingNumber, asked: number, all: number): string {
  const key = number.acceptKey === undefined ? 'any key' : `key ${number.acceptKey}`;
  if (number.callConnect === 'off') return 'it is off: whoever answers has the call';
  if (asked === 0) return 'it asks external legs only, and there is none';
  return `${number.callConnect === 'every' ? 'it asks every leg' : 'it asks external legs'}: ${asked} of ${all} must press ${key}`;
}

/** Settings that are accepted but will disappoint, each in a sentence (N9). */
export function warnings(account: Account, number: TrackingNumber): readonly string[] {
  if (number.ringMs < shortestRingMs) {
    return number.voicemail === undefined
      ? [`A timeout of ${seconds(number.ringMs)} rings nobody, and voicemail is off: every call is hung up.`]
      : [];
  }
  if (number.callConnect !== 'off') return [];
  const users = account.users.filter((user) => number.users.includes(user.id));
  return users.flatMap((user) =>
    user.devices.flatMap((device) => {
      if (device.target.kind !== 'external') return [];
      const ringMs = Math.min(device.ringMs ?? number.ringMs, number.ringMs);
      const who = `${user.name}, ${device.label}, rings ${seconds(ringMs)}`;
      if (ringMs < shortestExternalRingMs) return [`${who}: too short for an external phone to be answered; give it 15 to 20 s.`];
      if (ringMs > longestExternalRingMs) return [`${who} without call connect: its own voicemail may take the call; turn call connect on, or ring 15 to 20 s.`];
      return [];
    }),
  );
}

export function seconds(ms: Ms): string {
  return `${ms / second} s`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
