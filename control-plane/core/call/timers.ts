/** The names of a call's timers, and how long what they watch over may take. */
import type { LegId, TimerId } from '../ids.ts';
import { minute, second } from '../time.ts';

export const roundTimer: TimerId = 'round';
export const orderTimer: TimerId = 'order';
export const settingTimer: TimerId = 'setting';
export const promptTimer: TimerId = 'prompt';
export const menuTimer: TimerId = 'menu';
/** Of a queue: what the desk has not answered is said again; the next message; music that could not be played. */
export const deskTimer: TimerId = 'desk';
export const messageTimer: TimerId = 'message';
export const musicTimer: TimerId = 'music';
export const whisperTimer: TimerId = 'whisper';
export const connectTimer: TimerId = 'connect';
export const maxCallTimer: TimerId = 'max-call';
export const recordTimer: TimerId = 'record';
export const endingTimer: TimerId = 'ending';

/** `guard` and `rejoin` are the caller's leg's too. */
export const legTimers = ['leg', 'extension', 'screening', 'ask-again', 'dismissed', 'hang-up', 'guard', 'rejoin'] as const;
export type LegTimer = (typeof legTimers)[number];

export function legTimer(kind: LegTimer, legId: LegId): TimerId {
  return `${kind}:${legId}`;
}

/** The kind and leg of a leg's timer; undefined for a timer of the call's own. */
export function legTimerOf(id: TimerId): { readonly kind: LegTimer; readonly legId: LegId } | undefined {
  const colon = id.indexOf(':');
  const kind = legTimers.find((known) => known === id.slice(0, colon));
  return kind === undefined ? undefined : { kind, legId: id.slice(colon + 1) };
}

/** Of an attempt that rings later than its round, or its destination's turn, began. */
export function delayTimer(attempt: number): TimerId {
  return `delay:${attempt}`;
}

export function delayedAttemptOf(id: TimerId): number | undefined {
  return id.startsWith('delay:') ? Number(id.slice('delay:'.length)) : undefined;
}

/** For the answer to `OrderDestinations`: by then they are rung as they are listed. */
export const orderLimitMs = 300;
/** For what became of the night switch: a database that hangs is given up sooner, and then it is known. */
export const settingLimitMs = 30 * second;
/** The switch begins to send digits a moment after it was asked to. */
export const extensionMarginMs = 300;
/** The desk may have changed hands meanwhile. */
export const sayAgainMs = second;
/** Who waits, and has a place, says so again: a desk that has forgotten the call hears of it. */
export const stillHereMs = 30 * second;
/** An agent who has accepted, and of whom the desk has said nothing by then, is connected: the two of them are there. */
export const acceptLimitMs = second;
/** After its ringing and asking a desk waits so long to hear what became of an offer. */
export const offerMarginMs = 25 * second;
/** A key that is pressed twice by mistake, and how long a question waits for its answer. */
export const doublePressMs = 700;
export const confirmWithinMs = 30 * second;
export const musicAgainMs = 2 * second;
/** No prompt is longer: one whose end has not been heard of by then counts as failed. */
export const promptLimitMs = 3 * minute;
export const whisperLimitMs = minute;
/** For the way to an extension, which this process knows: one that never comes is none. */
export const planLimitMs = 5 * second;
/** From the bridge's request to both legs being in it. */
export const connectLimitMs = 5 * second;
/** A leg that left the bridge and lives is put back after this: the end of a hang-up is there sooner. */
export const rejoinAfterMs = second;
/** A hang-up whose leg's end has not been heard of is asked for again after this, three times. */
export const hangUpAgainMs = 2 * second;
export const hangUpTries = 3;
export const dismissedLimitMs = 8 * second;
/** Between two rounds of the screening prompt, in which the callee may think. */
export const askAgainMs = 1500;
export const toneAgainMs = 300;
/** The switch's own limit on a ring comes after ours, so that ours decides while a controller lives. */
export const switchRingMarginMs = 2 * second;
/** The same for a recording. */
export const recordMarginMs = 5 * second;
export const guardAgainMs = second;
/** For as long as a leg waits, it is renewed every few seconds (runtime/guard.ts). */
export const guardMs = 20 * second;
/** Who transferred is rung again for so long, when the other does not answer. */
export const recallMs = 20 * second;
