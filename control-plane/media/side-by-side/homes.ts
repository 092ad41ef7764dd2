/** Which of several switches has a call. */
import type { CallId } from '../../core/ids.ts';

export interface Homes<Side> {
  /** Undefined where nobody has said. */
  of(callId: CallId): Side | undefined;
  /** It was placed there, or seen there. */
  learn(callId: CallId, side: Side): void;
}

/** Of calls whose ids do not tell; the oldest are forgotten. */
const mostRemembered = 10_000;

/** `names`: whether an id is one that this switch gives to those who call. Other ids are ours (core/ids.ts): of these it is remembered. */
export function createHomes<Side extends { readonly names: (callId: CallId) => boolean }>(sides: readonly Side[]): Homes<Side> {
  const remembered = new Map<CallId, Side>();
  const byName = (callId: CallId): Side | undefined => sides.find((side) => side.names(callId));
  return {
    of: (callId) => byName(callId) ?? remembered.get(callId),
    learn(callId, side) {
      if (byName(callId) !== undefined) return;
      remembered.delete(callId);
      remembered.set(callId, side);
      const [oldest] = remembered.keys();
      if (remembered.size > mostRemembered && oldest !== undefined) remembered.delete(oldest);
    },
  };
}
