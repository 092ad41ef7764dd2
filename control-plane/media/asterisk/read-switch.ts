/** What the switch has of Frontdesk's calls, and making them this instance's. */
import { callIdOf, type CallId } from '../../core/ids.ts';
import type { CallMark, LegMark } from '../../core/call/mark.ts';
import type { LegOnSwitch } from '../../core/call/events.ts';
import type { SwitchSnapshot } from '../media-driver.ts';
import type { AriClient } from './ari/ari-client.ts';
import type { AriResult } from './ari/ari-result.ts';
import type { Channel } from './ari/ari-types.generated.ts';
import { recordingOfTrack, tracksOf } from './call-recording.ts';
import { callerText } from './caller-text.ts';
import { appIn, identityVariable, isNewer, markIn } from './identity.ts';
import { originOf } from './origin.ts';

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

type Call = { -readonly [K in keyof SwitchSnapshot['calls'][number]]: SwitchSnapshot['calls'][number][K] } & { legs: LegOnSwitch[]; bridges: { bridgeId: string; legIds: readonly string[] }[] };

/** `only` limits it to these calls. Throws when the link is down or the switch does not answer. */
export async function readSwitch(ari: AriClient, only?: ReadonlySet<CallId>): Promise<SwitchReading> {
  const [channelsReply, bridgesReply, appsReply] = await Promise.all([ari.request('channels.list'), ari.request('bridges.list'), ari.request('applications.list')]);
  const channels = ok(channelsReply);
  const apps = ok(appsReply).filter(({ name }) => frontdeskApp.test(name));
  // A call that is still being offered looks the same in the list of channels: claimed is what is in an application.
  const claimed = new Set(apps.flatMap(({ channel_ids: ids }) => ids));
  const here = new Set(apps.find(({ name }) => name === ari.app)?.channel_ids);
  const elsewhere = new Set(apps.filter(({ name }) => name !== ari.app).flatMap(({ channel_ids: ids }) => ids));
  const wanted = (id: string): boolean => only === undefined || only.has(callIdOf(id));
  const ours = channels.filter(({ id }) => (claimed.has(id) || leg.test(id)) && recordingOfTrack(id) === undefined && wanted(id));
  const marks = await readMarks(ari, ours);

  const calls = new Map<CallId, Call>();
  const callOf = (id: string): Call => {
    const callId = callIdOf(id);
    let call = calls.get(callId);
    if (call === undefined) {
      call = { callId, owner: null, dialled: '', origin: 'trunk', caller: null, legs: [], bridges: [], recordings: [] };
      calls.set(callId, call);
    }
    return call;
  };
  const recordings: { call: Call; name: string }[] = [];
  for (const channel of ours) {
    const call = callOf(channel.id);
    const { mark, app, newer } = marks.get(channel.id) ?? { mark: null, app: null, newer: false };
    if (newer) call.newer = true;
    // The caller's own mark is the newest; a call that has none yet is in the one application that claimed it.
    const isCaller = !leg.test(channel.id);
    const claimedBy = apps.filter(({ channel_ids: ids }) => ids.includes(channel.id)).map(({ name }) => name);
    const owner = app ?? (isCaller && claimedBy.length === 1 ? (claimedBy[0] ?? null) : null);
    if (owner !== null && (isCaller || call.owner === null)) call.owner = owner.replace(frontdeskApp, '');
    if (leg.test(channel.id)) {
      const state = channel.state === 'Up' ? 'answered' : channel.state === 'Ringing' ? 'ringing' : 'dialing';
      call.legs.push({ legId: channel.id, state, createdAt: epochMs(channel.creationtime), mark: mark as unknown as LegMark | null });
      continue;
    }
    const callMark = mark as unknown as CallMark | null;
    // Written by the static dialplan: StasisBroadcast(500,^frontdesk-,kind:origin:dialled)
    const [, origin, dialled] = /:(trunk|phone):(.*)$/.exec(channel.dialplan.app_data) ?? [];
    call.dialled = callMark?.dialled ?? dialled ?? channel.dialplan.exten;
    const from = originOf(origin, channel);
    call.origin = from.origin;
    if (from.phone !== undefined) call.phone = from.phone;
    call.caller = { answered: channel.state === 'Up', number: callerText(channel.caller.number, 40), name: callerText(channel.caller.name, 80), mark: callMark };
    if (callMark?.recording !== undefined) recordings.push({ call, name: callMark.recording });
  }
  for (const { id, channels: legIds } of ok(bridgesReply)) if (bridge.test(id) && wanted(id)) callOf(id).bridges.push({ bridgeId: id, legIds });
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

interface Marked {
  readonly mark: Record<string, unknown> | null;
  readonly app: string | null;
  readonly newer: boolean;
}

async function readMarks(ari: AriClient, channels: readonly Channel[]): Promise<ReadonlyMap<string, Marked>> {
  const marks = new Map<string, Marked>();
  for (let from = 0; from < channels.length; from += variablesAtOnce) {
    await Promise.all(channels.slice(from, from + variablesAtOnce).map(async ({ id }) => {
      const reply = await ari.request('channels.getChannelVar', { channelId: id, variable: identityVariable });
      if (!reply.ok && (reply.error === 'unreachable' || reply.error === 'timeout')) throw new Error(reply.message);
      if (reply.ok) marks.set(id, { mark: markIn(reply.body.value), app: appIn(reply.body.value), newer: isNewer(reply.body.value) });
    }));
  }
  return marks;
}

function ok<Body>(reply: AriResult<Body>): Body {
  if (!reply.ok) throw new Error(reply.message);
  return reply.body;
}

/** `2026-01-31T10:00:00.000+0000` */
function epochMs(time: string): number {
  return Date.parse(time.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) || 0;
}
