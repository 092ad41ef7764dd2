/**
 * Callbacks (Q6). They are kept in the database, where no controller's death and no loss of Redis's memory reaches them. The
 * controller that runs the desks has its turn come, takes it for one try, and begins a call that rings who is called back
 * (core/routing/callback-plan.ts); what became of the try is said by whichever controller has that call when it is known.
 * A try of which nothing is known counts. What became of callbacks while the database is away is left where any controller
 * finds it, so that nobody is called again since the one that knew has died.
 */
import { randomBytes } from 'node:crypto';
import type { ClinicConfig } from '../configuration/clinics.ts';
import type { Offer } from '../core/call/events.ts';
import { callbackCallId, isCallback, type CallId } from '../core/ids.ts';
import type { DeskCommand } from '../core/queue/commands.ts';
import type { LeaveWhy, Place } from '../core/queue/desk.ts';
import { callbackPlan, callbackRemainder } from '../core/routing/callback-plan.ts';
import { findNumber } from '../core/routing/compile.ts';
import type { Account, CallFacts, Callback } from '../core/routing/config.ts';
import { guardDestination } from '../core/routing/outbound-guard.ts';
import type { Plan } from '../core/routing/plan.ts';
import { second, type EpochMs, type Ms } from '../core/time.ts';
import type { Callbacks } from '../http/ports.ts';
import type { SwitchAdmin } from '../media/switch-admin.ts';
import type { CallbackKeeper, Controller } from '../runtime/controller.ts';
import type { DeskCallbacks } from '../runtime/desks/desk-callbacks.ts';
import type { Desks } from '../runtime/desks/desks.ts';
import type { CallbackNews, CallbackNewsStore, CallbackOutcome, CallbackStore, KeptCallback } from '../store/callback-ports.ts';
import { StoreAwayError } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

interface Options {
  readonly instance: string;
  readonly store: CallbackStore;
  readonly news: CallbackNewsStore;
  readonly admin: Pick<SwitchAdmin, 'beginCallback'>;
  readonly controller: () => Pick<Controller, 'call' | 'health' | 'observe'>;
  readonly desks: () => Pick<Desks, 'tell'>;
  /** E.164 of a tracking number, by its id. */
  readonly numberOf: (id: string, account: string) => string | undefined;
  /** As they are now. */
  readonly clinics: () => readonly ClinicConfig[];
  /** Of a call that begins now. */
  readonly factsOf: (offer: Offer) => CallFacts;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => EpochMs;
}

export interface RunningCallbacks extends CallbackKeeper, DeskCallbacks, Callbacks {
  /** Of a call that calls back. */
  planOf(offer: Offer): Plan | undefined;
  /** Once there is a controller. */
  start(): void;
  stop(): Promise<void>;
}

/** By then a try is over, or its customer waits in the queue: one of which nothing has been heard is taken for lost. */
const tryLimitMs: Ms = 150 * second;
/** From the request to the switch to the call that is offered. */
const beginMs: Ms = 5 * second;
/** The store is away, the switch is, or too many calls are out. */
const notNowMs: Ms = 30 * second;
const againMs: Ms = 5 * second;

