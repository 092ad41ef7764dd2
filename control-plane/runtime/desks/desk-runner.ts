/**
 * One desk while it runs here: takes an event, `transition` runs synchronously, the one timer is armed, and what it asks
 * for leaves by the outbox. A desk that fails is a bug of ours: it stops, no call is harmed, and it is made anew from what
 * the calls know.
 */
import type { Agent, Desk } from '../../core/queue/desk.ts';
import type { DeskEvent } from '../../core/queue/events.ts';
import type { DeskFact } from '../../core/queue/facts.ts';
import { transition as theTransition } from '../../core/queue/transition.ts';
import type { KeptAgent } from '../../store/ports.ts';
import type { CancelTimer, Clock } from '../clock.ts';
import type { CallsCommand } from './messages.ts';
import type { Outbox } from './outbox.ts';

export interface DeskRunner {
  apply(event: DeskEvent): void;
  desk(): Desk;
  /** As Outbox.empty. */
  kept(): Promise<boolean>;
  stop(): void;
}

export interface DeskRunnerOptions {
  readonly desk: Desk;
  readonly clock: Clock;
  /** At least 0, below 1. */
  readonly random: () => number;
  readonly outbox: Outbox;
  /** Asked before each step; after a no this desk is another's by now, and hears nothing. */
  readonly mayAct: () => boolean;
  readonly onFact: (fact: DeskFact) => void;
  /** It has stopped. */
  readonly onFailed: (error: unknown, event: DeskEvent) => void;
  /** For tests that break it on purpose. */
  readonly transition?: typeof theTransition;
}

export function runDesk({ desk: first, clock, random, outbox, mayAct, onFact, onFailed, transition = theTransition }: DeskRunnerOptions): DeskRunner {
  let desk = first;
  let timer: CancelTimer | null = null;
  let busy = false;
  let stopped = false;
  const queue: DeskEvent[] = [];
  /** As it was kept last, to keep only what changes. */
  const texts = new Map<string, string>();

  const changedAgents = (before: Desk): readonly KeptAgent[] => {
    // Before it has been told of them they are not what others have kept.
    if (desk.phase !== 'open') return [];
    const changed: KeptAgent[] = [];
    for (const agent of Object.values(desk.agents)) {
      if (before.phase === 'open' && before.agents[agent.id] === agent) continue;
      const kept = keptOf(agent, desk);
      const text = JSON.stringify(kept);
      if (texts.get(agent.id) === text) continue;
      texts.set(agent.id, text);
      changed.push(kept);
    }
    return changed;
  };
  const step = (event: DeskEvent): void => {
    const before = desk;
    const { desk: after, commands, facts } = transition(desk, event, { now: clock.now(), random: random() });
    desk = after;
    const toCalls: CallsCommand[] = [];
    for (const command of commands) {
      if (command.type === 'StartTimer') arm(command.at);
      // The agent's record has it.
      else if (command.type !== 'KeepStatus') toCalls.push(command);
    }
    outbox.put(changedAgents(before), toCalls);
    for (const fact of facts) onFact(fact);
  };
  const mayGoOn = (): boolean => !stopped && mayAct();
  const apply = (event: DeskEvent): void => {
    if (stopped) return;
    queue.push(event);
    if (busy) return;
    busy = true;
    for (let next = queue.shift(); next !== undefined && mayGoOn(); next = queue.shift()) {
      try {
        step(next);
      } catch (error) {
        stop();
        onFailed(error, next);
      }
    }
    busy = false;
  };
  const arm = (at: number): void => {
    timer?.();
    timer = clock.setTimer(at, () => {
      timer = null;
      apply({ type: 'TimerFired' });
    });
  };
  const stop = (): void => {
    stopped = true;
    timer?.();
    outbox.stop();
  };

  return { apply, desk: () => desk, kept: () => outbox.empty(), stop };
}

function keptOf({ id, status, statusAt, devices, devicesAt, ready, wrapUpUntil, restUntil, missed, idleSince, taken, state, stateSince, offer, service, calls }: Agent, { offers }: Desk): KeptAgent {
  const offered = offer === null ? undefined : offers[offer]?.callId;
  const all = new Set([...calls, ...(service === null ? [] : [service.place.callId]), ...(offered === undefined ? [] : [offered])]);
  return { id, status, statusAt, devices, devicesAt, ready, wrapUpUntil, restUntil, missed, idleSince, taken, state, stateSince, offer, calls: [...all] };
}
