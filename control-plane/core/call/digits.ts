/**
 * How long keys take that are sent to a far end: drivers send them so, and the core waits for so long. Asterisk 22.10.1
 * was seen to begin 100 ms after the delay it was asked for, and to keep these times to the frame.
 */
import { second, type Ms } from '../time.ts';

export const digitMs: Ms = 100;
export const betweenDigitsMs: Ms = 100;
/** Pauses that may stand among the digits. */
const pauses: Readonly<Record<string, Ms>> = { w: second / 2, W: second };

/** A key and the silence after it, or a pause, for each. */
export function digitsMs(digits: string): Ms {
  return Array.from(digits).reduce((sum, digit) => sum + (pauses[digit] ?? digitMs + betweenDigitsMs), 0);
}
