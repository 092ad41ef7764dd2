/** What a simulated switch is made of. Mutable: this is the switch's own truth, never a controller's. */
import type { BridgeId, CallId, LegId, PromptId, RecordingId } from '../../core/ids.ts';
import type { CallMark, LegMark } from '../../core/call/mark.ts';
import type { Media } from '../../core/routing/config.ts';
import type { EpochMs, Ms } from '../../core/time.ts';

export type Disarm = () => void;

export interface SwitchLeg {
  readonly id: LegId;
  /** Whose events are told. */
  callId: CallId;
  /** By its identity, which says so before it is in that call's bridge. */
  takenBy: CallId | null;
  /** A device id, a number in E.164, or the caller; empty of a leg that supervises. */
  readonly party: string;
  /** It ends with this one. */
  readonly supervises: LegId | null;
  readonly role: 'caller' | 'callee';
  readonly createdAt: EpochMs;
  readonly number: string;
  readonly name: string;
  readonly dialled: string;
  readonly origin: 'trunk' | 'phone';
  /** Its name, of a phone; null of what is behind a trunk, and has no say in transfers. */
  readonly phone: string | null;
  /** `created`: not dialled yet. */
  state: 'created' | 'dialing' | 'ringing' | 'answered';
  /** The controller whose application it is in; null while it waits to be claimed. */
  owner: string | null;
  callMark: CallMark | null;
  legMark: LegMark | null;
  held: boolean;
  /** Its phone has asked for a transfer, and waits for the answer. */
  refers: boolean;
  bridge: BridgeId | null;
  /** What it hears, the first now, the others after it. */
  readonly prompts: Prompt[];
  hearsRinging: boolean;
  /** Its maker is still there to dial it. */
  awaited: () => boolean;
  guard: Disarm;
  ringLimit: Disarm;
  /** Steps of the party's script that have not happened. */
  readonly script: Set<Disarm>;
}

export interface Prompt {
  readonly id: PromptId;
  readonly media: readonly Media[];
  /** Before its turn, which is when its end is told. */
  stopped: boolean;
  end: Disarm;
}

export interface SwitchBridge {
  readonly id: BridgeId;
  readonly legIds: Set<LegId>;
}

export interface SwitchRecording {
  readonly id: RecordingId;
  /** It ends with the first of them to end. One leg: a message, which keeps that leg busy; two: a call, which keeps neither. */
  readonly legIds: readonly LegId[];
  readonly startedAt: EpochMs;
  readonly speechMs: Ms;
  limit: Disarm;
}

/** To a number. attended: to whom the phone talks with in another call; while it talks with nobody there, to the number. */
export interface Refer {
  readonly refer: string;
  readonly attended?: true;
}

/** What one party does by itself; times count from the step before, the first from the INVITE (a caller's: from its call). */
export interface PartyStep {
  readonly afterMs: Ms;
  readonly does: 'ring' | 'answer' | 'busy' | 'decline' | 'hang-up' | 'hold' | 'unhold' | { readonly press: string } | Refer;
}

/** How a phone saw a call end that it did not end itself, and what became of a transfer it asked for. */
export interface PhoneNotice {
  readonly party: string;
  readonly legId: LegId;
  readonly callId: CallId;
  readonly saw: 'cancel' | 'completed-elsewhere' | 'bye' | 'transferred' | 'not-transferred';
}

/** What the parties themselves did: a test's witness, independent of what any controller believes. */
export interface PartyAct {
  readonly at: EpochMs;
  readonly legId: LegId;
  readonly callId: CallId;
  readonly party: string;
  readonly did: 'ring' | 'answer' | 'hang-up' | { readonly press: string } | Refer;
}

export interface Leftovers {
  readonly legs: readonly LegId[];
  readonly bridges: readonly BridgeId[];
  readonly prompts: readonly PromptId[];
  readonly recordings: readonly RecordingId[];
}

export const nothing: Disarm = () => {};
