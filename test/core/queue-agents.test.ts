/** Agents of queues: what is offered to whom, what becomes of it, and when an agent is asked again. */
import { describe, expect, it } from 'vitest';
import { takenOver } from '../../control-plane/core/queue/desk.ts';
import { countAgentFact, countFact, noAgentFigures, noFigures, serviceLevel, serviceLevelOfAnswered } from '../../control-plane/core/queue/figures.ts';
import { deskOf, openDesk, queue } from './support/desk.ts';

const both = [queue({ agents: ['ana'], wrapUpMs: 30_000 }), queue({ id: 'back', agents: ['ana'], wrapUpMs: 1000 })];

const logsIn = (agent: string, devices: readonly string[], at: number) => ({ type: 'AgentLoggedIn', agent, devices, at }) as const;
/** The record of an agent who has `desk` beside a phone of their own. */
const sharing = (id: string, devicesAt: number) => ({ id, status: 'available', statusAt: 1, devices: ['desk', `${id}-own`], devicesAt, ready: false, wrapUpUntil: 0, restUntil: 0, missed: 0, idleSince: 0, taken: {}, n: 1, calls: [] }) as const;

const twoAt = (...phones: readonly string[]) => openDesk([queue({ agents: ['ana', 'ben'], strategy: 'top-down' })], []).comes('ana', 'ben').hears(logsIn('ana', phones, 10 ** 12));

describe('A phone', () => {
  it('is of who logs in on it last: who had it is logged out of it, is offered nothing more, and keeps the others', () => {
    const desk = twoAt('desk', 'window').hears(logsIn('ben', ['desk'], 10 ** 12 + 5));
    expect([desk.desk().agents['ana'], desk.desk().agents['ben']]).toMatchObject([{ devices: ['window'], devicesAt: 10 ** 12 + 5, status: 'available' }, { devices: ['desk'] }]);
    desk.hears(logsIn('ben', ['desk', 'window'], 10 ** 12 + 9));
    expect(desk.desk().agents['ana']).toMatchObject({ devices: [], devicesAt: 10 ** 12 + 9 });
    expect(desk.joins('one').offered()).toEqual(['one → ben']);
  });

  it('that is taken while it rings for who had it rings for that one no more', () => {
    const desk = twoAt('desk').joins('one');
    expect(desk.offered()).toEqual(['one → ana']);
    desk.hears(logsIn('ben', ['desk'], 10 ** 12 + 5));
    expect(desk.commands().map((one) => (one.type === 'WithdrawOffer' ? one.why : one.type))).toContain('agent-left');
    expect(desk.offered()).toEqual(['one → ben']);
  });

  it('stays whose it is by a log-in that comes late', () => {
    expect(twoAt('desk').hears(logsIn('ben', ['desk', 'window'], 10 ** 12 - 5)).desk().agents).toMatchObject({ ana: { devices: ['desk'] }, ben: { devices: ['window'] } });
  });

  it('of two records, each of a desk of its own, is of the later log-in', () => {
    const desk = openDesk([queue({ agents: ['ana', 'ben'] })], []);
    desk.hears({ type: 'Rebuilt', found: { epoch: 9, asOf: desk.now(), calls: [], offers: [], services: [], agents: [sharing('ana', 70), sharing('ben', 60)] } });
    expect(desk.desk().agents).toMatchObject({ ana: { devices: ['desk', 'ana-own'] }, ben: { devices: ['ben-own'], devicesAt: 70 } });
  });
});

