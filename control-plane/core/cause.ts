/**
 * The one table that relates why a leg ended to Q.850 (what the switch says), SIP (what the wire says) and the
 * disposition (what a CDR says). Q.850 numbers: ITU-T Q.850 (2018) table 1. SIP to Q.850: RFC 3398 section 8.2.6.1.
 * `answered-elsewhere` is Q.850 26, which chan_pjsip sends as `Reason: SIP;cause=200` (RFC 3326, RFC 3261 section 9).
 */
export type Disposition = 'answered' | 'no-answer' | 'busy' | 'declined' | 'canceled' | 'unreachable' | 'failed';

interface CauseRow {
  readonly q850: number;
  readonly sip: number;
  readonly disposition: Disposition;
  /** The far end may already have rung: another trunk must not be tried. */
  readonly mayHaveRung: boolean;
}

const table = {
  normal: { q850: 16, sip: 200, disposition: 'answered', mayHaveRung: true },
  busy: { q850: 17, sip: 486, disposition: 'busy', mayHaveRung: true },
  'no-response': { q850: 18, sip: 408, disposition: 'unreachable', mayHaveRung: true },
  'no-answer': { q850: 19, sip: 480, disposition: 'no-answer', mayHaveRung: true },
  absent: { q850: 20, sip: 480, disposition: 'unreachable', mayHaveRung: false },
  declined: { q850: 21, sip: 603, disposition: 'declined', mayHaveRung: true },
  'answered-elsewhere': { q850: 26, sip: 487, disposition: 'canceled', mayHaveRung: true },
  'out-of-order': { q850: 27, sip: 502, disposition: 'unreachable', mayHaveRung: false },
  'invalid-number': { q850: 28, sip: 484, disposition: 'failed', mayHaveRung: false },
  unallocated: { q850: 1, sip: 404, disposition: 'failed', mayHaveRung: false },
  congestion: { q850: 34, sip: 503, disposition: 'unreachable', mayHaveRung: false },
  'temporary-failure': { q850: 41, sip: 500, disposition: 'unreachable', mayHaveRung: false },
  incompatible: { q850: 58, sip: 488, disposition: 'failed', mayHaveRung: false },
  interworking: { q850: 127, sip: 500, disposition: 'failed', mayHaveRung: true },
  /** We stopped the ringing: the caller left, the time was up, another route was taken. */
  canceled: { q850: 16, sip: 487, disposition: 'canceled', mayHaveRung: true },
  /** Picked up, and left without accepting. */
  'not-accepted': { q850: 16, sip: 200, disposition: 'declined', mayHaveRung: true },
  /** The phone has transferred who it talked with, and was let go. */
  transferred: { q850: 16, sip: 200, disposition: 'answered', mayHaveRung: true },
  /** The switch no longer knew the leg when we looked: its end was not seen. */
  lost: { q850: 16, sip: 481, disposition: 'failed', mayHaveRung: true },
} as const satisfies Record<string, CauseRow>;

export type Cause = keyof typeof table;

export const causes: Readonly<Record<Cause, CauseRow>> = table;

/** Q.850 numbers a switch reports that are not a row's own number, by the row they mean the same as. */
const aliases: ReadonlyMap<number, Cause> = new Map<number, Cause>([
  [0, 'interworking'],
  [2, 'unallocated'],
  [3, 'unallocated'],
  [22, 'unallocated'],
  [25, 'out-of-order'],
  [29, 'declined'],
  [31, 'normal'],
  [38, 'out-of-order'],
  [42, 'congestion'],
  [44, 'congestion'],
  [47, 'congestion'],
  [50, 'declined'],
  [57, 'incompatible'],
  [65, 'incompatible'],
  [79, 'incompatible'],
  [88, 'incompatible'],
  [96, 'interworking'],
  [102, 'no-response'],
  [111, 'interworking'],
]);

/** What the switch says only through these: our own hang-ups are told apart by who asked for them. */
const ours: ReadonlySet<Cause> = new Set(['canceled', 'not-accepted', 'transferred', 'lost']);

const byQ850: ReadonlyMap<number, Cause> = new Map<number, Cause>([
  ...aliases,
  ...(Object.keys(table) as Cause[]).filter((cause) => !ours.has(cause)).map((cause) => [table[cause].q850, cause] as const),
]);

/** The cause a Q.850 number stands for; `interworking` for one that is not in the table. */
export function causeOfQ850(q850: number): Cause {
  return byQ850.get(q850) ?? 'interworking';
}
