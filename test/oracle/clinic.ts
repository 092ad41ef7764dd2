/** A clinic as an admin writes it down, for the oracle: what it says of routes, and no more. */
export type Goes =
  | { readonly to: 'receiving-number' | 'ring-group' | 'menu' | 'user'; readonly id: string }
  | { readonly to: 'voicemail' | 'hang-up' | 'precedence' }
  | { readonly to: 'message'; readonly message: { readonly text: string } };

export type Asks = 'off' | 'external' | 'every';
export type Entry = 'company' | 'number-forward' | 'number-user' | 'contact-owner';

export interface PaperDevice {
  readonly id: string;
  readonly user: string;
  readonly extension?: string;
  readonly mobile?: string;
  readonly ringSeconds?: number;
  readonly preference?: number;
}

export interface PaperReceivingNumber {
  readonly number: string;
  readonly label: string;
  readonly ringSeconds?: number;
  readonly callConnect?: Asks;
  readonly noAnswer?: Goes;
}

export interface PaperGroup {
  readonly name: string;
  readonly pattern: 'simultaneous' | 'round-robin' | 'sequential' | 'least-connected';
  readonly destinations: readonly { readonly target: { readonly to: 'receiving-number' | 'user'; readonly id: string }; readonly delaySeconds?: number; readonly ringSeconds?: number }[];
  readonly ringSeconds?: number;
  readonly noAnswer?: Goes;
}

export interface PaperMenu {
  readonly name: string;
  readonly prompt: { readonly text: string };
  readonly options: Readonly<Record<string, Goes>>;
  readonly noKey?: Goes;
  readonly invalid?: Goes;
}

export interface PaperNumber {
  readonly e164: string;
  readonly name: string;
  readonly users: readonly string[];
  readonly user?: string;
  readonly timeoutSeconds?: number;
  readonly callConnect?: Asks;
  readonly forward?: string;
  readonly route?: Goes;
  readonly noAnswer?: Goes;
  readonly hours?: { readonly schedule: 'day'; readonly closed: Goes };
  readonly voicemail?: { readonly enabled: boolean };
  readonly passCalledNumber?: boolean;
}

/** The one schedule, every day of the week: from this hour until that, by UTC. */
export const openHours = { from: 8, until: 18 } as const;

export interface PaperCall {
  /** Empty: no number is shown. */
  readonly caller: string;
  /** What the caller presses, one key in each menu; where they are over, none. */
  readonly keys: readonly string[];
  /** Epoch ms. */
  readonly at: number;
}

export interface PaperClinic {
  readonly account: {
    readonly name: string;
    readonly precedence?: 'company-first' | 'owner-first' | readonly Entry[];
    readonly company?: string;
    readonly blocked?: { readonly numbers: readonly string[]; readonly anonymous: boolean; readonly action: 'reject' | 'voicemail' | 'message'; readonly message?: { readonly text: string } };
  };
  readonly users: Readonly<Record<string, { readonly name: string; readonly forward?: string }>>;
  readonly devices: readonly PaperDevice[];
  readonly receivingNumbers: Readonly<Record<string, PaperReceivingNumber>>;
  readonly ringGroups: Readonly<Record<string, PaperGroup>>;
  readonly menus: Readonly<Record<string, PaperMenu>>;
  readonly number: PaperNumber;
  /** Owner of each contact, by number; null has none. */
  readonly contacts: Readonly<Record<string, string | null>>;
}