describe('An offer', () => {
  it('is one at a time to an agent of several queues: the heavier first, then who has waited longest', () => {
    const desk = openDesk([queue({ agents: ['ana'] }), queue({ id: 'back', agents: ['ana'], weight: 2 })], []).joins('one').waits(10).joins('two', { queue: 'back' }).waits(10).joins('three', { queue: 'back' });
    expect(desk.comes('ana').offered()).toEqual(['two → ana']);
    const even = openDesk([queue({ agents: ['ana'] }), queue({ id: 'back', agents: ['ana'] })], []).joins('two', { queue: 'back', enteredAt: 5 }).joins('one', { enteredAt: 4 });
    expect(even.comes('ana').offered()).toEqual(['one → ana']);
  });

  it('is made past a head whom nobody may serve yet', () => {
    const tiers = [{ agents: [{ agent: 'ana', share: 1 }], delayMs: 20_000 }, { agents: [{ agent: 'ben', share: 1 }], delayMs: 0 }];
    const desk = openDesk([queue({ tiers })], ['ana']).joins('talks').talks('talks').joins('long').waits(20_000).joins('urgent', { priority: 1 });
    expect(desk.comes('ben').offered()).toEqual(['long → ben']);
  });

  it('comes to the next tier after its delay; a tier with nobody there is not waited for', () => {
    const tiers = [{ agents: [{ agent: 'ana', share: 1 }], delayMs: 20_000 }, { agents: [{ agent: 'ben', share: 1 }], delayMs: 0 }];
    const desk = openDesk([queue({ tiers })], ['ana', 'ben']).joins('talks').talks('talks').joins('one');
    expect(desk.waits(19_999).offered()).toEqual([]);
    expect(desk.waits(1).offered()).toEqual(['one → ben']);
    expect(openDesk([queue({ tiers })], ['ben']).joins('one').offered()).toEqual(['one → ben']);
  });

  it('that is declined comes to the next, and to the same again when all have declined', () => {
    const desk = openDesk([queue()], ['ana', 'ben']).joins('one').declines('one');
    expect(desk.offered()).toEqual(['one → ben']);
    expect(desk.declines('one').offered()).toEqual(['one → ana']);
  });

  it.each([['declined', 1000], ['busy', 2000], ['unreachable', 4000]] as const)('that is %s keeps the agent from the next for a time of its own', (why, ms) => {
    const desk = openDesk([queue({ rejectDelayMs: 1000, busyDelayMs: 2000, noAnswerDelayMs: 4000 })], ['ana']).joins('one').declines('one', why);
    expect(desk.waits(ms - 1).offered()).toEqual([]);
    expect(desk.waits(1).offered()).toEqual(['one → ana']);
  });

  it('that nobody speaks of any more is rescinded, and its acceptance is told so', () => {
    const desk = openDesk([queue({ offerMs: 10_000, noAnswerDelayMs: 60_000 })], ['ana']).joins('one');
    const offerId = desk.offerOf('one');
    expect(desk.waits(35_000).commands()).toMatchObject([{ type: 'WithdrawOffer', offerId, why: 'not-heard-of' }, { type: 'StartTimer' }]);
    expect(desk.stateOf('ana')).toBe('idle');
    expect(desk.desk().agents['ana']?.missed).toBe(0);
    desk.hears({ type: 'OfferAccepted', offerId });
    expect(desk.facts()).toEqual([{ type: 'AcceptRefused', offerId, outcome: 'rescinded', why: 'not-heard-of', endedAt: desk.now() }]);
    expect(desk.commands()).toEqual([{ type: 'WithdrawOffer', offerId, callId: 'one', why: 'over' }]);
    expect(desk.hears({ type: 'OfferAccepted', offerId: 'one--o0.7' }).facts()).toMatchObject([{ type: 'AcceptRefused', outcome: null }]);
  });

  it('whose end is told twice, or after another end, has ended once', () => {
    const desk = openDesk([queue({ noAnswerDelayMs: 1000 })], ['ana']).joins('one');
    const offerId = desk.offerOf('one');
    desk.ringsOut('one');
    for (const event of [{ type: 'OfferTimedOut', offerId } as const, { type: 'OfferRejected', offerId, why: 'declined' } as const, { type: 'OfferCanceled', offerId, left: true } as const]) {
      expect(desk.hears(event).facts()).toEqual([]);
    }
    expect([desk.line(), desk.desk().agents['ana']?.missed]).toEqual([['one'], 1]);
  });

  it('that is accepted twice is connected by the same answer twice', () => {
    const desk = openDesk([queue()], ['ana']).joins('one');
    const offerId = desk.offerOf('one');
    const said = [desk.accepts('one').commands(), desk.hears({ type: 'OfferAccepted', offerId }).commands()];
    for (const commands of said) expect(commands).toContainEqual({ type: 'ConnectOffer', offerId, callId: 'one', agent: 'ana' });
  });

  it('is rescinded when its agent goes on a break, logs out, or is on a call of their own', () => {
    for (const act of ['break', 'out', 'call'] as const) {
      const desk = openDesk([queue()], ['ana']).joins('one').waits(10);
      if (act === 'break') desk.takesABreak('ana');
      else if (act === 'out') desk.goes('ana');
      else desk.isMeasured('ana', 'one', 'mother');
      expect(desk.commands()[0]).toMatchObject({ type: 'WithdrawOffer', why: act === 'call' ? 'agent-on-call' : 'agent-left' });
      expect(desk.line()).toEqual(['one']);
    }
    expect(openDesk([queue()], ['ana']).joins('one').isMeasured('ana', 'one').offered()).toEqual(['one → ana']);
  });

  it('that was taken back keeps its agent from the next until nothing of it rings any more', () => {
    const desk = openDesk([queue({ strategy: 'ring-all' })], ['ana', 'ben']).ringsOn().joins('one').waits(10).joins('two');
    const offerId = desk.offerOf('one', 'ben');
    desk.accepts('one', 'ana');
    expect([desk.offered(), desk.stateOf('ben')]).toEqual([[], 'offered']);
    // as measured just before, by a controller that has not stopped it yet
    desk.waits(5).isMeasured('ben', 'one');
    expect([desk.hears({ type: 'OfferCleared', offerId }).offered(), desk.stateOf('ben')]).toEqual([[], 'on-call']);
    expect(desk.isMeasured('ben').offered()).toEqual(['two → ben']);
    expect(desk.hears({ type: 'OfferCleared', offerId }).offered()).toEqual(['two → ben']);
  });

  it('that was taken back, and of which nobody says that it is over, keeps its agent for two seconds', () => {
    const desk = openDesk([queue()], ['ana']).ringsOn().joins('one').joins('two').leaves('one').waits(1_999);
    expect(desk.offered()).toEqual([]);
    expect(desk.waits(1).offered()).toEqual(['two → ana']);
  });
});

