/** Carriers send a caller's number with or without its `+`. Undefined for none, and for an extension. */
import type { E164 } from './config.ts';

export function e164Of(number: string): E164 | undefined {
  const digits = number.replace(/\D/g, '');
  return /^[1-9]\d{6,14}$/.test(digits) ? `+${digits}` : undefined;
}
