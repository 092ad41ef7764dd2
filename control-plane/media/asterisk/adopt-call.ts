import type { SwitchSnapshot } from '../media-driver.ts';
import { isCallRecording } from '../../core/ids.ts';
import type { AriClient } from './ari/ari-client.ts';
import { tracksOf } from './call-recording.ts';
import type { Subscribe } from './gather-subscriptions.ts';
import { dialledVariable } from './identity.ts';
import { inTurn, legAnswered, legBridged, legRang, legUnbridged, type TellLeg } from './leg-events.ts';
import type { Legs } from './legs.ts';

/**
 * Subscribes to a call's channels and bridges, moves the channels that are in another application, and then tells
 * what changed between the snapshot and the subscription, which no event will. A leg that was made and not dialled is
 * hung up: nobody will dial it, and the call makes another. So is a phone's that does not ring yet, since it tells neither.
 */
export async function adoptCall(ari: AriClient, subscribe: Subscribe, legs: Legs, call: SwitchSnapshot['calls'][number], elsewhere: ReadonlySet<string>, tell: TellLeg): Promise<void> {
  const { callId } = call;
  const served = call.caller?.legId ?? callId;
  const channelIds = [...(call.caller === null ? [] : [served]), ...call.legs.map(({ legId }) => legId)];
  const sources = [...channelIds.map((id) => `channel:${id}`), ...call.bridges.map(({ bridgeId }) => `bridge:${bridgeId}`),
    ...call.recordings.filter(isCallRecording).flatMap(tracksOf).map((id) => `channel:${id}`)];

  for (const id of channelIds) Object.assign(legs.of(id), { callId, subscribed: true, moving: elsewhere.has(id) });
  for (const { legId, state } of call.legs) {
    const leg = legs.of(legId);
    leg.rang ||= state === 'ringing';
    leg.answered ||= state === 'answered';
    // One that was not is ended below.
    leg.dialled = true;
  }
  for (const { bridgeId, legIds } of call.bridges) for (const id of legIds) if (channelIds.includes(id)) legs.of(id).bridge = bridgeId;
  const message = call.recordings.find((id) => !isCallRecording(id));
  const recorded = call.caller === null ? undefined : legs.of(served);
  if (recorded !== undefined && call.caller !== null) {
    recorded.answered ||= call.caller.answered;
    recorded.recording = message;
    // Not known from the snapshot; silence where there is none is no harm.
    recorded.ringTone = true;
  }
  // Waited for: a change between what is read below and the subscription would never be told.
  const subscribed = await subscribe(ari, sources);
  // The move of a channel that plays a prompt is done when that ends; events and commands do not wait for it.
  const moved = channelIds.filter((id) => elsewhere.has(id)).map((channelId) => ari.request('channels.move', { channelId, app: ari.app, appArgs: 'adopted' }));
  const now = channelIds.map(async (channelId) => ({ channelId, reply: await ari.request('channels.get', { channelId }) }));
  const messageNow = message === undefined ? undefined : ari.request('recordings.getLive', { recordingName: message });
  const bridgesNow = call.bridges.map(async (before) => ({ before, reply: await ari.request('bridges.get', { bridgeId: before.bridgeId }) }));

  for (const reply of [...subscribed, ...(await Promise.all(moved))]) {
    if (!reply.ok && (reply.error === 'unreachable' || reply.error === 'timeout')) throw new Error(reply.message);
  }
  for (const { channelId, reply } of await Promise.all(now)) {
    if (!reply.ok && reply.error === 'gone') {
      if (legs.get(channelId) === undefined) continue;
      legs.delete(channelId);
      tell(callId, { type: 'LegEnded', legId: channelId, cause: 'lost' });
    } else if (reply.ok) {
      if (reply.body.state === 'Ringing') legRang(legs, channelId, tell);
      else if (reply.body.state === 'Up') legAnswered(legs, channelId, tell);
      else if (reply.body.state === 'Down' && channelId !== served && legs.get(channelId)?.originate === undefined) await endUndialled(ari, legs, channelId);
    }
  }
  for (const { before, reply } of await Promise.all(bridgesNow)) {
    const channels = reply.ok ? reply.body.channels : [];
    for (const legId of channels) if (!before.legIds.includes(legId)) legBridged(legs, legId, before.bridgeId, tell);
    for (const legId of before.legIds) if (!channels.includes(legId)) legUnbridged(legs, legId, before.bridgeId, tell);
  }
  // After the end of its leg, if that was missed as well: else it would look as if the caller were there yet.
  const reply = await messageNow;
  if (message === undefined || reply?.ok !== false || reply.error !== 'gone') return;
  // An event has told it by now.
  if (recorded?.recording !== message) return;
  recorded.recording = undefined;
  inTurn(legs.get(served), () => { tell(callId, { type: 'RecordingFinished', recordingId: message, durationMs: null }); });
}

/** A leg that was made and not dialled looks as one that does not ring yet; a phone's is taken for one. */
export async function endUndialled(ari: AriClient, legs: Legs, channelId: string): Promise<void> {
  const dialled = await ari.request('channels.getChannelVar', { channelId, variable: dialledVariable });
  // 404 for a variable that is not set, and for a channel that has gone.
  if (dialled.ok || dialled.error !== 'gone') return;
  legs.of(channelId).asked = 'lost';
  await ari.request('channels.hangup', { channelId });
}
