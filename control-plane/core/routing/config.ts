/**
 * The configuration that routing reads: plain data, already validated at the edge (a plan file now, the API later).
 * Durations are milliseconds, numbers E.164 (`+15551230001`), media are references a driver can play.
 */
import { minute, second, type Ms } from '../time.ts';

export type E164 = string;
export type AccountId = string;
export type UserId = string;
export type DeviceId = string;
export type TrunkId = string;

/**
 * What a driver can play. `file:` is a path without extension, `sound:` a prompt every switch brings under that
 * name, `tone:` one of the few tones each driver must be able to make.
 */
export type ToneName = 'accept' | 'beep';
export type Media = `file:${string}` | `sound:${string}` | `tone:${ToneName}`;

/** off: answering is accepting. external: only legs that leave over a trunk are asked for a key. every: all are. */
export type CallConnect = 'off' | 'external' | 'every';

export interface Device {
  readonly id: DeviceId;
  readonly label: string;
  readonly target: DialTarget;
  /** Stops ringing this device earlier than the number's own timeout. */
  readonly ringMs?: Ms;
}

export type DialTarget =
  | { readonly kind: 'device'; readonly device: DeviceId }
  /** Over the first of these trunks that takes it. */
  | { readonly kind: 'external'; readonly number: E164; readonly trunks: readonly TrunkId[] };

export interface User {
  readonly id: UserId;
  readonly name: string;
  readonly devices: readonly Device[];
}

export interface Voicemail {
  /** Played when there is no `greetingText`, or its audio is not ready. */
  readonly greeting: Media;
  readonly greetingText?: string;
  readonly maxMs: Ms;
  readonly silenceMs: Ms;
}

export interface TrackingNumber {
  readonly e164: E164;
  readonly label: string;
  /** Users rung together, at most seven. */
  readonly users: readonly UserId[];
  /** How long the number rings before no-answer routing. */
  readonly ringMs: Ms;
  readonly announcement?: Media;
  /** Spoken instead of `announcement`; passed over while its audio is not ready. */
  readonly announcementText?: string;
  /** Spoken text with placeholders (whisper.ts); the media that says it is a fact of the call, made before it is needed. */
  readonly whisper?: string;
  /** Recorded audio instead of a text. */
  readonly whisperFile?: Media;
  readonly callConnect: CallConnect;
  /** The key that accepts; any key when absent. */
  readonly acceptKey?: string;
  readonly voicemail?: Voicemail;
  /** Rung by the switch itself when no controller answers. */
  readonly failsafe?: E164;
}

/** Users one number rings at once. */
export const maxUsers = 7;
/** How long a number rings that does not say. */
export const defaultRingMs: Ms = 60 * second;
/** What a number has that says nothing about voicemail: the switch's own "leave a message after the tone". */
export const defaultVoicemail: Voicemail = { greeting: 'sound:vm-intro', maxMs: 3 * minute, silenceMs: 10 * second };

export interface Account {
  readonly id: AccountId;
  readonly name: string;
  readonly users: readonly User[];
  readonly numbers: readonly TrackingNumber[];
}

/** What a compiler needs beside the configuration, known when the call arrives. */
export interface CallFacts {
  readonly dialled: string;
  readonly callerNumber: string;
  readonly callerName: string;
  /** The audio that says a text (part of a whisper, an announcement, a greeting), if it is ready. */
  readonly whisperMedia: (text: string) => Media | undefined;
}
