/** What a call does in a queue: the caller hears, the agent is rung, and the desk is told. */
import { describe, expect, it } from 'vitest';
import type { DeskWord } from '../../control-plane/core/call/events.ts';
import { deskViewOf } from '../../control-plane/core/call/desk-view.ts';
import type { Attempt, QueueStep } from '../../control-plane/core/routing/plan.ts';
import { given, type Story } from './support/given.ts';
import { desk, mobile, planOfQueue, ringOf } from './support/plans.ts';

const id = 'c7';
const offerId = (n: number): string => `${id}--o1.${n}`;

const says = (story: Story, said: DeskWord): Story => story.when({ type: 'DeskSaid', said });
const offers = (story: Story, n: number, agent: string, attempts: readonly Attempt[] | null): Story =>
  says(story, { type: 'OfferCall', offerId: offerId(n), callId: id, visit: story.call.visits, queue: 'front', agent, devices: [], ringMs: 15_000, callback: null, ring: attempts === null ? null : ringOf(attempts) });
const connects = (story: Story, n: number): Story => says(story, { type: 'ConnectOffer', offerId: offerId(n), callId: id, agent: 'ana' });
const withdraws = (story: Story, n: number): Story => says(story, { type: 'WithdrawOffer', offerId: offerId(n), callId: id, why: 'taken' });
const leaves = (story: Story, why: 'full' | 'empty' | 'max-wait' | 'closed'): Story => says(story, { type: 'LeaveQueue', callId: id, visit: story.call.visits, queue: 'front', why });
const holds = (story: Story): Story => says(story, { type: 'HoldPlace', callId: id, visit: story.call.visits, queue: 'front', enteredAt: story.now, position: 1 });

/** What the last event had to say to the desk. */
const told = (story: Story): readonly string[] => story.commands.flatMap((one) => {
  if (one.type !== 'TellDesk') return [];
  const { message } = one;
  const about = 'offerId' in message ? ` ${message.offerId.replace(`${id}--`, '')}` : '';
  return [`${message.type}${about}${'why' in message ? ` ${message.why}` : ''}${'lost' in message ? ` ${message.lost}` : ''}${'left' in message && message.left ? ' left' : ''}`];
});
const heard = (story: Story): readonly string[] => story.asked().filter((one) => one.startsWith('PlayPrompt caller')).map((one) => one.slice('PlayPrompt caller '.length));

const waiting = (step: Partial<QueueStep> = {}): Story => holds(given(planOfQueue(step)).offered()).promptEnds();
const accepted = (): Story => offers(waiting(), 1, 'ana', [desk(1)]).legRings(1).legAnswers(1);

describe('A caller in a queue', () => {
  it('is answered, welcomed, hears music over and over, and the desk is told of the place', () => {
    const story = given(planOfQueue({ priority: 2, sticky: true })).offered();
    expect([story.call.phase, told(story), heard(story)]).toEqual(['queued', ['CallJoined'], ['file:welcome']]);
    expect(story.everyCommand('TellDesk')[0]?.message).toMatchObject({ place: { callId: id, visit: 1, queue: 'front', priority: 2, enteredAt: story.now, number: '+13125550177', sticky: '+13125550177' } });
    expect(heard(story.promptEnds())).toEqual(['file:music']);
    expect(heard(story.promptEnds())).toEqual(['file:music']);
    expect(story.cdr).toMatchObject({ pickedUpAt: story.now, queues: [{ queue: 'front', outcome: null }] });
  });

  it('says so again until the desk has heard it', () => {
    const story = given(planOfQueue()).offered();
    expect(told(story.timer('desk'))).toEqual(['CallJoined']);
    expect(told(story.timer('desk'))).toEqual(['CallJoined']);
    holds(story);
    expect(story.call.timers).toMatchObject({ desk: story.now + 30_000 });
    expect(told(story.timer('desk'))).toEqual(['CallJoined']);
  });

  it('hears a position when the music has stopped, and then music again', () => {
    const story = says(waiting(), { type: 'TellPosition', callId: id, visit: 1, position: 3, estimatedWaitMs: null, media: ['file:third'] });
    expect(story.asked()).toEqual(['StopPrompt']);
    expect(heard(story.promptEnds())).toEqual(['file:third']);
    expect(heard(story.promptEnds())).toEqual(['file:music']);
  });

  it('hears the messages one after the other, so often, and keeps the place', () => {
    const story = waiting({ messages: { everyMs: 30_000, media: [['file:one'], ['file:two']] } });
    const next = (): readonly string[] => heard(story.timer('message').promptEnds());
    expect([next(), heard(story.promptEnds()), next(), heard(story.promptEnds()), next()]).toEqual([['file:one'], ['file:music'], ['file:two'], ['file:music'], ['file:one']]);
    expect(story.everyCommand('TellDesk')).toHaveLength(1);
  });

  it('whose music cannot be played hears nothing for a moment, and then it is tried again', () => {
    const story = waiting().promptEnds(undefined, false);
    expect(heard(story)).toEqual([]);
    expect(heard(story.timer('music'))).toEqual(['file:music']);
  });

  it('leaves with the key, and who rings for the call is let go', () => {
    const story = offers(waiting(), 1, 'ana', [desk(1)]).legRings(1).when({ type: 'LegDigit', legId: id, digit: '5' });
    expect(story.call.phase).toBe('queued');
    story.when({ type: 'LegDigit', legId: id, digit: '0' });
    expect(told(story)).toEqual(['CallLeft exit-key']);
    expect(story.call).toMatchObject({ phase: 'announcing', step: 'exit', visit: null });
    expect(story.asked()).toContain('HangUpLeg l3 canceled');
    expect(story.cdr.queues).toMatchObject([{ outcome: 'exit-key', offers: [{ agent: 'ana', outcome: 'canceled' }] }]);
  });

  it.each(['full', 'empty', 'max-wait', 'closed'] as const)('who is sent on because it is %s goes where the plan leads', (why) => {
    const story = leaves(waiting(), why);
    expect(story.call).toMatchObject({ phase: 'announcing', step: why, visit: null });
    expect(story.cdr.queues).toMatchObject([{ outcome: why }]);
    // said twice
    leaves(story, 'max-wait');
    expect(story.call).toMatchObject({ phase: 'announcing', step: why });
  });

  it('who hangs up is told of', () => {
    const story = offers(waiting(), 1, 'ana', [desk(1)]).callerHangsUp();
    expect(told(story)).toEqual(['CallLeft abandoned']);
    expect(told(story.legEnds(1))).toEqual(['OfferCleared o1.1']);
    expect(story.allEnds().cdr).toMatchObject({ disposition: 'canceled', queues: [{ outcome: 'abandoned', offers: [{ outcome: 'canceled' }] }] });
  });
});

