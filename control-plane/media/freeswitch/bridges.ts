/**
 * Bridges as calls see them: a place with an id, in which legs are. The switch knows no such thing, only two legs that are
 * connected. So the place is a variable on each leg, and whoever is alone in one hears nothing until another comes.
 *
 * Tried on 1.11.1: `uuid_bridge` says +OK some 60 ms before the two hear each other, which CHANNEL_BRIDGE tells, of one leg alone.
 * The one who is left behind when the other goes runs `transfer_after_bridge`, which stands once for each bridge. A REFER meanwhile
 * would part the two for good, so it is to find nobody whom it could send elsewhere: the switch then says no by itself.
 */
import { callIdOf, type BridgeId, type LegId } from '../../core/ids.ts';
import type { EslClient } from './esl/esl-client.ts';
import type { EslFailure, EslResult } from './esl/esl-result.ts';
import type { TellLeg } from './leg-events.ts';
import { beginDeed, endDeed, type Leg, type Legs } from './legs.ts';
import { stopMessage } from './message.ts';
import { stopPrompts } from './prompts.ts';
import { bridgeVariable, partnerVariable } from './variables.ts';

const gone: EslFailure = { ok: false, error: 'gone', message: 'The leg is not on the switch.', sent: false };

export async function bridgeLegs(esl: EslClient, legs: Legs, bridgeId: BridgeId, legIds: readonly LegId[], tell: TellLeg): Promise<EslResult> {
  const order = callIdOf(bridgeId);
  const joining = legIds.map((id) => legs.get(id));
  if (!joining.every((leg) => leg !== undefined)) return gone;
  // As where two are parted (destroyBridge).
  for (const leg of joining) if (leg.joining !== undefined) await leg.joining.over;
  const others = legs.in(bridgeId).filter(({ id }) => !legIds.includes(id));

  for (const leg of joining) {
    stopPrompts(esl, leg, tell);
    void stopMessage(esl, leg);
  }
  // Who it is connected with now stays where it is, and is not taken for one who was left.
  await Promise.all(joining.filter(({ bridge }) => bridge !== undefined && bridge !== bridgeId).map((leg) => release(esl, leg)));
  const marked = await Promise.all(joining.map((leg) => esl.api('uuid_setvar', { leg: leg.id, name: bridgeVariable, value: bridgeId }, { order })));
  const refused = marked.find((reply) => !reply.ok);
  if (refused !== undefined) return refused;
  for (const leg of joining) leaveBridge(leg, bridgeId, tell);

  const [first, second] = pairOf(bridgeId, joining, others);
  if (first === undefined) return { ok: true, text: '' };
  const begun = second === undefined ? undefined : beginDeed();
  for (const leg of joining) Object.assign(leg, { bridge: bridgeId, joining: begun });
  if (second === undefined) {
    const alone = await release(esl, first);
    if (alone.ok) legBridged(legs, first.id, bridgeId, tell);
    return alone;
  }
  // On its way it would go on to where it was sent, and the other wait for it until the switch ends both.
  for (const leg of [first, second]) if (leg.parking !== undefined) await leg.parking.over;
  // Each may have been left behind before, and is not any more.
  for (const { id } of [first, second]) {
    void esl.api('sched_del', { task: `fd_over_${id}` }, { order });
    void esl.api('uuid_setvar', { leg: id, name: 'transfer_after_bridge', value: 'left:XML:fd-over' }, { order });
  }
  const bridging = esl.api('uuid_bridge', { leg: first.id, other: second.id }, { order });
  for (const { id } of [first, second]) void esl.api('uuid_setvar', { leg: id, name: partnerVariable }, { order });
  const bridged = await bridging;
  if (!bridged.ok) {
    for (const leg of joining) {
      endDeed(leg, 'joining');
      leg.bridge = undefined;
    }
  }
  return bridged;
}

export async function destroyBridge(esl: EslClient, legs: Legs, bridgeId: BridgeId, tell: TellLeg): Promise<EslResult> {
  // Before they are connected the switch would part only one of the two, and may end the other.
  for (const leg of legs.in(bridgeId)) if (leg.joining !== undefined) await leg.joining.over;
  const members = legs.in(bridgeId);
  const [first, second] = members;
  if (first === undefined) return { ...gone, message: 'There is no such bridge.' };
  for (const leg of members) {
    leaveBridge(leg, undefined, tell);
    void esl.api('uuid_setvar', { leg: leg.id, name: bridgeVariable }, { order: callIdOf(bridgeId) });
  }
  // Of two the one is connected with the other, which need not be asked.
  if (second !== undefined && members.length === 2) return part(esl, [first, second]);
  const released = await Promise.all(members.map((leg) => release(esl, leg)));
  return released.find((reply) => !reply.ok && reply.error !== 'gone') ?? { ok: true, text: '' };
}

/** Takes a leg, and who it is connected with, to where they wait; nothing where it waits already. */
async function release(esl: EslClient, leg: Leg): Promise<EslResult> {
  const order = callIdOf(leg.id);
  beginParking(leg);
  const connected = await esl.api('uuid_getvar', { leg: leg.id, name: 'bridge_uuid' }, { order });
  if (connected.ok && connected.text !== '_undef_') return part(esl, [leg]);
  endDeed(leg, 'parking');
  return connected;
}

/** The first of them, and who it is connected with. */
async function part(esl: EslClient, members: readonly [Leg, ...Leg[]]): Promise<EslResult> {
  for (const leg of members) beginParking(leg);
  const [{ id }] = members;
  const parted = await esl.api('uuid_transfer', { leg: id, both: '-both', to: 'stay', dialplan: 'XML', context: 'fd-over' }, { order: callIdOf(id) });
  if (!parted.ok) for (const leg of members) endDeed(leg, 'parking');
  return parted;
}

function beginParking(leg: Leg): void {
  leg.parking ??= beginDeed();
}

/** A leg that is in another bridge leaves it. */
export function leaveBridge(leg: Leg, into: BridgeId | undefined, tell: TellLeg): void {
  const { bridge } = leg;
  endDeed(leg, 'joining');
  if (bridge === undefined || bridge === into) return;
  leg.bridge = undefined;
  tell(leg.callId, { type: 'LegUnbridged', legId: leg.id, bridgeId: bridge });
}

/** The switch has said so itself by now, unless it was slow to forget: then the phone could not transfer in this bridge. */
export function tellPartner(esl: EslClient, leg: Leg, partner: LegId): void {
  void esl.api('uuid_setvar', { leg: leg.id, name: partnerVariable, value: partner }, { order: callIdOf(leg.bridge ?? leg.id) });
}

/** In the bridge of another call it is that call's from now on; the one it was of learns by this that it has lost it. */
export function legBridged(legs: Legs, legId: LegId, bridgeId: BridgeId, tell: TellLeg): void {
  const leg = legs.of(legId);
  endDeed(leg, 'joining');
  leg.bridge = bridgeId;
  const callId = callIdOf(bridgeId);
  const told = { type: 'LegBridged', legId, bridgeId } as const;
  tell(leg.callId, told);
  if (callId === leg.callId) return;
  leg.callId = callId;
  tell(callId, told);
}

/** Who is connected with whom: a leg that comes, with the one the bridge is there for. */
function pairOf(bridgeId: BridgeId, joining: readonly Leg[], others: readonly Leg[]): readonly [Leg | undefined, Leg | undefined] {
  const [first, second] = joining;
  if (second !== undefined) return [first, second];
  return [first, others.find(({ id }) => id === callIdOf(bridgeId)) ?? others[0]];
}
