import type { Media } from '../../core/routing/config.ts';

/** Sounds that Frontdesk itself asks a switch for, and this one has not; in ms, silence after them, and Hz. */
const beeps: Readonly<Record<string, string>> = { 'sound:beep': 'tone_stream://%(440,0,700)', 'sound:beeperr': 'tone_stream://%(150,80,480);%(150,0,480)' };
/** Two tones that rise, and one. */
const tones = { 'tone:accept': 'tone_stream://%(120,30,660);%(180,0,880)', 'tone:beep': 'tone_stream://%(440,0,700)' } as const;

/** What a caller hears in the United States while a phone rings. */
export const ringingTone = 'tone_stream://%(2000,4000,440,480);loops=-1';
/** Packets go out all the same: a carrier may take a call without any for dead. */
export const silence = 'silence_stream://-1';

/** What `playback` takes. A `sound:` is a file of the switch's own folder of prompts (`sound_prefix`). */
export function mediaPath(media: Media): string {
  if (media === 'tone:accept' || media === 'tone:beep') return tones[media];
  const beep = beeps[media];
  if (beep !== undefined) return beep;
  return `${media.slice(media.indexOf(':') + 1)}.wav`;
}
