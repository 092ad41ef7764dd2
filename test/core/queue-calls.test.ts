/** Callers of a queue: their place, and the ways out of it. */
import { describe, expect, it } from 'vitest';
import { newDesk } from '../../control-plane/core/queue/desk.ts';
import { deskOf, openDesk, queue } from './support/desk.ts';

const nobody: readonly string[] = [];
/** Three wait in a queue that is full, and the first hangs up. */
const waiting = (): ReturnType<typeof openDesk> => openDesk([queue({ maxLength: 3 })], nobody).joins('one', { number: '+12025550101' }).waits(10).joins('two').waits(10).joins('three').leaves('one');
const asks = (key = 'k'): Parameters<ReturnType<typeof openDesk>['hears']>[0] => ({ type: 'CallbackRequested', callId: 'one', visit: 1, key, number: '+12025550101' });

const tried = (again: number | null): Parameters<ReturnType<typeof openDesk>['hears']>[0] => ({ type: 'CallbackTried', callId: 'one', visit: 1, again });
const held = (): ReturnType<typeof openDesk> => openDesk([queue()], nobody).joins('one').hears(asks()).waits(1000);

describe('A caller', () => {
  it('who waits is offered as soon as somebody is there', () => {
    const desk = openDesk([queue()], nobody).joins('one').joins('two');
    expect(desk.offered()).toEqual([]);
    expect(desk.comes('ana').offered()).toEqual(['one → ana']);
    expect(desk.comes('ben').offered()).toEqual(['one → ana', 'two → ben']);
  });

  it('is told the place, and told it again when the join is heard of twice', () => {
    const desk = openDesk([queue()], nobody).joins('one').waits(5).joins('two');
    expect(desk.commands()).toMatchObject([{ type: 'HoldPlace', callId: 'two', position: 2, enteredAt: desk.now() }]);
    const enteredAt = desk.now();
    desk.waits(1000).joins('two', { enteredAt });
    expect(desk.commands()).toMatchObject([{ type: 'HoldPlace', callId: 'two', position: 2, enteredAt }]);
    expect(desk.line()).toEqual(['one', 'two']);
  });

  it('has the place of the time of entry, whenever it is heard of', () => {
    const desk = openDesk([queue()], nobody);
    desk.joins('late', { enteredAt: desk.now() - 10 }).joins('early', { enteredAt: desk.now() - 20 }).joins('urgent', { priority: 1 });
    expect(desk.line()).toEqual(['urgent', 'early', 'late']);
  });

  it('who was let in before a desk that is no more knew the line to be full has the place all the same', () => {
    const desk = openDesk([queue({ maxLength: 1 })], nobody).waits(10_000).joins('new');
    expect(desk.joins('before', { joinedAt: desk.now() - 8_000, enteredAt: desk.now() - 8_000 }).line()).toEqual(['before', 'new']);
    expect(desk.joins('late', { joinedAt: desk.now() - 1_000, enteredAt: desk.now() - 1_000 }).line()).toEqual(['before', 'new']);
  });

  it('who left is not put in the line by a join that comes late', () => {
    expect(openDesk([queue()], nobody).joins('one').leaves('one').joins('one').line()).toEqual([]);
    expect(openDesk([queue()], nobody).leaves('one').joins('one').line()).toEqual([]);
  });

  it('comes into a queue a second time as another visit', () => {
    const desk = openDesk([queue(), queue({ id: 'back' })], nobody).joins('one').leaves('one', 'routed').joins('one', { queue: 'back', visit: 2 });
    expect([desk.line(), desk.line('back')]).toEqual([[], ['one']]);
    // Its leaving was lost: the later visit is the one that is.
    expect(desk.joins('one', { visit: 3 }).line()).toEqual(['one']);
    expect(desk.line('back')).toEqual([]);
  });

  it('who leaves while an agent rings is withdrawn, and the agent is as before', () => {
    const desk = openDesk([queue({ strategy: 'longest-idle' })]).joins('one');
    const offerId = desk.offerOf('one');
    const { idleSince } = desk.desk().agents['ana'] ?? {};
    desk.waits(500).leaves('one');
    expect(desk.commands()[0]).toMatchObject({ type: 'WithdrawOffer', offerId, why: 'call-left' });
    expect(desk.facts()).toMatchObject([{ type: 'OfferEnded', outcome: 'canceled' }, { type: 'CallLeft', why: 'abandoned', waitedMs: 500 }, { type: 'AgentStateChanged', state: 'idle' }]);
    expect(desk.desk().agents['ana']).toMatchObject({ missed: 0, idleSince });
  });
});

