import { describe, expect, it } from 'vitest';
import type { CallEvent, Offer } from '../../control-plane/core/call/events.ts';
import { newCall } from '../../control-plane/core/call/call.ts';
import { markOf } from '../../control-plane/core/call/mark-of.ts';
import type { PlanExtension } from '../../control-plane/core/call/commands.ts';
import { given, offer, startedAt, Story } from './support/given.ts';
import { desk, planOf } from './support/plans.ts';

const plan = planOf([desk(1)]);
const connected = (): Story => given(plan).offered().legAnswers(1).bridged();
/** The phone 101 calls 102, and they talk. */
const between = (phone = '101'): Story => {
  const fromPhone: Offer = { ...offer, dialled: '102', origin: 'phone', phone, caller: { number: '101', name: 'desk 1' } };
  const extension = planOf([desk(2)], { voicemail: false });
  return new Story(extension, newCall(fromPhone, extension, startedAt)).offered().legAnswers(1).bridged();
};
const asks = (story: Story, legId: string, to: string): Story => story.when({ type: 'TransferAsked', legId, to });
const asked = (story: Story): PlanExtension => story.everyCommand('PlanExtension').at(-1) ?? { type: 'PlanExtension', request: 'none', extension: '', noAnswer: '' };
/** As the configuration has it: the extensions 102 and 103. */
const planned = (story: Story): Story => {
  const { request, extension, callerId = offer.caller, noAnswer } = asked(story);
  const known = extension === '102' || extension === '103';
  const event: CallEvent = {
    type: 'ExtensionPlanned', request, first: known ? request : null, why: known ? '' : `there is no extension ${extension}`,
    steps: known ? { [request]: { kind: 'ring', pattern: 'simultaneous', attempts: [{ ...desk(Number(extension.at(-1))), callerId }], ringMs: 20_000, taken: [], on: { noAnswer } } } : {},
  };
  return story.when(event);
};
/** Ann, at 101, has asked Bob, at 102, in a call of her own. */
const consulted = { legId: 'c9--l1', phone: '102', by: 'c9', callId: 'c9' };
const consults = (story: Story, by = 'c7--l1', who: Partial<typeof consulted> = {}): Story => story.when({ type: 'TransferAsked', legId: by, to: '102', consulted: { ...consulted, ...who } });
const handedOver = (): Story => planned(consults(connected()));
const letGo = (): Story => planned(asks(between(), 'c7', '103')).when({ type: 'LegEnded', legId: 'c7', cause: 'normal' });
const transferred = (): Story => planned(asks(connected(), 'c7--l1', '102')).legEnds(1);
const rung = (story: Story): readonly (readonly [device: string, shown: string])[] => story.everyCommand('OriginateLeg').map(({ target, callerId }) => [target.kind === 'device' ? target.device : target.number, callerId.number]);

