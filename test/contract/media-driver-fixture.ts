/** What the contract needs of a switch under test, in words that fit a simulated one and a real one. */
import type { CallId, LegId } from '../../control-plane/core/ids.ts';
import type { LegEvent, Offer } from '../../control-plane/core/call/events.ts';
import type { DialTarget, Media } from '../../control-plane/core/routing/config.ts';
import type { LinkState, MediaDriver } from '../../control-plane/media/media-driver.ts';

/** Everything the driver said, in its order. */
export type Heard =
  | { readonly kind: 'offer'; readonly callId: CallId; readonly offer: Offer }
  | { readonly kind: 'event'; readonly callId: CallId; readonly event: LegEvent }
  | { readonly kind: 'link'; readonly state: LinkState };

/** One who calls in from outside. */
export interface Caller {
  press(digit: string): Promise<void>;
  hangUp(): Promise<void>;
  /** From now on, without a pause; silent until then. */
  speak(): void;
  /** The ringing tone, at this moment; it has pauses. */
  hearsRinging(): boolean;
}

export type PhoneName = 'reception' | 'nurse';

/** One phone; each call of a method is about the call it has now. */
export interface Phone {
  /** How the driver dials it. */
  readonly target: DialTarget;
  waitRinging(): Promise<void>;
  /** An INVITE has reached it. */
  wasCalled(): boolean;
  answer(): Promise<void>;
  busy(): Promise<void>;
  decline(): Promise<void>;
  press(digit: string): Promise<void>;
  hold(): Promise<void>;
  unhold(): Promise<void>;
  /** Beside the call that it has. */
  call(to: string): Promise<Caller>;
  /** By REFER. Resolves when the switch has it. `consulted`: to whom it talks with in that call of its own (Replaces). */
  transfer(to: string, consulted?: Caller): Promise<void>;
  /** What it was told of the transfer it asked for last; null while it was told nothing. */
  transferred(): 'yes' | 'no' | null;
  hangUp(): Promise<void>;
  /** Those the switch sent it in this call, each with the time by `now` of the fixture. */
  keys(): readonly { readonly key: string; readonly at: number }[];
  /** How its last call was ended by the other side; null while it was not. */
  ended(): 'cancel' | 'completed-elsewhere' | 'bye' | null;
}

export interface ContractFixture {
  /** Started, its link up, accepting calls; its controller's name is `instance`. */
  readonly driver: MediaDriver;
  readonly instance: string;
  readonly heard: readonly Heard[];
  readonly audio: { readonly short: Media; readonly long: Media; readonly missing: Media };
  incomingCall(): Promise<Caller>;
  phone(name: PhoneName): Phone;
  /** Or as soon as the switch has made the next leg, so that it is never dialled. */
  cutLink(when?: 'at once' | 'before the dial'): Promise<void>;
  restoreLink(): Promise<void>;
  /** Waits, by condition and with a deadline; `what` is said when it does not come. */
  until<T>(what: string, look: () => T | undefined): Promise<T>;
  /** In ms, from anywhere. */
  now(): number;
  /** Lets time pass, to show that something does not happen, or that the switch's own limits do. */
  pass(ms: number): Promise<void>;
  /** Ids still on the switch. */
  leftovers(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Makes one for each test. */
export interface FixtureFactory {
  readonly name: string;
  readonly open: () => Promise<ContractFixture>;
  /** The switch makes a leg and dials it in one: no leg is there that was never dialled. */
  readonly dialsAtOnce?: true;
  /** Real switches are slow; per test, ms. */
  readonly timeoutMs: number;
  /** What the driver said in a test that passed: a real switch's is recorded, the simulated one's is compared. */
  readonly heardInTest?: (test: string, heard: readonly Heard[]) => void;
}

export function eventsOf(fixture: ContractFixture, legId: LegId): readonly LegEvent[] {
  return fixture.heard.flatMap((one) => (one.kind === 'event' && 'legId' in one.event && one.event.legId === legId ? [one.event] : []));
}
