/**
 * Who is in which calls, over all controllers. Each tells of its own calls, whole; those of one that is gone count on for
 * as long as it may take until another has them. So does what the last desk knew, when another takes over. What somebody
 * says of before the end of an offer is not believed after it: reports come from several, and late.
 */
import type { CallId } from '../../core/ids.ts';
import type { AgentId, DeviceId } from '../../core/queue/config.ts';
import { callOfOffer, type OfferId } from '../../core/queue/desk.ts';
import { minute, type Ms } from '../../core/time.ts';
import type { Clock } from '../clock.ts';
import { leaseMs } from '../lease.ts';
import type { MeasuredCall } from './messages.ts';

export interface MeasuredCalls {
  /** All calls of this controller. `n` grows from report to report. */
  heard(from: string, n: number, calls: readonly MeasuredCall[]): void;
  /** Nobody is in a call by this offer any more. `agent`: whose it was, where that is known. */
  over(offerId: OfferId, agent: AgentId | null): void;
  /** What agents were in by their records, whoever had those calls. */
  believed(calls: readonly Omit<MeasuredCall, 'offer'>[]): void;
  /** Only these controllers live, and what the others had counts on for so long. */
  live(controllers: readonly string[], forMs: Ms): void;
  /** Whose calls somebody has whose lease has not been lost for too long. */
  callsOf(account: string, agent: AgentId, devices: readonly DeviceId[]): readonly CallId[];
}

/** From the death of a controller to its calls being another's, and measured there. */
export const limboMs: Ms = 5 * leaseMs;
/** No report comes later than this. One that is older yet is of a controller whose clock was set back. */
const lateMs: Ms = minute;

interface Report {
  readonly n: number;
  readonly calls: readonly MeasuredCall[];
  /** Null: it lives. */
  goneAt: Ms | null;
}

const believedOnly = '';

export function createMeasuredCalls(clock: Clock): MeasuredCalls {
  const reports = new Map<string, Report>();
  /** Lately; the oldest first. */
  const ended = new Map<OfferId, Ms>();
  /** By account, and user or device; null: to be made anew. */
  let index: Map<string, Set<CallId>> | null = null;

  const indexed = (): Map<string, Set<CallId>> => {
    if (index !== null) return index;
    const made = new Map<string, Set<CallId>>();
    const add = (key: string, callId: CallId): void => {
      const known = made.get(key);
      if (known === undefined) made.set(key, new Set([callId]));
      else known.add(callId);
    };
    for (const { calls } of reports.values()) {
      for (const { account, callId, users, devices } of calls) {
        for (const user of users) add(`${account} user ${user}`, callId);
        for (const device of devices) add(`${account} device ${device}`, callId);
      }
    }
    index = made;
    return made;
  };
  const set = (from: string, report: Report): void => {
    reports.set(from, report);
    index = null;
  };
  const keepOnly = (from: string, report: Report, isKept: (call: MeasuredCall) => boolean): void => {
    if (!report.calls.every(isKept)) set(from, { ...report, calls: report.calls.filter(isKept) });
  };
  const isOpen = ({ offer }: MeasuredCall): boolean => offer === null || !ended.has(offer);
  const forget = (): void => {
    for (const [offerId, at] of ended) {
      if (clock.monotonic() - at < lateMs) return;
      ended.delete(offerId);
    }
  };

  return {
    heard: (from, n, calls) => {
      const known = reports.get(from);
      if (known !== undefined && n <= known.n && n > known.n - lateMs) return;
      set(from, { n, calls: calls.filter(isOpen), goneAt: null });
      // Whoever has taken them over knows better who is in them.
      const taken = new Set(calls.map(({ callId }) => callId));
      for (const [name, report] of reports) if (report.goneAt !== null) keepOnly(name, report, ({ callId }) => !taken.has(callId));
    },
    over: (offerId, agent) => {
      forget();
      ended.delete(offerId);
      ended.set(offerId, clock.monotonic());
      for (const [name, report] of reports) keepOnly(name, report, isOpen);
      const callId = callOfOffer(offerId);
      const believed = reports.get(believedOnly);
      if (believed !== undefined && agent !== null) keepOnly(believedOnly, believed, (call) => call.callId !== callId || !call.users.includes(agent));
    },
    believed: (calls) => { set(believedOnly, { n: 0, calls: calls.map((call) => ({ ...call, offer: null })), goneAt: clock.monotonic() }); },
    live: (controllers, forMs) => {
      const now = clock.monotonic();
      for (const [name, report] of reports) {
        if (controllers.includes(name)) report.goneAt = null;
        else report.goneAt ??= now;
        if (report.goneAt === null || now - report.goneAt < forMs) continue;
        reports.delete(name);
        index = null;
      }
    },
    callsOf: (account, agent, devices) => {
      const of = indexed();
      const calls = new Set(of.get(`${account} user ${agent}`));
      for (const device of devices) for (const callId of of.get(`${account} device ${device}`) ?? []) calls.add(callId);
      return [...calls].toSorted();
    },
  };
}