describe('An offer', () => {
  it('that is taken back is cleared when the last of its phones is let go; one of which nothing rings, at once', () => {
    const story = offers(waiting(), 1, 'ana', [desk(1), desk(2)]).legRings(1);
    expect(told(withdraws(story, 1))).toEqual([]);
    expect(told(story.legEnds(1))).toEqual([]);
    expect(told(story.legEnds(2))).toEqual(['OfferCleared o1.1']);
    expect(told(withdraws(story, 1))).toEqual(['OfferCleared o1.1']);
    expect(told(withdraws(story, 2))).toEqual(['OfferCleared o1.2']);
  });

  it('rings all devices of the agent; who accepts waits for the desk’s word, and then the two talk', () => {
    const story = offers(waiting(), 1, 'ana', [desk(1), desk(2)]);
    expect(story.asked()).toEqual(['OriginateLeg l3', 'OriginateLeg l4']);
    story.legRings(1).legAnswers(1);
    expect([told(story), story.asked().filter((one) => one.startsWith('HangUpLeg')), story.call.phase]).toEqual([['OfferAccepted o1.1'], ['HangUpLeg l4 answered-elsewhere'], 'queued']);
    connects(story, 1);
    expect([story.call.phase, story.asked().filter((one) => one.startsWith('Bridge'))]).toEqual(['connecting', ['BridgeLegs caller l3']]);
    story.bridged();
    expect(told(story)).toEqual(['OfferConnected o1.1']);
    expect(story.call).toMatchObject({ phase: 'connected', visit: { service: { agent: 'ana' } } });
    expect(story.cdr.queues).toMatchObject([{ outcome: 'connected', agent: 'ana', offers: [{ outcome: 'accepted' }] }]);
    story.legEnds(1);
    expect(told(story)).toEqual(['AgentReleased o1.1']);
    expect(story.allEnds().cdr).toMatchObject({ disposition: 'answered' });
  });

  it('is accepted by the key where one is asked for, with the whisper before it', () => {
    const story = offers(waiting(), 1, 'ben', [mobile()]).legRings(1).legAnswers(1);
    expect([told(story), story.call.legs[story.legId(1)]?.phase]).toEqual([[], 'screening']);
    expect(told(story.when({ type: 'LegDigit', legId: story.legId(1), digit: '1' }))).toEqual(['OfferAccepted o1.1']);
  });

  it.each([
    ['declined', 'OfferRejected o1.1 declined'], ['busy', 'OfferRejected o1.1 busy'], ['absent', 'OfferRejected o1.1 unreachable'],
  ] as const)('ends as %s when every device has', (cause, message) => {
    const story = offers(waiting(), 1, 'ana', [desk(1), desk(2)]).legEnds(1, cause);
    expect(told(story)).toEqual([]);
    expect(told(story.legEnds(2, cause))).toEqual([message]);
    expect(story.call).toMatchObject({ phase: 'queued', visit: { offers: {} } });
  });

  it('that rang its time is timed out, and one with nothing to ring is unreachable', () => {
    const story = offers(waiting(), 1, 'ana', [desk(1)]).legRings(1);
    expect(told(story.timer(`leg:${story.legId(1)}`))).toEqual(['OfferTimedOut o1.1']);
    expect(told(offers(story, 2, 'ben', null))).toEqual(['OfferRejected o1.2 unreachable']);
    expect(told(offers(story, 3, 'ben', []))).toEqual(['OfferRejected o1.3 unreachable']);
  });

  it('whose agent hangs up while asked for the key is declined', () => {
    const story = offers(waiting(), 1, 'ben', [mobile()]).legRings(1).legAnswers(1).legEnds(1);
    expect(told(story)).toEqual(['OfferRejected o1.1 declined']);
  });

  it('is made to several: the first whom the desk connects has the call', () => {
    const story = offers(offers(waiting(), 1, 'ana', [desk(1)]), 2, 'ben', [desk(2)]).legRings(1).legRings(2).legAnswers(2).legAnswers(1);
    expect(story.call.phase).toBe('queued');
    connects(story, 2);
    expect(story.call).toMatchObject({ phase: 'connecting', winner: story.legId(2), visit: { service: { agent: 'ben' }, offers: {} } });
    expect(story.asked()).toContain('HangUpLeg l3 answered-elsewhere');
  });

  it('that is withdrawn stops ringing, and the caller waits on', () => {
    const story = withdraws(offers(waiting(), 1, 'ana', [desk(1)]).legRings(1), 1);
    expect([story.asked(), told(story), story.call.phase]).toEqual([['HangUpLeg l3 answered-elsewhere'], [], 'queued']);
    withdraws(story, 1);
    expect(story.asked()).toEqual([]);
  });

  it('that comes twice rings once; one for a call that does not wait is canceled', () => {
    const story = offers(waiting(), 1, 'ana', [desk(1)]);
    expect(offers(story, 1, 'ana', [desk(1)]).asked()).toEqual([]);
    const left = leaves(story, 'max-wait');
    expect(told(offers(left, 2, 'ben', [desk(2)]))).toEqual(['OfferCanceled o1.2 left']);
    const talks = connects(accepted(), 1).bridged();
    expect(told(offers(talks, 2, 'ben', [desk(2)]))).toEqual(['CallLeft routed', 'OfferCanceled o1.2 left']);
    expect(told(offers(connects(accepted(), 1), 2, 'ben', [desk(2)]))).toEqual(['OfferCanceled o1.2']);
  });
});