export function runCallbacks({ instance, store, news: left, admin, controller, desks, numberOf, clinics, factsOf, log, metrics, now }: Options): RunningCallbacks {
  const rung = new Map<CallId, { readonly plan: Plan; readonly expiry: NodeJS.Timeout }>();
  /** To be written, one after the other; what the store does not take now is tried again. */
  const unwritten = new Map<string, { readonly news: CallbackNews; isLeft: boolean }>();
  let writing: Promise<void> = Promise.resolve();
  let leaving: Promise<void> = Promise.resolve();
  let unobserve: (() => void) | null = null;

  const write = (key: string, news: CallbackNews): void => {
    // What was said first of a try holds.
    if (!unwritten.has(key)) unwritten.set(key, { news, isLeft: false });
    leaving = leaving.then(leaveAll);
    writing = writing.then(writeAll);
  };
  /** Not waited for: a store that hangs holds up no other. */
  const leaveAll = async (): Promise<void> => {
    for (const [key, one] of unwritten) {
      if (one.isLeft) continue;
      try {
        await left.put(key, one.news);
        one.isLeft = true;
      } catch (error) {
        log.debug({ what: key, error: String(error) }, 'What became of a callback is known to this controller alone just now');
        return;
      }
    }
  };
  const writeAll = async (): Promise<void> => {
    for (const [key, { news }] of unwritten) {
      try {
        await (news.type === 'over' ? writeOver(news) : writeTried(news));
        unwritten.delete(key);
        leaving = leaving.then(() => left.remove(key)).catch(() => undefined);
      } catch (error) {
        log.warn({ what: key, error: String(error) }, 'What became of a callback could not be written; tried again');
        if (error instanceof StoreAwayError) return;
      }
    }
  };
  /** What a controller has left that may be gone; written twice it is the same. */
  const takeUp = async (): Promise<void> => {
    const all = await left.all().catch((error: unknown) => {
      log.debug({ error: String(error) }, 'What other controllers know of callbacks cannot be read');
      return new Map<string, CallbackNews>();
    });
    for (const [key, news] of all) if (!unwritten.has(key)) unwritten.set(key, { news, isLeft: true });
    if (unwritten.size > 0) writing = writing.then(writeAll);
    await writing;
  };
  const again = setInterval(() => {
    if (unwritten.size === 0) return;
    leaving = leaving.then(leaveAll);
    writing = writing.then(writeAll);
  }, againMs);
  again.unref();

  const accountOf = (id: string): Account | undefined => clinics().find(({ account }) => account.id === id)?.account;
  const rulesOf = ({ account, queue }: KeptCallback): Callback | undefined => accountOf(account)?.queues?.get(queue)?.callback;
  const forget = (call: CallId): void => {
    clearTimeout(rung.get(call)?.expiry);
    rung.delete(call);
  };
  const tellTried = (callback: KeptCallback, at: EpochMs | null): void => {
    const { callId, visit } = placeOf(callback);
    desks().tell(callback.account, { type: 'CallbackTried', callId, visit, again: at });
  };
  const tellOver = (callback: KeptCallback): void => {
    const { callId, visit } = placeOf(callback);
    desks().tell(callback.account, { type: 'CallLeft', callId, visit, why: 'routed' });
  };
  const close = (account: string, id: string, outcome: CallbackOutcome): void => { write(`over ${account} ${id}`, { type: 'over', at: now(), account, id, outcome }); };
  const writeOver = async ({ account, id, outcome, at }: Extract<CallbackNews, { type: 'over' }>): Promise<void> => {
    if (await store.over(account, id, outcome, at)) log.info({ account, callback: id, outcome }, 'A callback is over');
  };

  /** From now on whoever has the call says what became of it: it may be another controller's before this one has heard of its end. */
  const cameIn = (call: CallId, plan: Plan): Plan => {
    forget(call);
    rung.set(call, { plan, expiry: setTimeout(() => { rung.delete(call); }, tryLimitMs).unref() });
    return plan;
  };
  /** Of a try: the customer waits in the queue, or the call has ended before. */
  const settle = (call: CallId, outcome: string): void => {
    forget(call);
    write(`try ${call}`, { type: 'tried', at: now(), call, outcome });
  };
  const writeTried = async ({ call, outcome, at }: Extract<CallbackNews, { type: 'tried' }>): Promise<void> => {
    const callback = await store.triedBy(call);
    if (callback === null) return;
    const { account, id, tries } = callback;
    if (outcome === 'reached') {
      metrics.count('callbacks_reached_total');
      await store.ended(call, { at, outcome, again: null, over: 'reached' });
      log.info({ account, callback: id, call, tries: tries.length }, 'Who was to be called back was reached');
      return;
    }
    if (callback.state === 'over') {
      await store.ended(call, { at, outcome, again: null, over: callback.outcome });
      return;
    }
    const rules = rulesOf(callback);
    const next = rules !== undefined && tries.length < rules.attempts ? at + rules.pauseMs : null;
    await store.ended(call, { at, outcome, again: next, over: next === null ? 'unanswered' : null });
    log.info({ account, callback: id, call, outcome, tries: tries.length, again: next }, next === null ? 'Who was to be called back was not reached, and is not tried again' : 'Who was to be called back was not reached');
    tellTried(callback, next);
  };

  const callBack = async (account: string, { callId, visit, callback: { key: id } }: CallbackOffer): Promise<void> => {
    const tried = (at: EpochMs): void => { desks().tell(account, { type: 'CallbackTried', callId, visit, again: at }); };
    const callback = await store.get(account, id);
    if (callback === null || callback.state === 'over') {
      desks().tell(account, { type: 'CallLeft', callId, visit, why: 'routed' });
      return;
    }
    const at = now();
    const last = callback.tries.at(-1);
    if (callback.state === 'calling' || callback.notBefore > at) {
      tried(Math.max(callback.notBefore, callback.state === 'calling' ? (last?.at ?? at) + tryLimitMs : 0));
      return;
    }
    const own = accountOf(account);
    if (own === undefined || controller().health().link !== 'up') {
      tried(at + notNowMs);
      return;
    }
    const call = callbackCallId(randomBytes(6).toString('hex'), instance);
    const { number, dialled } = callback;
    const decision = callbackPlan(own, { ...callback, of: callback.call, attempt: callback.tries.length + 1 }, factsOf(offerOf(call, dialled, number)));
    if ('refused' in decision) {
      log.warn({ account, callback: id, why: decision.refused }, decision.later ? 'A callback is not made now' : 'A callback may not be made, and is over');
      if (decision.later) {
        tried(at + notNowMs);
        return;
      }
      close(account, id, 'refused');
      tellOver(callback);
      return;
    }
    if (!(await store.begin({ account, id, tries: callback.tries.length, call, at }))) {
      tried(at + notNowMs);
      return;
    }
    metrics.count('callbacks_tried_total');
    log.info({ account, callback: id, call, attempt: callback.tries.length + 1 }, 'A caller is called back');
    rung.set(call, { plan: decision.plan, expiry: setTimeout(() => { if (controller().call(call) === undefined) settle(call, 'failed'); }, beginMs).unref() });
    try {
      if ((await admin.beginCallback({ callId: call, dialled, number })) === 'begun') return;
      log.error({}, 'The dialplan of the switch is older than Frontdesk: load asterisk/extensions.conf anew, or nobody is called back');
    } catch (error) {
      log.warn({ account, callback: id, error: String(error) }, 'A callback could not be begun');
    }
    settle(call, 'failed');
  };

  return {
    start: () => {
      unobserve = controller().observe({
        onFact: ({ id, plan }, fact) => {
          if (fact.type === 'QueueJoined' && plan.callback !== undefined) settle(id, 'reached');
        },
        onCdr: ({ callId, disposition, queues }) => {
          if (isCallback(callId)) settle(callId, queues.length > 0 ? 'reached' : (disposition ?? 'failed'));
        },
      });
    },
    planOf: (offer) => {
      const plan = rung.get(offer.callId)?.plan;
      if (plan !== undefined) return cameIn(offer.callId, plan);
      const found = findNumber(clinics().map(({ account }) => account), offer.dialled);
      return found === undefined ? undefined : callbackRemainder(found.account, factsOf(offer));
    },
    keep: async ({ id: call, plan, visit }, { id, number }) => {
      if (visit === null) return false;
      const { n, queue, priority, enteredAt, joinedAt, sticky } = visit;
      const account = plan.account.id;
      const asked = { account, id, queue, number, dialled: plan.number.e164, call, visit: n, priority, enteredAt, joinedAt, sticky, askedAt: now() };
      const isKept = await store.keep(asked).catch((error: unknown) => {
        log.warn({ call, error: String(error) }, 'A caller who asked to be called back waits on: it cannot be kept just now');
        return false;
      });
      if (isKept) metrics.count('callbacks_kept_total');
      return isKept;
    },
    drop: ({ plan }, id) => { close(plan.account.id, id, 'served'); },
    obey: (account, command) => {
      if (command.type === 'OfferCall' && isCallbackOffer(command)) {
        callBack(account, command).catch((error: unknown) => {
          log.warn({ account, error: String(error) }, 'A callback waits: it cannot be told how it stands');
          desks().tell(account, { type: 'CallbackTried', callId: command.callId, visit: command.visit, again: now() + notNowMs });
        });
        return true;
      }
      if (command.type !== 'LeaveQueue' || command.key === undefined) return false;
      close(account, command.key, outcomeOf(command.why));
      return true;
    },
    kept: async (live) => {
      await takeUp();
      const open = await store.open();
      for (const { tries, state } of open) {
        const last = tries.at(-1);
        if (state === 'calling' && last !== undefined && live !== null && !live.has(last.call) && last.at + tryLimitMs < now()) settle(last.call, 'unknown');
      }
      const places = new Map<string, Place[]>();
      for (const one of open) {
        places.set(one.account, [...(places.get(one.account) ?? []), placeOf(one)]);
      }
      return places;
    },
    list: (filter, page) => store.list(filter, page),
    ask: async ({ account, queue, number, shows }) => {
      const own = clinics().find((clinic) => clinic.account.id === account);
      const rules = own?.account.queues?.get(queue);
      const dialled = numberOf(shows, account);
      if (own === undefined || rules?.callback === undefined) return { ok: false, field: null, sentence: 'The queue calls nobody back: give it `callback` first.' };
      if (dialled === undefined) return { ok: false, field: 'shows', sentence: `there is no tracking number “${shows}”. Create it first, or correct the id.` };
      const decision = guardDestination(number, own.account.outbound);
      if (!decision.allowed) return { ok: false, field: 'number', sentence: `may not be called: ${decision.detail}` };
      const at = now();
      const id = `api-${randomBytes(6).toString('hex')}`;
      await store.keep({ account, id, queue, number, dialled, call: null, visit: 1, priority: rules.priority, enteredAt: at, joinedAt: at, sticky: rules.desk.strategy === 'sticky' ? number : null, askedAt: at });
      metrics.count('callbacks_kept_total');
      const callback = await store.get(account, id);
      return callback === null ? { ok: false, field: null, sentence: 'It was taken away at once.' } : { ok: true, callback };
    },
    cancel: async (account, queue, id) => {
      const callback = await store.get(account, id);
      if (callback?.queue !== queue || !(await store.over(account, id, 'canceled', now()))) return false;
      tellOver(callback);
      return true;
    },
    stop: async () => {
      clearInterval(again);
      unobserve?.();
      for (const call of rung.keys()) forget(call);
      await writing;
      await leaving;
    },
  };
}

