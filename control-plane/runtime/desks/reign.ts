/**
 * All desks while this controller runs them, under one epoch: a desk for each account. They are told what there is when it
 * begins, now and then after that, and when one of them has failed.
 */
import type { DeskMessage } from '../../core/call/commands.ts';
import type { QueueConfig } from '../../core/queue/config.ts';
import type { CallId } from '../../core/ids.ts';
import { newDesk, takenOver, type AgentRecord, type Desk, type OfferId } from '../../core/queue/desk.ts';
import type { DeskEvent, Found } from '../../core/queue/events.ts';
import type { DeskFact } from '../../core/queue/facts.ts';
import type { transition as theTransition } from '../../core/queue/transition.ts';
import { minute, second, type EpochMs, type Ms } from '../../core/time.ts';
import type { AgentRecords, KeptAgent } from '../../store/ports.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { CancelTimer, Clock } from '../clock.ts';
import { within } from '../within.ts';
import type { KeptPlaces } from './desk-callbacks.ts';
import type { DeskFigures } from './desk-figures.ts';
import { createKeptAgents, named } from './kept-agents.ts';
import { createMemoryKeeper, type MemoryKeeper } from './desk-memory.ts';
import { runDesk, type DeskRunner } from './desk-runner.ts';
import type { Gathered } from './gathering.ts';
import { limboMs, type MeasuredCalls } from './measured-calls.ts';
import { reportNumbers, type CallsCommand, type There } from './messages.ts';
import { createOutbox } from './outbox.ts';
import { mergeAgents, type Roster } from './roster.ts';

export interface Reign {
  readonly epoch: number;
  /** Of this controller's calls alone: the others cannot be reached. */
  readonly alone: boolean;
  /** Of a call; a message for a desk that is not there is lost. */
  tell(account: string, message: DeskMessage): void;
  /** Null while the desk is not open, or is not there. */
  open(account: string): DeskRunner | null;
  configured(account: string): void;
  /** Tells each desk of its agents' calls, where they are others than before. */
  measure(): void;
  /** Asks everybody again; what is not answered whole changes nothing. */
  look(): void;
  desks(): ReadonlyMap<string, Desk>;
  /** Sentences, each of accounts whose queues are not run as they should be, and what to do. */
  problems(): readonly string[];
  /** Settles once all that another would need to know has been kept, or cannot be. */
  kept(): Promise<unknown>;
  stop(): void;
}

export interface ReignOptions {
  readonly epoch: number;
  readonly alone: boolean;
  /** As this controller had them a moment ago, where nobody else has run them since. */
  readonly before: ReadonlyMap<string, Desk>;
  readonly configs: ReadonlyMap<string, readonly QueueConfig[]>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly gather: (agents: boolean) => Promise<Gathered>;
  /** Calls that nobody has just now: of controllers that are gone. */
  readonly orphans: () => Promise<number>;
  readonly records: AgentRecords | undefined;
  readonly roster: Roster;
  /** Callbacks: DeskCallbacks. */
  readonly kept: (live: ReadonlySet<CallId> | null) => Promise<KeptPlaces>;
  readonly measured: MeasuredCalls;
  /** A controller may have died a moment ago, and its calls be nobody's yet. */
  readonly mayHaveLost: () => boolean;
  readonly mayAct: () => boolean;
  readonly tellCalls: (account: string, commands: readonly CallsCommand[]) => void;
  readonly onAgents: (account: string, agents: readonly KeptAgent[]) => void;
  readonly onFact: (account: string, fact: DeskFact) => void;
  readonly figuresOf: (account: string) => DeskFigures;
  readonly onOvertaken: () => void;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly transition: typeof theTransition | undefined;
}

const callbacksLimitMs: Ms = second;
/** Before a desk offers anything, calls of a controller that is gone are waited for: until somebody has them, and for so long at most. */
const adoptionLimitMs: Ms = limboMs;
const askAgainMs: Ms = 100;
/** A desk that fails is made anew after this, and after twice as long each time it fails again. */
const againAfterMs: Ms = second;
const againAtMost: Ms = minute;

