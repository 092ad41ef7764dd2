/**
 * What became of each caller's call, by its SIP Call-ID, as the callers and the phones saw it on the wire. Nothing in
 * here asks the product. A caller has a number of its own, by which a call at a phone is told to be this caller's.
 */
import type { EpochMs } from '../../control-plane/core/time.ts';
import { cseqMethod, header, parseIdentity, type SipMessage } from '../support/sip-message.ts';
import { failsafe, type Kind, type KindName } from './kinds.ts';

/** What a call at a phone, a mobile or the failsafe number came to. */
export interface Leg {
  /** Whom the switch called: an extension or a number. */
  readonly device: string;
  readonly invitedAt: EpochMs;
  answeredAt: EpochMs | null;
  endedAt: EpochMs | null;
  endedBy: 'phone' | 'switch' | null;
}

export interface Entry {
  /** The caller's own, of the SIP dialog. */
  readonly callId: string;
  /** The caller's number: no other call has it. */
  readonly from: string;
  readonly kind: Kind;
  readonly invitedAt: EpochMs;
  answeredAt: EpochMs | null;
  endedAt: EpochMs | null;
  /** switch: by a BYE from there, whoever caused it. */
  ended: 'caller' | 'switch' | 'refused' | 'gave up' | null;
  /** Of a refusal. */
  status: number | null;
  readonly legs: Leg[];
}

export type Stage = 'offered' | 'ring' | 'screening' | 'announcement' | 'voicemail' | 'talk';
/** In these nobody talks yet, and a controller has something left to do. */
export const waitingStages: readonly Stage[] = ['ring', 'screening', 'announcement', 'voicemail'];

export interface Ledger {
  entries(): readonly Entry[];
  /** Not over yet, as far as the caller knows. */
  up(): readonly Entry[];
  ofNumber(from: string): Entry | undefined;
  /** For the trace of callers of one kind. */
  caller(kind: Kind): (message: SipMessage) => void;
  /** For the trace of whoever is called. */
  readonly callee: (message: SipMessage) => void;
  /** Calls at phones that no caller of ours made. */
  strays(): readonly string[];
}

const digits = (number: string): string => number.replace(/\D/g, '');

export function createLedger(): Ledger {
  const byCallId = new Map<string, Entry>();
  const byNumber = new Map<string, Entry>();
  const legs = new Map<string, Leg>();
  const strays: string[] = [];
  const waiting = new Map<string, Leg[]>();

  const caller = (kind: Kind) => (message: SipMessage): void => {
    const callId = header(message, 'call-id') ?? '';
    const { direction, method, status, at } = message;
    let entry = byCallId.get(callId);
    if (entry === undefined) {
      if (direction !== 'sent' || method !== 'INVITE') return;
      const from = parseIdentity(header(message, 'from') ?? '').number;
      entry = { callId, from, kind, invitedAt: at, answeredAt: null, endedAt: null, ended: null, status: null, legs: waiting.get(digits(from)) ?? [] };
      waiting.delete(digits(from));
      byCallId.set(callId, entry);
      byNumber.set(digits(from), entry);
      return;
    }
    if (entry.ended !== null) return;
    const end = (how: Exclude<Entry['ended'], null>): void => {
      Object.assign(entry, { ended: how, endedAt: at });
    };
    if (direction === 'received' && status !== undefined && cseqMethod(message) === 'INVITE') {
      if (status >= 200 && status < 300) entry.answeredAt ??= at;
      else if (status >= 300) {
        entry.status = status;
        end('refused');
      }
    } else if (direction === 'received' && method === 'BYE') end('switch');
    else if (direction === 'sent' && method === 'BYE') end('caller');
    else if (direction === 'sent' && method === 'CANCEL') end('gave up');
  };

  const callee = (message: SipMessage): void => {
    const callId = header(message, 'call-id') ?? '';
    const { direction, method, status, at } = message;
    const leg = legs.get(callId);
    if (leg === undefined) {
      if (direction !== 'received' || method !== 'INVITE') return;
      const fresh: Leg = { device: /^INVITE sips?:([^@;]+)@/.exec(message.startLine)?.[1] ?? message.startLine, invitedAt: at, answeredAt: null, endedAt: null, endedBy: null };
      legs.set(callId, fresh);
      const from = digits(parseIdentity(header(message, 'from') ?? '').number);
      const entry = byNumber.get(from);
      // The traces of two processes are read one after the other.
      if (entry === undefined) waiting.set(from, [...(waiting.get(from) ?? []), fresh]);
      else entry.legs.push(fresh);
      if (!from.startsWith('1303')) strays.push(`${fresh.device} was called by ${from}`);
      return;
    }
    if (leg.endedAt !== null) return;
    if (direction === 'sent' && status === 200 && cseqMethod(message) === 'INVITE') leg.answeredAt ??= at;
    else if (method === 'BYE' || method === 'CANCEL') Object.assign(leg, { endedAt: at, endedBy: direction === 'sent' ? 'phone' : 'switch' });
  };

  return {
    entries: () => [...byCallId.values()],
    up: () => [...byCallId.values()].filter(({ ended }) => ended === null),
    ofNumber: (from) => byNumber.get(digits(from)),
    caller, callee,
    strays: () => [...strays, ...[...waiting].flatMap(([from, left]) => left.map(({ device }) => `${device} was called by ${from}, who called nobody`))],
  };
}

