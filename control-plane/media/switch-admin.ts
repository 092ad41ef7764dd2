/**
 * What Frontdesk needs of a switch beside its calls: that it knows phones, trunks, failsafes and emergency settings by
 * itself, and says where phones are and how trunks do; and a few calls that the switch makes itself. Implemented in
 * asterisk/admin/ and freeswitch/admin/. All reject with a sentence when the switch is away or refuses.
 */
import type { CallId, LegId } from '../core/ids.ts';
import type { Media } from '../core/routing/config.ts';
import type { EpochMs, Ms } from '../core/time.ts';
import type { MediaDriver } from './media-driver.ts';
import type { DeviceRegistration, SwitchNote, SwitchSetup, TransfersSetting, TrunkHealth } from './switch-setup.ts';

/** A switch that is attached. */
export interface SwitchDriver extends MediaDriver {
  /** Over the same connection. */
  readonly admin: SwitchAdmin;
  /** How often the link came up: a change means that the switch may have been restarted. */
  connects(): number;
}

export interface SwitchAdmin extends AddressBans, CallbackCalls, SupervisorCalls, TestCallsOfSwitch {
  /**
   * Makes what is missing, changes what differs, removes of `before` (an earlier result, as JSON has it; null where there is
   * none) what is no longer wanted. Returns what is now there, for the next time. Done again after it rejected, it goes on.
   * May be called at any time, calls up or not: calls go on as they were set up, the next is made by the new setup.
   * `changes` writes only what differs from what this process wrote last; `everything` is for a switch that may have
   * been restarted or replaced since.
   */
  provision(setup: SwitchSetup, before: object | null, extent?: 'everything' | 'changes'): Promise<object>;
  /** Whether phones may ask for transfers here, and why not. */
  transfers(setting: TransfersSetting): Promise<Transfers>;
  /** Of each trunk last provisioned, as the switch sees it now. */
  trunkHealth(): Promise<readonly TrunkHealth[]>;
  /** Where calls of the trunks last provisioned come from: addresses, and networks as `address/bits`. */
  trunkAddresses(): Promise<readonly string[]>;
  /** Of each device last provisioned. */
  registrations(): Promise<readonly DeviceRegistration[]>;
  /**
   * The same, for who looks every few seconds: one request, and the address of a phone that moves without having been
   * away may be that of the last `registrations`.
   */
  glimpse(): Promise<readonly DeviceRegistration[]>;
  /**
   * Gives each note to `keep`, oldest first, and removes it from the switch when `keep` has resolved: after a crash
   * in between it comes again. An emergency call is given when it is first seen, and again when it is over.
   */
  takeNotes(keep: (note: SwitchNote) => Promise<void>): Promise<void>;
  /**
   * Places a call to ourselves (core/ids.ts, syntheticId), as a carrier would. `unknown`: the switch runs a dialplan of
   * before there were such calls.
   */
  callOurselves(callId: CallId): Promise<'placed' | 'unknown'>;
}

/** Of a switch beside another (side-by-side/relays.ts). `peer`: the other, as the setup names it. */
export interface BesideAnother {
  /** Names the process that the switch is: another after a restart. */
  process(): Promise<string>;
  /** Whether the other answers (OPTIONS), as far as is known. */
  reaches(peer: string): Promise<boolean>;
  /** The legs to the other and from it, ringing or talking, whatever controller's they are. */
  relayed(peer: string): Promise<readonly string[]>;
  /** Their other end is dead. Nothing happens to those that have ended. */
  endRelayed(legs: readonly string[]): Promise<void>;
}

/** Who logs in, and whom the switch refuses before it looks at a password. */
export interface AddressBans {
  /** The logins that were not given before, oldest first. Never rejects. */
  logins(): Promise<SeenLogins>;
  /** Bans these and no others. Only what was set by the same controller is replaced. */
  ban(bans: readonly AddressBan[]): Promise<void>;
}

export interface SwitchLogin {
  readonly kind: 'failed' | 'proven';
  /** IP address the request came from. */
  readonly address: string;
  /** The phone it was for, or `<unknown>` where there is none of that name. */
  readonly endpoint: string;
}

export interface SeenLogins {
  readonly logins: readonly SwitchLogin[];
  /** Why some may be missing, a sentence; null where none is. */
  readonly problem: string | null;
}

export interface AddressBan {
  /** An IPv4 address, or a network of IPv6 as `address/64`. */
  readonly address: string;
  readonly until: EpochMs;
}

export type Transfers = { readonly allowed: true } | { readonly allowed: false; readonly why: string };

export interface CallbackCall {
  /** core/ids.ts, callbackCallId. */
  readonly callId: CallId;
  /** Of ours. */
  readonly dialled: string;
  /** Who is called back. */
  readonly number: string;
}

/**
 * Calls that call back: each begins as a call to one of our numbers from the one who is called back, whom nobody is yet; the
 * controller that claims it rings them (core/routing/callback-plan.ts).
 */
export interface CallbackCalls {
  /** `unknown`: the switch runs a dialplan of before there were callbacks. */
  beginCallback(call: CallbackCall): Promise<'begun' | 'unknown'>;
}

export interface SupervisorCall {
  /** core/ids.ts, supervisionId. */
  readonly callId: CallId;
  /** As the phone logs in. */
  readonly phone: string;
  /** Who calls, in the call that begins when it is answered. */
  readonly extension: string;
  /** Shown by the phone. */
  readonly shown: { readonly number: string; readonly name: string };
  readonly ringMs: Ms;
  /** A leg of the call that it is to hear, on whose switch it must be. */
  readonly besides: LegId;
  /** The phone is registered with another switch, and dialled over this trunk. */
  readonly over?: string;
}

/** Supervisors' phones: rung by the switch, and offered like a call of their own once they answer. */
export interface SupervisorCalls {
  /** `unknown`: the switch runs a dialplan of before there were supervisions. */
  callSupervisor(call: SupervisorCall): Promise<'rings' | 'unknown'>;
  /** The phone is let go, or rings no more. False when there is no such call. */
  endSupervisor(callId: CallId): Promise<boolean>;
}

export interface TestCall {
  /** core/ids.ts, testId. */
  readonly callId: CallId;
  readonly dialled: string;
  /** Shown to the phones that ring. */
  readonly caller: { readonly number: string; readonly name: string };
  /** Heard by the one who answers, again and again. */
  readonly said: Media;
}

/** Test calls that an admin asks for: a call to a number of ours, placed by the switch as a carrier would. */
export interface TestCallsOfSwitch {
  /** `unknown`: the switch runs a dialplan of before there were test calls. */
  callAsTest(call: TestCall): Promise<'placed' | 'unknown'>;
  /** Its caller hangs up. Nothing happens when it is over. Never rejects. */
  endTest(callId: CallId): Promise<void>;
  /** RTP packets of a leg so far; null when the switch does not say. Never rejects. */
  packetsOf(legId: LegId): Promise<{ readonly received: number; readonly sent: number } | null>;
}

/** What the switch has recorded. */
export interface StoredRecordings {
  /** Names, also of what is being recorded now. */
  list(): Promise<readonly string[]>;
  /** Writes the WAV to a file; false when the switch has none of this name. */
  fetch(name: string, file: string): Promise<boolean>;
  /** Of one that is not there, too. */
  remove(name: string): Promise<void>;
}
