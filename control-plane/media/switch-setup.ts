/**
 * What a switch keeps of the configuration for itself, so that phones register, failsafes ring and emergency calls
 * go out with every controller dead; and the notes it took while none lived.
 */
export interface SwitchDevice {
  /** Also the SIP user name. */
  readonly id: string;
  readonly password: string;
  readonly callerId: { readonly name: string; readonly number: string };
  /** What an emergency call from here shows; the setup's own where absent. */
  readonly emergency?: EmergencyIdentity;
  /** Over which trunks it goes, in order; the setup's own where absent. */
  readonly emergencyTrunks?: readonly string[];
}

export interface EmergencyIdentity {
  readonly callerId: string;
  /** A dispatchable location: an address in words, or a URI (RFC 6442). */
  readonly location: string;
}

export interface SwitchTrunk {
  /** The endpoint's name on the switch: letters, digits, `-` and `.`. */
  readonly id: string;
  /** A name or an address. Calls come from every address it has, and from those of `match`. */
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** What we answer the carrier's challenges with. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Registers with the carrier, if there are credentials; the carrier is known by its address in any case. */
  readonly register: boolean;
  /** Further addresses and networks the carrier's calls come from. */
  readonly match: readonly string[];
  /** The best first: so they are offered. */
  readonly codecs: readonly string[];
  /** RFC 4733 events, SIP INFO, tones in the audio, or events where the carrier takes them and tones otherwise. */
  readonly dtmf: 'rfc4733' | 'info' | 'inband' | 'auto';
  /** SDES (RFC 4568), and no call without it; for TLS alone, which hides its keys. */
  readonly srtp: boolean;
  /** One side is behind a NAT: signalling and audio go back where they came from, whatever they say. */
  readonly nat: boolean;
  /** OPTIONS this often; 0 never. A carrier that does not answer them is not called. */
  readonly qualifySeconds: number;
  /** Which of two switches registers; the first where absent. */
  readonly switch?: 'asterisk' | 'freeswitch';
}

/** Whether phones may ask for transfers; auto: where the switch bears it (asterisk/admin/transfers.ts). */
export type TransfersSetting = 'on' | 'off' | 'auto';

export interface SwitchSetup {
  readonly devices: readonly SwitchDevice[];
  /** Absent: auto. */
  readonly transfers?: TransfersSetting;
  /** In the order in which they are tried. */
  readonly trunks: readonly SwitchTrunk[];
  /** Another switch that rings the phones registered here, and rings its own for us: by its address, and nothing else of it is heard. */
  readonly peer?: SwitchTrunk;
  /** By dialled number (digits, no `+`): what the switch rings by itself when no controller answers. */
  readonly failsafes: ReadonlyMap<string, Failsafe>;
  readonly emergency: EmergencyIdentity & { readonly trunks: readonly string[] };
}

export interface Failsafe {
  readonly number: string;
  /** In order; all trunks where absent. */
  readonly trunks?: readonly string[];
}

/** A note the switch took: an emergency call, or a use of the failsafe. Taken once: reading removes it. */
export interface SwitchNote {
  readonly kind: 'emergency' | 'failsafe';
  readonly at: number;
  /** The call's id, where the note has it. */
  readonly call?: string;
  /** The endpoint of the device that called in an emergency, or `trunk` or `phone`. */
  readonly from: string;
  readonly dialled: string;
  readonly outcome: string;
  /** The endpoint of the trunk last tried in an emergency, or the failsafe that was rung. */
  readonly trunk: string;
}

/**
 * How a trunk does. `registered`: the carrier took our registration, and answers if it is asked (OPTIONS). `rejected`:
 * it refused it. `reachable` and `unreachable`: whether it answers. `unknown`: not asked, or no answer yet.
 */
export type TrunkState = 'registered' | 'rejected' | 'reachable' | 'unreachable' | 'unknown';

export interface TrunkHealth {
  readonly trunk: string;
  readonly state: TrunkState;
  /** When this process first saw it so, epoch ms. */
  readonly since: number;
  /** Of the last OPTIONS that was answered; null when there is none. */
  readonly roundTripMs: number | null;
}

/** Where a phone is. */
export interface DeviceContact {
  /** `host:port` that its calls go to. */
  readonly address: string;
  readonly userAgent: string;
  /** When it must have registered again, epoch ms. */
  readonly expiresAt: number;
  /** When this process first saw it there, epoch ms. */
  readonly since: number;
}

/** A device of the setup, with no contact when it is not registered. */
export interface DeviceRegistration {
  readonly device: string;
  readonly contacts: readonly DeviceContact[];
}
