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
}

export interface EmergencyIdentity {
  readonly callerId: string;
  /** A dispatchable location: an address in words, or a URI (RFC 6442). */
  readonly location: string;
}

export interface SwitchTrunk {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  /** Registers with the carrier when given; the carrier is known by its address otherwise. */
  readonly credentials?: { readonly username: string; readonly password: string };
}

export interface SwitchSetup {
  readonly devices: readonly SwitchDevice[];
  /** In the order in which they are tried. */
  readonly trunks: readonly SwitchTrunk[];
  /** By dialled number (digits, no `+`): what the switch rings by itself when no controller answers. */
  readonly failsafes: ReadonlyMap<string, string>;
  readonly emergency: EmergencyIdentity & { readonly trunks: readonly string[] };
}

/** A note the switch took: an emergency call, or a use of the failsafe. Taken once: reading removes it. */
export interface SwitchNote {
  readonly kind: 'emergency' | 'failsafe';
  readonly at: number;
  /** The device that called, or the number that was dialled. */
  readonly from: string;
  readonly dialled: string;
  readonly outcome: string;
  readonly trunk: string;
}
