/**
 * Several controllers that run desks, in a time that a test moves: real leases, a store and a link in memory, and calls and
 * phones that do as they are told. A call belongs to a controller, and to another a while after that one has died.
 */
import type { DeskMessage } from '../../control-plane/core/call/commands.ts';
import type { DeskView } from '../../control-plane/core/call/desk-view.ts';
import type { Place, Service } from '../../control-plane/core/queue/desk.ts';
import type { DeskFact } from '../../control-plane/core/queue/facts.ts';
import type { transition } from '../../control-plane/core/queue/transition.ts';
import type { CallsHere } from '../../control-plane/runtime/desks/calls-here.ts';
import { createDesks, type Desks } from '../../control-plane/runtime/desks/desks.ts';
import type { CallsCommand, MeasuredCall } from '../../control-plane/runtime/desks/messages.ts';
import { createLease, leaseMs } from '../../control-plane/runtime/lease.ts';
import { deskLinks, sharedRecords, type SharedRecords } from '../../control-plane/store/memory-desks.ts';
import { sharedOwners } from '../../control-plane/store/memory-ownership.ts';
import type { AgentRecords, Ownership } from '../../control-plane/store/ports.ts';
import { createMetrics, type Metrics } from '../../control-plane/telemetry/metrics.ts';
import { mortal } from '../support/mortal.ts';
import { createVirtualClock, settled, type VirtualClock } from '../support/virtual-clock.ts';

export const account = 'clinic';
/** Until another controller has the calls of one that is dead, once it is noticed. */
const adoptionMs = 700;
const sayAgainMs = 2_000;
const connectAnywayMs = 12_000;
/** What an agent does is known to all after this, and after that with a controller dead in between. */
const toldMs = 3_000;
const toldAnywayMs = 12_000;

/** What an agent's phone does with an offer, and after how long. */
export interface Answer {
  readonly does: 'accepts' | 'declines' | 'rings on';
  readonly afterMs: number;
}

interface Ring {
  readonly agent: string;
  readonly offeredAt: number;
  readonly deadline: number;
  acceptedAt: number | null;
}

export interface WorldCall {
  readonly id: string;
  place: Place;
  /** Null: nobody's just now. */
  owner: string | null;
  state: 'waiting' | 'talking' | 'gone';
  held: boolean;
  leftWhy: string | null;
  readonly rings: Map<string, Ring>;
  service: Service | null;
}

export interface Node {
  readonly name: string;
  readonly desks: Desks;
  readonly metrics: Metrics;
  readonly facts: DeskFact[];
  readonly errors: string[];
  kill(): void;
  /** It gets no time; what it has asked of the store is under way all the same. */
  freeze(): void;
  thaw(): void;
}

export interface World {
  readonly clock: VirtualClock;
  readonly calls: ReadonlyMap<string, WorldCall>;
  readonly records: SharedRecords;
  /** `Ana: one` for each that an agent got, in order. */
  readonly served: string[];
  /** What must not be: two calls at one agent, or one that is taken back from an agent who is in no other. */
  readonly wrongs: string[];
  start(name: string, options?: { readonly transition?: typeof transition; readonly records?: AgentRecords }): Promise<Node>;
  node(name: string): Node;
  leader(): Node | undefined;
  join(callId: string, at: string, place?: Partial<Place>): WorldCall;
  /** The caller hangs up. */
  leave(callId: string): void;
  /** A call of the agent's own, with this controller. */
  ownCall(callId: string, agent: string, at: string): { over(): void };
  isBusy(agent: string): boolean;
  /** Of each agent; by default all accept after two seconds. */
  readonly answers: Map<string, Answer>;
  talkMs: number;
  /** Per cent of what is said over the link. */
  lost: number;
  /** For so long at most is what calls were measured to be in on its way; whatever was said later may come before. */
  lateMs: number;
  /** Both may ring an agent at once, since they cannot know of each other. */
  apart: boolean;
  storeAway(): void;
  storeBack(options: { readonly empty: boolean }): void;
  pass(ms: number): Promise<void>;
  /** Of that queue, by the desk that runs. */
  line(queue: string): readonly string[];
}