export function beginReign(options: ReignOptions): Reign {
  const { epoch, alone, before, configs, clock, random, gather, orphans, records, roster, kept: keptCallbacks, measured, mayHaveLost, mayAct, tellCalls, onAgents, onFact, figuresOf, onOvertaken, log, metrics, transition } = options;
  const runners = new Map<string, DeskRunner>();
  const keepers = new Map<string, MemoryKeeper>();
  const failures = new Map<string, number>();
  const again = new Set<CancelTimer>();
  /** Accounts to be told of with the next look, with their agents' records. */
  let whole = new Set<string>();
  let looking = false;
  let stopped = false;
  const nextN = reportNumbers(clock);
  const keptAgents = createKeptAgents({ clock, records: alone ? undefined : records, isMissed: (account, id) => {
    const agent = runners.get(account)?.desk().agents[id];
    return agent !== undefined && !isKnown(agent);
  }, log });

  const make = (account: string, first: Desk): DeskRunner => {
    const outbox = createOutbox({
      clock,
      keep: records === undefined || alone ? undefined : (agents) => records.keep(epoch, account, keptAgents.wereRead(account) ? agents : agents.filter(isKnown)),
      tell: (commands) => { tellCalls(account, commands); },
      onAgents: (agents) => { onAgents(account, agents); },
      onOvertaken,
      onAway: (error) => { log.debug({ account, error: String(error) }, 'What has changed of agents could not be kept'); },
    });
    const runner: DeskRunner = runDesk({
      desk: first, clock, random, outbox, mayAct: () => !stopped && mayAct(),
      onFact: (fact) => {
        onFact(account, fact);
        keepers.get(account)?.changed();
      },
      onFailed: (error, event) => { onFailed(account, runner, error, event); },
      ...(transition === undefined ? {} : { transition }),
    });
    runners.set(account, runner);
    whole.add(account);
    runner.apply({ type: 'QueuesConfigured', queues: configs.get(account) ?? [] });
    return runner;
  };
  const onFailed = (account: string, runner: DeskRunner, error: unknown, event: DeskEvent): void => {
    metrics.count('desks_failed_total');
    log.error({ account, event: event.type, error: error instanceof Error ? error.stack : String(error) }, 'A desk could not go on: it is made anew from what calls know');
    if (runners.get(account) === runner) runners.delete(account);
    const times = failures.get(account) ?? 0;
    failures.set(account, times + 1);
    const cancel = clock.setTimer(clock.now() + Math.min(againAtMost, againAfterMs * 2 ** times), () => {
      again.delete(cancel);
      if (stopped || runners.has(account)) return;
      // Numbers that were given to offers are not given again.
      make(account, { ...newDesk(epoch), n: runner.desk().n });
      look();
    });
    again.add(cancel);
  };

  /** What is remembered is needed by the first caller who rings again. */
  const recallAll = (accounts: ReadonlySet<string>): Promise<unknown> => Promise.all([...accounts].map(async (account) => {
    if (records === undefined || alone) return;
    const keeper = keepers.get(account) ?? createMemoryKeeper({
      clock,
      read: () => records.recall(account),
      write: (changed, forgotten) => records.remember(epoch, account, changed, forgotten),
      now: () => ({ desk: runners.get(account)?.desk() ?? newDesk(epoch), figures: figuresOf(account).kept(clock.now()) }),
      onAway: (error) => { log.debug({ account, error: String(error) }, 'What a desk remembers could not be kept, or recalled'); },
      onUnreadable: (names) => { log.error({ account, names: names.slice(0, 10), of: names.length }, 'What a desk remembered cannot be read in part, and is forgotten: who had those callers last, their places, or its figures'); },
    });
    keepers.set(account, keeper);
    const { memory, figures } = await keeper.recall();
    if (stopped) return;
    figuresOf(account).goOn(figures);
    runners.get(account)?.apply({ type: 'Remembered', ...memory });
  }));

  const look = (): void => {
    if (looking || stopped) return;
    looking = true;
    const accounts = whole;
    whole = new Set();
    void tellThere(accounts).catch((error: unknown) => { log.error({ error: String(error) }, 'Desks could not be told what there is'); }).finally(() => {
      looking = false;
      if (whole.size > 0) look();
    });
  };
  const tellThere = async (accounts: ReadonlySet<string>): Promise<void> => {
    const [{ asOf, all, complete }, first] = await Promise.all([askAll(accounts.size > 0), keptAgents.read(accounts), recallAll(accounts)]);
    const kept = new Map([...first, ...(complete ? await keptAgents.readAgain(accounts) : [])]);
    const callbacks = await readCallbacks(complete ? new Set(all.flatMap(({ calls }) => calls)) : null);
    if (stopped) return;
    const agents = new Map([...runners.keys()].map((account) => {
      const known = accounts.has(account) || kept.has(account) ? [kept.get(account) ?? [], roster.of(account)] : [];
      return [account, mergeAgents([...known, ...all.map((one) => one.agents[account] ?? [])])];
    }));
    if (accounts.size > 0 && mayHaveLost()) believe(agents, all);
    for (const [account, runner] of runners) {
      const isWhole = accounts.has(account);
      // Somebody may have more, and what is only not told yet is not to be taken for lost.
      if (!isWhole && !complete) continue;
      runner.apply({ type: 'Rebuilt', found: foundOf(account, asOf, all, agents.get(account) ?? [], callbacks) });
      if (isWhole) log.info({ account, epoch, ...(alone ? { alone } : {}), complete, waiting: waitingIn(runner.desk()) }, 'The queues of an account are run here');
    }
    measure();
  };
  /** Who has waited longest may be a call that is being taken over: a desk that begins waits until all have been. */
  const askAll = async (begins: boolean): Promise<Gathered & { readonly asOf: EpochMs }> => {
    const until = clock.now() + adoptionLimitMs;
    for (;;) {
      // Before the others are asked: who has taken calls since says that it is finding them.
      const owed = await orphans().catch(() => 0);
      const asOf = clock.now();
      const answer = await gather(begins);
      const complete = answer.complete && owed === 0;
      if (stopped || complete || !begins || clock.now() >= until) return { asOf, all: answer.all, complete };
      await new Promise<void>((resolve) => { clock.setTimer(clock.now() + askAgainMs, resolve); });
    }
  };
  /** Null: they cannot be read now, and those that are known stay. */
  const readCallbacks = async (live: ReadonlySet<CallId> | null): Promise<KeptPlaces | null> => {
    try {
      return await within(clock, callbacksLimitMs, keptCallbacks(live));
    } catch (error) {
      log.debug({ error: String(error) }, 'Callbacks that are kept cannot be read just now');
      return null;
    }
  };
  /** Agents are in the calls that they were in, as far as these may be about to be taken over. */
  const believe = (agents: ReadonlyMap<string, readonly KeptAgent[]>, all: readonly There[]): void => {
    const here = new Set(all.flatMap(({ calls }) => calls));
    measured.believed([...agents].flatMap(([account, list]) => list.flatMap(({ id, calls }) => calls.filter((callId) => !here.has(callId)).map((callId) => ({ account, callId, users: [id], devices: [] })))));
  };
  const foundOf = (account: string, asOf: EpochMs, all: readonly There[], agents: readonly KeptAgent[], callbacks: KeptPlaces | null): Found => {
    const seen = new Set<string>();
    const views = all.flatMap((one) => one.views.filter((view) => view.account === account)).map(({ view }) => view).filter(({ place, service }) => {
      const callId = place?.callId ?? service?.place.callId ?? '';
      return !seen.has(callId) && seen.add(callId);
    });
    return {
      epoch, asOf,
      calls: [...views.flatMap(({ place }) => (place === null ? [] : [place])), ...(callbacks?.get(account) ?? [])],
      ...(callbacks === null ? {} : { callbacksKnown: true as const }),
      offers: views.flatMap(({ offers }) => offers),
      services: views.flatMap(({ service }) => (service === null ? [] : [service])),
      agents: agents.map((agent) => ({ ...recordOf(agent), n: nextN(), calls: measured.callsOf(account, agent.id, agent.devices) })),
    };
  };
  const measure = (): void => {
    for (const [account, runner] of runners) measureAgents(account, runner);
  };
  const measureAgents = (account: string, runner: DeskRunner): void => {
    if (runner.desk().phase !== 'open') return;
    for (const { id, devices, calls: before } of Object.values(runner.desk().agents)) {
      const calls = measured.callsOf(account, id, devices);
      if (before.join(' ') !== calls.join(' ')) runner.apply({ type: 'AgentMeasured', agent: id, n: nextN(), calls });
    }
  };
  /** The agent is offered the next call at once, and with that one measured the last, not measured anew yet, would be a second. */
  const outOfCall = (account: string, runner: DeskRunner, message: DeskMessage): void => {
    if (!isOfferOver(message)) return;
    const { agents, offers } = runner.desk();
    const whose = Object.values(agents).find(({ service, clearing }) => service?.offerId === message.offerId || clearing?.offerId === message.offerId);
    measured.over(message.offerId, offers[message.offerId]?.agent ?? whose?.id ?? null);
    measureAgents(account, runner);
  };

  for (const account of configs.keys()) {
    const desk = before.get(account);
    make(account, desk === undefined ? newDesk(epoch) : takenOver(desk, epoch));
  }
  look();

  return {
    epoch, alone, measure, look,
    tell: (account, message) => {
      if (stopped) return;
      const runner = runners.get(account) ?? (configs.has(account) ? undefined : make(account, newDesk(epoch)));
      if (runner !== undefined) outOfCall(account, runner, message);
      runner?.apply(message);
      if (whole.size > 0) look();
    },
    open: (account) => {
      const runner = runners.get(account);
      return runner?.desk().phase === 'open' ? runner : null;
    },
    configured: (account) => {
      const runner = runners.get(account);
      if (runner !== undefined) {
        runner.apply({ type: 'QueuesConfigured', queues: configs.get(account) ?? [] });
        return;
      }
      if (failures.has(account)) return;
      make(account, newDesk(epoch));
      look();
    },
    kept: () => Promise.all([...[...runners.values()].map((runner) => runner.kept()), ...[...keepers.values()].map((keeper) => keeper.written())]),
    problems: () => {
      const still = [...failures.keys()].filter((account) => configs.has(account) && !runners.has(account));
      return [...(still.length === 0 ? [] : [`The queues of ${named(still)} stand still, and are begun again within a minute: what failed is in the log, as “A desk could not go on”. Its callers can be led elsewhere by their number’s route.`]), ...keptAgents.problems()];
    },
    desks: () => new Map([...runners].map(([account, runner]) => [account, runner.desk()])),
    stop: () => {
      stopped = true;
      for (const cancel of again) cancel();
      for (const keeper of keepers.values()) keeper.stop();
      for (const runner of runners.values()) runner.stop();
    },
  };
}

