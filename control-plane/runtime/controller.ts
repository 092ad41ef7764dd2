/**
 * The controller: joins a media driver, the mailboxes of calls and the stores. Nothing on a call's path waits for a
 * store. While the link to the switch is down every call is held, since nothing can be seen or done; when it is up
 * again reconcile.ts sets what is known against the switch, and then what waited goes on.
 */
import { newCall, type Call } from '../core/call/call.ts';
import type { DeskMessage, KeepCallback, PlanExtension } from '../core/call/commands.ts';
import type { CallEvent, Offer } from '../core/call/events.ts';
import type { transition as theTransition } from '../core/call/transition.ts';
import type { Cdr } from '../core/cdr/cdr.ts';
import type { CallId } from '../core/ids.ts';
import type { AccountId, UserId } from '../core/routing/config.ts';
import { userParty, type Party } from '../core/routing/destinations.ts';
import type { Plan, Setting } from '../core/routing/plan.ts';
import type { EpochMs, Ms } from '../core/time.ts';
import type { LinkState, MediaDriver } from '../media/media-driver.ts';
import type { CallArchive, LiveJournals, Ownership, SharedOccupancy, Turns } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createCallObservers, type CallObservers } from './call-observers.ts';
import { CallRunner, type RunnerContext } from './call-runner.ts';
import type { CancelTimer, Clock } from './clock.ts';
import { createExecutor } from './executor.ts';
import { createGuard } from './guard.ts';
import { createJournal } from './journal.ts';
import type { Lease } from './lease.ts';
import { createOccupancy } from './occupancy.ts';
import { createOrderDestinations } from './order-destinations.ts';
import { createOwnedCalls } from './owned-calls.ts';
import { letGo, reconcile, type ReconcileParts, type Scope } from './reconcile.ts';
import { createRegistry } from './registry.ts';
import { unknownNumberPlan } from './unknown-number.ts';

const retryMs: Ms = 1000;
/** Of one that waits for its calls to end: another may be starting. */
const lookForHeirMs: Ms = 300;

type ExtensionPlanned = Extract<CallEvent, { type: 'ExtensionPlanned' }>;
/** Settles once it is known what became of it. */
export type SettingChanger<S extends Setting = Setting> = (call: Call, setting: S, note: string) => Promise<Pick<Extract<CallEvent, { type: 'SettingSettled' }>, 'ok' | 'why'>>;

export interface CallbackKeeper {
  keep(call: Call, asked: KeepCallback): Promise<boolean>;
  drop(call: Call, id: string): void;
}

export interface ControllerOptions {
  readonly driver: MediaDriver;
  readonly clock: Clock;
  readonly live: LiveJournals;
  readonly archive: CallArchive;
  /** Among the controllers of the switch. Absent: there is no other, and every call on it is this one's. */
  readonly ownership?: Ownership;
  /** Counted over all controllers; absent, as `ownership`: by this one alone. */
  readonly turns?: Turns;
  readonly occupancy?: SharedOccupancy;
  /** Whose phone it is, by its name on the switch. */
  readonly partyOfPhone?: (phone: string) => Party | undefined;
  /** For a call that began at this time; one that is taken over may have begun long ago. Undefined when no account has the number. */
  readonly compilePlan: (offer: Offer, startedAt: EpochMs) => Plan | undefined;
  /** What a call wants to add to its plan. Absent: there are no extensions. */
  readonly planExtension?: (call: Call, asked: PlanExtension) => ExtensionPlanned;
  /** To the desk that runs the queues of the call's account. Absent: there are no queues. */
  readonly onDesk?: (call: Call, message: DeskMessage) => void;
  /** Absent: no phone sets anything. */
  readonly changeSetting?: SettingChanger;
  /** Settles once it is known whether it is kept. Absent: nobody is called back. */
  readonly callbacks?: CallbackKeeper;
  readonly log: Log;
  readonly metrics: Metrics;
  /** This controller's name. */
  readonly controller: string;
  /** For tests that break it on purpose. */
  readonly transition?: typeof theTransition;
}

