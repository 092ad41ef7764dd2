/**
 * One call's mailbox. An event is taken, `transition` runs synchronously, the step is journalled, timers are armed,
 * commands go to the executor. Events that come while one is processed, or while the call is held (the link to the
 * switch is down, or the call is being adopted), wait in order.
 */
import type { Call } from '../core/call/call.ts';
import type { CallCommand, DeskMessage, DropCallback, KeepCallback, MediaCommand, OrderCommand, PlanExtension, ChangeSetting } from '../core/call/commands.ts';
import type { CallEvent, CallOnSwitch } from '../core/call/events.ts';
import type { CallFact } from '../core/call/facts.ts';
import { transition as theTransition } from '../core/call/transition.ts';
import { stateVersion } from '../core/call/version.ts';
import type { Plan } from '../core/routing/plan.ts';
import { emptyCdr, foldCdr, type Cdr } from '../core/cdr/cdr.ts';
import type { CallId, TimerId } from '../core/ids.ts';
import type { EpochMs } from '../core/time.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CancelTimer, Clock } from './clock.ts';
import type { Executor } from './executor.ts';
import type { Journal } from './journal.ts';

export interface RunnerContext {
  readonly clock: Clock;
  readonly executor: Executor;
  readonly journal: Journal;
  readonly log: Log;
  readonly metrics: Metrics;
  /** This controller's name, written into each journal it opens. */
  readonly controller: string;
  readonly transition?: typeof theTransition;
  /** Compiles what a call wants to add to its plan. */
  readonly planExtension: (call: Call, asked: PlanExtension) => Extract<CallEvent, { type: 'ExtensionPlanned' }>;
  /** Asked before each step: after a no, events wait for `goOn` or `adopted`. */
  readonly mayAct: () => boolean;
  /** Its answer is an event of the call. */
  readonly onOrder: (callId: CallId, command: OrderCommand) => void;
  /** What the call has to say to the desk of its account. */
  readonly onDesk: (call: Call, message: DeskMessage) => void;
  /** As `onOrder`. */
  readonly onSetting: (call: Call, command: ChangeSetting) => void;
  /** As `onOrder`. */
  readonly onCallback: (call: Call, command: KeepCallback | DropCallback) => void;
  /** After each step, once its commands have left. */
  readonly onStep: (runner: CallRunner) => void;
  /** A throwing observer harms nobody. */
  readonly onFact: (call: Call, fact: CallFact, at: EpochMs) => void;
  /** Exactly once, with the finished record. */
  readonly onEnded: (runner: CallRunner, cdr: Cdr) => void;
  /** Another controller has the call. */
  readonly onLeft: (runner: CallRunner) => void;
}

export class CallRunner {
  readonly id: CallId;
  #call: Call;
  #cdr: Cdr;
  #queue: CallEvent[] = [];
  #busy = false;
  #held = false;
  #over = false;
  readonly #timers = new Map<TimerId, CancelTimer>();
  readonly #context: RunnerContext;

  private constructor(context: RunnerContext, call: Call, cdr: Cdr) {
    this.id = call.id;
    this.#context = context;
    this.#call = call;
    this.#cdr = cdr;
  }

  /** A call that has no journal yet. */
  static open(context: RunnerContext, call: Call): CallRunner {
    const runner = new CallRunner(context, call, emptyCdr(call.id, call.plan));
    context.journal.append(call.id, { kind: 'opened', v: stateVersion, at: call.startedAt, offer: call.offer, plan: call.plan, controller: context.controller });
    return runner;
  }

  /** A call brought back from its journal; its timers are armed again, those already past for at once. */
  static restored(context: RunnerContext, call: Call, cdr: Cdr): CallRunner {
    const runner = new CallRunner(context, call, cdr);
    for (const [id, at] of Object.entries(call.timers)) runner.#arm(id, at);
    return runner;
  }

  get call(): Call {
    return this.#call;
  }

  get cdr(): Cdr {
    return this.#cdr;
  }

