/**
 * Ids. A call's id is the id of its caller's leg as the switch named it; every other id is ours, chosen before
 * the request leaves and derived from the call's, so that an event can always be led back to its call:
 * `<callId>--l3` a leg, `--b1` a bridge, `--p2` a prompt being played, `--r1` a recording of the caller (a message),
 * `--c1` a recording of the call, both voices.
 * Only letters, digits, `-` and `.`: Asterisk refuses a `/` in an id.
 */
export type CallId = string;
export type LegId = string;
export type BridgeId = string;
export type PromptId = string;
export type RecordingId = string;
export type StepId = string;
/** Names a timer within its call. */
export type TimerId = string;

export type OwnedKind = 'l' | 'b' | 'p' | 'r' | 'c';

export function ownedId(callId: CallId, kind: OwnedKind, n: number): string {
  return `${callId}--${kind}${n}`;
}

const owned = /^(.+)--([lbprc])(\d+)$/;

/** The call an id belongs to: an id without our suffix is a caller's leg, and so the call's own id. */
export function callIdOf(id: string): CallId {
  return owned.exec(id)?.[1] ?? id;
}

/** The number in an id of ours; 0 for a caller's leg. */
export function ordinalOf(id: string): number {
  return Number(owned.exec(id)?.[3] ?? 0);
}

/** Whether a step, or the leg that it rings, is of an offer of this call to an agent (queue/desk.ts). */
export function isOffer(step: StepId): boolean {
  return /--o\d+\.\d+$/.test(step);
}

/** Whether it is both voices of a call that are recorded under this id. */
export function isCallRecording(id: RecordingId): boolean {
  return owned.exec(id)?.[2] === 'c';
}

const made = /^fd(synthetic|test|supervision|callback)-[0-9a-f]+\.([a-z0-9-]+)$/i;

/** Of a call that a controller makes to itself. No carrier and no phone can choose a call's id. */
export function syntheticId(unique: string, controller: string): CallId {
  return `fdsynthetic-${unique}.${controller}`;
}

/** Of a call to a number that an admin asks for. */
export function testId(unique: string, controller: string): CallId {
  return `fdtest-${unique}.${controller}`;
}

/** Calls of supervisors begin with it, and no others. */
export const supervisionPrefix = 'fdsupervision-';

/** Of a supervisor’s phone that was rung to hear another call. */
export function supervisionId(unique: string, controller: string): CallId {
  return `${supervisionPrefix}${unique}.${controller}`;
}

/** Of one that calls back who waited in a queue. */
export function callbackCallId(unique: string, controller: string): CallId {
  return `fdcallback-${unique}.${controller}`;
}

/** The controller that made it; null for a call of somebody else's. */
export function madeBy(callId: CallId): string | null {
  return made.exec(callId)?.[2] ?? null;
}

/** Nobody's call: of no account, and with no record. */
export function isSynthetic(callId: CallId): boolean {
  return made.exec(callId)?.[1] === 'synthetic';
}

export function isTest(callId: CallId): boolean {
  return made.exec(callId)?.[1] === 'test';
}

export function isSupervision(callId: CallId): boolean {
  return made.exec(callId)?.[1] === 'supervision';
}

export function isCallback(callId: CallId): boolean {
  return made.exec(callId)?.[1] === 'callback';
}

/** Content hash (53 bits, base 36) of a JSON value; not for security. */
export function contentHash(value: unknown): string {
  const hash = new ContentHash();
  hash.add(JSON.stringify(value));
  return hash.end();
}

/** As `contentHash`, of what is told piece by piece: no text of all has to be made. */
export class ContentHash {
  #a = 0xdeadbeef | 0;
  #b = 0x41c6ce57;

  /** The end of one text and the beginning of the next are nothing to the hash. */
  add(text: string): void {
    let a = this.#a;
    let b = this.#b;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      a = Math.imul(a ^ code, 2654435761);
      b = Math.imul(b ^ code, 1597334677);
    }
    this.#a = a;
    this.#b = b;
  }

  /** A text of its own. */
  piece(text = ''): void {
    this.add(text);
    this.number(-1);
  }

  /** An integer of at most 32 bits. */
  number(n: number): void {
    this.#a = Math.imul(this.#a ^ n, 2654435761);
    this.#b = Math.imul(this.#b ^ n, 1597334677);
  }

  end(): string {
    let a = this.#a;
    let b = this.#b;
    a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
    b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
    return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
  }
}
