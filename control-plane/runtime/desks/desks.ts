/**
 * Where desks run (docs/decisions/0024-where-a-desk-runs.md). All of them at the controller that leads, whichever
 * controllers have the calls; while the store is away each controller runs them for its own calls.
 *
 *   follows ──the lease leads──> leads ──paused, or another leads──> follows
 *      │ ^                        │ ^
 *      │ └──the leader asks───────┼─┼── alone <──the store is away
 *      └──the store is away───────┘ └──the store is back, and the lease leads
 */
import type { DeskMessage } from '../../core/call/commands.ts';
import type { AgentId, DeviceId, QueueConfig, QueueId } from '../../core/queue/config.ts';
import type { Desk, Status } from '../../core/queue/desk.ts';
import type { transition as theTransition } from '../../core/queue/transition.ts';
import { minute, second, type Ms } from '../../core/time.ts';
import type { AgentRecords, ControllerLink, KeptAgent } from '../../store/ports.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { CancelTimer, Clock } from '../clock.ts';
import type { Lease } from '../lease.ts';
import { within } from '../within.ts';
import { answerForEnded, type CallsHere } from './calls-here.ts';
import { noCallbacks, type DeskCallbacks } from './desk-callbacks.ts';
import type { DeskFigures } from './desk-figures.ts';
import { createFollowing } from './following.ts';
import { createGathering } from './gathering.ts';
import { createMeasuredCalls, limboMs } from './measured-calls.ts';
import { heardOf, reportNumbers, type CallsCommand, type Heard, type QueueShown, type Saying, type There } from './messages.ts';
import { createNeighbours } from './neighbours.ts';
import { beginReign, type Reign } from './reign.ts';
import { createRequests, type Requests } from './requests.ts';
import { roleOf } from './role-of.ts';
import { createRoster } from './roster.ts';
import { createToldFacts, type DeskObserver } from './told-facts.ts';

export interface Desks {
  /** Once the calls of this controller are known. */
  start(): void;
  stop(): Promise<void>;
  /** All queues of an account, at each controller, before and after `start`. */
  configure(account: string, queues: readonly QueueConfig[]): void;
  /** What a call of this controller says. */
  tell(account: string, message: DeskMessage): void;
  /** Some call of this controller is not as it was. */
  changed(): void;
  /** These are answered once the desk has taken them and others would know of them. Reject with DesksAwayError. */
  chooseStatus(account: string, agent: AgentId, status: Status): Promise<void>;
  /** On these devices and no others. */
  logIn(account: string, agent: AgentId, devices: readonly DeviceId[]): Promise<void>;
  logOut(account: string, agent: AgentId): Promise<void>;
  ready(account: string, agent: AgentId): Promise<void>;
  /** Null: there is no such queue. Rejects with DesksAwayError. */
  queue(account: string, id: QueueId): Promise<QueueShown | null>;
  /** As this controller was told last: those of whom something is known. */
  agents(account: string): readonly KeptAgent[];
  /** At the controller that runs the desk, and there alone. Returns what ends it. */
  observe(observer: DeskObserver): () => void;
  /** alone: for this controller's calls, since the others cannot be reached. */
  role(): 'leads' | 'follows' | 'alone';
  /** Of the desks that run here: accounts whose queues are not run as they should be, and what to do, in sentences. */
  problems(): readonly string[];
  /** Of the same. */
  running(): readonly { readonly account: string; readonly desk: Desk; readonly figures: DeskFigures }[];
}

export interface DesksOptions {
  readonly controller: string;
  readonly clock: Clock;
  /** Null: there is no other controller. */
  readonly lease: Pick<Lease, 'leads' | 'sure' | 'away' | 'token' | 'others' | 'orphans'> | null;
  /** Absent, as `records`: there is no other controller. */
  readonly link?: ControllerLink;
  readonly records?: AgentRecords;
  readonly here: CallsHere;
  readonly callbacks?: DeskCallbacks;
  readonly random?: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** For tests that break it on purpose. */
  readonly transition?: typeof theTransition;
}

const lookEveryMs: Ms = 100;
const beatMs: Ms = 400;
/** What calls are in is told together when it changes within this time. */
const gatherMs: Ms = 50;
const askAgainMs: Ms = 10 * second;
const storeLimitMs: Ms = 300;
/** Two who both believe that they lead do not take over from each other all the time; nor is who leads left for a desk of one's own. */
const overtakenMs: Ms = second;
/** A desk of longer ago knows nothing that is of use. */
const rememberMs: Ms = minute;
/** With the store away: for so long are agents in the calls that other controllers had them in. */
const apartMs: Ms = minute;
/** With the store back: for so long is it told what was chosen while it was away. */
const tellApartMs: Ms = 30 * second;