describe('What comes between', () => {
  it('an agent who is lost in the whisper leaves the caller in the place', () => {
    const story = connects(offers(waiting(), 1, 'ana', [desk(1, { whisper: ['file:who'] })]).legRings(1).legAnswers(1), 1);
    expect(story.call.phase).toBe('connecting');
    const { enteredAt } = story.call.visit ?? {};
    story.after(3000).legEnds(1);
    expect([told(story), heard(story)]).toEqual([['OfferBridgeFailed o1.1 agent'], ['file:music']]);
    expect(story.call).toMatchObject({ phase: 'queued', visit: { n: 1, enteredAt, service: null } });
    expect(story.cdr.queues).toMatchObject([{ outcome: null, agent: null, offers: [{ outcome: 'lost' }] }]);
  });

  it('a bridge that fails leaves the caller in the place, too', () => {
    const story = connects(accepted(), 1).fails('BridgeLegs');
    expect(told(story)).toEqual(['OfferBridgeFailed o1.1 neither']);
    expect(story.call.phase).toBe('queued');
  });

  it('an agent who has accepted and hangs up before the desk’s word is told of', () => {
    const story = accepted().legEnds(1);
    expect(told(story)).toEqual(['OfferBridgeFailed o1.1 agent', 'OfferRejected o1.1 declined']);
    expect(told(connects(story, 1))).toEqual(['OfferBridgeFailed o1.1 agent']);
  });

  it('a caller who leaves on the way to the agent is told of', () => {
    expect(told(connects(accepted(), 1).callerHangsUp())).toEqual(['OfferBridgeFailed o1.1 caller']);
  });

  it('an acceptance that the desk does not answer is said again, and the two are connected', () => {
    const story = accepted();
    expect(told(story.timer('desk'))).toEqual(['OfferAccepted o1.1']);
    expect([story.call.phase, story.now - (story.call.visit?.service?.acceptedAt ?? 0)]).toEqual(['connecting', 1000]);
    expect(told(story.bridged())).toEqual(['OfferConnected o1.1']);
  });

  it('a caller whom the agent transfers goes on, and the agent is done', () => {
    const story = connects(accepted(), 1).bridged().when({ type: 'TransferAsked', legId: 'c7--l3', to: '105' });
    const request = story.call.planning?.request ?? '';
    const { noAnswer } = story.call.planning ?? {};
    story.when({ type: 'ExtensionPlanned', request, steps: { [request]: { ...ringOf([desk(5)]), extension: '105', on: { noAnswer: noAnswer ?? '' } } }, first: request, why: '' });
    expect(told(story)).toEqual(['AgentReleased o1.1']);
    expect(story.call.visit).toBeNull();
  });

  it('the steps of offers that are over do not pile up', () => {
    const story = waiting();
    for (let n = 1; n <= 20; n++) offers(story, n, 'ana', [desk(1)]).legEnds(n, 'busy');
    expect(Object.keys(story.call.plan.steps).filter((step) => step.startsWith(`${id}--o`)).length).toBeLessThanOrEqual(1);
  });
});