describe('A phone that transfers who it talks with, and waits for nobody', () => {
  it('is told yes and let go, and the extension rings for the caller, who hears ringing', () => {
    const story = planned(asks(connected(), 'c7--l1', '102'));
    expect(story.asked()).toEqual(['AnswerTransfer l1', 'HangUpLeg l1 transferred', 'DestroyBridge', 'SetGuard caller', 'RingLeg caller', 'OriginateLeg l4']);
    expect(rung(story).at(-1)).toEqual(['102', '+13125550177']);
    expect(story.call).toMatchObject({ phase: 'ringing', caller: { phase: 'answered', legId: 'c7' } });
  });

  it('has them connected when the extension answers, and the record tells both parts', () => {
    const story = transferred().after(4000).legRings(2).legAnswers(2).bridged().after(1000).callerHangsUp().allEnds();
    expect(story.cdr).toMatchObject({ disposition: 'answered', endedBy: 'caller', answeredBy: 'c7--l4', transfers: [{ kind: 'blind', by: 'c7--l1', to: '102', outcome: 'answered' }] });
    expect(story.cdr.legs.map(({ label, disposition, cause }) => [label, disposition, cause])).toEqual([['desk 1', 'answered', 'transferred'], ['desk 2', 'answered', 'normal']]);
  });

  it.each(['busy', 'declined', 'absent'] as const)('is rung again when the extension is %s', (cause) => {
    const story = transferred().legEnds(2, cause);
    expect(rung(story).at(-1)).toEqual(['101', '+13125550177']);
    expect(story.call).toMatchObject({ phase: 'ringing', timers: { round: story.now + 20_000 } });
    story.legAnswers(3).bridged().callerHangsUp().allEnds();
    expect(story.cdr).toMatchObject({ disposition: 'answered', answeredBy: story.legId(3), transfers: [{ outcome: 'returned' }] });
  });

  it('is rung again when nobody answers in time, and then the caller goes where the number leads', () => {
    const story = transferred().legRings(2).timer('round').legEnds(2).timer('round').legEnds(3);
    expect(story.call).toMatchObject({ phase: 'greeting' });
    expect(story.asked()).toEqual([]);
    story.callerHangsUp().allEnds();
    expect(story.cdr).toMatchObject({ disposition: 'answered', transfers: [{ outcome: 'no-answer' }] });
  });

  it('rings nobody any more when the caller leaves', () => {
    const story = transferred().legRings(2).callerHangsUp();
    expect(story.asked()).toContain('HangUpLeg l4 canceled');
    expect(story.allEnds().cdr).toMatchObject({ disposition: 'answered', endedBy: 'caller', transfers: [{ outcome: 'canceled' }] });
  });

  it.each([
    ['an extension that nobody has', (story: Story) => planned(asks(story, 'c7--l1', '109')), 'there is no extension 109'],
    ['itself', (story: Story) => asks(story, 'c7--l1', '101'), 'it is the phone itself'],
  ])('to %s is told no, and the two go on talking', (_, ask, why) => {
    const story = ask(connected());
    expect(story.asked()).toEqual(['AnswerTransfer l1']);
    expect(story.commands[0]).toMatchObject({ accepted: false });
    expect(story.call.phase).toBe('connected');
    expect(story.cdr.transfers).toMatchObject([{ kind: 'blind', by: 'c7--l1', outcome: 'refused', why }]);
  });

  it.each([
    ['rings', () => given(plan).offered().legRings(1)],
    ['hears the whisper', () => given(planOf([desk(1, { whisper: ['file:who'] })])).offered().legAnswers(1)],
    ['has left', () => connected().legEnds(1)],
  ])('while it %s is told no', (_, make) => {
    const story = asks(make(), 'c7--l1', '102');
    expect(story.asked()).toEqual(['AnswerTransfer l1']);
    expect(story.everyCommand('PlanExtension')).toEqual([]);
  });

  it('may be transferred on by who has the call, and is not rung then', () => {
    const story = planned(asks(transferred().legAnswers(2).bridged(), 'c7--l4', '103')).legEnds(2);
    story.legEnds(3, 'busy').legEnds(4, 'busy');
    expect(rung(story).map(([device]) => device)).toEqual(['101', '102', '103', '102']);
    expect(story.call.phase).toBe('greeting');
    expect(story.cdr.transfers).toMatchObject([{ by: 'c7--l1', to: '102', outcome: 'answered' }, { by: 'c7--l4', to: '103', outcome: 'no-answer' }]);
  });

  it('ends the recording; who takes the call is recorded anew where that is said of them', () => {
    const recorded = given(planOf([desk(1, { recording: { announced: false } })])).offered().legAnswers(1).bridged();
    expect(planned(asks(recorded, 'c7--l1', '102')).asked()[0]).toBe('StopRecording');
  });
});

describe('A phone that called, and transfers who it called', () => {
  it('is let go, and the one it called is served: hears ringing, and is shown', () => {
    const story = planned(asks(between(), 'c7', '103'));
    expect(story.asked()).toEqual(['AnswerTransfer caller', 'HangUpLeg caller transferred', 'DestroyBridge', 'SetGuard l1', 'RingLeg l1', 'OriginateLeg l4']);
    expect(rung(story).at(-1)).toEqual(['103', '102']);
    expect(story.commands.at(-1)).toMatchObject({ type: 'MarkCall', legId: 'c7--l1', mark: { v: 3, place: 'ringing' } });
    expect(story.everyCommand('OriginateLeg').at(-1)).toMatchObject({ servedLeg: 'c7--l1' });
  });

  it('is out of the call: the two who are left talk, and it ends with them', () => {
    const story = letGo().legAnswers(2);
    expect(story.asked()).toContain('BridgeLegs l1 l4');
    expect(story.call.phase).toBe('connecting');
    for (const legId of ['c7--l1', 'c7--l4']) story.when({ type: 'LegBridged', legId, bridgeId: 'bridgeId' in story.call ? story.call.bridgeId : '' });
    story.when({ type: 'LegEnded', legId: 'c7--l1', cause: 'normal' });
    expect(story.asked()).toContain('HangUpLeg l4 normal');
    story.when({ type: 'LegEnded', legId: 'c7--l4', cause: 'normal' });
    expect(story.cdr).toMatchObject({ disposition: 'answered', endedBy: 'caller', transfers: [{ by: 'c7', to: '103', outcome: 'answered' }] });
    expect(story.cdr.legs.map(({ label, endedAt, cause }) => [label, endedAt !== null, cause])).toEqual([['desk 2', true, 'normal'], ['desk 3', true, 'normal']]);
  });

  it.each([['101', {}], ['elm.101', { sipPrefix: 'elm' }]])('is rung again by its name, %s', (phone, more) => {
    const story = planned(asks(between(phone), 'c7', '103')).legEnds(2, 'busy');
    expect(story.everyCommand('OriginateLeg').at(-1)).toMatchObject({ target: { kind: 'device', device: '101', ...more }, callerId: { number: '102' } });
  });

  it('is rung again when it is transferred itself, and nobody takes it', () => {
    const story = letGo().legAnswers(2);
    const bridgeId = 'bridgeId' in story.call ? story.call.bridgeId : '';
    for (const legId of ['c7--l1', 'c7--l4']) story.when({ type: 'LegBridged', legId, bridgeId });
    const back = asks(story, 'c7--l1', '102');
    expect(back.cdr.transfers.at(-1)).toMatchObject({ outcome: 'refused', why: 'it is the phone itself' });
  });
});

