/** Who is asked, by each strategy: against an oracle that reads a paper of all that happened, and in figures of fairness. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { strategyNames, type QueueConfig, type StrategyName } from '../../control-plane/core/queue/config.ts';
import { whoIsAsked, whoMayBeAsked, type Note, type PaperQueue } from '../oracle/paper-queue.ts';
import { openDesk, queue, type DeskStory } from './support/desk.ts';

const agents = ['ana', 'ben', 'cleo', 'dan', 'eva'];
const shares = { ana: 1, ben: 2, cleo: 3, dan: 1, eva: 5 };
const wrapUp = 700;
const rest = 400;
const tiersOf = (ids: readonly (readonly string[])[]): QueueConfig['tiers'] => ids.map((tier) => ({ agents: tier.map((agent) => ({ agent, share: shares[agent as keyof typeof shares] })), delayMs: 0 }));
const noted = strategyNames.filter((name) => name !== 'random' && name !== 'ring-all');

interface Day {
  readonly tiers: readonly (readonly string[])[];
  readonly acts: readonly { readonly afterMs: number; readonly who: number; readonly does: 'call' | 'accept' | 'decline' | 'end' | 'break' | 'back' }[];
}

const day: fc.Arbitrary<Day> = fc.record({
  tiers: fc.tuple(fc.shuffledSubarray(agents, { minLength: 2 }), fc.integer({ min: 1, max: 5 })).map(([ids, cut]) => [ids.slice(0, cut), ids.slice(cut)].filter((tier) => tier.length > 0)),
  acts: fc.array(fc.record({ afterMs: fc.constantFrom(1, 50, 300, 800), who: fc.nat(), does: fc.constantFrom('call', 'call', 'accept', 'accept', 'accept', 'decline', 'end', 'end', 'break', 'back') }), { minLength: 30, maxLength: 120 }),
});

/** Plays a day, and holds each offer against the paper. Returns how many there were. */
function play(rule: Exclude<StrategyName, 'random'>, { tiers, acts }: Day): number {
  const paperQueue: PaperQueue = { rule, tiers, shares, wrapUp, rest };
  const listed = tiers.flat();
  const paper: Note[] = [];
  const had = new Map<string, string>();
  const desk = openDesk([queue({ strategy: rule, tiers: tiersOf(tiers), wrapUpMs: wrapUp, rejectDelayMs: rest })], []);
  for (const agent of listed) {
    desk.comes(agent);
    paper.push({ at: desk.now(), agent, call: '', did: 'back' });
    desk.waits(1);
  }
  let calls = 0;
  let judged = 0;
  const keys = new Map<string, string>();
  const note = (agent: string, call: string, did: Note['did']): void => void paper.push({ at: desk.now(), agent, call, did });
  const judge = (): void => {
    for (const fact of desk.facts()) {
      if (fact.type !== 'OfferMade') continue;
      const offeredAt = desk.desk().offers[fact.offerId]?.offeredAt ?? desk.now();
      const lastHad = had.get(keys.get(fact.callId) ?? '');
      const could = whoMayBeAsked(paperQueue, paper, fact.callId, offeredAt, lastHad);
      expect({ asked: fact.agent, call: fact.callId, at: offeredAt }).toEqual({ asked: whoIsAsked(paperQueue, paper, could, lastHad), call: fact.callId, at: offeredAt });
      paper.push({ at: offeredAt, agent: fact.agent, call: fact.callId, did: 'asked', couldHave: could });
      judged += 1;
    }
  };
  for (const { afterMs, who, does } of acts) {
    desk.waits(afterMs);
    judge();
    const out = Object.values(desk.desk().offers);
    const offer = out[who % Math.max(1, out.length)];
    const agent = listed[who % listed.length] ?? '';
    const busy = Object.values(desk.desk().agents).filter(({ service }) => service !== null);
    const isIdle = desk.stateOf(agent) === 'idle' || desk.stateOf(agent) === 'wrap-up';
    if (does === 'call') {
      const sticky = `caller-${who % 3}`;
      calls += 1;
      keys.set(`c${calls}`, sticky);
      // One waits at a time: which call comes first is another test's matter.
      if (desk.line().length === 0) desk.joins(`c${calls}`, { sticky });
      else continue;
    } else if (does === 'accept' && offer !== undefined) {
      note(offer.agent, offer.callId, 'connected');
      had.set(keys.get(offer.callId) ?? '', offer.agent);
      desk.talks(offer.callId);
    } else if (does === 'decline' && offer !== undefined) {
      note(offer.agent, offer.callId, 'declined');
      desk.hears({ type: 'OfferRejected', offerId: offer.offerId, why: 'declined' });
    } else if (does === 'end' && busy.length > 0) {
      const one = busy[who % busy.length];
      if (one === undefined || one.service === null) continue;
      note(one.id, one.service.place.callId, 'ended');
      desk.ends(one.id);
    } else if (does === 'break' && isIdle && desk.desk().agents[agent]?.status === 'available') {
      note(agent, '', 'break');
      desk.takesABreak(agent);
    } else if (does === 'back' && desk.desk().agents[agent]?.status === 'break') {
      note(agent, '', 'back');
      desk.comes(agent);
    } else continue;
    judge();
  }
  return judged;
}

