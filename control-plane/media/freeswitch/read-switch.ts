/** What the switch has of our calls, from the lists of legs and what each of them carries. */
import { callIdOf, type BridgeId, type CallId, type LegId, type RecordingId } from '../../core/ids.ts';
import type { LegOnSwitch } from '../../core/call/events.ts';
import type { SwitchSnapshot } from '../media-driver.ts';
import { seenCalls } from '../seen-calls.ts';
import type { EslClient } from './esl/esl-client.ts';
import type { EslResult } from './esl/esl-result.ts';
import { listedLegs, unclaim, unlistLeg } from './leg-list.ts';
import { offerOf } from './offer.ts';
import { bridgeVariable, identitiesOf, recordingVariable } from './variables.ts';

/** A channel as `uuid_dump` shows it. */
export type Dump = (header: string) => string | undefined;

export interface SwitchReading {
  readonly snapshot: SwitchSnapshot;
  /** Of all that are on the switch. */
  readonly channelIds: ReadonlySet<LegId>;
  /** Those that were looked at. */
  readonly legs: ReadonlyMap<LegId, SeenLeg>;
  readonly recorded: readonly { readonly recordingId: RecordingId; readonly caller: LegId; readonly callee: LegId }[];
}

export interface SeenLeg {
  readonly answered: boolean;
  readonly bridge: BridgeId | undefined;
}

/** Below what the client lets wait. */
const dumpsAtOnce = 200;

/** `only` limits it to these calls. Throws when the link is down or the switch does not answer. */
export async function readSwitch(esl: EslClient, only?: ReadonlySet<CallId>): Promise<SwitchReading> {
  const { claims, calls, fresh } = await listedLegs(esl);
  const wanted = [...calls].filter(([id, callId]) => only === undefined || only.has(callId) || only.has(callIdOf(id))).map(([id]) => id);
  const dumps = new Map<LegId, Dump>();
  for (let from = 0; from < wanted.length; from += dumpsAtOnce) {
    await Promise.all(wanted.slice(from, from + dumpsAtOnce).map(async (id) => {
      const dump = await dumpOf(esl, id);
      if (dump !== undefined) dumps.set(id, dump);
      // Claimed when it was gone already, or left by an originate whose controller died before it could see that nothing came of it.
      else if (claims.has(id)) void unclaim(esl, id);
      else if (!fresh.has(id)) void unlistLeg(esl, id);
    }));
  }
  const gone = new Set(wanted.filter((id) => !dumps.has(id)));
  return readDumps(dumps, new Set([...calls.keys()].filter((id) => !gone.has(id))), claims, only, await recordingsOn(esl, dumps));
}

/** Undefined where it is gone. */
export async function dumpOf(esl: EslClient, id: LegId): Promise<Dump | undefined> {
  const reply = await esl.api('uuid_dump', { leg: id, format: 'json' }, { order: callIdOf(id) });
  if (!reply.ok && reply.error === 'gone') return undefined;
  const headers = parsed(textOf(reply));
  return (header) => {
    const value = headers[header];
    return typeof value === 'string' ? value : undefined;
  };
}

export function stateOf(dump: Dump): LegOnSwitch['state'] {
  if (dump('Answer-State') === 'answered') return 'answered';
  return dump('Channel-Call-State') === 'RINGING' || dump('Channel-Call-State') === 'EARLY' ? 'ringing' : 'dialing';
}