/** Where a call was at a moment; null when it was not up. */
export function stageAt(entry: Entry, at: EpochMs): Stage | null {
  const by = (time: EpochMs | null): boolean => time !== null && time <= at;
  if (!by(entry.invitedAt) || by(entry.endedAt)) return null;
  const answeredLegs = entry.legs.filter((leg) => by(leg.answeredAt));
  if (entry.kind.name === 'voicemail' && by(entry.answeredAt)) return 'voicemail';
  if (entry.kind.name === 'announced' && by(entry.answeredAt) && answeredLegs.length === 0) return entry.legs.some((leg) => by(leg.invitedAt)) ? 'ring' : 'announcement';
  if (by(entry.answeredAt)) return 'talk';
  if (answeredLegs.length > 0) return 'screening';
  return entry.legs.some((leg) => by(leg.invitedAt)) ? 'ring' : 'offered';
}

const crossedMs = 150;

/** While nobody looked after calls, in whole or in part. */
export interface Outage {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** A phone that was picked up while nobody could connect it, and put down again before anybody could: its caller is meant to go on without. */
export const leftUnheard = ({ legs }: Entry, { from, to }: Outage): boolean =>
  legs.some(({ answeredAt, endedAt, endedBy }) => endedBy === 'phone' && answeredAt !== null && answeredAt > from && endedAt !== null && endedAt < to);

/** Why the call counts as ended by our side before its meant end; null when it did not. */
export function droppedBecause(entry: Entry, outage: Outage): string | null {
  const { ended, endedAt, kind, legs } = entry;
  if (ended === null || endedAt === null) return 'it never ended';
  if (ended === 'refused') return `it was refused with ${entry.status}`;
  if (ended === 'gave up') return 'nobody answered before the caller gave up';
  const failsafed = legs.some(isFailsafe);
  const leftBefore = legs.find((leg) => leg.answeredAt !== null && leg.endedBy === 'phone' && leg.endedAt !== null && leg.endedAt <= endedAt + crossedMs);
  if (ended === 'switch' && leftBefore === undefined) return 'the switch hung up on the caller, and no phone had';
  if (ended === 'caller' && kind.endsBy === 'callee' && !leftUnheard(entry, outage)) return 'the caller waited for an end that never came';
  if (ended === 'caller' && !failsafed && kind.phone !== null && !legs.some((leg) => leg.answeredAt !== null)) return 'the caller heard an answer, and no phone had';
  const lost = ended === 'caller' && !failsafed ? legs.find((leg) => leg.answeredAt !== null && leg.endedBy === 'switch' && (leg.endedAt ?? endedAt) < endedAt - crossedMs) : undefined;
  if (lost !== undefined) return `the switch hung up on ${lost.device} while the caller was there`;
  return null;
}

export const isFailsafe = (leg: Leg): boolean => digits(leg.device) === digits(failsafe);

/** Phones that have nothing to do with the number dialled. */
export function wrongLegs(entry: Entry): readonly Leg[] {
  const meant = entry.kind.phone?.device;
  return entry.legs.filter((leg) => !isFailsafe(leg) && (meant === undefined || digits(leg.device) !== digits(meant)));
}

/** Where a call went, in a word. */
export function whereTo(entry: Entry): KindName | 'failsafe' | 'refused' | 'nowhere' {
  if (entry.legs.some(isFailsafe)) return 'failsafe';
  if (entry.ended === 'refused') return 'refused';
  return entry.legs.length > 0 || entry.answeredAt !== null ? entry.kind.name : 'nowhere';
}
