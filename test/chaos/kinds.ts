/**
 * The calls of a busy clinic, kind by kind: the way each takes through the clinic's routing, whom it is to ring, and how it
 * is meant to end. Lengths are chosen so that a call of any kind is up about as long as `lengthMs`; most of it goes by before
 * anybody talks, for two thirds of the calls.
 */
import type { Ms } from '../../control-plane/core/time.ts';

export const kindNames = ['talks', 'leaves', 'rings', 'screened', 'announced', 'voicemail', 'menu', 'turns', 'walks', 'least', 'extension', 'chained', 'routed', 'queued', 'served'] as const;
export type KindName = (typeof kindNames)[number];

/** Where a call is. In most of these nobody talks yet, and a controller has something left to do. */
export const stages = ['offered', 'ring', 'screening', 'extension', 'announcement', 'menu', 'queue', 'voicemail', 'talk'] as const;
export type Stage = (typeof stages)[number];

export interface Kind {
  readonly name: KindName;
  readonly e164: string;
  /** Of 40 calls. */
  readonly share: number;
  /** Where it is for most of its time. */
  readonly waits: Stage;
  /** Whom a caller of this number is to ring, one after the other: one of each. The last of them answers. */
  readonly rings: (from: string) => readonly (readonly string[])[];
  /** Where a controller has died with what it had not written, who was rung may be asked once more. */
  readonly asksAgain?: true;
  /** Who is meant to hang up. */
  readonly endsBy: 'caller' | 'callee';
  readonly caller: Caller;
}

/** Those who do the same share a process. */
export interface Caller {
  /** Hangs up so long after the answer, whoever or whatever it was that answered. */
  readonly talkMs: Ms;
  /** Until then presses 1 whenever so much time has gone by. */
  readonly keyEveryMs?: Ms;
}

/** Phones that do the same, at one address. */
export interface Phones {
  readonly name: string;
  readonly extensions: readonly string[];
  readonly does: 'answer' | 'refuse';
  readonly ringMs: Ms;
  readonly talkMs: Ms;
}

/** Where callers are. */
export const areaCodes = ['303', '720'] as const;
export const mobile = '+12025550180';
export const switchboard = '+12025550181';
export const failsafe = '+12025550199';
/** What the switchboard is to be dialled once it has answered. */
export const extensionDigits = '42';
/** Whoever waits for the other side's end waits for so long beyond it; a call that reaches it was forgotten. */
const patienceMs: Ms = 30_000;
const quickMs: Ms = 1000;
export const mobileRingsMs: Ms = 500;
const shortTalkMs: Ms = 2500;
/** The first phone of the chain; a round is never shorter. */
export const unheardMs: Ms = 5000;

const evenly = ['211', '212', '213'] as const;
const leastConnected = ['214', '215', '216'] as const;
/** Who takes calls of the queue; enough of them for the longest of bursts. */
export const agents = ['252', '253', '254', '255', '256', '257', '258', '259', '260', '261'] as const;
export const groups = { turns: evenly, least: leastConnected } as const;

const waitsOf = (lengthMs: Ms): Ms => Math.max(2000, lengthMs - shortTalkMs);
/** How long the mobile that asks for a key is without one, and how long a prompt is. */
export const waitOf = (lengthMs: Ms): Ms => Math.max(2000, waitsOf(lengthMs) - quickMs);
export const patienceOf = (lengthMs: Ms): Ms => lengthMs + patienceMs;

const to = (...phones: readonly string[]) => () => phones.map((one) => [one]);