const failed = (lost: 'agent' | 'neither'): ReturnType<typeof openDesk> => {
  const desk = openDesk([queue({ rejectDelayMs: 5000 })], ['ana']).joins('one').waits(10).joins('two').joins('urgent').accepts('one');
  return desk.hears({ type: 'OfferBridgeFailed', offerId: desk.desk().agents['ana']?.service?.offerId ?? '', lost });
};

describe('A call whose bridge fails', () => {
  it('is at the head again', () => {
    expect(failed('agent').line()).toEqual(['one', 'two', 'urgent']);
    expect(failed('agent').facts()).toMatchObject([{ type: 'CallRequeued', callId: 'one', agent: 'ana' }, { type: 'AgentStateChanged', state: 'idle' }]);
    expect(failed('agent').waits(4999).offered()).toEqual([]);
    expect(failed('agent').waits(5000).offered()).toEqual(['one → ana']);
    expect(failed('neither').offered()).toEqual(['one → ana']);
  });

  it('and of which nothing is heard is at the head again after a while', () => {
    const desk = openDesk([queue()], ['ana', 'ben']).joins('one').accepts('one').waits(89_999);
    expect(desk.line()).toEqual([]);
    expect(desk.waits(1).offered()).toEqual(['one → ben']);
  });
});

describe('An agent', () => {
  it('is asked for by status and measured by calls, which are two things', () => {
    const desk = openDesk([queue()], ['ana']).isMeasured('ana', 'mother').joins('one');
    expect([desk.stateOf('ana'), desk.desk().agents['ana']?.status, desk.offered()]).toEqual(['on-call', 'available', []]);
    expect(desk.isMeasured('ana').offered()).toEqual(['one → ana']);
    expect(desk.takesABreak('ana').stateOf('ana')).toBe('idle');
  });

  it('is measured by the newest report, whichever comes last', () => {
    const desk = openDesk([queue()], ['ana']).hears({ type: 'AgentMeasured', agent: 'ana', n: 100_000_002, calls: [] }).hears({ type: 'AgentMeasured', agent: 'ana', n: 100_000_001, calls: ['x'] });
    expect(desk.stateOf('ana')).toBe('idle');
  });

  it('is in wrap-up for the time of the queue, which a second queue does not shorten', () => {
    const desk = openDesk(both, ['ana']).joins('one').talks('one').ends('ana').joins('two', { queue: 'back' });
    expect(desk.stateOf('ana')).toBe('wrap-up');
    expect(desk.waits(29_999).offered()).toEqual([]);
    expect(desk.waits(1).offered()).toEqual(['two → ana']);
  });

  it('who takes a call of a second queue while the first is wrapped up has the longer of both', () => {
    const desk = openDesk(both, ['ana']).joins('one').talks('one').ends('ana');
    const { wrapUpUntil = 0 } = desk.desk().agents['ana'] ?? {};
    const place = { callId: 'two', visit: 1, queue: 'back', priority: 0, enteredAt: 1, joinedAt: 1, number: null, sticky: null, callback: null };
    // Accepted by a controller that was cut off meanwhile.
    desk.isFound({ services: [{ offerId: 'two--o0.1', agent: 'ana', place, acceptedAt: desk.now(), connectedAt: desk.now(), seen: false }] }).waits(100).ends('ana');
    expect(desk.desk().agents['ana']?.wrapUpUntil).toBe(wrapUpUntil);
  });

  it('ends a call once, whoever says so and how often', () => {
    const desk = openDesk([queue({ wrapUpMs: 10_000 })], ['ana']).joins('one').talks('one');
    const offerId = desk.desk().agents['ana']?.service?.offerId ?? '';
    desk.isMeasured('ana', 'one').waits(1000).isMeasured('ana');
    expect(desk.facts()).toMatchObject([{ type: 'ServiceEnded', talkedMs: 1000 }, { type: 'AgentStateChanged', state: 'wrap-up' }]);
    expect(desk.waits(10_000).stateOf('ana')).toBe('idle');
    expect(desk.hears({ type: 'AgentReleased', offerId }).facts()).toEqual([]);
    expect(desk.desk().agents['ana']).toMatchObject({ taken: { front: { calls: 1 } } });
  });

  it('may end wrap-up; on demand each call is asked for', () => {
    const desk = openDesk(both, ['ana']).joins('one').talks('one').ends('ana').hears({ type: 'AgentReady', agent: 'ana' });
    expect(desk.stateOf('ana')).toBe('idle');
    desk.hears({ type: 'AgentStatusChosen', agent: 'ana', status: 'on-demand', at: 1e9 }).joins('two');
    expect(desk.offered()).toEqual([]);
    expect(desk.hears({ type: 'AgentReady', agent: 'ana' }).offered()).toEqual(['two → ana']);
    desk.talks('two').ends('ana').waits(60_000).joins('three');
    expect(desk.offered()).toEqual([]);
  });

  it('who has missed so many in a row is put on a break', () => {
    const desk = openDesk([queue({ pauseAfterMissed: 2 })], ['ana']).joins('one').ringsOut('one').ringsOut('one');
    expect(desk.facts()).toMatchObject([{ type: 'OfferEnded', outcome: 'timed-out' }, { type: 'AgentStatusChanged', status: 'break', by: 'missed' }, { type: 'AgentStateChanged' }]);
    expect(desk.commands()).toMatchObject([{ type: 'KeepStatus', agent: 'ana', status: 'break' }]);
    const taken = openDesk([queue({ pauseAfterMissed: 2 })], ['ana']).joins('one').ringsOut('one').talks('one').ends('ana').joins('two').ringsOut('two');
    expect(taken.offered()).toEqual(['two → ana']);
  });

  it('who comes to work is not given every call until the others are caught up with', () => {
    const desk = openDesk([queue({ strategy: 'fewest-calls' })], ['ana', 'ben']);
    for (let i = 0; i < 6; i++) desk.joins(`c${i}`).talks(`c${i}`).waits(10).ends(i % 2 === 0 ? 'ana' : 'ben').waits(10);
    desk.comes('cleo');
    expect(desk.desk().agents['cleo']?.taken).toMatchObject({ front: { calls: 3 } });
  });

  it('who had a caller last is waited for, for a while', () => {
    const desk = openDesk([queue({ strategy: 'sticky', stickyWaitMs: 8000, fallback: 'top-down' })], ['ana', 'ben']).joins('one', { sticky: 'x' }).declines('one').talks('one').ends('ben');
    expect(desk.joins('two', { sticky: 'x' }).offered()).toEqual(['two → ben']);
    desk.leaves('two').joins('other').declines('other').talks('other').joins('again', { sticky: 'x' }).joins('else', { enteredAt: desk.now() + 1 });
    expect(desk.offered()).toEqual(['else → ana']);
    desk.leaves('else');
    expect(desk.waits(7999).offered()).toEqual([]);
    expect(desk.waits(1).offered()).toEqual(['again → ana']);
  });

  it('who had a caller last is the first to be asked again when everybody has let the call pass', () => {
    const desk = openDesk([queue({ strategy: 'sticky', fallback: 'top-down' })], ['ana', 'ben']).joins('one', { sticky: 'x' }).declines('one').talks('one').ends('ben').joins('two', { sticky: 'x' });
    expect(desk.declines('two').offered()).toEqual(['two → ana']);
    expect(desk.declines('two').offered()).toEqual(['two → ben']);
  });
});

