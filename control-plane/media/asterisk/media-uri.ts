import type { Media } from '../../core/routing/config.ts';

/**
 * A tone of ours as a sound that Asterisk's core set has. Never ARI's own `tone:`: even a list of `!` segments, which
 * plays once in the dialplan, was seen to go on for ever as a playback, with everything queued behind it.
 */
const tones = { accept: 'sound:ascending-2tone', beep: 'sound:beep' } as const;

/** ARI media URI. A `file:` is an absolute path without extension, which Asterisk takes as the name of a sound. */
export function mediaUri(media: Media): string {
  if (media === 'tone:accept') return tones.accept;
  if (media === 'tone:beep') return tones.beep;
  return media.startsWith('file:') ? `sound:${media.slice('file:'.length)}` : media;
}
