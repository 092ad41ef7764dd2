/** How each try of a phone goes: what it shows, what its callee hears, whether it is asked for a key and recorded. */
import { second, type Ms } from '../time.ts';
import type { CallFacts, Media, Message, TrackingNumber } from './config.ts';
import { openNow, say, screeningFor, type Making } from './making.ts';
import type { Attempt } from './plan.ts';
import { guardOutbound } from './outbound-guard.ts';
import type { Phone } from './precedence.ts';
import { recordingDecision } from './recording.ts';
import { hoursTag } from './schedule.ts';
import { targetOf } from './sip-name.ts';
import { whisperAudio, type WhisperAudio } from './whisper.ts';

/** Below this a phone cannot be picked up in time, so it is not rung at all. */
export const shortestRingMs: Ms = 5 * second;

/**
 * Those of the phones that may be called over a trunk, and the account's own; each that may not is a reason. `of` names the
 * ring, empty for the number's own. `inTurn`: one destination rings after the other, and only its own phones are out at once.
 */
export function callable(making: Making, of: string, phones: readonly Phone[], inTurn = false): readonly Phone[] {
  const { account, facts } = making;
  // Counting goes through all live calls: not where nobody is dialled over a trunk.
  let out: number | null = null;
  const own = new Map<string, number>();
  return phones.filter(({ user, label, target, destination = '' }) => {
    if (target.kind !== 'external') return true;
    out ??= facts.callsOut(account.id);
    const together = inTurn ? destination : '';
    const beside = own.get(together) ?? 0;
    const decision = guardOutbound(target.number, account.outbound, out + beside);
    if (decision.allowed) own.set(together, beside + 1);
    else say(making, subjectOf(of, 'outbound'), false, `${user === undefined ? '' : `${user.name}, `}${label}: ${decision.detail}`);
    return decision.allowed;
  });
}

/** One try of each phone. `ringMs` is how long one rings that says nothing, and the longest for all. */
export function attemptsFor(making: Making, of: string, phones: readonly Phone[], ringMs: Ms): readonly Attempt[] {
  const { account, number, facts } = making;
  const tell = (subject: string, taken: boolean, why: string): void => { say(making, subjectOf(of, subject), taken, why); };
  const told: string[] = [];
  let asked = 0;
  const attempts = phones.map((phone) => {
    const whisper = phone.whisper === undefined ? making.whisper : whisperAudio(account, number, phone.whisper, facts);
    if (!told.includes(whisper.why)) {
      told.push(whisper.why);
      tell('whisper', whisper.media.length > 0, whisper.why);
    }
    const attempt = attemptFor(making, phone, whisper, ringMs);
    if (attempt.screening !== undefined) asked += 1;
    return attempt;
  });
  tell('call connect', asked > 0, callConnectWhy(number, phones, asked));
  if (number.passCalledNumber === true) tell('caller ID', true, 'the callee sees the number that was dialled');
  return recorded(making, attempts, phones, tell);
}

type Tell = (subject: string, taken: boolean, why: string) => void;

function subjectOf(of: string, subject: string): string {
  return of === '' ? subject : `${of}, ${subject}`;
}

const nothing: readonly Media[] = [];

function attemptFor(making: Making, phone: Phone, whisper: WhisperAudio, longest: Ms): Attempt {
  const { account, number, facts, callerId } = making;
  const { user, label, target, ringMs = longest, callConnect = number.callConnect, delayMs = 0, destination, taggingHours, dialExtension } = phone;
  const hours = taggingHours === undefined ? undefined : openNow(making, taggingHours);
  const asked = callConnect === 'every' || (callConnect === 'external' && target.kind === 'external');
  const attempt: { -readonly [K in keyof Attempt]: Attempt[K] } = {
    user: user?.id ?? '', label, target: targetOf(account, target), ringMs: Math.min(ringMs, longest), callerId, whisper: asked ? nothing : whisper.media,
  };
  if (asked) attempt.screening = whisper === making.whisper ? making.screening : screeningFor(number, facts, whisper.media);
  if (destination !== undefined) attempt.destination = destination;
  if (delayMs > 0) attempt.delayMs = delayMs;
  if (hours !== undefined) attempt.tags = [hoursTag(hours)];
  if (dialExtension !== undefined) attempt.dialExtension = dialExtension;
  return attempt;
}

/** A phone's own rule comes before the number's. */
function callConnectWhy(number: TrackingNumber, phones: readonly Phone[], asked: number): string {
  const rules = phones.map(({ callConnect = number.callConnect }) => callConnect);
  if (asked > 0) {
    const key = number.acceptKey === undefined ? 'any key' : `key ${number.acceptKey}`;
    return `${rules.includes('every') ? 'it asks every leg' : 'it asks external legs'}: ${asked} of ${phones.length} must press ${key}`;
  }
  const isOff = rules.every((rule) => rule === 'off') || phones.some(({ target }) => target.kind === 'external');
  return isOff ? 'it is off: whoever answers has the call' : 'it asks external legs only, and there is none';
}

/** The attempts that are recorded, marked so; the announcement is the last their callee hears before the bridge, key or none. */
function recorded({ account, number, facts }: Making, attempts: readonly Attempt[], phones: readonly Phone[], tell: Tell): readonly Attempt[] {
  if (account.recording === undefined && number.recording === undefined && phones.every(({ user }) => user?.recording === undefined)) return attempts;
  const announcement = number.recordingAnnouncement === undefined ? undefined : recordingMedia(number, facts);
  const mute = announcement?.length === 0;
  const decisions = new Map<string, { readonly taken: boolean; readonly labels: string[] }>();
  const marked = attempts.map((attempt, i): Attempt => {
    const { recorded: wanted, why } = recordingDecision({ account: account.recording, number: number.recording, user: phones[i]?.user?.recording });
    if (why === undefined) return attempt;
    const record = wanted && !mute;
    const told = wanted && mute ? `${why}; the audio of its announcement is not ready, so the call is not recorded` : why;
    const decision = decisions.get(told) ?? { taken: record, labels: [] };
    decisions.set(told, decision);
    decision.labels.push(attempt.label);
    if (!record) return attempt;
    return announcement === undefined ? { ...attempt, recording: { announced: false } } : { ...attempt, whisper: [...attempt.whisper, ...announcement], recording: { announced: true } };
  });
  for (const [why, { taken, labels }] of decisions) tell('recording', taken, decisions.size === 1 ? why : `${labels.join(', ')}: ${why}`);
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
