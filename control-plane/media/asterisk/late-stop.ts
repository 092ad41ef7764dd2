/**
 * A stop that comes as its prompt ends stays with the channel, and stops what is played next; if that is a list, its end is
 * never told (`playback_stop` and `play_on_channel` of res_stasis_playback.c). Who is played to after a stop hears 40 ms of
 * silence first, for such a stop to end.
 */
import type { PromptId } from '../../core/ids.ts';
import type { AriClient } from './ari/ari-client.ts';
import type { Leg } from './legs.ts';

const suffix = '-silence';
/** The end of a second of it. */
const silence = { media: ['sound:silence/1'], offsetms: 960 };

export function catchLateStop(ari: AriClient, leg: Leg, before: PromptId): void {
  if (!leg.promptStopped) return;
  leg.promptStopped = false;
  void ari.request('channels.playWithId', { channelId: leg.id, playbackId: before + suffix, ...silence });
}

/** What is played for that, and is no prompt. */
export function catchesLateStop(playbackId: string): boolean {
  return playbackId.endsWith(suffix);
}
