/**
 * A leg that supervises another: a snoop channel. What `spy` and `whisper` mean was listened to on 22.10.1: `in` is what
 * the leg says, `out` what it hears. Who whispers is never in what they spy.
 *
 * A snoop ends with its leg, with or without a controller; it stays on it from bridge to bridge and while it is held, and
 * nobody is told its end by itself but who has subscribed to it. It has a guard and can be moved like any other channel.
 */
import { callIdOf, type CallId } from '../../core/ids.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import { guardMs } from '../../core/call/timers.ts';
import type { SupervisionMode } from '../../core/routing/supervision.ts';
import { second } from '../../core/time.ts';
import type { CommandResult } from '../media-driver.ts';
import type { AriClient } from './ari/ari-client.ts';
import type { Channel } from './ari/ari-types.generated.ts';
import type { Subscribe } from './gather-subscriptions.ts';
import { identityText } from '../identity.ts';
import { identityVariable, setByReading } from './identity.ts';
import { legAnswered, legEnded, type TellLeg } from './leg-events.ts';
import type { Legs } from './legs.ts';

/** Args of such a leg in StasisStart. */
export const supervisorArgument = 'supervisor';

/** Who hears the supervisor: nobody; the leg alone; it, and with what it says who talks with it. */
const whisper: Readonly<Record<SupervisionMode, 'none' | 'out' | 'both'>> = { listen: 'none', coach: 'out', barge: 'both' };

export async function superviseLeg(ari: AriClient, legs: Legs, { legId, supervised, mode, mark }: Extract<MediaCommand, { type: 'SuperviseLeg' }>): Promise<CommandResult> {
  if (legs.get(legId) !== undefined) return { ok: false, error: 'rejected', mayHaveReachedCarrier: false, detail: 'The id of the leg is in use.' };
  legs.of(legId);
  const made = await ari.request('channels.snoopChannelWithId', { channelId: supervised, snoopId: legId, spy: 'both', whisper: whisper[mode], app: ari.app, appArgs: supervisorArgument });
  if (!made.ok) {
    legs.delete(legId);
    // It may have been made all the same, and would stay as long as who is supervised.
    if (made.sent && (made.error === 'timeout' || made.error === 'unreachable')) void ari.request('channels.hangup', { channelId: legId });
    return { ok: false, error: made.error, mayHaveReachedCarrier: false, detail: made.message };
  }
  const callId: CallId = callIdOf(legId);
  const set = (name: string, value: string): void => { void ari.request('channels.getChannelVar', { channelId: legId, variable: setByReading(name, value) }); };
  set('TIMEOUT(absolute)', String(guardMs / second));
  set(identityVariable(legId, callId), identityText(callId, ari.app, mark));
  return { ok: true };
}

/** It is in our application. */
export async function supervisorEntered(ari: AriClient, legs: Legs, subscribe: Subscribe, channel: Channel, tell: TellLeg): Promise<void> {
  const leg = legs.get(channel.id);
  if (leg === undefined) return;
  leg.subscribed = true;
  const [subscribed] = await subscribe(ari, [`channel:${channel.id}`]);
  if (legs.get(channel.id) !== leg) return;
  if (subscribed?.ok === true) legAnswered(legs, channel.id, tell);
  // With the link down it is found when that is back; else it has ended already, which nobody will tell.
  else if (subscribed?.status !== undefined) legEnded(legs, channel, { cause: 0, techCause: undefined }, tell);
}
