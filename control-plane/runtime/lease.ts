/**
 * A controller's right to its calls. The lease is renewed several times before it would lapse; who does not renew it in
 * time has lost its calls to whoever takes them. The switch obeys any controller, so each holds itself back: after a
 * time in which it did not run (its process was stopped, its machine slept) it does nothing before it knows what is still
 * its own.
 *
 *   sure ──did not run for doubtMs, or the lease lapsed──> in doubt ──lease held, or store away──> sure
 *
 * With the store away nobody can take calls, so a controller that has run all the time goes on with its own.
 */
import { second, type EpochMs, type Ms } from '../core/time.ts';
import type { Ownership } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CancelTimer, Clock } from './clock.ts';

export interface LeaseOptions {
  readonly clock: Clock;
  readonly ownership: Ownership;
  readonly log: Log;
  readonly metrics: Metrics;
  /**
   * It is certain again what is this controller's. held: its lease never lapsed, so all of it. anew: the lease had
   * lapsed, or the store cannot tell: each call is to be asked about.
   */
  readonly onSure: (how: 'held' | 'anew') => void;
  /** These controllers are gone: their calls are to be taken. */
  readonly onLapsed: (controllers: readonly string[]) => void;
  /** Another process has this name: nothing may be done any more. */
  readonly onReplaced: () => void;
}

export interface Lease {
  /** Settles after the first try; then it is renewed until `stop`. */
  start(): Promise<void>;
  /** Asked before anything is done. After a no nothing may be done before `onSure`. */
  sure(): boolean;
  /** Null while there is no lease, or the store is away. */
  token(): number | null;
  /** This process has run since it last knew what is its own: nobody can have taken that while the store was away. */
  unbroken(): boolean;
  /**
   * This controller does what only one may do: the eldest of those that live does. While the store is away, as it was
   * last known, and two may believe it of themselves. No after a pause, until the lease is held again.
   */
  leads(): boolean;
  /** The store cannot be asked. */
  away(): boolean;
  /** Null, or a sentence with what to do: why the store cannot be asked, or that its clock is another than ours while there are other controllers. */
  problem(): string | null;
  /** Held for so long that the calls of a controller that is gone may be taken. */
  settled(): boolean;
  /** Other controllers that lived when the lease was last renewed. */
  others(): readonly string[];
  /** Calls of controllers that are gone, which nobody has taken yet; none while the store is away. Rejects where it does not answer. */
  orphans(): Promise<number>;
  /** Of each call here it is known again whose it is. */
  mended(): void;
  /** Others may take what is left at once. */
  stop(): Promise<void>;
}

/** Of the lease; see `renewMs`. Others notice a death within `leaseMs + renewMs`. */
export const leaseMs: Ms = 1_200;
const renewMs: Ms = 300;
/** Half a second before the lease ends nothing is sent any more. */
const doubtMs: Ms = leaseMs - 500;
/** After a store was away, a jump of its clock or a first start, others may be about to renew theirs too: nobody is taken for dead before. */
const graceMs: Ms = 3 * leaseMs;
/** Between two renewals the store's clock and ours differ by no more. */
const jumpMs: Ms = 300;
/** Between controllers: an agent does not notice less. */
const apartMs: Ms = second;

