/**
 * A run of the model of queues, in virtual time: callers, agents, the controllers that have their calls, and between them
 * and the desk a network that loses, doubles and reorders what is said. Whatever it did, at the end of it everybody who
 * waits is to be served: the network is well, everybody answers, and the desk is told once more what there is.
 */
import { isDeepStrictEqual } from 'node:util';
import type { DeskCommand } from '../../control-plane/core/queue/commands.ts';
import { newDesk, takenOver as theTakenOver, type AgentRecord, type Desk, type Place, type Status } from '../../control-plane/core/queue/desk.ts';
import type { DeskEvent, Found } from '../../control-plane/core/queue/events.ts';
import { memoryOf } from '../../control-plane/core/queue/memory.ts';
import type { transition as theTransition } from '../../control-plane/core/queue/transition.ts';
import { frozen } from '../core/support/given.ts';
import { createLedger } from './desk-invariants.ts';
import { phoneOf, type Caller, type Ring, type Worker } from './desk-parties.ts';
import { must } from './invariants.ts';
import type { Answer, Scene, SceneCall } from './desk-scene.ts';

/** How a run went: which commands and facts there were. */
export type Seen = Map<string, number>;

/** After this nothing goes wrong any more, and everybody answers. */
const quietAt = 90_000;
const endAt = quietAt + 600_000;
const begin = 1_000_000;
/** How long after a caller has come it is said again that they wait. */
const stillHereMs = 3000;