describe('A desk that is rebuilt', () => {
  it('has a call once that two controllers say they have', () => {
    const place = { callId: 'one', visit: 1, queue: 'front', priority: 0, enteredAt: 1_000, joinedAt: 1_000, number: null, sticky: null, callback: null };
    expect(openDesk([queue()], []).isFound({ calls: [place, place, { ...place, visit: 2 }] }).line()).toEqual(['one']);
  });

  it('has of an agent whom it knew by a queue’s list alone all that was kept', () => {
    const record = { id: 'ana', status: 'available', statusAt: 500_000, devices: ['phone'], devicesAt: 500_000, ready: false, wrapUpUntil: 0, restUntil: 0, missed: 2, idleSince: 700_000, taken: { front: { calls: 7, lastAt: 600_000 } } } as const;
    const desk = deskOf([queue()]).isFound({ agents: [{ ...record, n: 1, calls: [] }] });
    expect(desk.desk().agents['ana']).toMatchObject(record);
    // What it has seen since is newer.
    expect(desk.joins('one').talks('one').ends('ana').isFound({ agents: [{ ...record, n: 2, calls: [] }] }).desk().agents['ana']).toMatchObject({ missed: 0, idleSince: desk.now(), taken: { front: { calls: 8, lastAt: desk.now() } } });
  });

  it('has everybody in their order, the offers that are out, and who is on a call', () => {
    const desk = openDesk([queue({ wrapUpMs: 10_000 })], ['ana', 'ben']).joins('a').talks('a').joins('b').waits(5).joins('c').waits(5).joins('d');
    const { queues, offers, agents } = desk.desk();
    const found = {
      calls: (queues['front']?.waiting ?? []).toReversed(), offers: Object.values(offers), services: Object.values(agents).flatMap(({ service }) => service ?? []),
      agents: Object.values(agents).map((agent) => ({ ...agent, n: 1e9, calls: agent.calls })),
    };
    const anew = openDesk([queue({ wrapUpMs: 10_000 })], []).isFound({ epoch: 2, ...found });
    expect([anew.line(), anew.offered(), anew.stateOf('ana')]).toEqual([['b', 'c', 'd'], ['b → ben'], 'on-call']);
    expect(anew.talks('b').ends('ana').waits(10_000).offered()).toEqual(['c → ana']);
    // An offer of the new epoch is not one of the old.
    expect(anew.offerOf('c')).toBe('c--o2.1');
  });

  it('forgets what is no more, but not what it has heard since it asked', () => {
    const desk = openDesk([queue()], ['ana']).joins('gone').waits(100);
    const asOf = desk.now();
    desk.waits(100).joins('new').isFound({ asOf });
    expect(desk.line()).toEqual(['new']);
    expect(desk.offered()).toEqual(['new → ana']);
  });

  it('keeps an offer that may not have come to its call yet, for a second', () => {
    const desk = openDesk([queue()], ['ana']).joins('one');
    const [first, calls] = [desk.offerOf('one'), desk.desk().queues['front']?.waiting ?? []];
    expect(desk.waits(999).isFound({ calls }).offerOf('one')).toBe(first);
    expect(desk.waits(1).isFound({ calls }).offerOf('one')).not.toBe(first);
  });

  it('takes up again an offer of a controller that could not be asked for a while', () => {
    const desk = openDesk([queue()], ['ana']).ringsOn().joins('one');
    const { offers, queues } = desk.desk();
    const [first, calls] = [desk.offerOf('one'), queues['front']?.waiting ?? []];
    expect(desk.waits(5_000).isFound().offered()).toEqual([]);
    expect(desk.waits(5_000).isFound({ calls, offers: Object.values(offers) }).offerOf('one')).toBe(first);
  });

  it('gives the agent of a controller that is lost another call, and the caller who is left another agent', () => {
    const desk = openDesk([queue()], ['ana']).joins('one').accepts('one').waits(10);
    const { place } = desk.desk().agents['ana']?.service ?? {};
    if (place === undefined) throw new Error('nobody has accepted');
    expect(desk.isFound({ calls: [place] }).offered()).toEqual(['one → ana']);
  });

  it('keeps a callback that nobody else knows of', () => {
    const desk = openDesk([queue()], []).joins('one').hears({ type: 'CallbackRequested', callId: 'one', visit: 1, key: 'k', number: '1' }).waits(10).isFound();
    expect(desk.line()).toEqual(['one']);
  });

  it('takes up an offer to an agent who rang for another call when the desk was left, and does not now', () => {
    const place = { callId: 'new', visit: 1, queue: 'front', priority: 0, enteredAt: 1_000, joinedAt: 1_000, number: null, sticky: null, callback: null };
    const desk = openDesk([queue()], ['ana']).ringsOn().joins('old').isMeasured('ana', 'old');
    const ana = desk.waits(5_000).desk().agents['ana'];
    const offer = { offerId: 'new--o7.1', callId: 'new', queue: 'front', agent: 'ana', offeredAt: desk.now(), deadline: desk.now() + 30_000 };
    expect(ana).toBeDefined();
    if (ana !== undefined) desk.isFound({ calls: [place], offers: [offer], agents: [{ ...ana, n: 1e9, calls: ['new'] }] });
    expect(desk.offerOf('new')).toBe('new--o7.1');
  });

  it('does not take up again a talk or an offer whose end it has heard of since, though it did not know of it', () => {
    const desk = openDesk([queue({ strategy: 'ring-all' })], ['ana', 'ben']).joins('a').joins('b');
    const offerOfBen = desk.desk().offers[desk.offerOf('a', 'ben')];
    if (offerOfBen === undefined) throw new Error('Ben is offered nothing');
    const { service } = desk.talks('a').desk().agents['ana'] ?? {};
    if (service === null || service === undefined) throw new Error('nobody talks');
    const found = { services: [service], offers: [offerOfBen], calls: desk.desk().queues['front']?.waiting ?? [] };
    const anew = openDesk([queue({ strategy: 'ring-all' })], ['ana', 'ben']);
    anew.hears({ type: 'AgentReleased', offerId: service.offerId }).hears({ type: 'OfferTimedOut', offerId: offerOfBen.offerId });
    expect([anew.isFound(found).stateOf('ana'), anew.offered()]).toEqual(['offered', ['b → ana', 'b → ben']]);
    // one that was only lost sight of is found again
    expect(openDesk([queue()], ['ana']).isFound(found).waits(1_000).isFound().isFound(found).stateOf('ana')).toBe('on-call');
  });

  it('does not take back an offer for a talk that is over, though who was asked before still says that they talk', () => {
    const desk = openDesk([queue()], ['ana']).joins('a').talks('a').joins('b').waits(61_000);
    const services = Object.values(desk.desk().agents).flatMap(({ service }) => service ?? []);
    const asOf = desk.now();
    desk.waits(5).ends('ana');
    expect(desk.isFound({ asOf, services, calls: desk.desk().queues['front']?.waiting ?? [] }).offered()).toEqual(['b → ana']);
  });

  it('takes nothing of an epoch that is over', () => {
    const desk = openDesk([queue()], []).isFound({ epoch: 3 }).joins('one').waits(10).isFound({ epoch: 2 });
    expect(desk.line()).toEqual(['one']);
    expect(takenOver(desk.desk(), 4)).toMatchObject({ epoch: 4, phase: 'taking-over', alarmAt: null });
  });
});

