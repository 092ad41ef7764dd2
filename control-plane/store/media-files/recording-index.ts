/**
 * The recordings that are there, in memory, ordered by when they began: a page is found by halving, then by walking.
 */
import type { CallId } from '../../core/ids.ts';
import type { EpochMs, Ms } from '../../core/time.ts';
import type { Recording } from './recording.ts';

export interface RecordingFilter {
  readonly account?: string;
  readonly kind?: Recording['kind'];
  readonly callId?: CallId;
  readonly number?: string;
  readonly caller?: string;
  /** Began at that time or later. */
  readonly from?: EpochMs;
  /** Began before. */
  readonly to?: EpochMs;
  /** 1 to 500; 50 when not given. */
  readonly limit?: number;
  /** Of the page before. One that is none is taken for the begin. */
  readonly cursor?: string;
}

export interface RecordingPage {
  readonly recordings: readonly Recording[];
  /** Of the next page; null at the end. Stays good when recordings come and go. */
  readonly cursor: string | null;
}

export interface RecordingTotals {
  readonly recordings: number;
  readonly durationMs: Ms;
  /** Before encryption, which adds less than 0.1 %. */
  readonly bytes: number;
}

export interface RecordingIndex {
  add(recording: Recording): void;
  get(recordingId: string): Recording | undefined;
  remove(recordingId: string): void;
  /** The oldest first; what changes later does not change it. */
  all(): readonly Recording[];
  before(at: EpochMs): readonly Recording[];
  page(filter?: RecordingFilter): RecordingPage;
  totals(): ReadonlyMap<string, RecordingTotals>;
}

interface Place {
  readonly at: EpochMs;
  readonly recordingId: string;
}

export function createRecordingIndex(): RecordingIndex {
  const byId = new Map<string, Recording>();
  const ordered: Recording[] = [];
  const totals = new Map<string, RecordingTotals>();

  /** How many are before that place. */
  const countBefore = (place: Place): number => {
    let [low, high] = [0, ordered.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const one = ordered[middle];
      if (one !== undefined && compare(one, place) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const count = ({ account, durationMs, bytes }: Recording, sign: 1 | -1): void => {
    const before = totals.get(account) ?? { recordings: 0, durationMs: 0, bytes: 0 };
    const after = { recordings: before.recordings + sign, durationMs: before.durationMs + sign * durationMs, bytes: before.bytes + sign * bytes };
    if (after.recordings === 0) totals.delete(account);
    else totals.set(account, after);
  };

  const remove = (recordingId: string): void => {
    const recording = byId.get(recordingId);
    if (recording === undefined) return;
    byId.delete(recordingId);
    ordered.splice(countBefore(recording), 1);
    count(recording, -1);
  };

  return {
    add: (recording) => {
      remove(recording.recordingId);
      byId.set(recording.recordingId, recording);
      ordered.splice(countBefore(recording), 0, recording);
      count(recording, 1);
    },
    get: (recordingId) => byId.get(recordingId),
    remove,
    all: () => [...ordered],
    before: (at) => ordered.slice(0, countBefore({ at, recordingId: '' })),
    page: (filter = {}) => {
      const limit = Math.min(500, Math.max(1, filter.limit ?? 50));
      const after = filter.cursor === undefined ? null : fromCursor(filter.cursor);
      const to = filter.to === undefined ? ordered.length : countBefore({ at: filter.to, recordingId: '' });
      const recordings: Recording[] = [];
      for (let i = Math.min(to, after === null ? to : countBefore(after)) - 1; i >= 0; i--) {
        const one = ordered[i];
        if (one === undefined || one.at < (filter.from ?? -Infinity)) break;
        if (!matches(one, filter)) continue;
        const previous = recordings.at(-1);
        if (recordings.length === limit && previous !== undefined) return { recordings, cursor: toCursor(previous) };
        recordings.push(one);
      }
      return { recordings, cursor: null };
    },
    totals: () => new Map(totals),
  };
}

function compare(a: Place, b: Place): number {
  if (a.at !== b.at) return a.at - b.at;
  if (a.recordingId === b.recordingId) return 0;
  return a.recordingId < b.recordingId ? -1 : 1;
}

const matched = ['account', 'kind', 'callId', 'number', 'caller'] as const;

function matches(recording: Recording, filter: RecordingFilter): boolean {
  return matched.every((field) => filter[field] === undefined || recording[field] === filter[field]);
}

function toCursor({ at, recordingId }: Place): string {
  return Buffer.from(`${at} ${recordingId}`).toString('base64url');
}

function fromCursor(cursor: string): Place | null {
  const found = /^(\d+) (.+)$/.exec(Buffer.from(cursor, 'base64url').toString());
  return found === null ? null : { at: Number(found[1]), recordingId: found[2] ?? '' };
}