export function runDesk(scene: Scene, transition: typeof theTransition, seen: Seen = new Map(), takenOver: typeof theTakenOver = theTakenOver): void {
  let state = scene.seed >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  let now = begin;
  let steps = 0;
  const agenda: { at: number; n: number; act: () => void }[] = [];
  const at = (time: number, act: () => void): void => {
    const entry = { at: Math.max(now, time), n: steps++, act };
    let i = agenda.length;
    while (i > 0 && (agenda[i - 1]?.at ?? 0) > entry.at) i -= 1;
    agenda.splice(i, 0, entry);
  };
  const isQuiet = (): boolean => now >= begin + quietAt;
  const isCalm = scene.lost === 0 && scene.twice === 0 && scene.delayMs <= 30 && scene.breaks.length === 0;
  const lastAt = new Map<string, number>();
  /** Over the network. What is told to one call comes in its order, while it is calm. */
  const send = (act: () => void, toCall?: string): void => {
    if (!isQuiet() && random() * 100 < scene.lost) return;
    const before = isCalm && toCall !== undefined ? (lastAt.get(toCall) ?? 0) : 0;
    const due = Math.max(before, now + 1 + (isQuiet() ? 0 : Math.floor(random() * scene.delayMs)));
    if (toCall !== undefined) lastAt.set(toCall, due);
    at(due, act);
    if (!isQuiet() && random() * 100 < scene.twice) at(now + 1 + Math.floor(random() * scene.delayMs * 3), act);
  };
  let desk: Desk = newDesk(1);
  let epoch = 1;
  let old: Desk = desk;
  let records = new Map<string, AgentRecord>();
  let timerAt: number | null = null;
  let n = 0;
  const callers = new Map<string, Caller>();
  const workers = new Map<string, Worker>(scene.agents.map((one) => [one.id, { scene: one, status: 'offline', statusAt: 0, devices: [], devicesAt: 0, calls: [], answered: 0 }]));
  const ledger = createLedger();

  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
  const apply = (event: DeskEvent): void => {
    frozen(desk);
    const before = desk;
    const ctx = { now, random: random() };
    const after = transition(desk, event, ctx);
    if (ctx.random < 0.02) must(isDeepStrictEqual(transition(desk, event, ctx), after), 'the same event comes to the same', event.type);
    desk = after.desk;
    count(event.type);
    for (const one of after.facts) count('outcome' in one ? `${one.type} ${one.outcome}` : 'why' in one ? `${one.type} ${one.why}` : one.type);
    ledger.check(before, event, after, now);
    for (const { id, status, statusAt, devices, devicesAt, ready, wrapUpUntil, restUntil, missed, idleSince, taken } of Object.values(desk.agents)) {
      if (desk.phase === 'open' && desk.agents[id] !== before.agents[id]) records.set(id, { id, status, statusAt, devices, devicesAt, ready, wrapUpUntil, restUntil, missed, idleSince, taken });
    }
    if (random() < 0.1) old = desk;
    for (const command of after.commands) {
      count(command.type);
      if (command.type === 'StartTimer') {
        const due = command.at;
        timerAt = due;
        at(due, () => {
          if (timerAt === due) apply({ type: 'TimerFired' });
        });
      } else if (command.type === 'KeepStatus') {
        const worker = workers.get(command.agent);
        if (worker !== undefined && command.at > worker.statusAt) Object.assign(worker, { status: command.status, statusAt: command.at });
      } else {
        send(() => obey(command), command.callId);
      }
    }
  };
  const say = (event: DeskEvent): void => send(() => apply(event));

  const measure = (worker: Worker): void => say({ type: 'AgentMeasured', agent: worker.scene.id, n: ++n, calls: [...worker.calls] });
  const begins = (agent: string, callId: string): void => {
    const worker = workers.get(agent);
    if (worker === undefined) return;
    worker.calls.push(callId);
    measure(worker);
  };
  const ends = (agent: string, callId: string): void => {
    const worker = workers.get(agent);
    if (worker === undefined) return;
    worker.calls = worker.calls.filter((one) => one !== callId);
    measure(worker);
  };
  const drop = (caller: Caller, offerId: string): void => {
    const ring = caller.rings.get(offerId);
    if (ring === undefined) return;
    caller.rings.delete(offerId);
    ends(ring.offer.agent, caller.place.callId);
  };
  const go = (caller: Caller): void => {
    caller.state = 'gone';
    for (const id of caller.rings.keys()) drop(caller, id);
  };

  const answer = (caller: Caller, ring: Ring, how: Answer): void => {
    const { offerId } = ring.offer;
    const rings = (): boolean => caller.rings.get(offerId)?.state === 'rings';
    switch (how) {
      case 'accepts':
      case 'leaves in the whisper': {
        at(now + 200 + Math.floor(random() * 1500), () => {
          if (!rings()) return;
          caller.rings.set(offerId, { ...ring, state: 'accepted' });
          say({ type: 'OfferAccepted', offerId });
          // Asked for again, and then given up.
          at(now + 3000, () => void (caller.rings.has(offerId) && say({ type: 'OfferAccepted', offerId })));
          at(now + 12_000, () => {
            if (!caller.rings.has(offerId)) return;
            drop(caller, offerId);
            say({ type: 'OfferCanceled', offerId, left: false });
          });
        });
        return;
      }
      case 'declines':
      case 'is busy':
      case 'cannot be reached':
        at(now + (how === 'declines' ? 1000 : 20), () => {
          if (!rings()) return;
          drop(caller, offerId);
          say({ type: 'OfferRejected', offerId, why: how === 'declines' ? 'declined' : how === 'is busy' ? 'busy' : 'unreachable' });
        });
        return;
      case 'lets it ring':
      case 'is not told':
    }
  };

  /** As whoever keeps callbacks does: one try at a time, and none of one that is over. */
  const callBack = (caller: Caller): void => {
    const { place } = caller;
    const { callId, visit, callback, number } = place;
    const tried = (again: number | null): void => say({ type: 'CallbackTried', callId, visit, again });
    if (caller.state !== 'waiting' || callback === null) {
      say({ type: 'CallLeft', callId, visit, why: 'routed' });
      return;
    }
    if (caller.calledAt !== null || callback.notBefore > now) {
      tried(Math.max(callback.notBefore, (caller.calledAt ?? 0) + 20_000));
      return;
    }
    caller.calledAt = now;
    caller.tries += 1;
    const isThere = isQuiet() || random() < 0.6;
    at(now + 500 + Math.floor(random() * 8000), () => {
      caller.calledAt = null;
      if (caller.state !== 'waiting') return;
      if (!isThere) {
        const again = caller.tries < 2 ? now + 6000 : null;
        if (again === null) go(caller);
        else caller.place = { ...place, callback: { ...callback, notBefore: again } };
        tried(again);
        return;
      }
      go(caller);
      join(`${callId}-back`, { ...place, callId: `${callId}-back`, visit: 1, joinedAt: now, number: number ?? callback.number, callback: null }, caller.scene);
    });
  };
  const join = (callId: string, place: Place, one: SceneCall): Caller => {
    const caller: Caller = { place, state: 'waiting', scene: one, calledAt: null, tries: 0, bridgeFails: one.bridgeFails === 'once', rings: new Map(), service: null };
    callers.set(callId, caller);
    const { callback: _none, ...joins } = place;
    say({ type: 'CallJoined', place: joins });
    // said again while it waits, with what rings for it
    at(now + stillHereMs, () => {
      const { callback: kept, ...again } = caller.place;
      if (caller.state === 'waiting' && kept === null) say({ type: 'CallJoined', place: again, offers: [...caller.rings.keys()] });
    });
    at(now + one.patienceMs, () => {
      if (caller.state !== 'waiting' || caller.place.callback !== null) return;
      go(caller);
      say({ type: 'CallLeft', callId, visit: 1, why: 'abandoned' });
    });
    return caller;
  };

  const obey = (command: Exclude<DeskCommand, { type: 'StartTimer' | 'KeepStatus' }>): void => {
    const caller = callers.get(command.callId);
    if (caller === undefined) return;
    switch (command.type) {
      case 'HoldPlace':
        if (command.visit === caller.place.visit && caller.state === 'waiting') caller.place = { ...caller.place, enteredAt: command.enteredAt };
        return;
      case 'LeaveQueue':
        if (command.visit === caller.place.visit && caller.state === 'waiting') go(caller);
        return;
      case 'TellPosition':
        must(command.position >= 1 && command.position <= callers.size && (command.estimatedWaitMs ?? 0) >= 0, 'a caller is told a position there is', command);
        return;
      case 'OfferCall': {
        const { offerId } = command;
        if (ledger.wasOffered(offerId)) return;
        ledger.offered(offerId);
        if (command.callback !== null) {
          callBack(caller);
          return;
        }
        if (caller.state !== 'waiting' || command.visit !== caller.place.visit) {
          say({ type: 'OfferCanceled', offerId, left: true });
          return;
        }
        const worker = workers.get(command.agent);
        const how: Answer = isQuiet() ? 'accepts' : (worker?.scene.answers[worker.answered++ % worker.scene.answers.length] ?? 'accepts');
        const ringsFor = [...callers.values()].filter(({ rings, service }) => service?.agent === command.agent || [...rings.values()].some((ring) => ring.offer.agent === command.agent));
        must(!isCalm || ringsFor.length === 0, 'a phone rings for one call at a time, as long as messages come', { offerId, ringsFor: ringsFor.map(({ place }) => place.callId) });
        if (how === 'is not told') return;
        const offer = desk.offers[offerId] ?? { offerId, callId: command.callId, queue: command.queue, agent: command.agent, offeredAt: now, deadline: now + command.ringMs + 5000 };
        const ring: Ring = { offer, visit: command.visit, state: 'rings' };
        caller.rings.set(offerId, ring);
        begins(command.agent, command.callId);
        at(now + command.ringMs, () => {
          if (caller.rings.get(offerId)?.state !== 'rings') return;
          drop(caller, offerId);
          say({ type: 'OfferTimedOut', offerId });
        });
        answer(caller, ring, how);
        return;
      }
      case 'ConnectOffer': {
        const ring = caller.rings.get(command.offerId);
        if (caller.service?.offerId === command.offerId) {
          say({ type: 'OfferConnected', offerId: command.offerId });
          return;
        }
        if (ring?.state !== 'accepted' || caller.state !== 'waiting') {
          say({ type: 'OfferBridgeFailed', offerId: command.offerId, lost: caller.state === 'waiting' ? 'neither' : 'caller' });
          return;
        }
        const leaves = !isQuiet() && workers.get(ring.offer.agent)?.scene.answers.includes('leaves in the whisper') === true && random() < 0.5;
        if (caller.bridgeFails || leaves) {
          caller.bridgeFails = false;
          drop(caller, command.offerId);
          say({ type: 'OfferBridgeFailed', offerId: command.offerId, lost: leaves ? 'agent' : 'neither' });
          return;
        }
        caller.rings.delete(command.offerId);
        for (const id of caller.rings.keys()) drop(caller, id);
        caller.state = 'talking';
        caller.service = { offerId: command.offerId, agent: ring.offer.agent, place: caller.place, acceptedAt: now, connectedAt: now, seen: false };
        say({ type: 'OfferConnected', offerId: command.offerId });
        at(now + caller.scene.talksMs, () => {
          caller.state = 'gone';
          caller.service = null;
          ends(ring.offer.agent, command.callId);
          say({ type: 'AgentReleased', offerId: command.offerId });
        });
        return;
      }
      case 'WithdrawOffer':
        // Who talks talks on: the desk hears of it with the next that it asks.
        drop(caller, command.offerId);
        say({ type: 'OfferCleared', offerId: command.offerId });
    }
  };

  const found = (): Found => {
    const all = [...callers.values()];
    return {
      epoch, asOf: now, ...(isQuiet() || random() < 0.7 ? { callbacksKnown: true as const } : {}),
      calls: all.filter((one) => one.state === 'waiting').map((one) => one.place),
      offers: all.flatMap((one) => [...one.rings.values()].map(({ offer }) => offer)),
      services: all.flatMap((one) => (one.service === null ? [] : [one.service])),
      agents: [...workers.values()].map(({ scene: { id }, status, statusAt, devices, devicesAt, calls }) => ({
        ...(records.get(id) ?? { id, ready: false, wrapUpUntil: 0, restUntil: 0, missed: 0, idleSince: now, taken: {} }), status, statusAt, devices, devicesAt, calls: [...calls], n: ++n,
      })),
    };
  };
  const resync = (late: boolean): void => {
    const what = found();
    at(now + (late ? Math.floor(random() * 3000) : 0), () => apply({ type: 'Rebuilt', found: { ...what, epoch } }));
  };

  const choose = (worker: Worker, status: Status): void => {
    Object.assign(worker, { status, statusAt: now });
    say({ type: 'AgentStatusChosen', agent: worker.scene.id, status, at: now });
  };
  const logIn = (worker: Worker, devices: readonly string[]): void => {
    Object.assign(worker, { devices, devicesAt: now });
    say({ type: 'AgentLoggedIn', agent: worker.scene.id, devices, at: now });
  };

  apply({ type: 'QueuesConfigured', queues: scene.queues });
  resync(false);
  for (const worker of workers.values()) {
    at(begin + 1, () => logIn(worker, [phoneOf(worker)]));
    at(begin + 2, () => choose(worker, worker.scene.status));
    for (const act of worker.scene.acts) {
      at(begin + 10 + act.atMs, () => {
        if (act.does === 'call') {
          const callId = `own-${++n}`;
          begins(worker.scene.id, callId);
          at(now + act.forMs, () => ends(worker.scene.id, callId));
        } else if (act.does === 'ready') {
          say({ type: 'AgentReady', agent: worker.scene.id });
        } else if (act.does === 'break' || act.does === 'back') {
          choose(worker, act.does === 'break' ? 'break' : worker.scene.status);
        } else {
          logIn(worker, act.does === 'out' ? [] : [phoneOf(worker)]);
        }
      });
    }
  }
  for (const [i, one] of scene.calls.entries()) {
    at(begin + 10 + one.atMs, () => {
      const callId = `c${i}`;
      const queue = scene.queues[one.queue % scene.queues.length]?.id ?? '';
      const place: Place = { callId, visit: 1, queue, priority: one.priority, enteredAt: now, joinedAt: now, number: one.number, sticky: one.sticky, callback: null };
      const caller = join(callId, place, one);
      if (one.callbackAtMs !== null) {
        at(now + one.callbackAtMs, () => {
          if (caller.state !== 'waiting' || [...caller.rings.values()].some((ring) => ring.state === 'accepted')) return;
          for (const id of caller.rings.keys()) drop(caller, id);
          const callback = { key: one.number ?? callId, number: one.number ?? callId, notBefore: 0 };
          caller.place = { ...caller.place, callback };
          say({ type: 'CallbackRequested', callId, visit: 1, key: callback.key, number: callback.number });
          say({ type: 'CallLeft', callId, visit: 1, why: 'abandoned' });
        });
      }
    });
  }
  for (const one of scene.breaks) {
    at(begin + 10 + one.atMs, () => {
      if (one.does === 'resync') resync(true);
      else if (one.does === 'configured') apply({ type: 'QueuesConfigured', queues: scene.queues });
      else if (one.does === 'taken over') {
        epoch += 1;
        if (!one.records) records = new Map();
        const memory = memoryOf(desk);
        desk = one.desk === 'none' ? newDesk(epoch) : takenOver(JSON.parse(JSON.stringify(one.desk === 'old' ? old : desk)) as Desk, epoch);
        if (one.desk !== 'whole') {
          ledger.forget(one.desk === 'none' ? null : desk, one.records);
          apply({ type: 'QueuesConfigured', queues: scene.queues });
        }
        timerAt = null;
        if (one.records) apply({ type: 'Remembered', ...memory });
        resync(false);
      }
    });
  }
  at(begin + quietAt, () => {
    for (const worker of workers.values()) {
      logIn(worker, [phoneOf(worker)]);
      choose(worker, 'available');
      if (worker.calls.some((id) => id.startsWith('own'))) worker.calls = worker.calls.filter((id) => !id.startsWith('own'));
    }
  });
  // What was on its way has come or is lost; then twice, since an answer to what was found may be news again.
  for (const ms of [10_000, 130_000, 260_000]) {
    at(begin + quietAt + ms, () => {
      // Who has missed a call since is on a break, and comes back.
      for (const worker of workers.values()) choose(worker, 'available');
      resync(false);
    });
  }

  let done = 0;
  for (let next = agenda.shift(); next !== undefined && next.at <= begin + endAt; next = agenda.shift()) {
    now = next.at;
    next.act();
    done += 1;
    must(done < 60_000, 'a desk comes to rest');
  }
  for (const caller of callers.values()) {
    const served = scene.queues.find(({ id }) => id === caller.place.queue)?.tiers.some(({ agents }) => agents.some(({ agent }) => workers.has(agent))) ?? false;
    must(caller.state === 'gone' || !served, 'nobody who waits is forgotten', { place: caller.place, state: caller.state });
    must(caller.rings.size === 0, 'no phone rings for a call that is over', caller.place.callId);
  }
  for (const { service, offer, id } of Object.values(desk.agents)) must(service === null && offer === null, 'no agent is kept busy by what is over', id);
  must(Object.keys(desk.offers).length === 0, 'no offer is left', desk.offers);
}