export function createDesks({ controller, clock, lease, link, records, here, callbacks = noCallbacks, random = Math.random, log, metrics, transition }: DesksOptions): Desks {
  const configs = new Map<string, readonly QueueConfig[]>();
  const facts = createToldFacts({ clock, configs, log, metrics });
  const roster = createRoster();
  const measured = createMeasuredCalls(clock);
  const neighbours = createNeighbours(clock, lease);
  const following = createFollowing({ accounts: () => configs.keys(), records, roster, log });
  let reign: Reign | null = null;
  let current: Pick<Reign, 'epoch' | 'alone'> | null = null;
  /** What was wanted when the reign began, or nobody's. */
  let is = 'follows';
  let beginning: object | null = null;
  let last: { readonly epoch: number; readonly desks: ReadonlyMap<string, Desk>; readonly endedAt: Ms } | null = null;
  /** How often others were told of agents under this epoch. */
  let told = 0;
  let quietUntil = 0;
  /** As agents were when this controller's own desks ended. */
  let apart: { readonly agents: There['agents']; readonly until: Ms } = { agents: {}, until: 0 };
  const unsettled = new Set<string>();
  let askAt = Infinity;
  let beatAt = 0;
  let timer: CancelTimer | null = null;
  let soon: CancelTimer | null = null;
  let unlisten: (() => void) | null = null;
  let stopped = true;

  const say = (saying: Saying, to: string | null = null): void => {
    link?.say(to, JSON.stringify({ ...saying, from: controller } satisfies Heard));
  };
  /** Of what was measured here. */
  const nextN = reportNumbers(clock);
  /** Of all controllers. */
  const leading = (): boolean => current?.alone === false;
  const there = (agents: boolean): There => ({ settled: here.settled(), calls: here.calls(), views: here.views(), measured: here.measured(), agents: clock.monotonic() < apart.until ? apart.agents : agents ? roster.all() : {} });
  const gathering = createGathering({
    clock, say,
    others: () => (leading() ? neighbours.asked() : []),
    own: (agents) => {
      measured.heard(controller, nextN(), here.measured());
      return there(agents);
    },
  });

  /** Called before anything is done: what is to run here may be another's by now. */
  const look = (): void => {
    if (stopped || clock.monotonic() < quietUntil) return;
    const wanted = roleOf(lease);
    if (wanted === is) return;
    // With the store back it goes on until the one that leads asks for what is there.
    if (is === 'alone' && wanted === 'follows' && lease?.sure() === true) return;
    if (wanted === 'alone') neighbours.away();
    else if (lease?.away() !== true) neighbours.back();
    end();
    is = wanted;
    if (wanted !== 'follows') void begin(wanted === 'alone');
  };
  /** Nothing is begun again here for so long. */
  const end = (quietMs: Ms = 0): void => {
    quietUntil = clock.monotonic() + quietMs;
    beginning = null;
    gathering.stop();
    askAt = Infinity;
    is = 'follows';
    current = null;
    if (reign === null) return;
    reign.stop();
    if (reign.alone) apart = { agents: roster.all(), until: clock.monotonic() + tellApartMs };
    following.forget();
    last = { epoch: reign.epoch, desks: reign.desks(), endedAt: clock.monotonic() };
    reign = null;
  };
  const begin = async (alone: boolean): Promise<void> => {
    const token = {};
    beginning = token;
    let epoch = Math.max(clock.now(), following.epoch() + 1, (last?.epoch ?? 0) + 1);
    if (!alone && records !== undefined) {
      try {
        const begun = await within(clock, storeLimitMs, records.begin(epoch));
        // Others have run the desks since.
        if (begun.before > following.epoch()) last = null;
        ({ epoch } = begun);
      } catch (error) {
        log.warn({ error: String(error) }, 'The store cannot be asked for the epoch of desks: they begin all the same');
      }
      if (beginning !== token) return;
    }
    const before = last === null || clock.monotonic() - last.endedAt > rememberMs ? new Map<string, Desk>() : last.desks;
    if (!alone) following.hears(controller, epoch);
    told = 0;
    if (before.size === 0) facts.forget();
    metrics.count('desks_begun_total');
    log.info({ epoch, alone, others: neighbours.others() }, alone ? 'The store is away: queues go on within this controller' : 'This controller runs the queues');
    current = { epoch, alone };
    reign = beginReign({
      epoch, alone, before, configs, clock, random, roster, measured, records, log, metrics, transition,
      gather: (agents) => gathering.ask(epoch, agents),
      orphans: () => (lease === null || alone ? Promise.resolve(0) : within(clock, storeLimitMs, lease.orphans())),
      mayHaveLost: () => alone || neighbours.lostLately(),
      mayAct: () => {
        look();
        return beginning === token;
      },
      kept: (live) => callbacks.kept(live), tellCalls, figuresOf: (account) => facts.figuresOf(account), onFact: (account, fact) => { facts.tell(account, fact); },
      onAgents: (account, agents) => {
        roster.set(account, agents);
        if (alone) return;
        told += 1;
        // Whoever comes later reads what was told before.
        if (neighbours.others().length > 0) say({ type: 'AgentsAre', epoch, told, account, agents });
      },
      onOvertaken: () => { if (beginning === token) overtaken(); },
    });
    askAt = clock.monotonic() + limboMs / 2;
    beat();
  };
  const overtaken = (): void => {
    metrics.count('desks_overtaken_total');
    log.warn({ epoch: reign?.epoch }, 'Another controller has begun to run the queues');
    end(overtakenMs);
  };

  const tellCalls = (account: string, commands: readonly CallsCommand[]): void => {
    const elsewhere = commands.filter((command) => !callbacks.obey(account, command) && !tellHere(account, command));
    if (elsewhere.length > 0 && current?.alone === false) say({ type: 'DeskTells', epoch: current.epoch, account, commands: elsewhere });
  };
  /** False: no call of this controller. */
  const tellHere = (account: string, command: CallsCommand): boolean => {
    if (here.tell(command)) return true;
    if (!here.endedLately(command.callId)) return false;
    const answer = answerForEnded(command);
    if (answer !== null) tell(account, answer);
    return true;
  };
  const tell = (account: string, message: DeskMessage): void => {
    look();
    // An agent who calls the queue is not rung for it.
    if (message.type === 'CallJoined' && here.isOfPhone(message.place.callId)) tellMeasured();
    if (reign !== null) reign.tell(account, message);
    // What is being begun here is told what there is.
    else if (is === 'follows') say({ type: 'CallTells', account, message }, following.leader());
  };
  const requests: Requests = createRequests({
    clock, controller,
    say: (saying) => { say(saying, following.leader()); },
    open: (account) => {
      look();
      return reign?.open(account) ?? null;
    },
    isRunning: () => reign !== null,
    isConfigured: (account, queue) => configs.get(account)?.some(({ id }) => id === queue) === true,
    figuresOf: (account) => facts.figuresOf(account),
  });

  const heard = (saying: Heard): void => {
    switch (saying.type) {
      case 'DesksLed':
      case 'WhatIsThere':
      case 'DeskTells':
      case 'AgentsAre':
        if (led(saying)) onLeader(saying);
        return;
      case 'ThisIsThere':
        measured.heard(saying.from, saying.n, saying.there.measured);
        gathering.heard(saying.from, saying.ask, saying.there);
        return;
      case 'CallTells':
        if (leading()) reign?.tell(saying.account, saying.message);
        return;
      case 'CallsMeasured':
        measured.heard(saying.from, saying.n, saying.measured);
        foundAgain(saying.from, saying.settled);
        reign?.measure();
        return;
      case 'Please':
        if (!leading()) return;
        void requests.take(saying.id, saying.request).then((answer) => {
          if (answer !== null) say({ type: 'Answered', id: saying.id, answer }, saying.from);
        });
        return;
      case 'Answered':
        requests.answered(saying.id, saying.answer);
    }
  };
  /** By a leader who is not of the past. */
  const led = ({ epoch, from }: { readonly epoch: number; readonly from: string }): boolean => {
    if (current?.alone === false && epoch > current.epoch) overtaken();
    const how = following.hears(from, epoch);
    if (how === 'new') {
      last = null;
      log.info({ controller: from, epoch }, 'Another controller runs the queues');
    }
    return how !== 'past';
  };
  const onLeader = (saying: Extract<Heard, { readonly epoch: number; readonly type: 'DesksLed' | 'WhatIsThere' | 'DeskTells' | 'AgentsAre' }>): void => {
    switch (saying.type) {
      case 'DesksLed':
        if (reign === null) following.wasTold(saying.told);
        return;
      case 'WhatIsThere':
        // What was run here meanwhile is told with it, and is over, though the lease may not know yet that the store is back; who asks goes on with it.
        if (current?.alone === true) end(overtakenMs);
        last = null;
        say({ type: 'ThisIsThere', ask: saying.ask, n: nextN(), there: there(saying.agents) }, saying.from);
        return;
      case 'DeskTells':
        for (const command of saying.commands) tellHere(saying.account, command);
        return;
      case 'AgentsAre':
        if (reign === null) following.agentsAre(saying.account, saying.agents, saying.told);
    }
  };
  /** A controller that was finding calls has them now: desks are to know of them at once. */
  const foundAgain = (from: string, settled: boolean): void => {
    if (!settled) unsettled.add(from);
    else if (unsettled.delete(from)) askAt = Math.min(askAt, clock.monotonic());
  };

  const measureSoon = (): void => {
    if (stopped) return;
    soon ??= clock.setTimer(clock.now() + gatherMs, () => {
      soon = null;
      tellMeasured();
    });
  };
  const tellMeasured = (): void => {
    const settled = here.settled();
    if (reign === null) {
      if (is === 'follows' && neighbours.others().length > 0) say({ type: 'CallsMeasured', n: nextN(), measured: here.measured(), settled }, following.leader());
      return;
    }
    measured.heard(controller, nextN(), here.measured());
    foundAgain(controller, settled);
    reign.measure();
  };
  const beat = (): void => {
    beatAt = clock.monotonic() + beatMs;
    if (current?.alone === false) say({ type: 'DesksLed', epoch: current.epoch, told });
    tellMeasured();
  };
  /** The next is set first: what is thrown here ends none but this. */
  const tick = (): void => {
    timer = clock.setTimer(clock.now() + lookEveryMs, tick);
    look();
    const [now, { lost, gained }] = [clock.monotonic(), neighbours.look()];
    // Calls of one that has gone are nobody's before they are another's.
    if (lost && reign !== null) askAt = now + limboMs;
    // Who is back has what it did by itself meanwhile.
    if (gained) askAt = Math.min(askAt, now);
    // Who runs none is told by nobody: what was heard before is not for the next time.
    measured.live(reign === null ? [] : [controller, ...neighbours.others()], current?.alone === true ? apartMs : limboMs);
    if (now >= beatAt) beat();
    if (now >= askAt && reign !== null) {
      askAt = now + askAgainMs;
      reign.look();
    }
  };

  return {
    start: () => {
      stopped = false;
      unlisten = link?.listen((text) => {
        const saying = heardOf(text);
        if (saying === null || stopped) return;
        look();
        try {
          heard(saying);
        } catch (error) {
          log.error({ from: saying.from, type: saying.type, error: error instanceof Error ? error.stack : String(error) }, 'What another controller said of desks was not understood');
        }
      }) ?? null;
      void following.readAll();
      tick();
    },
    stop: async () => {
      stopped = true;
      timer?.();
      soon?.();
      unlisten?.();
      requests.stop();
      if (reign !== null) await within(clock, storeLimitMs, reign.kept()).catch(() => undefined);
      end();
    },
    configure: (account, queues) => {
      if (JSON.stringify(configs.get(account) ?? []) === JSON.stringify(queues)) return;
      configs.set(account, queues);
      reign?.configured(account);
    },
    tell,
    changed: measureSoon,
    chooseStatus: async (account, agent, status) => { await requests.ask({ type: 'ChooseStatus', account, agent, status, at: clock.now() }); },
    logIn: async (account, agent, devices) => { await requests.ask({ type: 'LogIn', account, agent, devices, at: clock.now() }); },
    logOut: async (account, agent) => { await requests.ask({ type: 'LogIn', account, agent, devices: [], at: clock.now() }); },
    ready: async (account, agent) => { await requests.ask({ type: 'BeReady', account, agent }); },
    queue: async (account, queue) => {
      const answer = await requests.ask({ type: 'ShowQueue', account, queue });
      return answer.ok ? answer.queue : null;
    },
    agents: (account) => roster.of(account),
    observe: (observer) => facts.observe(observer),
    role: () => (reign === null ? 'follows' : reign.alone ? 'alone' : 'leads'),
    problems: () => reign?.problems() ?? [],
    running: () => [...(reign?.desks() ?? [])].map(([account, desk]) => ({ account, desk, figures: facts.figuresOf(account) })),
  };
}
