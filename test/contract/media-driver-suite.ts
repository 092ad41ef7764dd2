/**
 * The one contract every media driver keeps, as sentences about the phone system. Run against the simulated switch and
 * against real ones: what holds in the model test then holds on the wire.
 */
/* oxlint-disable vitest/expect-expect -- waiting for an event is the assertion */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownedId } from '../../control-plane/core/ids.ts';
import type { MediaCommand } from '../../control-plane/core/call/commands.ts';
import { eventsOf, type ContractFixture, type FixtureFactory } from './media-driver-fixture.ts';
import { contractSteps } from './media-driver-steps.ts';
import { audioSentences } from './media-driver-suite-audio.ts';
import { digitSentences } from './media-driver-suite-digits.ts';
import { recordingSentences } from './media-driver-suite-recording.ts';
import { supervisionSentences } from './media-driver-suite-supervision.ts';
import { transferSentences } from './media-driver-suite-transfer.ts';

export function mediaDriverContract(factory: FixtureFactory): void {
  describe(`A media driver on the ${factory.name} switch`, { timeout: factory.timeoutMs }, () => {
    let fix: ContractFixture;
    beforeEach(async () => {
      fix = await factory.open();
    });
    afterEach(async (context) => {
      if (context.task.result?.state === 'pass') factory.heardInTest?.(context.task.name, fix.heard);
      await fix.close();
    });
    const steps = contractSteps(() => fix);
    const { execute, must, awaited, event, types, offered, answeredCaller, originate, ringing, answered, mark } = steps;

    it('offers a call once, before any other event of it', async () => {
      const { callId, caller } = await offered();
      await caller.hangUp();
      await event('LegEnded', callId);
      expect(fix.heard.filter((one) => one.kind === 'offer')).toHaveLength(1);
      expect(fix.heard.find((one) => one.kind !== 'link')?.kind).toBe('offer');
    });

    it('tells a caller who is gone exactly once', async () => {
      const { callId, caller } = await answeredCaller();
      await caller.hangUp();
      await event('LegEnded', callId);
      await fix.pass(300);
      expect(types(callId).filter((type) => type === 'LegEnded')).toHaveLength(1);
    });

    it('says ringing and then answered of a phone that rings and is answered', async () => {
      const { callId } = await offered();
      const { legId } = await answered(callId, 1, 'reception');
      expect(types(legId)).toEqual(['LegRinging', 'LegAnswered']);
    });

    it.each([['busy', 'busy'], ['decline', 'declined']] as const)('ends the leg of a phone that is %s with the cause %s', async (does, cause) => {
      const { callId } = await offered();
      const { legId, phone } = await ringing(callId, 1, 'reception');
      await phone[does]();
      expect(await event('LegEnded', legId)).toMatchObject({ cause });
    });

    it('takes the hang-up of a leg that is gone for success', async () => {
      const { callId } = await offered();
      await must({ type: 'HangUpLeg', legId: ownedId(callId, 'l', 9), cause: 'normal' });
    });

    it('tells a losing phone that the call was completed elsewhere', async () => {
      const { callId } = await offered();
      const { legId, phone } = await ringing(callId, 1, 'reception');
      await must({ type: 'HangUpLeg', legId, cause: 'answered-elsewhere' });
      expect(await fix.until('the cancel', () => phone.ended() ?? undefined)).toBe('completed-elsewhere');
      expect(await event('LegEnded', legId)).toMatchObject({ cause: 'answered-elsewhere' });
    });

    it('ends on the switch itself a ringing that nobody stops, with no answer', async () => {
      const { callId } = await offered();
      const phone = fix.phone('reception');
      await must(originate(callId, 1, phone, 1000));
      expect(await event('LegEnded', ownedId(callId, 'l', 1))).toMatchObject({ cause: 'no-answer' });
    });

    it('refuses at once to ring a phone that is not there, and nothing is left of it', async () => {
      const { callId } = await offered();
      const absent: MediaCommand = { ...originate(callId, 1, fix.phone('reception')), target: { kind: 'device', device: 'absent' } } as MediaCommand;
      expect(await execute(absent)).toMatchObject({ ok: false, error: 'rejected', mayHaveReachedCarrier: false });
      await fix.pass(100);
      expect(types(ownedId(callId, 'l', 1))).toEqual([]);
      expect(await awaited('what is left', fix.leftovers())).toEqual([callId]);
    });

    it('does not ring a phone whose hang-up overtakes the dial', async () => {
      const { callId } = await offered();
      const legId = ownedId(callId, 'l', 1);
      const phone = fix.phone('reception');
      const made = fix.driver.execute(originate(callId, 1, phone));
      await must({ type: 'HangUpLeg', legId, cause: 'canceled' });
      expect(await awaited('a reply to OriginateLeg', made)).toMatchObject({ ok: false, error: 'gone', mayHaveReachedCarrier: false });
      expect(await event('LegEnded', legId)).toMatchObject({ cause: 'canceled' });
      await fix.pass(100);
      expect(types(legId)).toEqual(['LegEnded']);
      expect(phone.wasCalled()).toBe(false);
    });

    it('tells the end of a leg that is hung up twice once, with the first cause', async () => {
      const { callId } = await offered();
      const { legId } = await ringing(callId, 1, 'reception');
      await must({ type: 'HangUpLeg', legId, cause: 'answered-elsewhere' });
      await must({ type: 'HangUpLeg', legId, cause: 'canceled' });
      await event('LegEnded', legId);
      await fix.pass(100);
      expect(eventsOf(fix, legId).filter((one) => one.type === 'LegEnded')).toMatchObject([{ cause: 'answered-elsewhere' }]);
    });

    it('refuses a second leg under an id in use', async () => {
      const { callId } = await offered();
      await ringing(callId, 1, 'reception');
      expect(await execute(originate(callId, 1, fix.phone('nurse')))).toMatchObject({ ok: false, error: 'rejected' });
    });

    it('says of both legs put in a bridge that they are in it', async () => {
      const { callId } = await answeredCaller();
      const { legId } = await answered(callId, 1, 'reception');
      const bridgeId = ownedId(callId, 'b', 2);
      await must({ type: 'BridgeLegs', bridgeId, legIds: [callId, legId] });
      expect(await event('LegBridged', callId)).toMatchObject({ bridgeId });
      expect(await event('LegBridged', legId)).toMatchObject({ bridgeId });
    });

    it('cannot bridge a leg that is gone', async () => {
      const { callId } = await answeredCaller();
      const result = await execute({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 2), legIds: [callId, ownedId(callId, 'l', 1)] });
      expect(result).toMatchObject({ ok: false, error: 'gone' });
    });

    it('takes who hangs up out of the bridge, ends that leg, and leaves the other', async () => {
      const { callId, caller } = await answeredCaller();
      const { legId } = await answered(callId, 1, 'reception');
      await must({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 2), legIds: [callId, legId] });
      await event('LegBridged', legId);
      await event('LegBridged', callId);
      await caller.hangUp();
      await event('LegEnded', callId);
      expect(types(callId).slice(-2)).toEqual(['LegUnbridged', 'LegEnded']);
      expect(types(legId)).not.toContain('LegEnded');
    });

    it('lets both out of a bridge that is ended, and leaves them', async () => {
      const { callId } = await answeredCaller();
      const { legId } = await answered(callId, 1, 'reception');
      const bridgeId = ownedId(callId, 'b', 2);
      await must({ type: 'BridgeLegs', bridgeId, legIds: [callId, legId] });
      await event('LegBridged', legId);
      await event('LegBridged', callId);
      await must({ type: 'DestroyBridge', bridgeId });
      await event('LegUnbridged', legId);
      await event('LegUnbridged', callId);
      expect((await awaited('what is left', fix.leftovers())).toSorted()).toEqual([callId, legId]);
    });

    it('plays what is asked for right behind the end of a bridge to each who was in it, and tells its end', { repeats: 4 }, async () => {
      const { callId } = await answeredCaller();
      const { legId } = await answered(callId, 1, 'reception');
      const [bridgeId, prompts] = [ownedId(callId, 'b', 2), [ownedId(callId, 'p', 3), ownedId(callId, 'p', 4)]];
      await must({ type: 'BridgeLegs', bridgeId, legIds: [callId, legId] });
      await event('LegBridged', legId);
      await event('LegBridged', callId);
      await Promise.all([must({ type: 'DestroyBridge', bridgeId }), ...[callId, legId].map((id, i) => must({ type: 'PlayPrompt', legId: id, promptId: prompts[i] ?? '', media: [fix.audio.short] }))]);
      for (const promptId of prompts) expect(await event('PromptFinished', promptId)).toMatchObject({ ok: true });
    });

    it.each([0, 20, 40])('lets both out of a bridge that is ended in the moment in which they come into it, and leaves them (%s ms after)', async (ms) => {
      const { callId } = await answeredCaller();
      const { legId } = await answered(callId, 1, 'reception');
      const [bridgeId, prompts] = [ownedId(callId, 'b', 2), [ownedId(callId, 'p', 3), ownedId(callId, 'p', 4)]];
      await must({ type: 'BridgeLegs', bridgeId, legIds: [callId, legId] });
      await fix.pass(ms);
      await must({ type: 'DestroyBridge', bridgeId });
      await event('LegUnbridged', legId);
      await event('LegUnbridged', callId);
      await Promise.all([callId, legId].map((id, i) => must({ type: 'PlayPrompt', legId: id, promptId: prompts[i] ?? '', media: [fix.audio.short] })));
      for (const promptId of prompts) expect(await event('PromptFinished', promptId)).toMatchObject({ ok: true });
      // one who is left behind by another would end
      await fix.pass(2500);
      expect((await awaited('what is left', fix.leftovers())).toSorted()).toEqual([callId, legId]);
    });

    it('reports a key once', async () => {
      const { callId } = await offered();
      const { legId, phone } = await answered(callId, 1, 'reception');
      await phone.press('1');
      expect(await event('LegDigit', legId)).toMatchObject({ digit: '1' });
      await fix.pass(300);
      expect(types(legId).filter((type) => type === 'LegDigit')).toHaveLength(1);
    });

    it('reports hold and its end', async () => {
      const { callId } = await offered();
      const { legId, phone } = await answered(callId, 1, 'reception');
      await phone.hold();
      await event('LegHeld', legId);
      await phone.unhold();
      await event('LegUnheld', legId);
    });

    it('shows in its snapshot what is there, with its marks', async () => {
      const { callId } = await answeredCaller();
      const { legId } = await answered(callId, 1, 'reception');
      await must({ type: 'MarkCall', legId: callId, callId, mark });
      const snapshot = await awaited('the snapshot', fix.driver.snapshot());
      const call = snapshot.calls.find((one) => one.callId === callId);
      expect(call?.caller).toMatchObject({ answered: true, mark });
      expect(call?.legs).toMatchObject([{ legId, state: 'answered', mark: { v: 1, step: 'ring', attempt: 0, trunk: 0 } }]);
    });

    it('shows in its snapshot who has a call, and only the calls asked for', async () => {
      const { callId } = await answeredCaller();
      const { legId } = await answered(callId, 1, 'reception');
      const owned = await awaited('the snapshot', fix.driver.snapshot(new Set([callId])));
      await must({ type: 'MarkCall', legId: callId, callId, mark });
      const marked = await awaited('the snapshot', fix.driver.snapshot(new Set([callId])));
      for (const { calls } of [owned, marked]) expect(calls).toMatchObject([{ callId, owner: fix.instance, legs: [{ legId }] }]);
      expect((await awaited('the snapshot', fix.driver.snapshot(new Set(['another'])))).calls).toEqual([]);
    });

    it('shows in its snapshot a bridge and who is in it, and a recording its call is marked with', async () => {
      const { callId } = await answeredCaller();
      const { legId } = await answered(callId, 1, 'reception');
      const bridgeId = ownedId(callId, 'b', 2);
      const recordingId = ownedId(callId, 'r', 3);
      await must({ type: 'BridgeLegs', bridgeId, legIds: [legId] });
      await event('LegBridged', legId);
      await must({ type: 'MarkCall', legId: callId, callId, mark: { ...mark, recording: recordingId } });
      await must({ type: 'StartRecording', recordingId, legId: callId, maxMs: 60_000, silenceMs: 30_000 });
      await event('RecordingStarted', recordingId);
      const snapshot = await awaited('the snapshot', fix.driver.snapshot());
      expect(snapshot.calls).toMatchObject([{ callId, dialled: '+15550001', origin: 'trunk', bridges: [{ bridgeId, legIds: [legId] }], recordings: [recordingId] }]);
    });

    it('tells the end of a caller who leaves while the switch is read', async () => {
      const { callId, caller } = await answeredCaller();
      const recordingId = ownedId(callId, 'r', 1);
      await must({ type: 'StartRecording', recordingId, legId: callId, maxMs: 60_000, silenceMs: 30_000 });
      await event('RecordingStarted', recordingId);
      const hungUp = caller.hangUp();
      for (let reads = 0; reads < 500 && !types(callId).includes('LegEnded'); reads += 1) await awaited('the snapshot', fix.driver.snapshot());
      await awaited('the hang-up', hungUp);
      expect(await event('LegEnded', callId)).toMatchObject({ cause: 'normal' });
    });

    it('obeys nothing while the link is down, and says so', async () => {
      const { callId } = await offered();
      await fix.cutLink();
      await fix.until('the loss of the link', () => fix.heard.find((one) => one.kind === 'link' && one.state === 'down'));
      expect(await execute({ type: 'AnswerLeg', legId: callId })).toMatchObject({ ok: false, error: 'unreachable' });
      await fix.restoreLink();
    });

    it.each(['ringing', 'answered'] as const)('keeps a leg that is %s through the loss of the link, to be adopted and commanded', async (state) => {
      const { callId } = await answeredCaller();
      const { legId, phone } = await (state === 'ringing' ? ringing : answered)(callId, 1, 'reception');
      await fix.cutLink();
      if (state === 'ringing') await phone.answer();
      await fix.pass(200);
      await fix.restoreLink();
      await fix.until('the link', () => fix.heard.findLast((one) => one.kind === 'link')?.state === 'up' || undefined);
      const snapshot = await awaited('the snapshot', fix.driver.snapshot());
      expect(snapshot.calls.find((one) => one.callId === callId)?.legs).toMatchObject([{ legId, state: 'answered' }]);
      await awaited('the adoption', fix.driver.adopt(callId, snapshot));
      await must({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 2), legIds: [callId, legId] });
      await event('LegBridged', legId);
    });

    it.skipIf(factory.dialsAtOnce === true).each(['adopted', 'read again'] as const)('ends a leg that was made and never dialled when its call is %s', async (how) => {
      const { callId } = await offered();
      const legId = ownedId(callId, 'l', 1);
      const phone = fix.phone('reception');
      await fix.cutLink('before the dial');
      expect(await execute(originate(callId, 1, phone))).toMatchObject({ ok: false, error: 'unreachable', mayHaveReachedCarrier: false });
      await fix.restoreLink();
      await fix.until('the link', () => fix.heard.findLast((one) => one.kind === 'link')?.state === 'up' || undefined);
      const snapshot = await awaited('the snapshot', fix.driver.snapshot());
      expect(snapshot.calls).toMatchObject([{ callId, legs: [{ legId, state: 'dialing' }] }]);
      if (how === 'adopted') await awaited('the adoption', fix.driver.adopt(callId, snapshot));
      expect(await event('LegEnded', legId)).toMatchObject({ cause: 'lost' });
      expect(phone.wasCalled()).toBe(false);
    });

    it.each(['ringing', 'answered'] as const)('ends a called leg that is %s when its guard was not renewed', async (state) => {
      const { callId } = await offered();
      const { legId, phone } = await (state === 'ringing' ? ringing : answered)(callId, 1, 'reception');
      await must({ type: 'SetGuard', legId, ms: 1000 });
      await event('LegEnded', legId);
      expect(await fix.until('the phone to be let go', () => phone.ended() ?? undefined)).toBe(state === 'ringing' ? 'cancel' : 'bye');
    });

    it('pulls a caller whose guard was not renewed out of its bridge, and leaves the other there', async () => {
      const { callId } = await answeredCaller();
      const { legId } = await answered(callId, 1, 'reception');
      const bridgeId = ownedId(callId, 'b', 2);
      await must({ type: 'BridgeLegs', bridgeId, legIds: [callId, legId] });
      await event('LegBridged', legId);
      await event('LegBridged', callId);
      await must({ type: 'SetGuard', legId: callId, ms: 1000 });
      await fix.until('the second offer', () => fix.heard.filter((one) => one.kind === 'offer').at(1));
      await event('LegUnbridged', callId);
      expect(types(legId)).toEqual(['LegRinging', 'LegAnswered', 'LegBridged']);
    });

    it('leaves new calls to others when told to', async () => {
      fix.driver.accept(false);
      await fix.incomingCall();
      await fix.pass(700);
      expect(fix.heard.filter((one) => one.kind !== 'link')).toEqual([]);
    });

    it('offers a call again, as an orphan, when its guard was not renewed', async () => {
      const { callId } = await answeredCaller();
      await must({ type: 'SetGuard', legId: callId, ms: 1000 });
      const again = await fix.until('the second offer', () => fix.heard.filter((one) => one.kind === 'offer').at(1));
      expect(again).toMatchObject({ callId, offer: { orphan: true } });
    });

    audioSentences(() => fix, steps);
    digitSentences(() => fix, steps);
    recordingSentences(() => fix, steps);
    supervisionSentences(() => fix, steps);
    transferSentences(() => fix, steps);
  });
}
