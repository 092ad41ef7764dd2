import type { Cause } from '../../core/cause.ts';
import { callIdOf, type BridgeId, type CallId, type LegId, type PromptId } from '../../core/ids.ts';

/** What must be remembered of a leg while the switch has it: which events were told, and what its thread is busy with. */
export interface Leg {
  readonly id: LegId;
  /** Another than that of its id, once it has come to another call. */
  callId: CallId;
  rang: boolean;
  answered: boolean;
  /** We have asked for its answer; the event may come after the next command. */
  answering: boolean;
  /** Cause of our own hang-up. */
  asked: Cause | undefined;
  /** Hears a ringing tone that a bridge or a recording would not end. */
  ringTone: boolean;
  /** Who ends with it by the dialplan, as was last written; nobody where it is empty, undefined where that is not known. */
  peer: string | undefined;
  readonly prompts: Set<PromptId>;
  /** A prompt has been stopped since the last was begun. */
  promptStopped: boolean;
  recording: string | undefined;
  /** Its events come wherever on the switch it is; those of a caller else only while it is in our application. */
  subscribed: boolean;
  /** Adopted, and still in another's application until its thread is free: that one is told of the bridges it enters. */
  moving: boolean;
  /** That it is in, as far as has been heard. */
  bridge: BridgeId | undefined;
  /** What its hang-up named, the last first heard of. */
  end: { readonly cause: number; readonly techCause: number | undefined } | undefined;
  /** Told once the leg has ended; undefined while its end has not begun. */
  afterEnd: (() => void)[] | undefined;
  /** The link has been lost since the switch had it: its end may have been missed. */
  unsure: boolean;
  /** Of one that we have made: the switch has said that it is dialled. */
  dialled: boolean;
  /** An originate that is not done: told when the leg is in our application, when it is gone, and when the link is. */
  originate: { entered(): void; gone(): void; lost(): void } | undefined;
}

export interface Legs {
  get(id: LegId): Leg | undefined;
  /** The leg, made if it is not known: another instance's, whose events may come before it is adopted. */
  of(id: LegId): Leg;
  delete(id: LegId): void;
  /** Also of one that is not known. */
  callOf(id: LegId): CallId;
  in(bridgeId: BridgeId): readonly Leg[];
  hearing(promptId: PromptId): Leg | undefined;
  /**
   * Forgets those of `known` whose end was missed. That of any other will be told, though the switch shows it no more: what
   * it lists comes on another socket than its events, and may be ahead of them. Returns those of which this was not known, and
   * that are there.
   */
  keepOnly(known: readonly LegId[], onSwitch: ReadonlySet<LegId>): readonly Leg[];
  /** The link has gone, and with it the events an originate waits for, and perhaps what was to be written. */
  linkLost(): void;
  ids(): LegId[];
  size(): number;
}

export function createLegs(): Legs {
  const legs = new Map<LegId, Leg>();
  return {
    get: (id) => legs.get(id),
    of: (id) => {
      let leg = legs.get(id);
      if (leg === undefined) {
        leg = {
          id, callId: callIdOf(id), rang: false, answered: false, answering: false, asked: undefined, ringTone: false, peer: undefined, prompts: new Set(), promptStopped: false, recording: undefined,
          subscribed: false, moving: false, bridge: undefined, end: undefined, afterEnd: undefined, unsure: false, dialled: false, originate: undefined,
        };
        legs.set(id, leg);
      }
      return leg;
    },
    delete: (id) => { legs.delete(id); },
    callOf: (id) => legs.get(id)?.callId ?? callIdOf(id),
    hearing: (promptId) => [...legs.values()].find(({ prompts }) => prompts.has(promptId)),
    in: (bridgeId) => [...legs.values()].filter(({ bridge }) => bridge === bridgeId),
    keepOnly: (known, onSwitch) => {
      const there: Leg[] = [];
      for (const id of known) {
        const leg = legs.get(id);
        if (leg?.unsure !== true) continue;
        if (onSwitch.has(id)) {
          leg.unsure = false;
          there.push(leg);
        } else if (leg.originate === undefined) legs.delete(id);
      }
      return there;
    },
    linkLost: () => {
      for (const leg of legs.values()) {
        leg.originate?.lost();
        leg.unsure = true;
        leg.peer = undefined;
      }
    },
    ids: () => [...legs.keys()],
    size: () => legs.size,
  };
}
