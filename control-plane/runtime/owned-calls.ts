/**
 * Which calls are this controller's, among those of the switch: asks the store, goes by the switch and by what it knows
 * itself where the store cannot say, and takes the calls of controllers that are gone. See store/ports.ts, Ownership, and
 * docs/decisions/0014-several-controllers.md.
 */
import type { CallId } from '../core/ids.ts';
import { minute, type Ms } from '../core/time.ts';
import type { Ownership } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CancelTimer, Clock } from './clock.ts';
import { createLease, leaseMs, type Lease } from './lease.ts';
import type { ReconcileParts, Scope, Verdict } from './reconcile.ts';
import type { Registry } from './registry.ts';

export interface OwnedCallsOptions {
  /** Absent: there is no other controller, and every call on the switch is this one's. */
  readonly ownership: Ownership | undefined;
  /** This controller's name. */
  readonly controller: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly registry: Pick<Registry, 'all' | 'get'>;
  /** The link to the switch is up, and this controller is to go on. */
  readonly usable: () => boolean;
  /** Sets what is known against the switch: see reconcile.ts. */
  readonly look: (scope: Scope) => Promise<void>;
  /** Another controller has the call. */
  readonly letGo: (callId: CallId) => void;
  /** Another process has this controller's name. */
  readonly onReplaced: () => void;
}

export interface OwnedCalls extends Pick<ReconcileParts, 'claim' | 'doubts' | 'listMine' | 'onNotOurs'> {
  /** Null where there is no other controller. */
  readonly lease: Lease | null;
  /** Calls of a controller that is gone are being taken, and more may follow. */
  taking(): boolean;
  begin(callId: CallId): void;
  /** The call is over, and its record safe. */
  end(callId: CallId): void;
  /** A call was offered in doubt, and not taken: it is on the switch, and looked for there when it is certain again what is whose. */
  passOver(): void;
  stopAsking(): void;
}

/** Of a controller that is gone, in one go: few enough for others to have their share. */
const takenAtOnce = 16;
/** After the store has lost its memory, owners have said by then which calls are theirs. */
const askAgainMs: Ms = 4 * leaseMs;
const askAgainAtMost: Ms = 5 * minute;

