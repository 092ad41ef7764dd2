/** A clinic as an admin writes it down, for the oracle: what it says of routes, and no more. */
export type Goes =
  | { readonly to: 'receiving-number' | 'ring-group' | 'menu' | 'router' | 'user'; readonly id: string }
  | { readonly to: 'queue'; readonly id: string; readonly priority?: number }
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

export interface PaperQueue {
  readonly name: string;
  readonly strategy: 'ring-all' | 'longest-idle' | 'sticky';
  readonly agents: readonly { readonly user: string }[];
  readonly priority?: number;
  readonly exit?: { readonly key: string; readonly target: Goes };
  /** The caller presses it, and once more: with a number, is called back. */
  readonly callback?: { readonly key: string };
  readonly full?: Goes;
  readonly empty?: Goes;
  readonly maxWait?: Goes;
}

/** What a rule of a router asks. */
export type PaperQuestion =
  | { readonly field: 'caller.number'; readonly is: string }
  | { readonly field: 'caller.anonymous'; readonly is: boolean }
  | { readonly field: 'caller.areaCode'; readonly oneOf: readonly string[] }
  | { readonly field: 'schedule.day'; readonly is: 'open' | 'closed' }
  | { readonly field: 'mode'; readonly is: PaperMode }
  | { readonly not: PaperQuestion }
  | { readonly all: readonly PaperQuestion[] }
  | { readonly any: readonly PaperQuestion[] };

export type PaperMode = 'normal' | 'closed' | 'emergency';

export interface PaperPlace {
  readonly countries?: readonly string[];
  readonly regions?: readonly string[];
  readonly areaCodes?: readonly string[];
  readonly target: Goes;
}

export interface PaperShare {
  readonly weight: number;
  readonly from?: string;
  readonly until?: string;
  readonly schedule?: 'day';
  readonly target: Goes;
}

/** One of the three. */
export interface PaperRouter {
  readonly name: string;
  readonly geo?: readonly PaperPlace[];
  readonly rules?: readonly { readonly when: PaperQuestion; readonly target: Goes }[];
  readonly weighted?: readonly PaperShare[];
  readonly default: Goes;
}

/** The same hours on each of these days, by the clock of a zone; a night where they end before they begin. */
export interface PaperSchedule {
  readonly timezone: string;
  readonly days: readonly ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[];
  readonly from: string;
  readonly to: string;
  /** Dates that are closed whatever day they are. */
  readonly closed: readonly string[];
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

export interface PaperCall {
  /** Empty: no number is shown. */
  readonly caller: string;
  /** What the caller presses, one key in each menu and queue; where they are over, none. */
  readonly keys: readonly string[];
  /** What becomes of a wait in a queue in which the caller presses no key that leads out. */
  readonly waits: 'no room' | 'nobody there' | 'waited too long';
  /** Epoch ms. */
  readonly at: number;
  /** Where the caller's number is, as far as that is known. */
  readonly place: { readonly country?: string; readonly region?: string; readonly areaCode?: string };
}

export interface PaperClinic {
  readonly account: {
    readonly name: string;
    readonly precedence?: 'company-first' | 'owner-first' | readonly Entry[];
    readonly company?: string;
    readonly night?: { readonly closed?: Goes; readonly emergency?: Goes };
    readonly blocked?: { readonly numbers: readonly string[]; readonly anonymous: boolean; readonly action: 'reject' | 'voicemail' | 'message'; readonly message?: { readonly text: string } };
  };
  readonly users: Readonly<Record<string, { readonly name: string; readonly forward?: string }>>;
  readonly devices: readonly PaperDevice[];
  readonly receivingNumbers: Readonly<Record<string, PaperReceivingNumber>>;
  readonly ringGroups: Readonly<Record<string, PaperGroup>>;
  readonly menus: Readonly<Record<string, PaperMenu>>;
  readonly queues: Readonly<Record<string, PaperQueue>>;
  readonly routers: Readonly<Record<string, PaperRouter>>;
  readonly schedule: PaperSchedule;
  /** What the night switch is set to, and until when. */
  readonly nightSwitch?: { readonly mode: 'open' | 'closed' | 'emergency'; readonly until?: string };
  readonly number: PaperNumber;
  /** Owner of each contact, by number; null has none. */
  readonly contacts: Readonly<Record<string, string | null>>;
}