describe('A phone that has asked who is wanted, and transfers to them', () => {
  it('is told yes once the two who are left are in a bridge, and is let go', () => {
    const story = handedOver();
    expect(story.asked()).toEqual(['TakeLeg c9--l1', 'SetGuard caller', 'SetGuard c9--l1', 'BridgeLegs caller c9--l1', 'AnswerTransfer l1', 'HangUpLeg l1 transferred', 'DestroyBridge']);
    expect(story.commands.find(({ type }) => type === 'TakeLeg')).toMatchObject({ callId: 'c7', from: 'c9', servedLeg: 'c7' });
    expect(story.commands.at(-1)).toMatchObject({ type: 'MarkCall', legId: 'c7', mark: { v: 3, place: 'connecting', winner: 'c9--l1' } });
    expect(rung(story)).toHaveLength(1);
  });

  it('leaves two who talk until one hangs up, and a record that names both parts and the consultation', () => {
    const story = handedOver().legEnds(1).bridged().after(1000).when({ type: 'LegEnded', legId: 'c9--l1', cause: 'normal' });
    expect(story.asked()).toContain('HangUpLeg caller normal');
    expect(story.callerHangsUp().cdr).toMatchObject({ disposition: 'answered', endedBy: 'callee', answeredBy: 'c9--l1', transfers: [{ kind: 'attended', by: 'c7--l1', to: '102', consultation: 'c9', outcome: 'answered' }] });
    expect(story.cdr.legs.map(({ legId, label, cause }) => [legId, label, cause])).toEqual([['c7--l1', 'desk 1', 'transferred'], ['c9--l1', 'desk 2', 'normal']]);
  });

  it('that called itself leaves who it had called with who it asked', () => {
    const story = planned(consults(between('103'), 'c7', { phone: '102' }));
    expect(story.asked()).toContain('BridgeLegs l1 c9--l1');
    expect(story.call).toMatchObject({ phase: 'connecting', caller: { legId: 'c7--l1' }, winner: 'c9--l1' });
  });

  it.each([
    ['is gone meanwhile', (story: Story) => story.fails('TakeLeg', 'gone')],
    ['does not come into the bridge', (story: Story) => story.timer('connect')],
  ])('is rung again when who was asked %s', (_, lost) => {
    const story = lost(handedOver());
    expect(rung(story).at(-1)).toEqual(['101', '+13125550177']);
    story.legAnswers(3).bridged().callerHangsUp().allEnds();
    expect(story.cdr).toMatchObject({ disposition: 'answered', transfers: [{ kind: 'attended', outcome: 'returned' }] });
  });

  it.each([
    ['nobody of the account', (story: Story) => planned(story.when({ type: 'TransferAsked', legId: 'c7--l1', to: 'carrier', consulted: { ...consulted, phone: 'carrier' } })), 'there is no extension carrier'],
    ['the same extension of another account', (story: Story) => planned(consults(story, 'c7--l1', { phone: 'elm.102' })), 'the extension 102 is another phone'],
    ['who it talks with in this call', (story: Story) => consults(story, 'c7--l1', { callId: 'c7' }), 'it names nobody else'],
  ])('to %s is told no, and they talk on', (_, ask, why) => {
    const story = ask(connected());
    expect(story.asked()).toEqual(['AnswerTransfer l1']);
    expect(story.call.phase).toBe('connected');
    expect(story.cdr.transfers).toMatchObject([{ kind: 'attended', outcome: 'refused', why }]);
  });

  it('may be transferred on by who has the call now', () => {
    const story = planned(asks(handedOver().legEnds(1).bridged(), 'c9--l1', '103')).legEnds(3, 'busy');
    expect(rung(story).map(([device]) => device)).toEqual(['101', '103', '102']);
  });

  it.each([['who was called', 'c7--l1', 'caller'], ['who called', 'c7', 'l1']] as const)('ends the call in which %s was asked, and lets that one go on', (_, legId, left) => {
    const story = between().when({ type: 'LegUnbridged', legId, bridgeId: 'c7--b2' }).when({ type: 'LegBridged', legId, bridgeId: 'c5--b9' });
    expect(story.asked().toSorted()).toEqual(['DestroyBridge', `HangUpLeg ${left} normal`]);
    story.when({ type: 'LegEnded', legId: left === 'caller' ? 'c7' : 'c7--l1', cause: 'normal' });
    expect(story.call.phase).toBe('ended');
    expect(story.everyCommand('HangUpLeg').map((one) => one.legId)).not.toContain(legId);
    expect(story.cdr).toMatchObject({ disposition: 'answered', continuedAs: 'c5', endedBy: left === 'caller' ? 'caller' : 'callee' });
  });

  it('that hangs up before its other call has learnt of it ends that call alone', () => {
    const story = between().callerHangsUp().when({ type: 'LegBridged', legId: 'c7--l1', bridgeId: 'c5--b9' });
    expect(story.asked()).toEqual([]);
    expect(story.call.phase).toBe('ended');
  });
});