/** Nobody rings for it any more, or talks by it. */
function isOfferOver(message: DeskMessage): message is Extract<DeskMessage, { readonly offerId: OfferId }> {
  switch (message.type) {
    case 'AgentReleased':
    case 'OfferCleared':
    case 'OfferRejected':
    case 'OfferTimedOut':
      return true;
    case 'OfferCanceled':
      return message.left;
    case 'OfferBridgeFailed':
      return message.lost === 'caller';
    case 'CallJoined':
    case 'CallLeft':
    case 'CallbackRequested':
    case 'CallbackTried':
    case 'OfferAccepted':
    case 'OfferConnected':
      return false;
  }
}

function recordOf({ id, status, statusAt, devices, devicesAt, ready, wrapUpUntil, restUntil, missed, idleSince, taken }: KeptAgent): AgentRecord {
  return { id, status, statusAt, devices, devicesAt, ready, wrapUpUntil, restUntil, missed, idleSince, taken };
}

/** Somebody has chosen something for them. */
function isKnown({ statusAt, devicesAt }: Pick<AgentRecord, 'statusAt' | 'devicesAt'>): boolean {
  return statusAt > 0 || devicesAt > 0;
}

function waitingIn({ queues }: Desk): number {
  return Object.values(queues).reduce((sum, { waiting }) => sum + waiting.length, 0);
}