export function createOwnedCalls({ ownership, controller, clock, log, metrics, registry, usable, look, letGo, onReplaced }: OwnedCallsOptions): OwnedCalls {
  /** Controllers whose calls are being taken. */
  const taking = new Set<string>();
  let again: CancelTimer | null = null;
  let againScope: 'all' | 'strangers' = 'strangers';
  let askAgainAfter = askAgainMs;
  let passedOver = false;
  let doubts = 0;

  const lease = ownership === undefined ? null : createLease({
    clock, ownership, log, metrics,
    onSure: (how) => {
      const offered = passedOver;
      passedOver = false;
      if (how === 'held' || lease?.unbroken() === true) {
        for (const runner of registry.all()) runner.goOn();
        if (how === 'anew' && usable()) void checkOwners();
        else if (offered && usable()) void look('strangers');
        return;
      }
      // Not before the switch has been asked: what happened meanwhile may have been another's doing.
      doubts += 1;
      for (const runner of registry.all()) runner.hold();
      if (usable()) void look('all');
    },
    onLapsed: (names) => { for (const name of names) void takeFrom(ownership, name); },
    onReplaced,
  });
  const known = (calls: readonly { readonly callId: CallId }[]): ReadonlySet<CallId> => new Set(calls.map(({ callId }) => callId).filter((callId) => registry.get(callId) !== undefined));
  /** The store's word; where it cannot be had, the switch's, and that of a controller that has run all the time. */
  const claim: ReconcileParts['claim'] = async (calls) => {
    const none: ReadonlySet<CallId> = new Set();
    if (ownership === undefined || lease === null) return { mine: new Set(calls.map(({ callId }) => callId)), over: none, undecided: none };
    const token = lease.token();
    const here = lease.unbroken() ? known(calls) : none;
    const asked = calls.map(({ callId, believed }) => ({ callId, believed: here.has(callId) ? controller : believed }));
    let answer: Pick<Verdict, 'mine' | 'over'> & { readonly settled: boolean } = { mine: new Set(asked.filter(({ believed }) => believed === controller).map(({ callId }) => callId)), over: none, settled: false };
    if (token !== null) {
      try {
        answer = await ownership.claim(token, asked);
      } catch (error) {
        log.warn({ error: String(error) }, 'It cannot be asked whose calls are whose: this controller goes on with its own');
      }
    }
    const { mine, over, settled } = answer;
    // Of these there is a journal and nothing else: whoever has them now may know less of them.
    const elsewhere = calls.some(({ callId, believed }) => believed === null && !mine.has(callId) && !over.has(callId));
    if (settled) {
      lease.mended();
      if (elsewhere) later('strangers', true);
      else askAgainAfter = askAgainMs;
      return { mine, over, undecided: none };
    }
    const undecided = known(asked.filter(({ callId, believed }) => believed === null && !mine.has(callId) && !over.has(callId)));
    later(undecided.size > 0 ? 'all' : 'strangers');
    return { mine, over, undecided };
  };
  const listMine: ReconcileParts['listMine'] = async () => {
    const token = lease?.token() ?? null;
    if (ownership === undefined || token === null) return [];
    // The claim that follows says so when the store is away.
    return ownership.list(token).catch(() => []);
  };
  const onNotOurs: ReconcileParts['onNotOurs'] = (callId, why) => {
    if (why === 'lost') ownership?.lose(callId);
    else if (why === 'over') ownership?.end(callId);
    else ownership?.giveBack(callId);
  };

  /** This controller has run and heard all the time: only whose its calls are is asked, and what else is on the switch. */
  const checkOwners = async (): Promise<void> => {
    const calls = [...registry.all()].map(({ id }) => ({ callId: id, believed: controller }));
    const { mine } = await claim(calls);
    for (const { callId } of calls) if (!mine.has(callId)) letGo(callId);
    await look('strangers');
  };

  /** Takes the calls of a controller that is gone, a few at a time, so that all who live share them. */
  const takeFrom = async (owners: Ownership, name: string): Promise<void> => {
    if (taking.has(name)) return;
    taking.add(name);
    try {
      const taken = new Set<CallId>();
      try {
        for (;;) {
          const token = lease?.token() ?? null;
          if (token === null || !usable()) break;
          const some = await owners.take(token, name, takenAtOnce);
          if (some.length === 0) break;
          for (const callId of some) taken.add(callId);
        }
      } catch (error) {
        // What was taken before is this controller's all the same; the rest is tried again while its owner is gone.
        log.warn({ controller: name, error: String(error) }, 'The calls of a controller that is gone could not all be taken; tried again');
      }
      if (taken.size > 0) {
        metrics.count('calls_taken_total', taken.size);
        log.warn({ controller: name, calls: taken.size }, 'A controller is gone: its calls are taken over');
        await look(taken);
      }
      // What the store was never told of is found on the switch.
      await look('strangers');
      // Another may have taken some that it cannot go on with, and given them back.
      later('strangers');
    } finally {
      taking.delete(name);
    }
  };
  /** What cannot be told yet whose it is, is looked at again. */
  const later = (scope: 'all' | 'strangers', seldomer = false): void => {
    againScope = scope === 'all' ? 'all' : againScope;
    if (seldomer && again === null) askAgainAfter = Math.min(2 * askAgainAfter, askAgainAtMost);
    again ??= clock.setTimer(clock.now() + askAgainAfter, () => {
      const wanted = againScope;
      again = null;
      againScope = 'strangers';
      if (usable()) void look(wanted);
    });
  };

  return {
    lease, claim, listMine, onNotOurs,
    doubts: () => doubts,
    taking: () => taking.size > 0,
    begin: (callId) => { ownership?.begin(callId); },
    end: (callId) => { ownership?.end(callId); },
    passOver: () => { passedOver = true; },
    stopAsking: () => { again?.(); },
  };
}
