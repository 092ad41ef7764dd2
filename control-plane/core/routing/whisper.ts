/**
 * A whisper's text becomes audio in parts. What is the same for every call of a number is one text, spoken before
 * the first call; the caller's number is said digit by digit with sounds the switch brings; the caller's name is
 * said when it was spoken before (docs/decisions/0003-whisper-audio.md).
 *
 * Placeholders: `{practice}` the account's name, `{number}` the number's label, `{caller}` the caller's name or else
 * number, `{callerNumber}`.
 */
import { agentTexts } from './agent-code.ts';
import { callbackTexts, numberMedia } from './callback-words.ts';
import type { Account, CallFacts, Media, Message, TrackingNumber } from './config.ts';
import { nightTexts } from './night-code.ts';
import { positionTexts } from './queue-position.ts';
import { reachOf } from './reach.ts';

export const whisperPlaceholders = ['practice', 'number', 'caller', 'callerNumber'] as const;
type Placeholder = (typeof whisperPlaceholders)[number];

/** Said in place of a number that was withheld. */
export const withheldText = 'a withheld number';

/** Said to a caller whose key leads nowhere. */
export const invalidKeyText = 'That is not one of the choices.';

/** Said to one who answered after another had won. */
export const takenText = 'This call was taken by someone else.';

/** A name is somebody else's input: no more of it than this is spoken. */
const longestName = 60;

type Part = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'caller' | 'callerNumber' };

const placeholder = /\{([^{}]*)\}/g;

/** Placeholders in a text that mean nothing here. */
export function unknownPlaceholders(text: string): readonly string[] {
  const known: readonly string[] = whisperPlaceholders;
  return [...text.matchAll(placeholder)].map((match) => match[1] ?? '').filter((name) => !known.includes(name));
}

function partsOf(template: string, account: Pick<Account, 'name'>, number: Pick<TrackingNumber, 'label'>): readonly Part[] {
  const parts: Part[] = [];
  let text = '';
  const endText = (): void => {
    const said = tidy(text);
    // A full stop left over between two placeholders has nothing to say.
    if (/[\p{L}\p{N}]/u.test(said)) parts.push({ kind: 'text', text: said });
    text = '';
  };
  let from = 0;
  for (const match of template.matchAll(placeholder)) {
    text += template.slice(from, match.index);
    from = match.index + match[0].length;
    const name = match[1] as Placeholder;
    if (name === 'practice') text += account.name;
    else if (name === 'number') text += number.label;
    else if (name === 'caller' || name === 'callerNumber') {
      endText();
      parts.push({ kind: name });
    } else {
      text += match[0];
    }
  }
  text += template.slice(from);
  endText();
  return parts;
}

export type WhisperAudio = { readonly media: readonly Media[]; readonly why: string };

/**
 * What a callee hears, and why; no media at all when a fixed part is not ready, since half a sentence helps nobody. The
 * number's whisper wins over `receiving`, that of the receiving number which is rung (D3).
 */
export function whisperAudio(account: Account, number: TrackingNumber, receiving: Message | undefined, facts: CallFacts): WhisperAudio {
  const instead = receiving === undefined ? '' : ', instead of the receiving number’s';
  if (number.whisperFile !== undefined) return { media: [number.whisperFile], why: `the number has a recorded whisper${instead}` };
  if (number.whisper !== undefined) return spoken(account, number, number.whisper, `the number has a whisper and its audio is ready${instead}`, facts);
  if (receiving?.text !== undefined) return spoken(account, number, receiving.text, 'the receiving number has a whisper and its audio is ready', facts);
  if (receiving?.media !== undefined) return { media: [receiving.media], why: 'the receiving number has a recorded whisper' };
  return { media: [], why: 'the number has no whisper' };
}

function spoken(account: Account, number: TrackingNumber, text: string, why: string, facts: CallFacts): WhisperAudio {
  const media: Media[] = [];
  for (const part of partsOf(text, account, number)) {
    const said = mediaOf(part, facts);
    if (said.length === 0 && part.kind === 'text') return { media: [], why: `the audio for “${part.text}” is not ready` };
    media.push(...said);
  }
  if (media.length === 0) return { media, why: 'nothing of the whisper can be said yet' };
  return { media, why };
}