function readDumps(dumps: ReadonlyMap<LegId, Dump>, channelIds: ReadonlySet<LegId>, claims: ReadonlyMap<LegId, string>, only: ReadonlySet<CallId> | undefined, tracks: ReadonlySet<string>): SwitchReading {
  const bridgeOf = new Map<LegId, BridgeId>();
  for (const [id, dump] of dumps) {
    const bridgeId = dump(`variable_${bridgeVariable}`);
    if (bridgeId !== undefined) bridgeOf.set(id, bridgeId);
  }
  const identities = new Map([...dumps].map(([id, dump]) => [id, identitiesOf((name) => dump(`variable_${name}`))]));
  const { calls, callOf, callIdOfLeg, identityOf, callMarkOf, servedAmong } = seenCalls(identities, bridgeOf);
  const ours = [...dumps].filter(([id]) => only === undefined || only.has(callIdOfLeg(id)));

  const servedBy = servedAmong(ours.map(([id]) => id));
  for (const [id, dump] of ours) {
    const callId = callIdOfLeg(id);
    const call = callOf(callId);
    const { app = null, newer = false, mark = null } = identityOf(id) ?? {};
    if (newer || identities.get(id)?.[0]?.newer === true) call.newer = true;
    const isServed = id === (servedBy.get(callId) ?? callId);
    const owner = app ?? (isServed ? (claims.get(id) ?? null) : null);
    if (owner !== null && (isServed || call.owner === null)) call.owner = owner;
    if (!isServed) {
      call.legs.push({ legId: id, state: stateOf(dump), createdAt: createdAt(dump), mark: mark !== null && 'attempt' in mark ? mark : null });
      continue;
    }
    const callMark = callMarkOf(id);
    const offer = offerOf(dump);
    call.dialled = callMark?.dialled ?? offer.dialled;
    call.origin = offer.origin;
    if (offer.phone !== undefined) call.phone = offer.phone;
    call.caller = { ...(id === callId ? {} : { legId: id }), answered: stateOf(dump) === 'answered', ...offer.caller, mark: callMark };
    if (callMark?.recording !== undefined && tracks.has(`${callMark.recording} ${id}`)) call.recordings = [...call.recordings, callMark.recording];
  }
  const joined = joinedOf(bridgeOf, dumps);
  for (const [id, bridgeId] of bridgeOf) {
    if (!joined.has(bridgeId) || (only !== undefined && !only.has(callIdOf(bridgeId)))) continue;
    const { bridges } = callOf(callIdOf(bridgeId));
    const bridge = bridges.find((one) => one.bridgeId === bridgeId);
    if (bridge === undefined) bridges.push({ bridgeId, legIds: [id] });
    else bridge.legIds.push(id);
  }
  const recorded = recordingsOf(dumps, tracks);
  for (const { recordingId } of recorded) {
    const call = calls.get(callIdOf(recordingId));
    if (call !== undefined) call.recordings = [...call.recordings, recordingId];
  }
  const legs = new Map([...dumps].map(([id, dump]) => [id, { answered: stateOf(dump) === 'answered', bridge: bridgeOf.get(id) }]));
  return { snapshot: { calls: [...calls.values()] }, channelIds, legs, recorded };
}

/**
 * Bridges that are not only written on their legs. Whoever wrote it may have died, or lost its link, before it had the switch
 * connect them (`bridge_uuid`); two of whom one asks for a transfer are apart for a moment (fd-refer).
 */
function joinedOf(bridgeOf: ReadonlyMap<LegId, BridgeId>, dumps: ReadonlyMap<LegId, Dump>): ReadonlySet<BridgeId> {
  const members = new Map<BridgeId, LegId[]>();
  for (const [id, bridgeId] of bridgeOf) members.set(bridgeId, [...(members.get(bridgeId) ?? []), id]);
  const isJoined = (id: LegId, ids: readonly LegId[]): boolean => ids.includes(dumps.get(id)?.('variable_bridge_uuid') ?? '') || dumps.get(id)?.('Caller-Context') === 'fd-refer';
  return new Set([...members].filter(([, ids]) => ids.length < 2 || ids.some((id) => isJoined(id, ids))).map(([bridgeId]) => bridgeId));
}

/** Half a recording is none: its call ends it, and begins another. */
function recordingsOf(dumps: ReadonlyMap<LegId, Dump>, tracks: ReadonlySet<string>): SwitchReading['recorded'] {
  const found = new Map<RecordingId, { caller?: LegId; callee?: LegId }>();
  for (const [id, dump] of dumps) {
    const recordingId = dump(`variable_${recordingVariable}`);
    if (recordingId === undefined) continue;
    for (const side of ['caller', 'callee'] as const) if (tracks.has(`${recordingId}-${side} ${id}`)) found.set(recordingId, { ...found.get(recordingId), [side]: id });
  }
  return [...found].flatMap(([recordingId, { caller, callee }]) => (caller === undefined || callee === undefined ? [] : [{ recordingId, caller, callee }]));
}

/** `track leg` of each voice that is recorded now: a recording, or one side of it. */
async function recordingsOn(esl: EslClient, dumps: ReadonlyMap<LegId, Dump>): Promise<ReadonlySet<string>> {
  const marked = [...dumps].filter(([, dump]) => dump(`variable_${recordingVariable}`) !== undefined);
  const lists = await Promise.all(marked.map(async ([id]) => (await tracksOn(esl, id))?.map((track) => `${track} ${id}`) ?? []));
  return new Set(lists.flat());
}

/** What of a leg is recorded now; undefined where that cannot be told. */
export async function tracksOn(esl: EslClient, id: LegId): Promise<readonly string[] | undefined> {
  const bugs = await esl.api('uuid_buglist', { leg: id }, { order: callIdOf(id) });
  return bugs.ok ? [...bugs.text.matchAll(/([^/<>]+--[rc]\d+(?:-call(?:er|ee))?)\.wav/g)].map(([, track = '']) => track) : undefined;
}

function createdAt(dump: Dump): number {
  return Math.floor(Number(dump('Caller-Channel-Created-Time') ?? 0) / 1000);
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(reply: EslResult): string {
  if (!reply.ok) throw new Error(reply.message);
  return reply.text;
}