export function createDesksWorld(): World {
  const clock = createVirtualClock();
  const owners = sharedOwners({ now: () => clock.now(), leaseMs });
  const links = deskLinks();
  const shared = sharedRecords();
  const nodes = new Map<string, Node & { readonly alive: () => boolean; readonly ownership: Ownership }>();
  const calls = new Map<string, WorldCall>();
  const own = new Map<string, { readonly measured: MeasuredCall; owner: string | null }>();
  const ended = new Set<string>();
  /** When a call of the agent's own was over last. */
  const ownOver = new Map<string, number>();
  /** Whom each agent's phone rings for, or talks with. */
  const busy = new Map<string, string>();
  /** Calls of agents' own that others cannot have heard of yet. */
  const untold = new Set<string>();
  let troubledAt = 0;
  let seed = 7;
  const random = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };

  const world: World = {
    clock, calls, records: shared, served: [], wrongs: [], answers: new Map(), talkMs: 20_000, lost: 0, lateMs: 0, apart: false,
    start, join, leave, ownCall, isBusy: (agent) => busy.has(agent),
    node: (name) => {
      const node = nodes.get(name);
      if (node === undefined) throw new Error(`There is no ${name}.`);
      return node;
    },
    leader: () => [...nodes.values()].find(({ desks, alive }) => alive() && desks.role() === 'leads'),
    storeAway: () => { for (const store of [owners, links, shared]) store.away(); },
    storeBack: (options) => {
      owners.back(options);
      links.back();
      shared.back(options);
    },
    pass: async (ms) => {
      await clock.pass(ms);
      await settled();
    },
    line: (queue) => world.leader()?.desks.running().find((one) => one.account === account)?.desk.queues[queue]?.waiting.map(({ callId }) => callId) ?? [],
  };

  const tell = (call: WorldCall, message: DeskMessage): void => {
    const node = nodes.get(call.owner ?? '');
    if (node?.alive() === true) node.desks.tell(account, message);
  };
  const changed = (call: WorldCall): void => nodes.get(call.owner ?? '')?.desks.changed();
  const occupy = (agent: string, callId: string): void => {
    const other = busy.get(agent);
    if (other !== undefined && other !== callId && !untold.has(other) && !world.apart) world.wrongs.push(`${agent} is rung for ${callId} while in ${other}`);
    busy.set(agent, callId);
  };
  const drop = (call: WorldCall, offerId: string): void => {
    const ring = call.rings.get(offerId);
    if (ring === undefined) return;
    call.rings.delete(offerId);
    if (busy.get(ring.agent) === call.id) busy.delete(ring.agent);
    changed(call);
  };
  const end = (call: WorldCall, why: string): void => {
    for (const offerId of call.rings.keys()) drop(call, offerId);
    if (call.service !== null && busy.get(call.service.agent) === call.id) busy.delete(call.service.agent);
    Object.assign(call, { state: 'gone', leftWhy: why, service: null });
    ended.add(call.id);
    nodes.get(call.owner ?? '')?.ownership.end(call.id);
    changed(call);
  };
  const joins = (call: WorldCall): void => {
    if (call.state !== 'waiting' || call.held) return;
    const { callback: _none, ...place } = call.place;
    tell(call, { type: 'CallJoined', place, offers: [...call.rings.keys()] });
    clock.setTimer(clock.now() + sayAgainMs, () => { joins(call); });
  };
  const accepts = (call: WorldCall, offerId: string): void => {
    const ring = call.rings.get(offerId);
    if (ring === undefined || call.state !== 'waiting') return;
    ring.acceptedAt ??= clock.now();
    tell(call, { type: 'OfferAccepted', offerId });
    if (clock.now() - ring.acceptedAt >= connectAnywayMs) connect(call, offerId, ring);
    else clock.setTimer(clock.now() + sayAgainMs, () => { accepts(call, offerId); });
  };
  const connect = (call: WorldCall, offerId: string, ring: Ring): void => {
    call.rings.delete(offerId);
    for (const id of call.rings.keys()) drop(call, id);
    call.state = 'talking';
    call.service = { offerId, agent: ring.agent, place: call.place, acceptedAt: ring.acceptedAt ?? clock.now(), connectedAt: clock.now(), seen: false };
    world.served.push(`${ring.agent}: ${call.id}`);
    occupy(ring.agent, call.id);
    tell(call, { type: 'OfferConnected', offerId });
    changed(call);
    clock.setTimer(clock.now() + world.talkMs, () => {
      if (call.state !== 'talking') return;
      end(call, 'served');
      tell(call, { type: 'AgentReleased', offerId });
    });
  };
  const rings = (call: WorldCall, { offerId, agent, ringMs }: Extract<CallsCommand, { type: 'OfferCall' }>): void => {
    call.rings.set(offerId, { agent, offeredAt: clock.now(), deadline: clock.now() + ringMs + 5_000, acceptedAt: null });
    occupy(agent, call.id);
    changed(call);
    const { does, afterMs } = world.answers.get(agent) ?? { does: 'accepts', afterMs: 2_000 };
    const stillRings = (): boolean => call.rings.get(offerId)?.acceptedAt === null;
    if (does === 'accepts') clock.setTimer(clock.now() + afterMs, () => { if (stillRings()) accepts(call, offerId); });
    if (does === 'declines') {
      clock.setTimer(clock.now() + afterMs, () => {
        if (!stillRings()) return;
        drop(call, offerId);
        tell(call, { type: 'OfferRejected', offerId, why: 'declined' });
      });
    }
    clock.setTimer(clock.now() + ringMs, () => {
      if (!stillRings()) return;
      drop(call, offerId);
      tell(call, { type: 'OfferTimedOut', offerId });
    });
  };
  const obey = (call: WorldCall, command: CallsCommand): void => {
    switch (command.type) {
      case 'HoldPlace':
        if (command.visit !== call.place.visit) return;
        call.held = true;
        call.place = { ...call.place, enteredAt: command.enteredAt };
        return;
      case 'LeaveQueue':
        if (call.state === 'waiting' && command.visit === call.place.visit) end(call, command.why);
        return;
      case 'OfferCall':
        if (call.state !== 'waiting') tell(call, { type: 'OfferCanceled', offerId: command.offerId, left: true });
        else if (!call.rings.has(command.offerId)) rings(call, command);
        return;
      case 'ConnectOffer': {
        const ring = call.rings.get(command.offerId);
        if (call.service?.offerId === command.offerId) return;
        if (ring?.acceptedAt != null && call.state === 'waiting') connect(call, command.offerId, ring);
        else tell(call, { type: 'OfferBridgeFailed', offerId: command.offerId, lost: 'agent' });
        return;
      }
      case 'WithdrawOffer':
        takenBack(call, command);
        drop(call, command.offerId);
        tell(call, { type: 'OfferCleared', offerId: command.offerId });
        return;
      case 'TellPosition':
    }
  };
  const takenBack = (call: WorldCall, { offerId, why }: Extract<CallsCommand, { type: 'WithdrawOffer' }>): void => {
    const ring = call.rings.get(offerId);
    if (why !== 'agent-on-call' || ring === undefined || world.apart) return;
    const { agent } = ring;
    const inOthers = [...[...calls.values()].filter((one) => one !== call).flatMap(measuredOf), ...[...own.values()].map(({ measured }) => measured)].some(({ users }) => users.includes(agent));
    if (!inOthers && clock.now() - (ownOver.get(agent) ?? -Infinity) > toldMs) world.wrongs.push(`${call.id} is taken back from ${agent}, who is in no other call`);
  };
  /** Who has waited longer than the one who is served now, and is not known to that desk. */
  const overtaken = (desks: Desks, served: string): readonly string[] => {
    if (world.apart) return [];
    const first = calls.get(served)?.place.enteredAt ?? 0;
    const desk = desks.running().find((one) => one.account === account)?.desk;
    const known = new Set([...(desk?.queues['front']?.waiting ?? []).map(({ callId }) => callId), ...Object.values(desk?.agents ?? {}).map(({ service }) => service?.place.callId)]);
    return [...calls.values()].filter(({ id, state, place: { enteredAt, joinedAt } }) => state === 'waiting' && enteredAt < first && clock.now() - joinedAt > toldAnywayMs && !known.has(id)).map(({ id }) => `${served} is served before ${id}, who has waited longer`);
  };
  const viewOf = ({ id, place, state, rings: open, service }: WorldCall): DeskView => ({
    place: state === 'waiting' ? place : null, service,
    offers: [...open].map(([offerId, { agent, offeredAt, deadline }]) => ({ offerId, callId: id, queue: place.queue, agent, offeredAt, deadline })),
  });
  const measuredOf = (call: WorldCall): readonly MeasuredCall[] => {
    const parties = [...[...call.rings].map(([offerId, { agent }]) => ({ offerId, agent })), ...(call.service === null ? [] : [call.service])];
    return parties.map(({ offerId, agent }) => ({ account, callId: call.id, offer: offerId, users: [agent], devices: [] }));
  };

  async function start(name: string, { transition: broken, records = shared }: { readonly transition?: typeof transition; readonly records?: AgentRecords } = {}): Promise<Node> {
    const life = mortal(clock);
    let finding = 0;
    const errors: string[] = [];
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (fields: object, sentence: string) => { if (life.isAlive()) errors.push(`${sentence} ${JSON.stringify(fields)}`); } };
    const metrics = createMetrics();
    const ownership = owners.of(name);
    const lease = createLease({
      clock: life.clock, log, metrics, onSure: () => undefined, onReplaced: () => { errors.push('replaced'); },
      ownership: { ...ownership, renew: (token) => life.gate(ownership.renew(token)), orphans: () => life.gate(ownership.orphans()) },
      onLapsed: (gone) => {
        for (const other of gone) void ownership.take(lease.token() ?? 0, other, Infinity).catch(() => undefined);
        const theirs = [...calls.values(), ...own.values()].filter(({ owner }) => owner !== null && gone.includes(owner));
        if (theirs.length === 0) return;
        for (const call of theirs) call.owner = null;
        finding += 1;
        life.clock.setTimer(clock.now() + adoptionMs, () => {
          finding -= 1;
          for (const call of theirs) {
            call.owner = name;
            if (!('id' in call)) continue;
            if (call.state === 'gone') ownership.end(call.id);
            if (call.state === 'waiting') {
              call.held = false;
              joins(call);
            } else if (call.service !== null) {
              tell(call, { type: 'OfferAccepted', offerId: call.service.offerId });
              tell(call, { type: 'OfferConnected', offerId: call.service.offerId });
            }
          }
          node.desks.changed();
        });
      },
    });
    const mine = (): readonly WorldCall[] => [...calls.values()].filter(({ owner, state }) => owner === name && state !== 'gone');
    const here: CallsHere = {
      settled: () => finding === 0,
      calls: () => [...mine().map(({ id }) => id), ...[...own.values()].filter(({ owner }) => owner === name).map(({ measured }) => measured.callId)],
      views: () => mine().map((call) => ({ account, view: viewOf(call) })),
      measured: () => [...mine().flatMap(measuredOf), ...[...own.values()].filter(({ owner }) => owner === name).map(({ measured }) => measured)],
      tell: (command) => {
        const call = calls.get(command.callId);
        if (call?.owner !== name || call.state === 'gone') return false;
        obey(call, command);
        return true;
      },
      endedLately: (callId) => ended.has(callId) && calls.get(callId)?.owner === name,
      isOfPhone: () => true,
    };
    const link = links.of(name);
    const desks = createDesks({
      controller: name, clock: life.clock, lease, here, random, log, metrics,
      link: {
        say: (to, text) => {
          const isReport = /"type":"(CallsMeasured)"/.test(text);
          if (random() * 100 >= world.lost) clock.setTimer(clock.now() + 1 + (isReport ? Math.floor(random() * world.lateMs) : 0), () => { link.say(to, text); });
        },
        listen: (heard) => link.listen((text) => { life.inTime(() => { heard(text); }); }),
      },
      records: { begin: (atLeast) => life.gate(records.begin(atLeast)), read: (of) => life.gate(records.read(of)), keep: (...args) => life.gate(records.keep(...args)), recall: (of) => life.gate(records.recall(of)), remember: (...args) => life.gate(records.remember(...args)) },
      ...(broken === undefined ? {} : { transition: broken }),
    });
    const facts: DeskFact[] = [];
    desks.observe((_, fact) => {
      facts.push(fact);
      if (fact.type === 'OfferMade') world.wrongs.push(...overtaken(desks, fact.callId));
    });
    const node = {
      name, desks, metrics, facts, errors, ownership, alive: () => life.isAlive(), thaw: () => { life.thaw(); },
      kill: () => {
        life.kill();
        troubledAt = clock.now();
        ownership.stop();
      },
      freeze: () => {
        troubledAt = clock.now();
        life.freeze();
      },
    };
    nodes.set(name, node);
    await lease.start();
    return node;
  }
  function join(callId: string, at: string, place: Partial<Place> = {}): WorldCall {
    const call: WorldCall = {
      id: callId, owner: at, state: 'waiting', held: false, leftWhy: null, rings: new Map(), service: null,
      place: { callId, visit: 1, queue: 'front', priority: 0, enteredAt: clock.now(), joinedAt: clock.now(), number: null, sticky: null, callback: null, ...place },
    };
    calls.set(callId, call);
    nodes.get(at)?.ownership.begin(callId);
    joins(call);
    return call;
  }
  function leave(callId: string): void {
    const call = calls.get(callId);
    if (call === undefined || call.state === 'gone') return;
    const { service } = call;
    end(call, 'abandoned');
    if (service === null) tell(call, { type: 'CallLeft', callId, visit: call.place.visit, why: 'abandoned' });
    else tell(call, { type: 'AgentReleased', offerId: service.offerId });
  }
  function ownCall(callId: string, agent: string, at: string): { over(): void } {
    own.set(callId, { owner: at, measured: { account, callId, offer: null, users: [agent], devices: [] } });
    occupy(agent, callId);
    nodes.get(at)?.ownership.begin(callId);
    nodes.get(at)?.desks.changed();
    const beganAt = clock.now();
    untold.add(callId);
    clock.setTimer(beganAt + toldMs, () => { if (troubledAt < beganAt) untold.delete(callId); });
    clock.setTimer(beganAt + toldAnywayMs, () => { untold.delete(callId); });
    return {
      over: () => {
        const owner = own.get(callId)?.owner ?? '';
        nodes.get(owner)?.ownership.end(callId);
        own.delete(callId);
        ownOver.set(agent, clock.now());
        if (busy.get(agent) === callId) busy.delete(agent);
        nodes.get(owner)?.desks.changed();
      },
    };
  }

  return world;
}