  /** Takes an event; it is processed before this returns unless the call is busy or held. */
  deliver(event: CallEvent): void {
    if (this.#over) return;
    // Whether a command sent into a dying link arrived is seen on the switch, and adoption acts on that.
    if (this.#held && event.type === 'CommandFailed' && (event.error === 'unreachable' || event.error === 'timeout')) return;
    this.#queue.push(event);
    this.#drain();
  }

  /** Events wait from now on: nothing that happens can be acted on. */
  hold(): void {
    this.#held = true;
  }

  get held(): boolean {
    return this.#held;
  }

  /** It may act again: what waited comes now, unless the call is held. */
  goOn(): void {
    this.#drain();
  }

  /** What the switch has of the call comes first, then all that waited. */
  adopted(seen: CallOnSwitch): void {
    if (this.#over) return;
    this.#queue.unshift({ type: 'CallAdopted', seen, ...this.#stepsAdded(seen) });
    this.#held = false;
    this.#drain();
  }

  /** The switch has the call in a step that was added to its plan, and the journal that had the step is lost. */
  #stepsAdded({ caller }: CallOnSwitch): { readonly steps?: Plan['steps'] } {
    const { step: request = '', added } = caller?.mark ?? {};
    if (added === undefined || Object.hasOwn(this.#call.plan.steps, request)) return {};
    return { steps: this.#context.planExtension(this.#call, { type: 'PlanExtension', request, ...added }).steps };
  }

  /** Lets go of the call without ending it: it stays on the switch, for a later controller. */
  abandon(): void {
    this.#over = true;
    this.#queue = [];
    this.#disarmAll();
  }

  #drain(): void {
    if (this.#busy || this.#held) return;
    this.#busy = true;
    // `hold` and the end of the call may come from within a step.
    while (this.#queue.length > 0 && this.#context.mayAct()) {
      const event = this.#queue.shift();
      if (event !== undefined) this.#step(event);
      if (this.#over || this.#held) break;
    }
    this.#busy = false;
  }

  #step(event: CallEvent): void {
    const { clock, metrics, transition = theTransition } = this.#context;
    metrics.count('events_total');
    const at = clock.now();
    let next: ReturnType<typeof theTransition>;
    let cdr = this.#cdr;
    try {
      next = transition(this.#call, event, { now: at });
      for (const fact of next.facts) cdr = foldCdr(cdr, fact, at);
    } catch (error) {
      this.#release(event, error, at);
      return;
    }
    this.#call = next.call;
    this.#cdr = cdr;
    this.#record(event, next.commands, next.facts, at);
    if (next.call.phase === 'ended') this.#end();
    else this.#context.onStep(this);
  }

  #record(event: CallEvent, commands: readonly CallCommand[], facts: readonly CallFact[], at: EpochMs): void {
    const { journal, executor, onDesk, onSetting, onCallback, onOrder } = this.#context;
    journal.append(this.id, { kind: 'step', ...(event.type === 'CallAdopted' ? { v: stateVersion } : {}), at, event, commands, facts });
    for (const command of commands) {
      if (command.type === 'StartTimer') this.#arm(command.id, command.at);
      else if (command.type === 'CancelTimer') this.#disarm(command.id);
      else if (command.type === 'OrderDestinations') onOrder(this.id, command);
      else if (command.type === 'TellDesk') onDesk(this.#call, command.message);
      else if (command.type === 'ChangeSetting') onSetting(this.#call, command);
      else if (command.type === 'KeepCallback' || command.type === 'DropCallback') onCallback(this.#call, command);
      // Nothing else comes between.
      else if (command.type === 'PlanExtension') this.#queue.unshift(this.#context.planExtension(this.#call, command));
      else executor.submit(this.id, command);
    }
    for (const fact of facts) this.#tell(fact, at);
  }

  #tell(fact: CallFact, at: EpochMs): void {
    const { onFact, log, metrics } = this.#context;
    try {
      onFact(this.#call, fact, at);
    } catch (error) {
      metrics.count('observer_errors_total');
      log.error({ call: this.id, fact: fact.type, error: String(error) }, 'An observer of calls failed');
    }
  }

  #arm(id: TimerId, at: EpochMs): void {
    this.#disarm(id);
    const cancel = this.#context.clock.setTimer(at, () => {
      this.#timers.delete(id);
      this.deliver({ type: 'TimerFired', id });
    });
    this.#timers.set(id, cancel);
  }

  #disarm(id: TimerId): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }

  #disarmAll(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#queue = [];
    this.#disarmAll();
    this.#context.onEnded(this, this.#cdr);
  }

  /** A bug of ours met this call: it alone is let go, and what led there is in its journal. */
  #release(event: CallEvent, error: unknown, at: EpochMs): void {
    const { log, metrics } = this.#context;
    metrics.count('calls_crashed_total');
    const stack = error instanceof Error ? error.stack : String(error);
    log.error({ call: this.id, event: event.type, phase: this.#call.phase, error: stack }, 'A call could not be continued and was released');
    const call = this.#call;
    const alive = Object.values(call.legs).filter((leg) => leg.phase !== 'ended');
    const commands: MediaCommand[] = [...alive.map(({ id }) => id), call.caller.legId].map((legId) => ({ type: 'HangUpLeg', legId, cause: 'temporary-failure' }));
    if ('bridgeId' in call) commands.push({ type: 'DestroyBridge', bridgeId: call.bridgeId });
    const facts: CallFact[] = alive.map((leg) => ({ type: 'LegEnded', legId: leg.id, cause: 'temporary-failure', disposition: 'failed' }));
    // The core's word on how the call went, if it had one, stands.
    if (this.#cdr.endedAt === null) facts.push({ type: 'CallEnded', cause: 'temporary-failure', disposition: 'failed', by: 'frontdesk' });
    for (const fact of facts) this.#cdr = foldCdr(this.#cdr, fact, at);
    this.#record(event, commands, facts, at);
    this.#end();
  }
}
