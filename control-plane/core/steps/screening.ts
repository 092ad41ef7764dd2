/**
 * Screening (call connect): who answers hears the whisper and is asked for a key. Only the key accepts, so a
 * mobile's own voicemail, which answers and talks, never takes a call. No key in time: the leg is declined.
 */
import type { Leg } from '../call/call.ts';
import { cancelTimer, command, fact, moveLeg, newId, startTimer, type Draft } from '../call/draft.ts';
import { attemptOf, hangUp } from '../call/leg-life.ts';
import { askAgainMs, legTimer, toneAgainMs } from '../call/timers.ts';
import type { Screening } from '../routing/plan.ts';

export function startScreening(draft: Draft, leg: Leg, screening: Screening): void {
  fact(draft, { type: 'ScreeningAsked', legId: leg.id });
  startTimer(draft, legTimer('screening', leg.id), draft.now + screening.waitMs);
  ask(draft, leg, screening, false);
}

/** Plays the question, from the start; by tone where its audio has failed. */
function ask(draft: Draft, leg: Leg, screening: Screening, toneOnly: boolean): void {
  const promptId = newId(draft, 'p');
  moveLeg(draft, leg, { phase: 'screening', promptId, toneOnly });
  command(draft, { type: 'PlayPrompt', legId: leg.id, promptId, media: toneOnly ? ['tone:accept'] : screening.prompt });
}

export function askAgain(draft: Draft, leg: Leg): void {
  const screening = attemptOf(draft, leg)?.screening;
  if (leg.phase !== 'screening' || screening === undefined) return;
  cancelTimer(draft, legTimer('ask-again', leg.id));
  ask(draft, leg, screening, leg.toneOnly);
}

export function screeningPromptFinished(draft: Draft, leg: Leg, ok: boolean): void {
  if (leg.phase !== 'screening') return;
  moveLeg(draft, leg, { phase: 'screening', promptId: null, toneOnly: leg.toneOnly || !ok });
  startTimer(draft, legTimer('ask-again', leg.id), draft.now + (ok ? askAgainMs : toneAgainMs));
}

export function screeningTimedOut(draft: Draft, leg: Leg): void {
  if (leg.phase === 'screening') hangUp(draft, leg, 'not-accepted');
}

/** Whether this key accepts. A leg that is not screened has nothing to accept by key. */
export function acceptsBy(draft: Draft, leg: Leg, digit: string): boolean {
  const key = attemptOf(draft, leg)?.screening?.key;
  return key !== undefined && (key === 'any' || key === digit);
}