describe('A call in a queue that is adopted', () => {
  it('waits on in its place, says so again, and rings on', () => {
    const story = offers(waiting(), 1, 'ana', [desk(1)]).legRings(1);
    const { enteredAt } = story.call.visit ?? {};
    story.after(5000).adopted();
    expect(told(story)).toEqual(['CallJoined']);
    expect(story.call).toMatchObject({ phase: 'queued', visit: { enteredAt, offers: { [offerId(1)]: { agent: 'ana' } } } });
    expect(heard(story)).toEqual(['file:music']);
    expect(told(story.legAnswers(1))).toEqual(['OfferAccepted o1.1']);
  });

  it('connects an agent who has answered, seen or unseen, without the desk’s word', () => {
    const rings = offers(waiting(), 1, 'ana', [desk(1)]).legRings(1).after(1500);
    for (const story of [accepted().after(1500).adopted(), rings.adopted({ legs: rings.onSwitch().legs.map((leg) => ({ ...leg, state: 'answered' })) })]) {
      expect([story.call.phase, told(story).slice(-1), story.asked().filter((one) => one.startsWith('Bridge'))]).toEqual(['connecting', ['OfferAccepted o1.1'], ['BridgeLegs caller l3']]);
      expect([told(story.bridged()), told(connects(story, 1))]).toEqual([['OfferConnected o1.1'], []]);
    }
  });

  it('waits on where the agent who has answered is gone', () => {
    const story = accepted().after(1500);
    const seen = story.onSwitch();
    story.adopted({ ...seen, legs: [] });
    expect([told(story).slice(-2), story.call.phase, heard(story)]).toEqual([['OfferBridgeFailed o1.1 agent', 'OfferRejected o1.1 declined'], 'queued', ['file:music']]);
  });

  it('of which nothing is known but its mark has its place, and who rings for it is let go', () => {
    const before = offers(waiting(), 1, 'ana', [desk(1)]).legRings(1).after(5000);
    const seen = before.onSwitch();
    const story = given(planOfQueue()).after(9000).adopted(seen);
    expect(told(story)).toEqual(['OfferCanceled o1.1', 'CallJoined']);
    expect(story.call).toMatchObject({ phase: 'queued', visit: { n: 1, enteredAt: before.call.visit?.enteredAt, held: false } });
    expect(story.asked()).toContain(`HangUpLeg l3 canceled`);
  });

  it('of which nothing is known but that it is with an agent talks on, and the agent is told of', () => {
    const before = connects(accepted(), 1).bridged();
    const story = given(planOfQueue()).after(9000).adopted(before.onSwitch());
    expect(story.call).toMatchObject({ phase: 'connected', visit: { service: { offerId: offerId(1), agent: 'ana' } } });
    story.when({ type: 'LegEnded', legId: 'c7--l3', cause: 'normal' });
    expect(told(story)).toEqual(['AgentReleased o1.1']);
  });

  it('says to a desk that is rebuilt what it knows', () => {
    const story = offers(waiting(), 1, 'ana', [desk(1)]);
    expect(deskViewOf(story.call)).toMatchObject({ place: { callId: id, visit: 1, queue: 'front' }, offers: [{ offerId: offerId(1), agent: 'ana' }], service: null });
    expect(deskViewOf(connects(story.legRings(1).legAnswers(1), 1).call)).toMatchObject({ place: null, offers: [], service: { offerId: offerId(1), agent: 'ana', place: { visit: 1 }, connectedAt: null } });
    expect(deskViewOf(story.callerHangsUp().call)).toBeNull();
  });
});
