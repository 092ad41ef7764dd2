/** The calls of a snapshot in the making, on either switch: whose a leg is, and who is served. */
import { callIdOf, type BridgeId, type CallId, type LegId } from '../core/ids.ts';
import type { LegOnSwitch } from '../core/call/events.ts';
import type { CallMark } from '../core/call/mark.ts';
import type { Identity } from './identity.ts';
import type { SwitchSnapshot } from './media-driver.ts';

type OneCall = SwitchSnapshot['calls'][number];
export type SeenCall = { -readonly [K in keyof Omit<OneCall, 'legs' | 'bridges'>]: OneCall[K] } & { legs: LegOnSwitch[]; bridges: { bridgeId: BridgeId; legIds: LegId[] }[] };

export interface SeenCalls {
  readonly calls: ReadonlyMap<CallId, SeenCall>;
  /** The call, made if none of it was seen yet. */
  readonly callOf: (callId: CallId) => SeenCall;
  readonly callIdOfLeg: (id: LegId) => CallId;
  /** In the call that it is of now. */
  readonly identityOf: (id: LegId) => Identity | undefined;
  /** Null of a leg that has not the call's mark. */
  readonly callMarkOf: (id: LegId) => CallMark | null;
  /** By call, among these legs: another than the caller, once that one has transferred who they had called. */
  readonly servedAmong: (legIds: readonly LegId[]) => ReadonlyMap<CallId, LegId>;
}

export function seenCalls(identities: ReadonlyMap<LegId, readonly Identity[]>, bridgeOf: ReadonlyMap<LegId, BridgeId>): SeenCalls {
  const calls = new Map<CallId, SeenCall>();
  // A leg that has come from another call is known by the bridge it is in, and out of one by its identity alone.
  const callIdOfLeg = (id: LegId): CallId => callIdOf(bridgeOf.get(id) ?? identities.get(id)?.[0]?.callId ?? id);
  // That of a call it is no longer of says nothing of its place.
  const identityOf = (id: LegId): Identity | undefined => identities.get(id)?.find(({ callId }) => callId === callIdOfLeg(id));
  const callMarkOf = (id: LegId): CallMark | null => {
    const mark = identityOf(id)?.mark ?? null;
    return mark !== null && 'place' in mark ? mark : null;
  };
  return {
    calls, callIdOfLeg, identityOf, callMarkOf,
    callOf: (callId) => {
      let call = calls.get(callId);
      if (call === undefined) {
        call = { callId, owner: null, dialled: '', origin: 'trunk', caller: null, legs: [], bridges: [], recordings: [] };
        calls.set(callId, call);
      }
      return call;
    },
    servedAmong: (legIds) => new Map(legIds.filter((id) => callMarkOf(id) !== null && callIdOfLeg(id) !== id).map((id) => [callIdOfLeg(id), id])),
  };
}
