/** Which phones a call to a number rings, and how each try of one goes. */
import { second, type Ms } from '../time.ts';
import { maxUsers, type Account, type CallFacts, type Media, type Message, type TrackingNumber, type User } from './config.ts';
import type { Attempt, Reason, Screening } from './plan.ts';
import { guardOutbound } from './outbound-guard.ts';
import { devicesOf, phonesByPrecedence, type Phone } from './precedence.ts';
import { recordingDecision, type RecordingRules } from './recording.ts';
import { targetOf } from './sip-name.ts';
import { acceptText, whisperAudio } from './whisper.ts';
import { count, seconds } from './words.ts';

/** Below this a phone cannot be picked up in time, so it is not rung at all. */
export const shortestRingMs: Ms = 5 * second;
/** From the answer; the longest whisper and the question fit twice. */
const screeningWaitMs: Ms = 20 * second;

/** One try of every phone that takes calls to this number; none, and why, where nobody is rung. */
export function ringAttempts(account: Account, number: TrackingNumber, facts: CallFacts, reasons: Reason[]): readonly Attempt[] {
  const skip = (why: string): readonly Attempt[] => {
    reasons.push({ subject: 'ring', taken: false, why });
    return [];
  };
  if (number.ringMs < shortestRingMs) {
    return skip(`${seconds(number.ringMs)} is too short to answer: under ${seconds(shortestRingMs)} no phone is rung`);
  }
  const users = usersOf(account, number, reasons);
  const forwarded = phonesByPrecedence(account, number, users, facts, reasons);
  if (forwarded === undefined && users.length === 0) return skip('the number rings no users');
  const found = forwarded ?? users.flatMap(devicesOf);
  if (found.length === 0) return skip('none of its users has a device');
  const phones = allowed(account, found, facts, reasons);
  if (phones.length === 0) return skip('none of its phones may be called');

  const whisper = whisperAudio(account, number, facts);
  const attempts = phones.map((phone) => attemptFor({ ...phone, target: targetOf(account, phone.target) }, number, facts, whisper.media));
  const whom = forwarded === undefined ? `${count(phones.length, 'device')} of ${count(users.length, 'user')}` : count(phones.length, 'phone');
  reasons.push({ subject: 'ring', taken: true, why: `${whom} at once for ${seconds(number.ringMs)}; the first to accept wins` });
  reasons.push({ subject: 'whisper', taken: whisper.media.length > 0, why: whisper.why });
  const asked = attempts.filter((attempt) => attempt.screening !== undefined).length;
  reasons.push({ subject: 'call connect', taken: asked > 0, why: callConnectWhy(number, asked, attempts.length) });
  if (number.passCalledNumber === true) reasons.push({ subject: 'caller ID', taken: true, why: 'the callee sees the number that was dialled' });
  const rules = phones.map((phone) => ({ account: account.recording, number: number.recording, user: phone.user?.recording }));
  return recorded(attempts, rules, number, facts, reasons);
}

function usersOf(account: Account, number: TrackingNumber, reasons: Reason[]): readonly User[] {
  const ids = number.users.slice(0, maxUsers);
  for (const id of number.users.slice(maxUsers)) {
    reasons.push({ subject: `user ${id}`, taken: false, why: `a number rings at most ${maxUsers} users` });
  }
  return ids.flatMap((id) => {
    const user = account.users.find((candidate) => candidate.id === id);
    if (user === undefined) reasons.push({ subject: `user ${id}`, taken: false, why: 'the account has no such user' });
    else if (user.devices.length === 0 && user.forward === undefined) reasons.push({ subject: `user ${id}`, taken: false, why: `${user.name} has no device` });
    return user === undefined ? [] : [user];
  });
}

/** Without those that may not be called over a trunk; each is a reason. */
function allowed(account: Account, phones: readonly Phone[], facts: CallFacts, reasons: Reason[]): readonly Phone[] {
  // Counting goes through all live calls: not where nobody is dialled over a trunk.
  let out: number | null = null;
  return phones.filter(({ user, label, target }) => {
    if (target.kind !== 'external') return true;
    out ??= facts.callsOut(account.id);
    const decision = guardOutbound(target.number, account.outbound, out);
    if (decision.allowed) out += 1;
    else reasons.push({ subject: 'outbound', taken: false, why: `${user === undefined ? '' : `${user.name}, `}${label}: ${decision.detail}` });
    return decision.allowed;
  });
}

function attemptFor(phone: Phone, number: TrackingNumber, facts: CallFacts, whisper: readonly Media[]): Attempt {
  const { user, label, target, ringMs = number.ringMs, callConnect = number.callConnect } = phone;
  const asked = callConnect === 'every' || (callConnect === 'external' && target.kind === 'external');
  const attempt = {
    user: user?.id ?? '',
    label,
    target,
    ringMs: Math.min(ringMs, number.ringMs),
    callerId: { number: number.passCalledNumber === true ? number.e164 : facts.callerNumber, name: facts.callerName },
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
  if (number.callConnect === 'off' && asked === 0) return 'it is off: whoever answers has the call';
  if (asked === 0) return 'it asks external legs only, and there is none';
  return `${number.callConnect === 'every' ? 'it asks every leg' : 'it asks external legs'}: ${asked} of ${all} must press ${key}`;
}

/** The attempts that are recorded, marked so; the announcement is the last their callee hears before the bridge, key or none. */
function recorded(attempts: readonly Attempt[], rules: readonly RecordingRules[], number: TrackingNumber, facts: CallFacts, reasons: Reason[]): readonly Attempt[] {
  const announcement = number.recordingAnnouncement === undefined ? undefined : recordingMedia(number, facts);
  const mute = announcement?.length === 0;
  const decisions = new Map<string, { readonly taken: boolean; readonly labels: string[] }>();
  const marked = attempts.map((attempt, i): Attempt => {
    const { recorded: wanted, why } = recordingDecision(rules[i] ?? {});
    if (why === undefined) return attempt;
    const record = wanted && !mute;
    const told = wanted && mute ? `${why}; the audio of its announcement is not ready, so the call is not recorded` : why;
    const decision = decisions.get(told) ?? { taken: record, labels: [] };
    decisions.set(told, decision);
    decision.labels.push(attempt.label);
    if (!record) return attempt;
    return announcement === undefined ? { ...attempt, recording: { announced: false } } : { ...attempt, whisper: [...attempt.whisper, ...announcement], recording: { announced: true } };
  });
  for (const [why, { taken, labels }] of decisions) reasons.push({ subject: 'recording', taken, why: decisions.size === 1 ? why : `${labels.join(', ')}: ${why}` });
  return marked;
}

/** What says that the call is recorded; nothing where there is no announcement, or its audio is not ready. */
export function recordingMedia(number: TrackingNumber, facts: CallFacts): readonly Media[] {
  const media = messageMedia(number.recordingAnnouncement, facts);
  return media === undefined ? [] : [media];
}

/** A text's audio, or else the media given beside it. */
export function messageMedia(message: Message | undefined, facts: CallFacts): Media | undefined {
  const spoken = message?.text === undefined ? undefined : facts.whisperMedia(message.text);
  return spoken ?? message?.media;
}
