import { randomUUID } from 'node:crypto';
import type { Cause } from '../../core/cause.ts';
import { callIdOf, type BridgeId, type CallId, type LegId, type PromptId, type RecordingId } from '../../core/ids.ts';
import { second, type Ms } from '../../core/time.ts';
import type { Referred } from './answer-transfer.ts';
import type { Sound } from './sounds.ts';

/** What must be remembered of a leg while the switch has it: which events were told, and what it is busy with. */
export interface Leg {
  readonly id: LegId;
  /** Another than that of its id, once it has come to another call. */
  callId: CallId;
  /** It came in by the dialplan: when nobody looks after it any more it is offered again, and not ended. */
  readonly isCaller: boolean;
  /** A phone, and no carrier: what it asks for by REFER is for the controller. */
  mayTransfer: boolean;
  rang: boolean;
  answered: boolean;
  /** Cause of our own hang-up. */
  asked: Cause | undefined;
  bridge: BridgeId | undefined;
  /** The switch is connecting it with another, and has not said that it is done. */
  joining: Deed | undefined;
  /** The switch is taking it out of a bridge, and has not said that it waits. */
  parking: Deed | undefined;
  /** Who ends with it by the dialplan, as was last written; nobody where it is empty, undefined where that is not known. */
  peer: string | undefined;
  /** Those that are to be heard, in order; the first plays. */
  readonly prompts: Prompt[];
  /** The application that plays, by the id of its run; `unknownRun` where one may, whose end will not be told. */
  run: string | undefined;
  /** What runs is no prompt and has no end: a ringing tone, or the silence of one who is recorded. */
  filled: boolean;
  /** What it says is recorded, as a message. */
  recording: { readonly id: RecordingId; readonly file: string } | undefined;
  /** A phone that has asked for a transfer, until that is answered. */
  referred: Referred | undefined;
  /** It is being told of a yes, and is not let go before. */
  told: Promise<unknown> | undefined;
  /** Told once the leg has ended; undefined while its end has not begun. */
  afterEnd: (() => void)[] | undefined;
  /** The link has been lost since the switch had it: its end may have been missed. */
  unsure: boolean;
  /** An originate that is not done: told when the switch has the leg, and when the link is lost. */
  originate: { made(): void; lost(): void } | undefined;
}

/** What the switch does in a moment, with one leg or with two, and tells the end of. */
export interface Deed {
  /** It is done, or will not be. */
  readonly over: Promise<void>;
  end(): void;
}

/** The end of what somebody else has undone meanwhile is not told. */
const doneWithinMs: Ms = 2 * second;

export function beginDeed(): Deed {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const limit = setTimeout(resolve, doneWithinMs);
  return {
    over,
    end: () => {
      clearTimeout(limit);
      resolve();
    },
  };
}

export function endDeed(leg: Leg, deed: 'joining' | 'parking'): void {
  leg[deed]?.end();
  leg[deed] = undefined;
}

export const unknownRun = 'unknown';

export interface Prompt {
  readonly id: PromptId;
  /** Those that are yet to be heard; the first is. */
  readonly sounds: Sound[];
}

export interface Legs {
  /** Whose they are, as the switch is told when they are taken over: no other driver's is the same. */
  readonly hand: string;
  get(id: LegId): Leg | undefined;
  /** The leg, made if it is not known. */
  of(id: LegId): Leg;
  delete(id: LegId): void;
  /** Also of one that is not known. */
  callOf(id: LegId): CallId;
  in(bridgeId: BridgeId): readonly Leg[];
  playing(promptId: PromptId): Leg | undefined;
  recorded(recordingId: RecordingId): Leg | undefined;
  /**
   * Forgets those of `known` whose end was missed; that of any other will be told, though the switch shows it no more. What else
   * was missed of one is as it was `seen`: its call is told of that by who has asked.
   */
  keepOnly(known: readonly LegId[], onSwitch: ReadonlySet<LegId>, seen: ReadonlyMap<LegId, Pick<Leg, 'answered' | 'bridge'>>): void;
  /** The link has gone, and with it the ends of what runs, and perhaps what was to be written. */
  linkLost(): void;
  ids(): LegId[];
  size(): number;
}

export function createLegs(): Legs {
  const legs = new Map<LegId, Leg>();
  const find = (is: (leg: Leg) => boolean): Leg | undefined => [...legs.values()].find(is);
  const hand = randomUUID();
  return {
    hand,
    get: (id) => legs.get(id),
    of: (id) => {
      let leg = legs.get(id);
      if (leg === undefined) {
        leg = {
          id, callId: callIdOf(id), isCaller: callIdOf(id) === id, mayTransfer: false, rang: false, answered: false, asked: undefined, bridge: undefined, joining: undefined, parking: undefined, peer: undefined, prompts: [],
          run: undefined, filled: false, recording: undefined, referred: undefined, told: undefined, afterEnd: undefined, unsure: false, originate: undefined,
        };
        legs.set(id, leg);
      }
      return leg;
    },
    delete: (id) => { legs.delete(id); },
    callOf: (id) => legs.get(id)?.callId ?? callIdOf(id),
    in: (bridgeId) => [...legs.values()].filter(({ bridge }) => bridge === bridgeId),
    playing: (promptId) => find(({ prompts }) => prompts.some(({ id }) => id === promptId)),
    recorded: (recordingId) => find(({ recording }) => recording?.id === recordingId),
    keepOnly: (known, onSwitch, seen) => {
      for (const id of known) {
        const leg = legs.get(id);
        if (leg?.unsure !== true) continue;
        const now = seen.get(id);
        if (now !== undefined) Object.assign(leg, { unsure: false, answered: leg.answered || now.answered, bridge: now.bridge ?? leg.bridge });
        else if (!onSwitch.has(id) && leg.originate === undefined) legs.delete(id);
      }
    },
    linkLost: () => {
      for (const leg of legs.values()) {
        leg.originate?.lost();
        endDeed(leg, 'joining');
        endDeed(leg, 'parking');
        leg.prompts.splice(0);
        Object.assign(leg, { unsure: true, peer: undefined, run: leg.run === undefined ? undefined : unknownRun, referred: undefined });
      }
    },
    ids: () => [...legs.keys()],
    size: () => legs.size,
  };
}