export interface Controller {
  /** Connects, takes over the calls that are there, then resolves. Rejects as `MediaDriver.start` does. */
  start(): Promise<void>;
  /**
   * Lets go: no new calls from this moment on, journals and CDRs written out, calls left on the switch. Another
   * controller that lives takes them at once; with `drainMs`, where there is none, first waits that long for calls to
   * end by themselves, or for another to come. Asked again, it is the same end.
   */
  stop(options?: { readonly drainMs?: Ms }): Promise<void>;
  readonly observe: CallObservers['observe'];
  /** Asks the switch and sets every call against the answer; settles when done, also when the link is down. */
  reconcileNow(): Promise<void>;
  /** Settles when no reconcile is under way or asked for. */
  settled(): Promise<void>;
  calls(): readonly Call[];
  call(callId: CallId): Call | undefined;
  /** Of a call of this controller, as far as it has come; also what was before it was taken over. */
  record(callId: CallId): Cdr | undefined;
  /** To a call of this controller; false where it has none of this id. */
  deliver(callId: CallId, event: CallEvent): boolean;
  endedLately(callId: CallId): boolean;
  /** No reconcile is under way or asked for, all calls of this controller are known, and none are being taken. */
  settledNow(): boolean;
  /** Null where there is no other controller. */
  readonly lease: Lease | null;
  /** Among the controllers of the switch: see Lease. Alone, it leads. */
  leads(): boolean;
  storeIsAway(): boolean;
  holdsLease(): boolean;
  /** The calls of a controller that leaves, or dies, would be taken at once. */
  takesOver(): boolean;
  others(): readonly string[];
  /** busy: in a call, with whichever controller. */
  availability(account: AccountId, user: UserId): 'available' | 'busy';
  health(): { readonly link: LinkState; readonly reconciled: boolean; readonly calls: number; readonly commandsInFlight: number; /** As Lease.problem. */ readonly lease: string | null };
}