describe('A caller who hung up', () => {
  it('and rings again within a minute has the place again', () => {
    const desk = waiting().waits(59_000).joins('again', { number: '+12025550101' });
    expect(desk.line()).toEqual(['again', 'two', 'three']);
    expect(desk.facts()).toMatchObject([{ type: 'CallEntered', regained: true }]);
    expect(desk.commands()).toMatchObject([{ type: 'HoldPlace', enteredAt: 1_000_000, position: 1 }]);
  });

  it('has it once, and after a minute no more', () => {
    expect(waiting().waits(1000).joins('again', { number: '+12025550101' }).joins('more', { number: '+12025550101' }).line()).toEqual(['again', 'two', 'three']);
    expect(waiting().waits(61_000).joins('again', { number: '+12025550101' }).line()).toEqual(['two', 'three', 'again']);
  });

  it('is nobody without a number, or in another queue', () => {
    const desk = openDesk([queue(), queue({ id: 'back' })], nobody).joins('one').joins('two', { enteredAt: 1_000_001 }).leaves('one').waits(50).joins('again');
    expect(desk.line()).toEqual(['two', 'again']);
    expect(waiting().joins('again', { number: '+12025550101', enteredAt: 1_000_500 }).leaves('again').line()).toEqual(['two', 'three']);
  });
});

describe('A caller is sent on', () => {
  it('when the queue is full, or nobody is there whom it asks for', () => {
    expect(openDesk([queue({ maxLength: 1 })], nobody).joins('one').joins('two').commands()).toMatchObject([{ type: 'LeaveQueue', callId: 'two', why: 'full' }]);
    const desk = openDesk([queue({ joinNeeds: 'available' })], ['ana']).takesABreak('ana');
    expect(desk.joins('one').facts()).toMatchObject([{ type: 'JoinRefused', why: 'empty' }]);
    expect(openDesk([queue({ joinNeeds: 'logged-in' })], ['ana']).takesABreak('ana').joins('one').line()).toEqual(['one']);
    expect(openDesk([queue({ joinNeeds: 'free' })], ['ana']).joins('one').joins('two').line()).toEqual(['one']);
    expect(openDesk([queue()]).joins('one', { queue: 'elsewhere' }).commands()).toMatchObject([{ type: 'LeaveQueue', why: 'closed' }]);
  });

  it('and told so again when it has not heard', () => {
    const desk = openDesk([queue({ maxLength: 0 })], nobody).joins('one').joins('one');
    expect(desk.commands()).toMatchObject([{ type: 'LeaveQueue', callId: 'one', why: 'full' }]);
  });

  it('after the longest wait; not while an agent is rung for it', () => {
    expect(openDesk([queue({ maxWaitMs: 10_000 })], nobody).joins('one').waits(10_000).commands()).toMatchObject([{ type: 'LeaveQueue', callId: 'one', why: 'max-wait' }]);
    const desk = openDesk([queue({ maxWaitMs: 10_000 })], ['ana']).joins('one').waits(14_000);
    expect(desk.offered()).toEqual(['one → ana']);
    expect(desk.ringsOut('one').offered()).toEqual([]);
    expect(desk.waits(0).commands()).toMatchObject([{ type: 'LeaveQueue', why: 'max-wait' }]);
  });

  it('when nobody has been there for so long', () => {
    const desk = openDesk([queue({ stayNeeds: 'available', stayMs: 5000 })], ['ana']).takesABreak('ana').joins('one').waits(4000);
    expect(desk.line()).toEqual(['one']);
    expect(desk.comes('ana').takesABreak('ana').waits(4999).line()).toEqual(['one']);
    expect(desk.waits(1).commands()).toMatchObject([{ type: 'LeaveQueue', why: 'empty' }]);
  });

  it('when the queue is taken out of the configuration', () => {
    const desk = openDesk([queue()], ['ana']).joins('one').hears({ type: 'QueuesConfigured', queues: [] });
    expect(desk.commands().slice(0, 2)).toMatchObject([{ type: 'WithdrawOffer' }, { type: 'LeaveQueue', why: 'closed' }]);
    expect(desk.stateOf('ana')).toBe('idle');
  });
});

