/**
 * The one contract every media driver keeps, as sentences about the phone system. Run against the simulated switch and
 * against a real Asterisk: what holds in the model test then holds on the wire.
 */
/* oxlint-disable vitest/expect-expect, unicorn/consistent-function-scoping -- waiting for an event is the assertion; helpers read in one place */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownedId, type CallId, type LegId } from '../../control-plane/core/ids.ts';
import type { CallMark } from '../../control-plane/core/call/mark.ts';
import type { LegEvent } from '../../control-plane/core/call/events.ts';
import type { MediaCommand } from '../../control-plane/core/call/commands.ts';
import type { CommandResult } from '../../control-plane/media/media-driver.ts';
import { eventsOf, type Caller, type ContractFixture, type FixtureFactory, type Phone } from './media-driver-fixture.ts';

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

    const execute = (command: MediaCommand): Promise<CommandResult> => {
      const result = fix.driver.execute(command);
      let settled: CommandResult | undefined;
      void result.then((value) => (settled = value));
      return fix.until(`a reply to ${command.type}`, () => settled);
    };

    const must = async (command: MediaCommand): Promise<void> => {
      expect(await execute(command)).toEqual({ ok: true });
    };

    const awaited = async <T>(what: string, promise: Promise<T>): Promise<T> => {
      let settled: { readonly value: T } | undefined;
      void promise.then((value) => (settled = { value }));
      return (await fix.until(what, () => settled)).value;
    };

    const event = <T extends LegEvent['type']>(type: T, id: string): Promise<Extract<LegEvent, { type: T }>> =>
      fix.until(`${type} of ${id}`, () => {
        const found = fix.heard.find((one) => one.kind === 'event' && one.event.type === type && Object.values(one.event).includes(id));
        return found?.kind === 'event' ? (found.event as Extract<LegEvent, { type: T }>) : undefined;
      });

    const types = (legId: LegId): readonly string[] => eventsOf(fix, legId).map((one) => one.type);

    const offered = async (): Promise<{ callId: CallId; caller: Caller }> => {
      const caller = await fix.incomingCall();
      const callId = await fix.until('the offer', () => fix.heard.find((one) => one.kind === 'offer')?.callId);
      return { callId, caller };
    };

    const answeredCaller = async (): Promise<{ callId: CallId; caller: Caller }> => {
      const call = await offered();
      await must({ type: 'AnswerLeg', legId: call.callId });
      await event('LegAnswered', call.callId);
      return call;
    };

    const originate = (callId: CallId, n: number, phone: Phone, ringMs = 15_000): MediaCommand => ({
      type: 'OriginateLeg', legId: ownedId(callId, 'l', n), target: phone.target, callerId: { number: '+15550100', name: 'Ann' }, ringMs,
      mark: { v: 1, step: 'ring', attempt: n - 1, trunk: 0 },
    });

    const ringing = async (callId: CallId, n: number, name: 'reception' | 'nurse'): Promise<{ legId: LegId; phone: Phone }> => {
      const phone = fix.phone(name);
      await must(originate(callId, n, phone));
      await phone.waitRinging();
      const legId = ownedId(callId, 'l', n);
      await event('LegRinging', legId);
      return { legId, phone };
    };

    const answered = async (callId: CallId, n: number, name: 'reception' | 'nurse'): Promise<{ legId: LegId; phone: Phone }> => {
      const leg = await ringing(callId, n, name);
      await leg.phone.answer();
      await event('LegAnswered', leg.legId);
      return leg;
    };

    const mark: CallMark = { v: 1, dialled: '+15550001', plan: 'p1', startedAt: 1, step: 'ring', place: 'ringing', n: 7 };

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
    });

    it('ends on the switch itself a ringing that nobody stops, with no answer', async () => {
      const { callId } = await offered();
      const phone = fix.phone('reception');
      await must(originate(callId, 1, phone, 1000));
      expect(await event('LegEnded', ownedId(callId, 'l', 1))).toMatchObject({ cause: 'no-answer' });
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

    it('plays a prompt to its end', async () => {
      const { callId } = await answeredCaller();
      const promptId = ownedId(callId, 'p', 1);
      await must({ type: 'PlayPrompt', legId: callId, promptId, media: [fix.audio.short] });
      expect(await event('PromptFinished', promptId)).toMatchObject({ legId: callId, ok: true });
    });

    it('finishes a prompt that cannot be played as not played', async () => {
      const { callId } = await answeredCaller();
      const promptId = ownedId(callId, 'p', 1);
      await must({ type: 'PlayPrompt', legId: callId, promptId, media: [fix.audio.missing] });
      expect(await event('PromptFinished', promptId)).toMatchObject({ ok: false });
    });

    it('finishes a prompt that is stopped', async () => {
      const { callId } = await answeredCaller();
      const promptId = ownedId(callId, 'p', 1);
      await must({ type: 'PlayPrompt', legId: callId, promptId, media: [fix.audio.long] });
      await must({ type: 'StopPrompt', promptId });
      await event('PromptFinished', promptId);
    });

    it('cannot play to a leg that is gone', async () => {
      const { callId } = await answeredCaller();
      const result = await execute({ type: 'PlayPrompt', legId: ownedId(callId, 'l', 1), promptId: ownedId(callId, 'p', 2), media: [fix.audio.short] });
      expect(result).toMatchObject({ ok: false, error: 'gone' });
    });

    it('records until it is stopped', async () => {
      const { callId } = await answeredCaller();
      const recordingId = ownedId(callId, 'r', 1);
      await must({ type: 'StartRecording', recordingId, legId: callId, maxMs: 60_000, silenceMs: 30_000 });
      await event('RecordingStarted', recordingId);
      await must({ type: 'StopRecording', recordingId });
      await event('RecordingFinished', recordingId);
    });

    it('finishes the recording when the caller leaves', async () => {
      const { callId, caller } = await answeredCaller();
      const recordingId = ownedId(callId, 'r', 1);
      await must({ type: 'StartRecording', recordingId, legId: callId, maxMs: 60_000, silenceMs: 30_000 });
      await event('RecordingStarted', recordingId);
      await caller.hangUp();
      await event('RecordingFinished', recordingId);
      await event('LegEnded', callId);
    });

    it('shows in its snapshot what is there, with its marks', async () => {
      const { callId } = await answeredCaller();
      const { legId } = await answered(callId, 1, 'reception');
      await must({ type: 'MarkCall', legId: callId, mark });
      const snapshot = await awaited('the snapshot', fix.driver.snapshot());
      const call = snapshot.calls.find((one) => one.callId === callId);
      expect(call?.caller).toMatchObject({ answered: true, mark });
      expect(call?.legs).toMatchObject([{ legId, state: 'answered', mark: { v: 1, step: 'ring', attempt: 0, trunk: 0 } }]);
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

    it('offers a call again, as an orphan, when its guard was not renewed', async () => {
      const { callId } = await answeredCaller();
      await must({ type: 'SetGuard', legId: callId, ms: 1000 });
      const again = await fix.until('the second offer', () => fix.heard.filter((one) => one.kind === 'offer').at(1));
      expect(again).toMatchObject({ callId, offer: { orphan: true } });
    });
  });
}