export function createLease({ clock, ownership, log, metrics, onSure, onLapsed, onReplaced }: LeaseOptions): Lease {
  let token: number | null = null;
  let tokenSince = 0;
  let away = false;
  let why = '';
  /** How far the store's clock is ahead of ours, and how far off that may be; null before the first renewal. */
  let ahead: { readonly ms: Ms; readonly give: Ms } | null = null;
  let ranAt = clock.monotonic();
  let doubtful = false;
  let stopped = false;
  let beating = false;
  let broken = false;
  // Who never heard of another is alone, as far as it knows.
  let leads = true;
  let others: readonly string[] = [];
  let timer: CancelTimer | null = null;
  let renewing: Promise<void> | null = null;

  const doubt = (why: string): void => {
    if (doubtful) return;
    doubtful = true;
    metrics.count('leases_doubted_total');
    log.warn({ why }, 'It is not certain which calls are still this controller’s: nothing is done until it is');
  };
  const settle = (how: 'held' | 'anew'): void => {
    if (!doubtful || stopped) return;
    doubtful = false;
    ranAt = clock.monotonic();
    if (how === 'held') broken = false;
    onSure(how);
  };
  const compareClocks = (storeAt: EpochMs, askedAt: Ms): void => {
    const now = clock.monotonic();
    const before = ahead;
    ahead = { ms: storeAt - now, give: now - askedAt };
    if (before === null || Math.abs(ahead.ms - before.ms) <= jumpMs + ahead.give + before.give) return;
    // Others may be lapsed by that clock alone, and about to renew.
    tokenSince = now;
    log.warn({ jumpedMs: Math.round(ahead.ms - before.ms) }, 'The clock of Redis has jumped: leases are counted anew, and for 4 s nobody takes over another’s calls. Have the machine of Redis keep its time by small steps: chrony or systemd-timesyncd');
  };
  const clocksApart = (): string | null => {
    if (ahead === null || others.length === 0) return null;
    const ms = ahead.ms - (clock.now() - clock.monotonic());
    if (Math.abs(ms) - ahead.give < apartMs) return null;
    return `The clock of this controller is ${Math.round(Math.abs(ms) / 1000)} s ${ms > 0 ? 'behind' : 'ahead of'} that of Redis: with other controllers (${others.join(', ')}) who has waited longest, and when an agent’s wrap-up is over, may be told by two clocks. Have both machines keep their time, by chrony or systemd-timesyncd, and restart Frontdesk where its own was wrong.`;
  };
  const hold = async (): Promise<void> => {
    let askedAt = clock.monotonic();
    let renewed = await ownership.renew(token);
    if (!renewed.held && renewed.why === 'lapsed') {
      doubt('its lease has lapsed');
      askedAt = clock.monotonic();
      renewed = await ownership.renew(null);
    }
    if (!renewed.held) {
      stopped = true;
      onReplaced();
      return;
    }
    const anew = renewed.token !== token;
    if (anew) tokenSince = clock.monotonic();
    compareClocks(renewed.storeAt, askedAt);
    if (away) log.info({}, 'The lease is held again');
    ({ token, leads, others } = renewed);
    away = false;
    // What this controller went on with may have been taken while the store could not be asked.
    if (anew && beating && !doubtful) onSure('anew');
    settle(anew ? 'anew' : 'held');
    if (renewed.lapsed.length > 0 && clock.monotonic() - tokenSince >= graceMs) onLapsed(renewed.lapsed);
  };
  const renew = (): Promise<void> => {
    renewing ??= hold().catch((error: unknown) => {
      if (!away) log.warn({ error: String(error) }, 'The lease cannot be renewed: this controller goes on with the calls that it has');
      away = true;
      why = error instanceof Error ? error.message : String(error);
      // Who has run all the time has lost nothing; after a pause the switch is asked, which is no proof, but all there is.
      settle('anew');
    }).finally(() => { renewing = null; });
    return renewing;
  };
  const beat = (): void => {
    timer = clock.setTimer(clock.now() + renewMs, () => {
      if (stopped) return;
      sure();
      ranAt = clock.monotonic();
      void renew();
      beat();
    });
  };
  const sure = (): boolean => {
    const notRun = clock.monotonic() - ranAt;
    if (notRun > doubtMs) {
      broken = true;
      doubt(`this process did not run for ${Math.round(notRun)} ms`);
    }
    return !doubtful;
  };

  return {
    start: async () => {
      ranAt = clock.monotonic();
      // A process of this name may be alive: the switch tells which of the two is to stop.
      await renew();
      ranAt = clock.monotonic();
      if (stopped) return;
      beating = true;
      beat();
    },
    sure,
    token: () => (away ? null : token),
    unbroken: () => !broken,
    leads: () => leads && !stopped && sure() && !(away && broken),
    away: () => away,
    problem: () => (!away ? clocksApart() : `The lease of this controller cannot be renewed (${why}): calls go on, and nobody takes over another’s. ${/READONLY/.test(why) ? 'Make Redis take writes again: it is a replica.' : 'Bring Redis back.'}`),
    settled: () => token !== null && !away && clock.monotonic() - tokenSince >= graceMs,
    others: () => others,
    orphans: async () => (away ? 0 : ownership.orphans()),
    mended: () => { broken = false; },
    stop: async () => {
      stopped = true;
      timer?.();
      await renewing;
      if (token !== null && !away) await ownership.leave(token).catch(() => undefined);
      ownership.stop();
    },
  };
}
