/**
 * The one interface between Frontdesk and a switch. Neutral events in, neutral commands out, and a snapshot.
 * Implemented by asterisk/, freeswitch/ and simulated/, and by side-by-side/ for several at once; all held to one contract suite
 * (test/contract/media-driver*.test.ts).
 */
import type { CallId, RecordingId } from '../core/ids.ts';
import type { MediaCommand } from '../core/call/commands.ts';
import type { CommandError, LegEvent, LegOnSwitch, CallerOnSwitch, Offer } from '../core/call/events.ts';

export type CommandResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly error: CommandError;
      /** For OriginateLeg: the far end may have been reached, so another trunk must not be tried. */
      readonly mayHaveReachedCarrier: boolean;
      readonly detail: string;
    };

export type LinkState =
  /** Events flow; whatever happened before `up` was not seen: take a snapshot. */
  | 'up'
  | 'down'
  /** Another connection took this instance's name: stop, issue nothing more. */
  | 'replaced';

export interface MediaHandlers {
  /** A call is on the switch and this controller has claimed it. Before any LegEvent of it. */
  onOffer(offer: Offer): void;
  /** In the order the switch sent them. A leg that comes into another call's bridge is told to both calls, and from then on to that one. */
  onLegEvent(callId: CallId, event: LegEvent): void;
  /**
   * Told again as `up` when one of several switches is lost or back: `isAway` are the calls on those that are away, of which
   * nothing is seen and that obey nothing. Absent: there is none.
   */
  onLink(state: LinkState, reason: string, isAway?: (callId: CallId) => boolean): void;
}

export interface MediaDriver {
  /**
   * Connects and keeps connecting. Resolves when the first link is up; rejects with a SwitchRefusedError (one clear
   * sentence) when the switch answers but cannot be used: wrong password, too old, a module missing, or unreachable
   * at the first try.
   */
  start(handlers: MediaHandlers): Promise<void>;
  /** Claims new calls (true from start) or leaves them to others and to the failsafe. */
  accept(newCalls: boolean): void;
  /** Never rejects, settles within the driver's deadline. A leg that is already gone makes HangUpLeg succeed. */
  execute(command: MediaCommand): Promise<CommandResult>;
  /** The calls on the switch that are Frontdesk's, or of these only, as they are now. Rejects when the link is down. */
  snapshot(only?: ReadonlySet<CallId>): Promise<SwitchSnapshot>;
  /**
   * Makes the calls of another or an earlier instance this one's: subscribes to their legs and bridges and moves
   * them here, so that events flow and commands are obeyed.
   */
  adopt(callId: CallId, snapshot: SwitchSnapshot): Promise<void>;
  /** Numbers for readiness and metrics. */
  health(): { readonly link: LinkState; readonly inFlight: number; readonly version: string };
  /** Lets go of the switch; calls stay as they are. Nothing is left open. */
  stop(): Promise<void>;
}

export interface SwitchSnapshot {
  readonly calls: readonly {
    readonly callId: CallId;
    /** The controller that last had it, by the switch's word; null where it does not say. */
    readonly owner: string | null;
    readonly dialled: string;
    readonly origin: 'trunk' | 'phone';
    /** As in the call's offer. */
    readonly phone?: string;
    /** Null when the caller's leg is gone and others of the call are left. */
    readonly caller: CallerOnSwitch | null;
    readonly legs: readonly LegOnSwitch[];
    readonly bridges: readonly { readonly bridgeId: string; readonly legIds: readonly string[] }[];
    readonly recordings: readonly RecordingId[];
    /** Its marks are of a version that this build does not know (core/call/version.ts). */
    readonly newer?: true;
  }[];
  /** The calls of which it says nothing, being on a switch that was away. Absent: there is none. */
  readonly isAway?: (callId: CallId) => boolean;
}

/** The switch answers but cannot serve; `message` says why and what to do, in one sentence. */
export class SwitchRefusedError extends Error {
  override readonly name = 'SwitchRefusedError';
}