describe('The figures', () => {
  const front = { id: 'front', serviceLevelMs: 20_000 };

  it('say who was answered in time of all whose wait is over', () => {
    const desk = openDesk([queue({ agents: ['ana'], maxLength: 3, maxWaitMs: 90_000 })], ['ana']).joins('one').waits(5000).talks('one').joins('two').waits(1).joins('three', { number: '+1' }).waits(1).joins('four').joins('five');
    desk.waits(29_998).ends('ana').talks('two').leaves('three').waits(1000).joins('back', { number: '+1' }).leaves('back').waits(90_000);
    const figures = desk.allFacts().reduce((sum, fact) => countFact(sum, fact, front), noFigures);
    expect(figures).toMatchObject({ entered: 5, regained: 1, refused: 1, answered: 2, answeredInTime: 1, abandoned: 2, sentOn: 1, waitedMs: 35_000 });
    expect(figures.longestWaitMs).toBeGreaterThanOrEqual(90_000);
    expect([serviceLevel(figures), serviceLevelOfAnswered(figures)]).toEqual([1 / 4, 1 / 2]);
    expect([serviceLevel(noFigures), serviceLevelOfAnswered(noFigures)]).toEqual([null, null]);
    expect(countFact(noFigures, { type: 'JoinRefused', callId: 'x', queue: 'other', why: 'full' }, front)).toBe(noFigures);
  });

  it('say what became of the offers of an agent', () => {
    const desk = openDesk([queue({ agents: ['ana'] })], ['ana']).joins('one').declines('one').ringsOut('one').declines('one', 'unreachable').talks('one').waits(3000).ends('ana');
    expect(desk.allFacts().reduce((sum, fact) => countAgentFact(sum, fact, 'ana'), noAgentFigures)).toEqual({ offered: 4, accepted: 1, rejected: 1, missed: 2, connected: 1, talkedMs: 3000 });
  });
});
