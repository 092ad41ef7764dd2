/**
 * Sounds by name. FreeSWITCH brings none, so those that Frontdesk itself asks for are spoken, as any text is; a file of that name in
 * the switch's own folder (`sound_prefix`) is heard before.
 */
import type { Media } from '../../core/routing/config.ts';
import { mediaPath } from './media-path.ts';

const digits = ['Zero', 'One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight', 'Nine'];

const wordsOf: ReadonlyMap<string, string> = new Map([
  ['sound:vm-intro', 'Please leave a message after the tone. Hang up when you are done.'],
  ['sound:vm-goodbye', 'Goodbye.'],
  ...digits.map((digit, i) => [`sound:digits/${i}`, `${digit}.`] as const),
]);

/** To have spoken before the first call. */
export const soundTexts: readonly string[] = [...wordsOf.values()];

/** The audio of a text, when it is ready. */
export type Spoken = (text: string) => Media | undefined;

export interface Sound {
  readonly path: string;
  /** The path of what is heard in its place: to be asked for when the switch does not have it. */
  readonly otherwise?: () => string;
}

/** What the switch was found not to have is not asked for again. */
export function createSounds(spoken: Spoken): (media: Media) => Sound {
  const missing = new Set<Media>();
  return (media) => {
    const words = wordsOf.get(media);
    const ready = words === undefined ? undefined : spoken(words);
    if (ready === undefined) return { path: mediaPath(media) };
    const path = mediaPath(ready);
    if (missing.has(media)) return { path };
    return {
      path: mediaPath(media),
      otherwise: () => {
        missing.add(media);
        return path;
      },
    };
  };
}