type CallbackOffer = Extract<DeskCommand, { type: 'OfferCall' }> & { readonly callback: NonNullable<Place['callback']> };

function isCallbackOffer(command: Extract<DeskCommand, { type: 'OfferCall' }>): command is CallbackOffer {
  return command.callback !== null;
}

/** As the desk has it in line. */
function placeOf({ id, call, visit, queue, priority, enteredAt, joinedAt, number, sticky, state, tries, notBefore }: KeptCallback): Place {
  const busyUntil = state === 'calling' ? (tries.at(-1)?.at ?? 0) + tryLimitMs : 0;
  return { callId: call ?? id, visit, queue, priority, enteredAt, joinedAt, number, sticky, callback: { key: id, number, notBefore: Math.max(notBefore, busyUntil) } };
}

function outcomeOf(why: LeaveWhy): CallbackOutcome {
  switch (why) {
    case 'called-again':
    case 'already-held':
      return 'called-again';
    case 'max-wait':
      return 'expired';
    case 'closed':
      return 'closed';
    case 'connected':
      return 'served';
    case 'unanswered':
      return 'unanswered';
    case 'abandoned':
    case 'exit-key':
    case 'routed':
    case 'callback':
    case 'full':
    case 'empty':
    case 'lost':
      return 'canceled';
  }
}

function offerOf(callId: CallId, dialled: string, number: string): Offer {
  return { callId, dialled, origin: 'trunk', caller: { number, name: '' }, orphan: false };
}