describe('A callback', () => {
  it('keeps the place when the caller hangs up', () => {
    const desk = openDesk([queue({ maxWaitMs: 5000 })], nobody).joins('one').joins('two', { enteredAt: 1_000_001 }).hears(asks()).leaves('one').waits(4000);
    expect(desk.line()).toEqual(['one', 'two']);
    expect(desk.waits(1000).line()).toEqual(['one']);
    expect(desk.comes('ana').commands()).toMatchObject([{ type: 'OfferCall', callId: 'one', callback: { key: 'k', number: '+12025550101' } }, { type: 'StartTimer' }]);
  });

  it('keeps it also when the hang-up is heard of first', () => {
    const desk = openDesk([queue()], nobody).joins('one').joins('two', { enteredAt: 1_000_001 }).leaves('one').hears(asks());
    expect(desk.line()).toEqual(['one', 'two']);
    expect(desk.facts()).toMatchObject([{ type: 'CallEntered', regained: true }, { type: 'CallbackHeld' }]);
  });

  it('is held once for a key', () => {
    const desk = openDesk([queue()], nobody).joins('one').hears(asks()).hears(asks());
    expect([desk.facts(), desk.commands()]).toEqual([[], []]);
    desk.joins('two', { number: '+12025550109' }).hears({ type: 'CallbackRequested', callId: 'two', visit: 1, key: 'k', number: '+12025550101' });
    expect(desk.commands()).toMatchObject([{ type: 'LeaveQueue', callId: 'two', why: 'already-held' }]);
    expect(desk.line()).toEqual(['one']);
  });

  it('is over when its caller rings again, who has the place', () => {
    const desk = openDesk([queue()], nobody).joins('one').joins('two', { enteredAt: 1_000_001 }).hears(asks()).waits(300_000).joins('again', { number: '+12025550101' });
    expect(desk.line()).toEqual(['again', 'two']);
    expect(desk.commands()).toMatchObject([{ type: 'LeaveQueue', callId: 'one', why: 'called-again' }, { type: 'HoldPlace', callId: 'again', position: 1 }]);
  });

  it('that nobody answers is over, and the agent is free at once', () => {
    const desk = openDesk([queue({ wrapUpMs: 10_000 })], ['ana']).joins('one').hears(asks()).hears(tried(null));
    expect(desk.facts()).toMatchObject([{ type: 'CallbackTried', again: null }, { type: 'OfferEnded', outcome: 'canceled' }, { type: 'CallLeft', why: 'unanswered' }, { type: 'AgentStateChanged', state: 'idle' }]);
    expect(desk.line()).toEqual([]);
  });

  it('whose caller is not reached keeps the place, and others are served until it is tried again', () => {
    const desk = openDesk([queue()], ['ana']).joins('one').hears(asks()).joins('two', { enteredAt: 1_000_001 });
    expect(desk.offered()).toEqual(['one → ana']);
    desk.hears(tried(desk.now() + 60_000));
    expect([desk.line(), desk.offered()]).toEqual([['one', 'two'], ['two → ana']]);
    desk.talks('two').comes('ben').waits(59_000);
    expect(desk.offered()).toEqual([]);
    expect(desk.waits(1000).offered()).toEqual(['one → ben']);
  });

  it('that is being tried as far as is kept, is tried again as whoever tried it says', () => {
    const desk = openDesk([queue()], nobody).joins('one').hears(asks());
    const callback = { key: 'k', number: '+12025550101', notBefore: desk.now() + 150_000 };
    const calls = (desk.desk().queues['front']?.waiting ?? []).map(({ heardAt: _heard, offers: _offers, passedBy: _passed, tellAt: _tell, ...place }) => ({ ...place, callback }));
    desk.isFound({ calls, callbacksKnown: true }).comes('ana').waits(20_000);
    expect(desk.offered()).toEqual([]);
    expect(desk.hears(tried(desk.now() + 10_000)).waits(10_000).offered()).toEqual(['one → ana']);
  });

  it('has one agent kept for it also where all are asked', () => {
    expect(openDesk([queue({ strategy: 'ring-all' })], ['ana', 'ben', 'cleo']).joins('one').hears(asks()).offered()).toEqual(['one → ana']);
  });

  it('that is answered joins in the place, past limits and in the same moment offered to whoever was kept', () => {
    const desk = openDesk([queue({ maxLength: 1, joinNeeds: 'free' })], ['ana']).joins('one').hears(asks()).joins('two', { number: '+12025550109' });
    desk.waits(9000).joins('back', { number: '+12025550101', enteredAt: 1_000_000, joinedAt: desk.now() });
    expect([desk.line()[0], desk.offered()]).toEqual(['back', ['back → ana']]);
    expect(desk.commands().filter(({ type }) => type !== 'StartTimer')).toMatchObject([{ type: 'WithdrawOffer' }, { type: 'LeaveQueue', callId: 'one', why: 'called-again' }, { type: 'HoldPlace', callId: 'back', position: 1 }, { type: 'OfferCall', callId: 'back', callback: null }]);
  });

  it('that is not kept any more is over once that could be asked, and is kept where it could not', () => {
    expect(held().isFound({}).line()).toEqual(['one']);
    expect(held().isFound({ callbacksKnown: true }).line()).toEqual([]);
  });

  it('whose caller has not heard so, and says that it waits, is told', () => {
    expect(openDesk([queue()], nobody).joins('one').hears(asks()).joins('one').commands()).toMatchObject([{ type: 'LeaveQueue', callId: 'one', why: 'callback' }]);
  });

  it('is not kept for longer than the queue says', () => {
    expect(openDesk([queue({ maxCallbackMs: 60_000 })], nobody).joins('one').hears(asks()).waits(60_000).commands()).toMatchObject([{ type: 'LeaveQueue', why: 'max-wait' }]);
  });
});

