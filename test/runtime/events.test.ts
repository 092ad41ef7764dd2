/** What facts are to those who follow an account, and how events leave a controller. */
import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import type { CallFact } from '../../control-plane/core/call/facts.ts';
import { emptyCdr, foldCdr, type Cdr } from '../../control-plane/core/cdr/cdr.ts';
import type { DeskFact } from '../../control-plane/core/queue/facts.ts';
import { eventSchemas, type NewEvent } from '../../control-plane/events/catalogue.ts';
import { eventOfEnd, eventsOfCall } from '../../control-plane/events/of-calls.ts';
import { eventsOfDesk } from '../../control-plane/events/of-desk.ts';
import { registrationEvents } from '../../control-plane/events/of-registrations.ts';
import { createPublisher } from '../../control-plane/events/publisher.ts';
import { eventTypes } from '../../control-plane/events/types.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { memoryEventLog } from '../support/memory-events.ts';
import { until } from '../support/until.ts';
import { onePhonePlan, silent } from './sample-call.ts';

const at = 1_763_740_000_000;
const told = (events: readonly NewEvent[]): readonly NewEvent[] => {
  for (const event of events) eventSchemas[event.type].parse({ id: '1-0', ...event });
  return events;
};

const call: readonly CallFact[] = [
  { type: 'CallStarted', caller: { number: '+12025550187', name: 'Pat' }, dialled: '+12025550110', origin: 'trunk', startedAt: at },
  { type: 'LegDialed', legId: 'c--l1', user: 'ana', label: 'Desk', target: { kind: 'extension', endpoint: '101' } as never, trunk: 'carrier' },
  { type: 'LegRang', legId: 'c--l1' },
  { type: 'LegConnected', legId: 'c--l1', bridgeId: 'c--b1' },
  { type: 'TransferStarted', legId: 'c--l1', kind: 'attended', to: '102', consultation: 'c2' },
  { type: 'TransferEnded', outcome: 'answered' },
  { type: 'CallEnded', cause: 'normal', disposition: 'answered', by: 'caller' },
];

/** Fact by fact, as a controller tells them. */
const eventsOf = (facts: readonly CallFact[], plan = onePhonePlan): readonly NewEvent[] => {
  let record: Cdr = emptyCdr('c', plan);
  return facts.flatMap((fact, i) => {
    record = foldCdr(record, fact, at + i);
    return told([...eventsOfCall(record, fact, at + i), ...(fact.type === 'CallEnded' ? eventOfEnd(record) : [])]);
  });
};

describe('a call', () => {
  it('is told as it begins, is answered, transferred and ends, and not leg by leg', () => {
    expect(eventsOf(call).map(({ type, at: when }) => [type, when - at])).toEqual([['call.started', 0], ['call.answered', 3], ['call.transferred', 4], ['call.transfer-ended', 5], ['call.ended', 6]]);
  });

  it('is known by each event without a request', () => {
    const { account } = onePhonePlan;
    const events = eventsOf(call);
    for (const event of events) expect(event).toMatchObject({ account: account.id, data: { callId: 'c', caller: { number: '+12025550187', name: 'Pat' }, dialled: '+12025550110' } });
    expect(events[1]?.data).toMatchObject({ leg: { legId: 'c--l1', user: 'ana', label: 'Desk', trunk: 'carrier' } });
    expect(events.at(-1)?.data).toMatchObject({ disposition: 'answered', endedBy: 'caller', legs: [{ legId: 'c--l1' }] });
  });

  it('is answered by a leg whose dialling was not seen', () => {
    expect(eventsOf([{ type: 'LegConnected', legId: 'c--l7', bridgeId: 'c--b1' }])[0]?.data).toMatchObject({ leg: { legId: 'c--l7', user: '' } });
  });

  it('of no account is told to nobody', () => {
    expect(eventsOf(call, { ...onePhonePlan, account: { id: '', name: '' } })).toEqual([]);
  });
});

describe('a queue', () => {
  const queued = { callId: 'c', queue: 'front' } as const;
  const facts: { readonly [T in DeskFact['type']]: readonly [Omit<Extract<DeskFact, { type: T }>, 'type'>, NewEvent['type'] | null] } = {
    CallEntered: [{ ...queued, enteredAt: at, regained: false }, 'queue.entered'],
    JoinRefused: [{ ...queued, why: 'full' }, 'queue.refused'],
    CallLeft: [{ ...queued, why: 'abandoned', waitedMs: 5000 }, 'queue.left'],
    CallRequeued: [{ ...queued, agent: 'ana' }, 'queue.requeued'],
    CallbackHeld: [{ ...queued, key: 'k' }, 'queue.callback-held'],
    CallbackTried: [{ ...queued, again: null }, 'queue.callback-tried'],
    OfferMade: [{ ...queued, offerId: 'o', agent: 'ana' }, 'offer.made'],
    OfferEnded: [{ ...queued, offerId: 'o', agent: 'ana', outcome: 'timed-out', why: 'no answer' }, 'offer.ended'],
    AcceptRefused: [{ offerId: 'o', outcome: null, why: 'unknown', endedAt: null }, null],
    CallConnected: [{ ...queued, agent: 'ana', waitedMs: 5000 }, 'queue.connected'],
    ServiceEnded: [{ ...queued, agent: 'ana', talkedMs: 5000 }, 'queue.service-ended'],
    AgentStatusChanged: [{ agent: 'ana', status: 'break', by: 'missed' }, 'agent.status'],
    AgentStateChanged: [{ agent: 'ana', state: 'wrap-up' }, 'agent.state'],
    DeskRebuilt: [{ calls: 0, offers: 0, agents: 0 }, null],
  };

  it.each(Object.entries(facts))('%s is told in its own words', (type, [fact, expected]) => {
    const events = told(eventsOfDesk('north', { type, ...fact } as DeskFact, at));
    expect(events.map((event) => [event.type, event.account, event.at])).toEqual(expected === null ? [] : [[expected, 'north', at]]);
  });

  it('has the words of the core in its schemas, all of them', () => {
    const types = new Set(Object.values(facts).map(([, type]) => type));
    expect(eventTypes.filter((type) => /^(queue|offer|agent)\./.test(type)).filter((type) => !types.has(type))).toEqual(['agent.pins-refused']);
  });
});

