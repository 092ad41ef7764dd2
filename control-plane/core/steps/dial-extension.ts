/**
 * Dial extension (D2): a switchboard has answered, and the extension behind it is dialled. Only then is somebody there to
 * be asked for a key, to hear the whisper, or to talk. Digits cannot be taken back: after an adoption they are not sent
 * again to a leg that is known to have been sent them.
 */
import type { Leg } from '../call/call.ts';
import { digitsMs } from '../call/digits.ts';
import { command, fact, moveLeg, startTimer, type Draft } from '../call/draft.ts';
import { extensionMarginMs, legTimer } from '../call/timers.ts';
import type { Attempt } from '../routing/plan.ts';

export function dialExtension(draft: Draft, leg: Leg, { digits, delayMs }: NonNullable<Attempt['dialExtension']>): void {
  moveLeg(draft, leg, { phase: 'extending' });
  fact(draft, { type: 'ExtensionDialed', legId: leg.id, digits });
  command(draft, { type: 'SendDigits', legId: leg.id, digits, delayMs });
  startTimer(draft, legTimer('extension', leg.id), draft.now + delayMs + digitsMs(digits) + extensionMarginMs);
}

/**
 * After an adoption. One who is gone may have begun it, and the switch sends one row of keys after the other: a request to
 * bridge that came in between would wait for the end of both, and with it every request behind it.
 */
export function waitForBoth(draft: Draft, leg: Leg, { digits, delayMs }: NonNullable<Attempt['dialExtension']>): void {
  startTimer(draft, legTimer('extension', leg.id), draft.now + 2 * (delayMs + digitsMs(digits)) + extensionMarginMs);
}