describe('A position', () => {
  it('is told now and then, without an estimate as long as no call has ended', () => {
    const desk = openDesk([queue({ announce: { firstMs: 5000, everyMs: 10_000 } })], nobody).joins('one').waits(1).joins('two').waits(5000);
    expect(desk.commands().filter(({ type }) => type === 'TellPosition')).toMatchObject([{ callId: 'one', position: 1, estimatedWaitMs: null }, { callId: 'two', position: 2 }]);
    expect(desk.leaves('one').waits(10_000).commands().filter(({ type }) => type === 'TellPosition')).toMatchObject([{ callId: 'two', position: 1 }]);
  });

  it('comes with position × mean time of a call ÷ agents there', () => {
    const desk = openDesk([queue({ announce: { firstMs: 100, everyMs: 60_000 }, wrapUpMs: 20_000 })], ['ana', 'ben']).joins('a').joins('b').talks('a').talks('b').waits(40_000).ends('ana').waits(40_000).ends('ben');
    // 60 and 100 s with wrap-up: 80 s, by two
    desk.joins('one').talks('one').joins('two').joins('three').joins('four').waits(100);
    expect(desk.commands().filter(({ type }) => type === 'TellPosition')).toMatchObject([{ position: 1, estimatedWaitMs: 40_000 }, { position: 2, estimatedWaitMs: 80_000 }, { position: 3, estimatedWaitMs: 120_000 }]);
  });

  it('counts an agent in each of the queues in which somebody waits by their part', () => {
    const two = [queue({ agents: ['ana'], announce: { firstMs: 100, everyMs: 60_000 } }), queue({ id: 'back', agents: ['ana'] })];
    const desk = openDesk(two, ['ana']).joins('a').talks('a').waits(30_000).ends('ana').joins('b').talks('b').joins('one').joins('other', { queue: 'back' }).waits(100);
    expect(desk.commands().filter(({ type }) => type === 'TellPosition')).toMatchObject([{ callId: 'one', estimatedWaitMs: 60_000 }]);
  });

  it('is never of more than an hour', () => {
    const desk = openDesk([queue({ announce: { firstMs: 100, everyMs: 60_000 } })], ['ana']).joins('a').talks('a').waits(7_200_000).ends('ana').joins('b').talks('b').joins('one').waits(100);
    expect(desk.commands().filter(({ type }) => type === 'TellPosition')).toMatchObject([{ estimatedWaitMs: 3_600_000 }]);
  });
});