describe('phones and trunks', () => {
  it('are told when they come and go, and not when they are reached elsewhere', () => {
    const events = registrationEvents();
    const phone = { account: 'north', kind: 'device', id: 'desk', state: 'registered', contact: 'sip:1@192.0.2.7', userAgent: null, since: null, roundTripMs: null } as const;
    const seen = ([phone, { ...phone, contact: 'sip:1@192.0.2.8' }, { ...phone, state: 'unregistered' }, { ...phone, state: 'unknown' }, { ...phone, kind: 'trunk', state: 'unreachable' }, phone] as const).map((one) => told(events(one, at)).map(({ type }) => type));
    expect(seen).toEqual([['device.reachable'], [], ['device.unreachable'], [], ['trunk.unreachable'], ['device.reachable']]);
  });
});

describe('every type of event', () => {
  it('has a schema with a name of its own', () => {
    const names = eventTypes.map((type) => z.globalRegistry.get(eventSchemas[type])?.id);
    expect([names.every((name) => name?.endsWith('Event')), new Set(names).size]).toEqual([true, eventTypes.length]);
  });
});

const started = (n: number, account = 'north'): NewEvent => ({ at, account, type: 'agent.state', data: { agent: `a${n}`, state: 'idle' } });
const texts = async (log: ReturnType<typeof memoryEventLog>, account = 'north'): Promise<readonly unknown[]> =>
  (await log.read(account, '0-0', 10_000)).flatMap(({ event }) => (typeof event === 'string' ? [] : [event.type === 'agent.state' ? event.data.agent : event.type === 'gap' ? `gap of ${event.data.dropped}` : event.type]));
const publishing = (room: number) => {
  const store = memoryEventLog();
  const metrics = createMetrics();
  return { store, metrics, publisher: createPublisher({ store, log: silent, metrics, room }) };
};

describe('publishing', () => {
  it('keeps the order, over many batches', async () => {
    const { store, publisher } = publishing(10_000);
    for (let n = 0; n < 900; n++) publisher.publish(started(n));
    await publisher.flush(5000);
    expect(await texts(store)).toEqual(Array.from({ length: 900 }, (_, n) => `a${n}`));
    publisher.stop();
  });

  it('waits while the store is away, and goes on in order when it is back', async () => {
    const { store, metrics, publisher } = publishing(100);
    store.away = true;
    for (let n = 0; n < 50; n++) publisher.publish(started(n));
    await until(() => metrics.read()['events_waiting'] === 50, { describe: 'they wait' });
    store.away = false;
    publisher.publish(started(50));
    await publisher.flush(5000);
    expect([await texts(store), metrics.get('events_dropped_total'), metrics.get('events_published_total')]).toEqual([Array.from({ length: 51 }, (_, n) => `a${n}`), 0, 51]);
    publisher.stop();
  });

  it('drops what has no room, and says so where it is missing, to each account its own', async () => {
    const { store, metrics, publisher } = publishing(10);
    store.away = true;
    for (let n = 0; n < 15; n++) publisher.publish(started(n));
    publisher.publish(started(99, 'south'));
    expect(metrics.get('events_dropped_total')).toBe(6);
    store.away = false;
    await publisher.flush(5000);
    publisher.publish(started(16));
    await publisher.flush(5000);
    expect(await texts(store)).toEqual([...Array.from({ length: 10 }, (_, n) => `a${n}`), 'gap of 5', 'a16']);
    expect(await texts(store, 'south')).toEqual(['gap of 1']);
    publisher.stop();
  });

  it('that cannot be sent delays nobody, and ends in time', async () => {
    const { store, publisher } = publishing(10);
    store.away = true;
    publisher.publish(started(1));
    const began = performance.now();
    await publisher.flush(50);
    publisher.stop();
    expect(performance.now() - began).toBeLessThan(1000);
    expect(await texts(Object.assign(store, { away: false }))).toEqual([]);
  });

  it('sends a batch again whose answer was lost, and each event is there once', async () => {
    const store = memoryEventLog();
    let lost = 0;
    const publisher = createPublisher({ log: silent, metrics: createMetrics(), store: { append: async (name, events) => {
      await store.append(name, events);
      lost += 1;
      if (lost <= 2) throw new Error('The answer was lost');
    } } });
    for (let n = 0; n < 5; n++) publisher.publish(started(n));
    await publisher.flush(5000);
    expect([await texts(store), lost]).toEqual([['a0', 'a1', 'a2', 'a3', 'a4'], 3]);
    publisher.stop();
  });
});
