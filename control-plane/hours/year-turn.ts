/** Holidays are laid out for the years around now, and so again when a year is over. */
import { hour, type EpochMs } from '../core/time.ts';

/** UTC: what is laid out reaches far beyond the hours in which zones differ. */
export function yearOf(at: EpochMs): number {
  return new Date(at).getUTCFullYear();
}

/** `turned` is called within an hour of a new year. Returns what ends it. */
export function onNewYear(turned: () => void): () => void {
  let year = yearOf(Date.now());
  const timer = setInterval(() => {
    const now = yearOf(Date.now());
    if (now === year) return;
    year = now;
    turned();
  }, hour);
  timer.unref();
  return () => { clearInterval(timer); };
}