describe('A call that another controller has taken over', () => {
  const place = { callId: 'one', visit: 1, queue: 'front', priority: 0, enteredAt: 0, joinedAt: 0, number: null, sticky: null };

  it('and that knows nothing of its offer is offered anew at once, and in its place', () => {
    const desk = openDesk([queue()], ['ana']).joins('one').joins('two').waits(300);
    const before = desk.offerOf('one');
    desk.hears({ type: 'CallJoined', place, offers: [] });
    expect(desk.facts()).toMatchObject([{ type: 'OfferEnded', offerId: before, outcome: 'canceled', why: 'unknown' }, { type: 'OfferMade', callId: 'one', agent: 'ana' }]);
  });

  it.each([['knows its offer', true, 300], ['may not have heard of it yet', false, 299]])('and that %s keeps it', (_what, knows, waited) => {
    const desk = openDesk([queue()], ['ana']).joins('one').waits(waited);
    desk.hears({ type: 'CallJoined', place, offers: knows ? [desk.offerOf('one')] : [] });
    expect([desk.facts(), desk.commands().map(({ type }) => type)]).toEqual([[], ['HoldPlace']]);
  });
});

describe('A desk that is being taken over', () => {
  it('takes calls in, and offers and refuses nobody before it knows what there is', () => {
    const desk = deskOf([queue({ joinNeeds: 'available', maxLength: 0 })], newDesk(2)).comes('ana').joins('one');
    expect([desk.line(), desk.offered()]).toEqual([['one'], []]);
    expect(desk.isFound({ asOf: desk.now() - 1 }).offered()).toEqual(['one → ana']);
  });

  it('does not refuse an acceptance of an offer that it does not know yet; told of it, it connects the two when it is asked again', () => {
    const desk = deskOf([queue()], newDesk(2)).comes('ana');
    const [at, offerId] = [desk.now(), 'one--o1.1'];
    expect(desk.hears({ type: 'OfferAccepted', offerId }).commands()).toEqual([]);
    const place = { callId: 'one', visit: 1, queue: 'front', priority: 0, enteredAt: at, joinedAt: at, number: null, sticky: null, callback: null };
    desk.isFound({ calls: [place], offers: [{ offerId, callId: 'one', queue: 'front', agent: 'ana', offeredAt: at, deadline: at + 45_000 }] });
    expect(desk.hears({ type: 'OfferAccepted', offerId }).commands()).toMatchObject([{ type: 'ConnectOffer', offerId, agent: 'ana' }]);
  });
});