describe('Who is asked', () => {
  it.each(noted)('by %s is who a paper of the day says', (rule) => {
    let judged = 0;
    fc.assert(fc.property(day, (one) => void (judged += play(rule, one))), { numRuns: 300 });
    expect(judged).toBeGreaterThan(1000);
  });

  it('by ring-all is everybody who is free, in the tiers that have joined', () => {
    const desk = openDesk([queue({ strategy: 'ring-all', tiers: tiersOf([['ana', 'ben'], ['cleo', 'dan']]).map((tier) => ({ ...tier, delayMs: 10_000 })) })], ['ana', 'ben', 'cleo']).takesABreak('ben').joins('one');
    expect(desk.offered()).toEqual(['one → ana']);
    expect(desk.comes('ben').offered()).toEqual(['one → ana', 'one → ben']);
    expect(desk.waits(10_000).offered()).toEqual(['one → ana', 'one → ben', 'one → cleo']);
    expect(desk.accepts('one', 'ben').offered()).toEqual([]);
    expect(desk.facts().filter(({ type }) => type === 'OfferEnded')).toMatchObject([{ agent: 'ben', outcome: 'accepted' }, { agent: 'ana', outcome: 'rescinded', why: 'taken' }, { agent: 'cleo', outcome: 'rescinded', why: 'taken' }]);
  });
});

/** So many calls one after the other, all agents free each time; how many each was asked for. */
function asked(strategy: StrategyName, calls: number): Readonly<Record<string, number>> {
  const counts = new Map(agents.map((agent) => [agent, 0]));
  const desk: DeskStory = openDesk([queue({ strategy, tiers: tiersOf([agents]) })], agents);
  for (let i = 0; i < calls; i++) {
    const place = { callId: `c${i}`, visit: 1, queue: 'front', priority: 0, enteredAt: desk.now(), joinedAt: desk.now(), number: null, sticky: null };
    desk.hears({ type: 'CallJoined', place }, ((i * 2654435761) % 2 ** 32) / 2 ** 32);
    const agent = desk.desk().agents[agents.find((id) => desk.desk().agents[id]?.offer !== null) ?? '']?.id ?? '';
    counts.set(agent, (counts.get(agent) ?? 0) + 1);
    desk.talks(`c${i}`).waits(10).ends(agent).waits(10);
  }
  return Object.fromEntries(counts);
}

describe('In figures', () => {
  it.each(['round-robin', 'least-recent', 'fewest-calls', 'longest-idle'] as const)('%s is even to the call', (strategy) => {
    expect(asked(strategy, 500)).toEqual({ ana: 100, ben: 100, cleo: 100, dan: 100, eva: 100 });
  });

  it('weighted is in proportion to the shares, to the call', () => {
    expect(asked('weighted', 600)).toEqual({ ana: 50, ben: 100, cleo: 150, dan: 50, eva: 250 });
  });

  it('random is even within what chance allows', () => {
    const all = Object.values(asked('random', 2000));
    // six standard deviations of 400
    for (const one of all) expect(Math.abs(one - 400)).toBeLessThan(6 * Math.sqrt(2000 * 0.2 * 0.8));
    expect(new Set(all).size).toBeGreaterThan(1);
  });

  it('top-down asks the first alone', () => {
    expect(asked('top-down', 100)).toEqual({ ana: 100, ben: 0, cleo: 0, dan: 0, eva: 0 });
  });
});