export function createController(options: ControllerOptions): Controller {
  const { driver, clock, live, archive, ownership, log, metrics, controller } = options;
  const { observe, tell } = createCallObservers({ log, metrics });
  let link: LinkState = 'down';
  let stopping = false;
  let reconciled = false;
  /** The reconcile under way and all that wait behind it. */
  let reconciling: Promise<void> = Promise.resolve();
  let waiting = 0;
  let retry: CancelTimer | null = null;
  let emptied: (() => void) | null = null;
  const closing = new Set<Promise<void>>();

  const executor = createExecutor({ driver, clock, maySend: () => isSure(), log, metrics, onFailed: (callId, event) => registry.deliver(callId, event) });
  const registry = createRegistry({ executor, log, metrics, ...(ownership === undefined ? {} : { onStranger: () => { if (link === 'up' && !stopping) void queueReconcile('strangers'); } }) });
  const guard = createGuard({ clock, executor, metrics });
  const occupancy = createOccupancy({ calls: () => callsOf(registry.all()), partyOfPhone: options.partyOfPhone ?? (() => undefined), shared: options.occupancy, clock });
  const orderDestinations = createOrderDestinations({ turns: options.turns, occupancy, clock, log, metrics });
  metrics.gauge('calls_live', () => registry.size());
  metrics.gauge('commands_in_flight', () => executor.inFlight());

  const planOf = (offer: Offer, startedAt: EpochMs): Plan => {
    try {
      const plan = options.compilePlan(offer, startedAt);
      if (plan !== undefined) return plan;
      log.warn({ call: offer.callId, number: offer.dialled }, 'A call came for a number that is not configured');
    } catch (error) {
      log.error({ call: offer.callId, number: offer.dialled, error: error instanceof Error ? error.stack : String(error) }, 'The plan of a call could not be compiled');
    }
    metrics.count('calls_unroutable_total');
    return unknownNumberPlan(offer.dialled);
  };

  const planExtension = (call: Call, asked: PlanExtension): ExtensionPlanned => {
    const none = (why: string): ExtensionPlanned => ({ type: 'ExtensionPlanned', request: asked.request, steps: {}, first: null, why });
    try {
      return options.planExtension?.(call, asked) ?? none('there are no extensions');
    } catch (error) {
      log.error({ call: call.id, extension: asked.extension, error: error instanceof Error ? error.stack : String(error) }, 'The way to an extension could not be compiled');
      return none('the way there could not be compiled');
    }
  };

  const onEnded = (runner: CallRunner, cdr: Cdr): void => {
    guard.forget(runner.id);
    registry.remove(runner.id);
    metrics.count('calls_ended_total');
    // The live journal goes only when the record is safe: until then a crash can be mended from it.
    const closed = archive.writeCdr(cdr).then(
      () => {
        live.close(runner.id);
        owned.end(runner.id);
      },
      (error: unknown) => { log.error({ call: runner.id, error: String(error) }, 'The record of a call could not be written; its journal is kept'); },
    );
    closing.add(closed);
    void closed.finally(() => closing.delete(closed));
    tell((observer) => {
      observer.onStep?.(runner.call);
      observer.onCdr?.(cdr);
    });
    if (registry.size() === 0) emptied?.();
  };

  const runners: RunnerContext = {
    clock, executor, log, metrics, controller, onEnded, planExtension,
    journal: createJournal(live, archive, log),
    ...(options.transition === undefined ? {} : { transition: options.transition }),
    mayAct: () => isSure(),
    onOrder: (callId, command) => {
      void orderDestinations(callId, command).then(({ order, why }) => registry.deliver(callId, { type: 'DestinationsOrdered', step: command.step, order, why }));
    },
    onDesk: (call, message) => options.onDesk?.(call, message),
    onSetting: (call, command) => {
      const settle = ({ ok, why }: Awaited<ReturnType<SettingChanger>>): void => void registry.deliver(call.id, { type: 'SettingSettled', step: command.step, ok, why });
      (options.changeSetting?.(call, command.setting, command.note) ?? Promise.resolve({ ok: false, why: 'no phone sets it here' })).then(settle, (error: unknown) => {
        log.error({ call: call.id, error: error instanceof Error ? error.stack : String(error) }, 'What a phone is to set could not be set');
        settle({ ok: false, why: 'it failed' });
      });
    },
    onCallback: (call, command) => {
      if (command.type === 'DropCallback') {
        options.callbacks?.drop(call, command.id);
        return;
      }
      const { id, number } = command;
      const visit = call.visits;
      const settle = (ok: boolean): void => {
        const isHere = registry.deliver(call.id, { type: 'CallbackKept', id, visit, number, ok });
        // The caller has hung up meanwhile, having confirmed.
        if (!isHere && ok) options.onDesk?.(call, { type: 'CallbackRequested', callId: call.id, visit, key: id, number });
      };
      (options.callbacks?.keep(call, command) ?? Promise.resolve(false)).then(settle, (error: unknown) => {
        log.error({ call: call.id, error: error instanceof Error ? error.stack : String(error) }, 'A callback could not be kept');
        settle(false);
      });
    },
    onStep: (runner) => {
      guard.watch(runner);
      occupancy.changed();
      tell((observer) => observer.onStep?.(runner.call));
    },
    onLeft: ({ call, cdr }) => {
      occupancy.changed();
      tell((observer) => observer.onLeft?.(call, cdr));
    },
    onFact: (call, fact, at) => {
      occupancy.onFact(call, fact);
      tell((observer) => observer.onFact?.(call, fact, at));
    },
  };
  const owned = createOwnedCalls({
    ownership, controller, clock, log, metrics, registry,
    usable: () => link === 'up' && !stopping,
    look: (scope) => queueReconcile(scope),
    letGo: (callId) => { letGo(parts, callId); },
    onReplaced: () => {
      driver.accept(false);
      onLink('replaced', 'another process has this name in the store');
    },
  });
  const { lease } = owned;
  const isSure = (): boolean => lease?.sure() ?? true;
  const parts: ReconcileParts = { driver, registry, guard, runners, live, archive, planOf, listMine: owned.listMine, claim: owned.claim, doubts: owned.doubts, onNotOurs: owned.onNotOurs, leftAlone: new Set(), linkIsUp: () => link === 'up' && !stopping };

  /** One at a time, in the order asked for. */
  const queueReconcile = (scope: Scope): Promise<void> => {
    waiting++;
    registry.keepUnknown();
    reconciling = reconciling.then(async () => {
      try {
        if (link !== 'up' || stopping) return;
        metrics.count('reconciles_total');
        await reconcile(parts, scope);
        if (scope === 'all') reconciled = true;
      } catch (error) {
        // Held calls stay held: the next link up asks again, and if the link stayed up, a second from now.
        metrics.count('reconcile_failures_total');
        log.warn({ error: String(error) }, 'The switch could not be asked for its calls');
        retry ??= clock.setTimer(clock.now() + retryMs, () => {
          retry = null;
          if (link === 'up' && !stopping) void queueReconcile('all');
        });
      } finally {
        waiting--;
        if (waiting === 0) registry.settle();
      }
    });
    return reconciling;
  };

  const settled = (): Promise<void> => reconciling.then(() => (waiting > 0 ? settled() : undefined));

  const onOffer = (offer: Offer): void => {
    if (stopping) return;
    // Made before this process was stopped: the call may be another's by now, and is found on the switch if it is not.
    if (!isSure()) {
      owned.passOver();
      return;
    }
    if (offer.orphan || registry.get(offer.callId) !== undefined) {
      // Known before, here or elsewhere: the switch let go of it, and knows best what is left.
      owned.begin(offer.callId);
      const doubts = owned.doubts();
      void queueReconcile(new Set([offer.callId])).then(() => {
        // After a doubt all that is on the switch is looked at.
        if (link === 'up' && !stopping && owned.doubts() === doubts && registry.get(offer.callId) === undefined && !registry.endedLately(offer.callId)) begin(offer);
      });
      return;
    }
    begin(offer);
  };
  const begin = (offer: Offer): void => {
    metrics.count('calls_offered_total');
    const startedAt = clock.now();
    const runner = CallRunner.open(runners, newCall(offer, planOf(offer, startedAt), startedAt));
    registry.add(runner);
    owned.begin(offer.callId);
    guard.watch(runner);
    runner.deliver({ type: 'CallOffered' });
    for (const event of registry.takeKept(offer.callId)) runner.deliver(event);
  };

  const onLink = (state: LinkState, reason: string, isAway?: (callId: CallId) => boolean): void => {
    link = state;
    if (state === 'up') {
      if (isAway === undefined) log.info({ reason }, 'The link to the switch is up');
      else log.warn({ reason }, 'One of the switches is away; calls go on there and on the other');
      for (const runner of registry.all()) if (isAway?.(runner.id) === true) runner.hold();
      void queueReconcile('all');
      return;
    }
    reconciled = false;
    for (const runner of registry.all()) runner.hold();
    if (state === 'replaced') {
      executor.seal();
      log.error({ reason }, 'Another controller has taken this name; nothing more is sent');
    } else if (!stopping) {
      log.warn({ reason, calls: registry.size() }, 'The link to the switch is down; calls go on there');
    }
  };

  /** Settles when no call is left, another controller lives, or the time is over. */
  const emptyWithin = (ms: Ms): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = clock.now() + ms;
    let cancel: CancelTimer | null = null;
    emptied = () => {
      cancel?.();
      resolve();
    };
    const look = (): void => {
      const heir = lease !== null && !lease.away() && lease.others().length > 0;
      if (registry.size() === 0 || heir || clock.now() >= end) resolve();
      else cancel = clock.setTimer(Math.min(end, clock.now() + lookForHeirMs), look);
    };
    look();
    return promise;
  };
  const stop = async (drainMs: Ms): Promise<void> => {
    driver.accept(false);
    if (drainMs > 0) await emptyWithin(drainMs);
    stopping = true;
    retry?.();
    owned.stopAsking();
    guard.stop();
    for (const runner of registry.all()) runner.abandon();
    await reconciling;
    for (const runner of registry.all()) runner.abandon();
    guard.stop();
    await archive.flush();
    // A record that the disk did not take by now stays in the live journal.
    await Promise.race([Promise.all(closing), new Promise((resolve) => { setImmediate(resolve); })]);
    await live.flush();
    executor.seal();
    // Others take the calls while the links are being closed: nothing is sent over them any more.
    await Promise.all([lease?.stop(), occupancy.stop(), driver.stop()]);
  };
  let stopped: Promise<void> | null = null;

  return {
    start: async () => {
      await lease?.start();
      occupancy.start();
      await driver.start({ onOffer, onLink, onLegEvent: (callId, event) => { if (!stopping) registry.route(callId, event); } });
      await reconciling;
    },
    observe,
    stop: ({ drainMs = 0 } = {}) => (stopped ??= stop(drainMs)),
    reconcileNow: () => queueReconcile('all'),
    settled,
    calls: () => [...callsOf(registry.all())],
    call: (callId) => registry.get(callId)?.call,
    record: (callId) => registry.get(callId)?.cdr,
    deliver: (callId, event) => registry.deliver(callId, event),
    endedLately: (callId) => registry.endedLately(callId),
    settledNow: () => waiting === 0 && reconciled && !owned.taking(),
    lease,
    leads: () => lease?.leads() ?? true,
    storeIsAway: () => lease?.away() ?? false,
    holdsLease: () => (lease === null ? true : lease.token() !== null && lease.sure()),
    takesOver: () => lease !== null && lease.settled() && link === 'up' && !stopping,
    others: () => lease?.others() ?? [],
    availability: (account, user) => (occupancy.isBusy(userParty(account, user)) ? 'busy' : 'available'),
    health: () => ({ link, reconciled, calls: registry.size(), commandsInFlight: executor.inFlight(), lease: lease?.problem() ?? null }),
  };
}

function* callsOf(runners: Iterable<CallRunner>): Generator<Call> {
  for (const runner of runners) yield runner.call;
}