function mediaOf(part: Part, facts: CallFacts): readonly Media[] {
  if (part.kind === 'text') return ready(part.text, facts);
  const name = part.kind === 'caller' ? spokenName(facts.callerName) : '';
  const named = name === '' ? [] : ready(name, facts);
  return named.length > 0 ? named : digitSounds(facts);
}

function ready(text: string, facts: CallFacts): readonly Media[] {
  const media = facts.whisperMedia(text);
  return media === undefined ? [] : [media];
}

function digitSounds(facts: CallFacts): readonly Media[] {
  const digits = numberMedia(facts.callerNumber);
  return digits.length === 0 ? ready(withheldText, facts) : digits;
}

/** Texts to have spoken before the number's first call. */
export function textsToPrepare(account: Account): readonly string[] {
  const texts = account.numbers.flatMap((number) => [
    ...(number.recordingAnnouncement?.text === undefined ? [] : [number.recordingAnnouncement.text]),
    ...(number.announcementText === undefined ? [] : [number.announcementText]),
    ...textsOfRoute(account, number),
    ...(number.whisper === undefined ? [] : whisperTexts(number.whisper, account, number)),
  ]);
  const voicemails = account.numbers.flatMap((number) => number.voicemail ?? []);
  const greetings = voicemails.length === 0 ? [] : [...voicemails, account, ...account.users].map(({ greeting }) => greeting?.text);
  return [...new Set([...texts, ...nightTexts(account), ...agentTexts(account), ...[...greetings, account.blocked?.message?.text].filter((text) => text !== undefined)])];
}

function textsOfRoute(account: Account, number: TrackingNumber): readonly string[] {
  const { receivingNumbers, menus, queues, messages, phones } = reachOf(account, number);
  const asks = phones.some(({ callConnect = number.callConnect }) => callConnect !== 'off');
  const whispers = number.whisper === undefined && number.whisperFile === undefined ? receivingNumbers.flatMap(({ whisper }) => whisper?.text ?? []) : [];
  return [
    ...(phones.length === 0 ? [] : [takenText]),
    ...(asks ? [acceptText(number.acceptKey)] : []),
    ...whispers.flatMap((whisper) => whisperTexts(whisper, account, number)),
    ...menus.flatMap((menu) => [menu.prompt.text, menu.invalidPrompt === undefined ? invalidKeyText : menu.invalidPrompt.text]).filter((text) => text !== undefined),
    ...messages.flatMap(({ text }) => text ?? []),
    ...queues.flatMap(({ greeting, music, messages: periodic, whisper, desk, callback }) => [
      ...[greeting, music, ...(periodic?.say ?? [])].flatMap((message) => message?.text ?? []),
      ...(whisper?.text === undefined ? [] : whisperTexts(whisper.text, account, number)),
      ...(desk.announce === null ? [] : positionTexts),
      ...(callback === undefined ? [] : callbackTexts(account, callback.key)),
    ]),
  ];
}

function whisperTexts(template: string, account: Account, number: TrackingNumber): readonly string[] {
  const parts = partsOf(template, account, number);
  const texts = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
  return parts.length > texts.length ? [...texts, withheldText] : texts;
}

/** Texts worth speaking because this call came, for the caller's next one: nothing waits for them. */
export function textsOfCaller(number: TrackingNumber | undefined, callerName: string): readonly string[] {
  const name = spokenName(callerName);
  return number?.whisper?.includes('{caller}') === true && name !== '' ? [name] : [];
}

/** What asks for the key. */
export function acceptText(acceptKey: string | undefined): string {
  if (acceptKey === undefined) return 'Press any key to take this call.';
  const names: Readonly<Record<string, string>> = { '*': 'star', '#': 'pound' };
  return `Press ${names[acceptKey] ?? acceptKey} to take this call.`;
}

/** A name that is only a number is said as one. */
function spokenName(callerName: string): string {
  const name = tidy(callerName).slice(0, longestName).trim();
  return /\p{L}/u.test(name) ? name : '';
}

function tidy(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Z}]+/gu, ' ').trim();
}
