/** What a simulated switch is made of. Mutable: this is the switch's own truth, never a controller's. */
import type { BridgeId, CallId, LegId, PromptId, RecordingId } from '../../core/ids.ts';
import type { CallMark, LegMark } from '../../core/call/mark.ts';
import type { Media } from '../../core/routing/config.ts';
import type { EpochMs, Ms } from '../../core/time.ts';

export type Disarm = () => void;

export interface SwitchLeg {
  readonly id: LegId;
  readonly callId: CallId;
  /** A device id, a number in E.164, or the caller. */
  readonly party: string;
  readonly role: 'caller' | 'callee';
  readonly createdAt: EpochMs;
  readonly number: string;
  readonly name: string;
  readonly dialled: string;
  readonly origin: 'trunk' | 'phone';
  /** `created`: not dialled yet. */
  state: 'created' | 'dialing' | 'ringing' | 'answered';
  /** The controller whose application it is in; null while it waits to be claimed. */
  owner: string | null;
  callMark: CallMark | null;
  legMark: LegMark | null;
  held: boolean;
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

/** What one party does by itself; times count from the step before, the first from the INVITE (a caller's: from its call). */
export interface PartyStep {
  readonly afterMs: Ms;
  readonly does: 'ring' | 'answer' | 'busy' | 'decline' | 'hang-up' | 'hold' | 'unhold' | 'refer' | { readonly press: string };
}

/** How a phone saw a call end that it did not end itself. */
export interface PhoneNotice {
  readonly party: string;
  readonly legId: LegId;
  readonly saw: 'cancel' | 'completed-elsewhere' | 'bye';
}

/** What the parties themselves did: a test's witness, independent of what any controller believes. */
export interface PartyAct {
  readonly at: EpochMs;
  readonly legId: LegId;
  readonly party: string;
  readonly did: 'ring' | 'answer' | 'hang-up' | { readonly press: string };
}

export interface Leftovers {
  readonly legs: readonly LegId[];
  readonly bridges: readonly BridgeId[];
  readonly prompts: readonly PromptId[];
  readonly recordings: readonly RecordingId[];
}

export const nothing: Disarm = () => {};
