/**
 * What became of each caller's call, by its SIP Call-ID, as the callers and the phones saw it on the wire. Nothing in
 * here asks the product. A caller has a number of its own, by which a call at a phone is told to be this caller's.
 */
import type { EpochMs } from '../../control-plane/core/time.ts';
import { cseqMethod, header, parseIdentity, type SipMessage } from '../support/sip-message.ts';
import { areaCodes, extensionDigits, failsafe, stages, switchboard, type Kind, type KindName, type Stage } from './kinds.ts';

/** What a call at a phone, a mobile or the failsafe number came to. */
export interface Leg {
  /** Whom the switch called: an extension or a number. */
  readonly device: string;
  readonly invitedAt: EpochMs;
  answeredAt: EpochMs | null;
  endedAt: EpochMs | null;
  /** phone: it hung up, or refused. */
  endedBy: 'phone' | 'switch' | null;
  /** That it was sent. */
  keys: string;
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

/** In these nobody talks yet, and a controller has something left to do. */
export const waitingStages = stages.filter((stage) => stage !== 'offered' && stage !== 'talk');

export interface Ledger {
  entries(): readonly Entry[];
  /** Not over yet, as far as the caller knows. */
  up(): readonly Entry[];
  ofNumber(from: string): Entry | undefined;
  /** For the trace of callers. */
  readonly caller: (message: SipMessage) => void;
  /** For the trace of whoever is called. */
  readonly callee: (message: SipMessage) => void;
  /** Calls at phones that no caller of ours made. */
  strays(): readonly string[];
}

const calledIn = ({ startLine }: SipMessage): string => /^INVITE sips?:([^@;]+)@/.exec(startLine)?.[1] ?? startLine;
const digits = (number: string): string => number.replace(/\D/g, '');

export function createLedger(kinds: readonly Kind[]): Ledger {
  const kindOf = new Map(kinds.map((kind) => [kind.e164, kind]));
  const byCallId = new Map<string, Entry>();
  const byNumber = new Map<string, Entry>();
  const legs = new Map<string, Leg>();
  const strays: string[] = [];
  const keysSeen = new Set<string>();
  const waiting = new Map<string, Leg[]>();

  const caller = (message: SipMessage): void => {
    const callId = header(message, 'call-id') ?? '';
    const { direction, method, status, at } = message;
    let entry = byCallId.get(callId);
    if (entry === undefined) {
      const kind = direction === 'sent' && method === 'INVITE' ? kindOf.get(calledIn(message)) : undefined;
      if (kind === undefined) return;
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
      const fresh: Leg = { device: calledIn(message), invitedAt: at, answeredAt: null, endedAt: null, endedBy: null, keys: '' };
      legs.set(callId, fresh);
      const from = digits(parseIdentity(header(message, 'from') ?? '').number);
      const entry = byNumber.get(from);
      // The traces of two processes are read one after the other.
      if (entry === undefined) waiting.set(from, [...(waiting.get(from) ?? []), fresh]);
      else entry.legs.push(fresh);
      if (!areaCodes.some((code) => from.startsWith(`1${code}`))) strays.push(`${fresh.device} was called by ${from}`);
      return;
    }
    if (leg.endedAt !== null) return;
    if (direction === 'sent' && status !== undefined && cseqMethod(message) === 'INVITE') {
      if (status === 200) leg.answeredAt ??= at;
      else if (status > 200) Object.assign(leg, { endedAt: at, endedBy: 'phone' });
    } else if (direction === 'received' && method === 'INFO') {
      const key = `${callId} ${header(message, 'cseq')}`;
      // one that is sent again is the same
      if (!keysSeen.has(key)) leg.keys += /^Signal=\s*(\S)/m.exec(message.body)?.[1] ?? '';
      keysSeen.add(key);
    }
    if (method === 'BYE' || method === 'CANCEL') Object.assign(leg, { endedAt: at, endedBy: direction === 'sent' ? 'phone' : 'switch' });
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
  const { waits } = entry.kind;
  const rings = entry.legs.some((leg) => by(leg.invitedAt));
  const isPickedUp = entry.legs.some((leg) => by(leg.answeredAt));
  if (by(entry.answeredAt)) {
    if (isPickedUp || !heardByCaller.includes(waits)) return 'talk';
    return rings ? 'ring' : waits;
  }
  if (isPickedUp) return waits === 'extension' ? 'extension' : 'screening';
  return rings ? 'ring' : 'offered';
}

/** The caller was answered for them. */
const heardByCaller: readonly Stage[] = ['announcement', 'menu', 'queue', 'voicemail'];

const crossedMs = 150;

/** While nobody looked after calls, in whole or in part. */
export interface Outage {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

const isUnheard = ({ answeredAt, endedAt, endedBy }: Leg, { from, to }: Outage): boolean => endedBy === 'phone' && answeredAt !== null && answeredAt > from && endedAt !== null && endedAt < to;

/** A phone that was picked up while nobody could connect it, and put down again before anybody could: its caller is meant to go on without. */
export const leftUnheard = ({ legs }: Entry, outage: Outage): boolean => legs.some((leg) => isUnheard(leg, outage));

/** They began to talk, and were done, while not all were looked after. */
export const talkedUnseen = ({ legs, answeredAt, endedAt }: Entry, { from, to }: Outage): boolean =>
  endedAt !== null && endedAt < to && legs.some((leg) => leg.answeredAt !== null && Math.max(leg.answeredAt, answeredAt ?? 0) > from);

/** Why the call counts as ended by our side before its meant end; null when it did not. */
export function droppedBecause(entry: Entry, outage: Outage): string | null {
  const { ended, endedAt, kind, legs, from } = entry;
  if (ended === null || endedAt === null) return 'it never ended';
  if (ended === 'refused') return `it was refused with ${entry.status}`;
  if (ended === 'gave up') return 'nobody answered before the caller gave up';
  const failsafed = legs.some(isFailsafe);
  const leftBefore = legs.find((leg) => leg.answeredAt !== null && leg.endedBy === 'phone' && leg.endedAt !== null && leg.endedAt <= endedAt + crossedMs);
  if (ended === 'switch' && leftBefore === undefined) return 'the switch hung up on the caller, and no phone had';
  if (ended === 'caller' && kind.endsBy === 'callee' && !leftUnheard(entry, outage)) return 'the caller waited for an end that never came';
  if (ended === 'caller' && !failsafed && kind.rings(from).length > 0 && !legs.some((leg) => leg.answeredAt !== null)) return 'the caller heard an answer, and no phone had';
  const lost = ended === 'caller' && !failsafed ? legs.find((leg) => leg.answeredAt !== null && leg.endedBy === 'switch' && (leg.endedAt ?? endedAt) < endedAt - crossedMs) : undefined;
  if (lost !== undefined) return `the switch hung up on ${lost.device} while the caller was there`;
  return null;
}

export const isFailsafe = (leg: Leg): boolean => digits(leg.device) === digits(failsafe);

/** The switch waits for so long until it gives up a controller that has taken a call. */
const guardMs = 20_000;

/** Sent to the failsafe by the switch because no controller took it, so that none can have a record of it. */
export const unclaimed = ({ legs, invitedAt }: Entry): boolean => legs.length > 0 && legs.every((leg) => isFailsafe(leg) && leg.invitedAt - invitedAt < guardMs);

/** Who rang that was not to, or twice, or in another order; and what a switchboard was dialled: all of it once more where nobody may know of the first time, or it came to nothing. */
export function wronglyRung({ kind, from, legs, answeredAt }: Entry, mayForget: boolean, outage: Outage): readonly string[] {
  const meant = kind.rings(from);
  const { asksAgain } = kind;
  const rung = new Map<string, Leg>();
  return legs.filter((leg) => !isFailsafe(leg)).toSorted((a, b) => a.invitedAt - b.invitedAt).flatMap((leg) => {
    const { device, keys } = leg;
    const before = rung.get(device);
    // whether a phone was reached that refused at once nobody may have heard: it is dialled again, and disturbed by neither
    if (before !== undefined && asksAgain === true && ((mayForget && before.answeredAt === null) || isUnheard(before, outage))) return [];
    if (before !== undefined) return before.endedBy === 'phone' && before.answeredAt === null ? [] : [`it rang ${device} twice`];
    const isNext = meant[rung.size]?.some((one) => digits(one) === digits(device)) === true;
    rung.set(device, leg);
    if (!isNext) return [`it rang ${device}, which was not its turn`];
    return digits(device) === digits(switchboard) && answeredAt !== null && keys !== extensionDigits && !(mayForget && keys === extensionDigits.repeat(2)) ? [`the switchboard was dialled ${JSON.stringify(keys)}`] : [];
  });
}

/** Who has talked to the caller, as far as the wire shows it: of two who answered, the one who was not let go. */
export function answererOf({ legs, answeredAt }: Entry): string | null {
  const answered = answeredAt === null ? [] : legs.filter((leg) => leg.answeredAt !== null);
  return (answered.find(({ endedBy }) => endedBy === 'phone') ?? answered[0])?.device ?? null;
}

/** How many calls of a kind rang each of these phones first. */
export function firstRung(entries: readonly Entry[], name: KindName, phones: readonly string[]): readonly number[] {
  const first = entries.filter(({ kind }) => kind.name === name).map(({ legs }) => legs.toSorted((a, b) => a.invitedAt - b.invitedAt)[0]?.device);
  return phones.map((phone) => first.filter((device) => device === phone).length);
}

/** Where a call went, in a word. */
export function whereTo(entry: Entry): KindName | 'failsafe' | 'refused' | 'nowhere' {
  if (entry.legs.some(isFailsafe)) return 'failsafe';
  if (entry.ended === 'refused') return 'refused';
  return entry.legs.length > 0 || entry.answeredAt !== null ? entry.kind.name : 'nowhere';
}