describe('A transfer of which a controller dies', () => {
  it('while it is being asked where it leads is asked anew', () => {
    const story = asks(connected(), 'c7--l1', '102');
    expect(planned(story.adopted()).call.phase).toBe('ringing');
  });

  it('while the extension rings goes on ringing', () => {
    const story = transferred().legRings(2).adopted();
    expect(story.call).toMatchObject({ phase: 'ringing', transfer: { phase: 'under-way' } });
    expect(story.leg(2).phase).toBe('ringing');
    expect(story.legAnswers(2).bridged().cdr.transfers).toMatchObject([{ outcome: 'answered' }]);
  });

  it('while who was asked comes over has them put in one bridge', () => {
    const story = planned(consults(connected())).adopted({ bridges: [] });
    expect(story.asked()).toContain('BridgeLegs caller c9--l1');
    expect(story.legEnds(1).bridged().call).toMatchObject({ phase: 'connected', winner: 'c9--l1' });
  });

  it('with its journal lost once those two talk lets them talk', () => {
    const before = planned(consults(connected())).legEnds(1).bridged();
    const story = given(plan).when({ type: 'CallAdopted', seen: before.onSwitch() });
    expect(story.call).toMatchObject({ phase: 'connected', winner: 'c9--l1' });
    expect(story.asked().filter((one) => one.startsWith('HangUp'))).toEqual([]);
  });

  it('with its journal lost goes the way of the number, and no phone rings on', () => {
    const before = transferred().legRings(2);
    const { caller, ...seen } = before.onSwitch();
    const story = given(plan).when({ type: 'CallAdopted', seen: { ...seen, caller: caller === null ? null : { ...caller, mark: markOf(before.call) } } });
    expect(story.asked()).toContain('HangUpLeg l4 canceled');
    story.when({ type: 'LegEnded', legId: 'c7--l4', cause: 'canceled' });
    if (story.call.phase === 'ringing') story.timer('round');
    expect(story.call.phase).toBe('greeting');
  });

  it('with its journal lost once they talk lets them talk, and ends when one hangs up', () => {
    const before = transferred().legAnswers(2).bridged();
    const { caller, ...seen } = before.onSwitch();
    const story = given(plan).when({ type: 'CallAdopted', seen: { ...seen, caller: caller === null ? null : { ...caller, mark: markOf(before.call) } } });
    expect(story.call).toMatchObject({ phase: 'connected', winner: 'c7--l4' });
    expect(story.callerHangsUp().allEnds().call.phase).toBe('ended');
  });

  it.each(['the journal', 'the switch'] as const)('where %s is behind about who is served, the one who is left is served', (behind) => {
    const ahead = planned(asks(between(), 'c7', '103'));
    const old = between();
    const known = behind === 'the journal' ? old : ahead;
    const mark = markOf((behind === 'the journal' ? ahead : old).call);
    const party = { answered: true, number: '102', name: '', mark };
    const seen = behind === 'the journal'
      ? { caller: { ...party, legId: 'c7--l1' }, legs: [], bridges: [], recordings: [] }
      : { caller: party, legs: [{ legId: 'c7--l1', state: 'answered' as const, createdAt: startedAt, mark: null }], bridges: [], recordings: [] };
    known.when({ type: 'CallAdopted', seen });
    expect(known.call.caller.legId).toBe('c7--l1');
    expect(known.asked()).toContain(behind === 'the journal' ? 'HangUpLeg l1 normal' : 'RingLeg l1');
    expect(known.allEnds().call.phase).toBe('ended');
  });
});
