/** The inside of the switch: what its parts (the driver's requests, the parties, the dialplan) do to it and through it. */
import type { LegId } from '../../core/ids.ts';
import type { Cause } from '../../core/cause.ts';
import type { LegEvent } from '../../core/call/events.ts';
import type { Chance, Clock } from './chance.ts';
import type { Controllers } from './controllers.ts';
import type { PartyAct, PartyStep, PhoneNotice, SwitchBridge, SwitchLeg, SwitchRecording } from './parts.ts';

/** What the dialplan sets on a call before it broadcasts it (DESIGN §5). */
export const guardMs = 20_000;

/** The switch as its own parts see it: the driver's requests and the parties act through this. */
export interface Works {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly legs: Map<LegId, SwitchLeg>;
  readonly bridges: Map<string, SwitchBridge>;
  readonly recordings: Map<string, SwitchRecording>;
  readonly controllers: Controllers;
  readonly broken: Set<string>;
  readonly callRecordingsMade: string[];
  /** Null for a phone that is not there. */
  scriptOf(party: string): readonly PartyStep[] | null;
  notice(leg: SwitchLeg, saw: PhoneNotice['saw']): void;
  emit(leg: SwitchLeg, event: LegEvent): void;
  witness(leg: SwitchLeg, did: PartyAct['did']): void;
  setGuard(leg: SwitchLeg, ms: number): void;
  /** `asked`: by a controller, which remembers the cause it gave; others hear what Q.850 has left of it. */
  endLeg(leg: SwitchLeg, cause: Cause, asked?: 'asked'): void;
  unbridge(leg: SwitchLeg): void;
  endPrompt(leg: SwitchLeg, promptId: string, ok: boolean): void;
  playNext(leg: SwitchLeg): void;
  /** A key that the switch sends it. */
  hearKey(leg: SwitchLeg, key: string): void;
  endRecording(recording: SwitchRecording): void;
  act(leg: SwitchLeg, step: PartyStep['does']): void;
  runScript(leg: SwitchLeg, script: readonly PartyStep[]): void;
}