export function kindsOf(lengthMs: Ms): readonly Kind[] {
  const patient = { talkMs: patienceOf(lengthMs) };
  const brief = { talkMs: shortTalkMs };
  return [
    { name: 'talks', e164: '+12025550111', share: 6, waits: 'talk', rings: to('201'), endsBy: 'caller', caller: { talkMs: Math.max(2000, lengthMs - quickMs) } },
    { name: 'leaves', e164: '+12025550112', share: 3, waits: 'talk', rings: to('202'), endsBy: 'callee', caller: patient },
    { name: 'rings', e164: '+12025550113', share: 2, waits: 'ring', rings: to('203'), endsBy: 'caller', caller: brief },
    { name: 'screened', e164: '+12025550114', share: 4, waits: 'screening', rings: to(mobile), endsBy: 'caller', caller: brief },
    { name: 'announced', e164: '+12025550115', share: 3, waits: 'announcement', rings: to('205'), endsBy: 'callee', caller: patient },
    { name: 'voicemail', e164: '+12025550116', share: 4, waits: 'voicemail', rings: to(), endsBy: 'caller', caller: { talkMs: lengthMs } },
    // one key in each of two menus
    { name: 'menu', e164: '+12025550117', share: 3, waits: 'menu', rings: to('206'), endsBy: 'callee', caller: { ...patient, keyEveryMs: Math.round(waitOf(lengthMs) / 2) } },
    { name: 'turns', e164: '+12025550118', share: 3, waits: 'ring', rings: () => [evenly], endsBy: 'caller', caller: brief },
    { name: 'walks', e164: '+12025550119', share: 2, waits: 'ring', rings: to('221', '222'), endsBy: 'caller', caller: brief },
    { name: 'least', e164: '+12025550120', share: 2, waits: 'ring', rings: () => [leastConnected], endsBy: 'caller', caller: brief },
    { name: 'extension', e164: '+12025550121', share: 2, waits: 'extension', rings: to(switchboard), endsBy: 'caller', caller: brief },
    { name: 'chained', e164: '+12025550122', share: 2, waits: 'ring', rings: to('231', '221', '232'), endsBy: 'caller', caller: brief },
    { name: 'routed', e164: '+12025550123', share: 1, waits: 'ring', rings: (from) => [[from.startsWith(`+1${areaCodes[0]}`) ? '241' : '242']], endsBy: 'caller', caller: brief },
    // nobody serves this queue: a while later the caller is sent on
    { name: 'queued', e164: '+12025550124', share: 2, waits: 'queue', rings: to('251'), endsBy: 'callee', caller: patient },
    // any agent, and another where one was let go while the desk changed hands
    { name: 'served', e164: '+12025550125', share: 1, waits: 'talk', asksAgain: true, rings: () => [agents, agents, agents], endsBy: 'callee', caller: patient },
  ];
}

export function phonesOf(lengthMs: Ms): readonly Phones[] {
  const [waitsMs, patient] = [waitsOf(lengthMs), patienceOf(lengthMs)];
  return [
    { name: 'quick', extensions: ['201', '232'], does: 'answer', ringMs: quickMs, talkMs: patient },
    { name: 'leaving', extensions: ['202'], does: 'answer', ringMs: quickMs, talkMs: Math.max(2000, lengthMs - quickMs) },
    { name: 'brief', extensions: ['205', '206', '251', ...agents], does: 'answer', ringMs: quickMs, talkMs: shortTalkMs },
    { name: 'slow', extensions: ['203', ...evenly, ...leastConnected, '222', '241', '242'], does: 'answer', ringMs: waitsMs, talkMs: patient },
    { name: 'busy', extensions: ['221'], does: 'refuse', ringMs: 0, talkMs: 0 },
    { name: 'unheard', extensions: ['231'], does: 'answer', ringMs: 10 * unheardMs, talkMs: 0 },
  ];
}

/** So that calls of a kind come evenly: the kinds of 40 calls in a row, over and over. */
export function inTurn<K extends Pick<Kind, 'share'>>(kinds: readonly K[]): readonly K[] {
  return kinds.flatMap((kind) => Array.from({ length: kind.share }, (_, i) => ({ kind, at: (i + 0.5) / kind.share })))
    .toSorted((a, b) => a.at - b.at).map(({ kind }) => kind);
}
