/** What the switch has of Frontdesk's calls, and making them this instance's. */
import { callIdOf, type CallId } from '../../core/ids.ts';
import type { SwitchSnapshot } from '../media-driver.ts';
import type { AriClient } from './ari/ari-client.ts';
import type { AriResult } from './ari/ari-result.ts';
import type { Channel } from './ari/ari-types.generated.ts';
import { recordingOfTrack, tracksOf } from './call-recording.ts';
import { callerText } from '../caller-text.ts';
import type { Identity } from '../identity.ts';
import { seenCalls, type SeenCall } from '../seen-calls.ts';
import { bothIdentities, readIdentities } from './identity.ts';
import { offeredAs, originOf } from './origin.ts';

/** Of one call, what `adopt` needs beside the snapshot. */
export interface SwitchReading {
  readonly snapshot: SwitchSnapshot;
  readonly channelIds: ReadonlySet<string>;
  /** The channels that are not in this instance's application. */
  readonly elsewhere: ReadonlySet<string>;
}

const frontdeskApp = /^frontdesk-/;
const leg = /--l\d+$/;
const bridge = /--b\d+$/;
/** Below what the client lets wait. */
const variablesAtOnce = 1000;

/** `only` limits it to these calls. Throws when the link is down or the switch does not answer. */
export async function readSwitch(ari: AriClient, only?: ReadonlySet<CallId>): Promise<SwitchReading> {
  const [channelsReply, bridgesReply, appsReply] = await Promise.all([ari.request('channels.list'), ari.request('bridges.list'), ari.request('applications.list')]);
  const channels = ok(channelsReply);
  const bridges = ok(bridgesReply);
  const apps = ok(appsReply).filter(({ name }) => frontdeskApp.test(name));
  // A call that is still being offered looks the same in the list of channels: claimed is what is in an application.
  const claimed = new Set(apps.flatMap(({ channel_ids: ids }) => ids));
  const here = new Set(apps.find(({ name }) => name === ari.app)?.channel_ids);
  const elsewhere = new Set(apps.filter(({ name }) => name !== ari.app).flatMap(({ channel_ids: ids }) => ids));
  const wanted = (id: string): boolean => only === undefined || only.has(callIdOf(id));
  const bridged = new Map(bridges.flatMap(({ id, channels: legIds }) => (bridge.test(id) ? legIds.map((legId) => [legId, id] as const) : [])));
  const mayBeWanted = ({ id, state }: Channel): boolean => wanted(id) || wanted(bridged.get(id) ?? id) || (state === 'Up' && !bridged.has(id));
  const identities = await identitiesOf(ari, channels.filter((channel) => (claimed.has(channel.id) || leg.test(channel.id)) && recordingOfTrack(channel.id) === undefined && mayBeWanted(channel)));
  const { calls, callOf, callIdOfLeg, identityOf, callMarkOf, servedAmong } = seenCalls(identities, bridged);
  const ours = channels.filter(({ id }) => identities.has(id) && wanted(callIdOfLeg(id)));

  const recordings: { call: SeenCall; name: string }[] = [];
  const servedBy = servedAmong(ours.map(({ id }) => id));
  for (const channel of ours) {
    const { id } = channel;
    const callId = callIdOfLeg(id);
    const call = callOf(callId);
    const { app = null, newer = false } = identityOf(id) ?? identities.get(id)?.[0] ?? {};
    const mark = identityOf(id)?.mark ?? null;
    if (newer) call.newer = true;
    // The caller's own mark is the newest; a call that has none yet is in the one application that claimed it.
    const isCaller = id === (servedBy.get(callId) ?? callId);
    const claimedBy = apps.filter(({ channel_ids: ids }) => ids.includes(id)).map(({ name }) => name);
    const owner = app ?? (isCaller && claimedBy.length === 1 ? (claimedBy[0] ?? null) : null);
    if (owner !== null && (isCaller || call.owner === null)) call.owner = owner.replace(frontdeskApp, '');
    if (!isCaller) {
      const state = channel.state === 'Up' ? 'answered' : channel.state === 'Ringing' ? 'ringing' : 'dialing';
      call.legs.push({ legId: id, state, createdAt: epochMs(channel.creationtime), mark: mark !== null && 'attempt' in mark ? mark : null });
      continue;
    }
    const callMark = callMarkOf(id);
    const { origin, dialled } = offeredAs(channel);
    call.dialled = callMark?.dialled ?? dialled ?? channel.dialplan.exten;
    const from = originOf(origin, channel);
    call.origin = from.origin;
    if (from.phone !== undefined) call.phone = from.phone;
    call.caller = { ...(id === callId ? {} : { legId: id }), answered: channel.state === 'Up', number: callerText(channel.caller.number, 40), name: callerText(channel.caller.name, 80), mark: callMark };
    if (callMark?.recording !== undefined) recordings.push({ call, name: callMark.recording });
  }
  for (const { id, channels: legIds } of bridges) if (bridge.test(id) && wanted(id)) callOf(callIdOf(id)).bridges.push({ bridgeId: id, legIds: [...legIds] });
  const isLive = async (recordingName: string): Promise<boolean> => (await ari.request('recordings.getLive', { recordingName })).ok;
  await Promise.all(recordings.map(async ({ call, name }) => {
    if (await isLive(name)) call.recordings = [...call.recordings, name];
  }));
  // Half a recording is none: its call ends it, and begins another.
  const ofCalls = new Set(channels.flatMap(({ id }) => recordingOfTrack(id) ?? []));
  await Promise.all([...ofCalls].map(async (id) => {
    const call = calls.get(callIdOf(id));
    if (call !== undefined && (await Promise.all(tracksOf(id).map(isLive))).every(Boolean)) call.recordings = [...call.recordings, id];
  }));
  const notHere = new Set(ours.map(({ id }) => id).filter((id) => !here.has(id) || elsewhere.has(id)));
  return { snapshot: { calls: [...calls.values()] }, channelIds: new Set(channels.map(({ id }) => id)), elsewhere: notHere };
}

async function identitiesOf(ari: AriClient, channels: readonly Channel[]): Promise<ReadonlyMap<string, readonly Identity[]>> {
  const identities = new Map<string, readonly Identity[]>();
  for (let from = 0; from < channels.length; from += variablesAtOnce) {
    await Promise.all(channels.slice(from, from + variablesAtOnce).map(async ({ id }) => {
      const reply = await ari.request('channels.getChannelVar', { channelId: id, variable: bothIdentities });
      if (!reply.ok && (reply.error === 'unreachable' || reply.error === 'timeout')) throw new Error(reply.message);
      identities.set(id, reply.ok ? readIdentities(reply.body.value) : []);
    }));
  }
  return identities;
}

function ok<Body>(reply: AriResult<Body>): Body {
  if (!reply.ok) throw new Error(reply.message);
  return reply.body;
}

/** `2026-01-31T10:00:00.000+0000` */
function epochMs(time: string): number {
  return Date.parse(time.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) || 0;
}
