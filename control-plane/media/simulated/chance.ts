/**
 * What a real switch leaves open, gathered in one place so that a test can decide it: how long messages take (and
 * with that their order), who wins a claim, which requests fail, which events come twice. The defaults are a quick,
 * healthy switch. Nothing in simulated/ draws a random number of its own.
 */
import type { CommandError, LegEvent } from '../../core/call/events.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import type { Ms } from '../../core/time.ts';

/** The part of the runtime's clock a switch needs. Timers of one time fire in the order they were set. */
export interface Clock {
  now(): number;
  /** Returns the function that disarms it. */
  setTimer(at: number, fn: () => void): () => void;
}

/** `dial`: between the creation of a leg and its INVITE; `claim`: between the claim and the call's first event. */
export type Message = 'event' | 'request' | 'reply' | 'dial' | 'claim';

export interface Failure {
  readonly error: CommandError;
  /** Done all the same: the reply was lost, not the request. */
  readonly carriedOut: boolean;
}

export interface Chance {
  delayMs(message: Message): Ms;
  /** A number below `n`: which of the controllers that heard the broadcast claims, how many requests a cut loses. */
  pick(n: number): number;
  failure(command: MediaCommand): Failure | null;
  /** Delivers the event a second time after so long, out of order; null: once, as it should be. */
  again(event: LegEvent): Ms | null;
  /** A recording that was accepted and then fails (asterisk#2044). */
  recordingFails(): boolean;
  promptMs(media: string): Ms;
  /** How long one who is recorded talks before falling silent. */
  speechMs(): Ms;
}

export const healthy: Chance = {
  delayMs: () => 1,
  pick: () => 0,
  failure: () => null,
  again: () => null,
  recordingFails: () => false,
  promptMs: (media) => (media.startsWith('tone:') ? 200 : 2000),
  speechMs: () => Infinity,
};
