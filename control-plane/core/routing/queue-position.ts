/** Q5: what a waiting caller is told of the place in line, and of the time it will take. Each sentence is a text that is spoken beforehand. */
import { hour, minute, type Ms } from '../time.ts';
import type { CallFacts, Media } from './config.ts';

const lastPosition = 30;
const farText = `There are more than ${lastPosition} callers in line.`;
const toldMinutes = [1, 2, 3, 5, 10, 15, 20, 30, 45, 60] as const;
const longText = 'The wait is more than an hour.';

/** Texts to have spoken where a queue announces positions. */
export const positionTexts: readonly string[] = [
  ...Array.from({ length: lastPosition }, (_, i) => positionText(i + 1)), farText, ...toldMinutes.map(waitText), longText,
];

/** Of a position, and of the wait where it is known; nothing of what is not ready. */
export function positionMedia(position: number, estimatedWaitMs: Ms | null, spoken: CallFacts['whisperMedia']): readonly Media[] {
  const texts = [position > lastPosition ? farText : positionText(position), ...(estimatedWaitMs === null ? [] : [estimateText(estimatedWaitMs)])];
  return texts.flatMap((text) => spoken(text) ?? []);
}

function positionText(position: number): string {
  return `You are number ${position} in line.`;
}

/** Rounded up: who is served sooner than was said does not mind. An estimate is an hour at most, which so means at least one. */
function estimateText(estimatedWaitMs: Ms): string {
  const told = estimatedWaitMs >= hour ? undefined : toldMinutes.find((minutes) => estimatedWaitMs <= minutes * minute);
  return told === undefined ? longText : waitText(told);
}

function waitText(minutes: number): string {
  return minutes === 1 ? 'The wait is about one minute.' : `The wait is about ${minutes} minutes.`;
}
