/** The steps that the sentences of the contract are made of. */
/* oxlint-disable unicorn/consistent-function-scoping -- they read in one place */
import { expect } from 'vitest';
import { ownedId, type CallId, type LegId } from '../../control-plane/core/ids.ts';
import type { CallMark } from '../../control-plane/core/call/mark.ts';
import type { LegEvent } from '../../control-plane/core/call/events.ts';
import type { MediaCommand } from '../../control-plane/core/call/commands.ts';
import type { CommandResult } from '../../control-plane/media/media-driver.ts';
import { eventsOf, type Caller, type ContractFixture, type Phone, type PhoneName } from './media-driver-fixture.ts';

// oxlint-disable-next-line typescript/explicit-function-return-type -- the steps are their own description
export function contractSteps(fix: () => ContractFixture) {
  const execute = (command: MediaCommand): Promise<CommandResult> => {
    const result = fix().driver.execute(command);
    let settled: CommandResult | undefined;
    void result.then((value) => (settled = value));
    return fix().until(`a reply to ${command.type}`, () => settled);
  };

  const must = async (command: MediaCommand): Promise<void> => {
    expect(await execute(command)).toEqual({ ok: true });
  };

  const awaited = async <T>(what: string, promise: Promise<T>): Promise<T> => {
    let settled: { readonly value: T } | undefined;
    void promise.then((value) => (settled = { value }));
    return (await fix().until(what, () => settled)).value;
  };

  const event = <T extends LegEvent['type']>(type: T, id: string): Promise<Extract<LegEvent, { type: T }>> =>
    fix().until(`${type} of ${id}`, () => {
      const found = fix().heard.find((one) => one.kind === 'event' && one.event.type === type && Object.values(one.event).includes(id));
      return found?.kind === 'event' ? (found.event as Extract<LegEvent, { type: T }>) : undefined;
    });

  const types = (legId: LegId): readonly string[] => eventsOf(fix(), legId).map((one) => one.type);

  /** Keys in their order. */
  const digits = (legId: LegId): string => eventsOf(fix(), legId).flatMap((one) => (one.type === 'LegDigit' ? [one.digit] : [])).join('');

  /** Prompts and whether they were played, in the order of their ends. */
  const finished = (legId: LegId): readonly (readonly [string, boolean])[] =>
    eventsOf(fix(), legId).flatMap((one) => (one.type === 'PromptFinished' ? [[one.promptId, one.ok] as const] : []));

  const offered = async (): Promise<{ callId: CallId; caller: Caller }> => {
    const caller = await fix().incomingCall();
    const callId = await fix().until('the offer', () => fix().heard.find((one) => one.kind === 'offer')?.callId);
    return { callId, caller };
  };

  const answeredCaller = async (): Promise<{ callId: CallId; caller: Caller }> => {
    const call = await offered();
    await must({ type: 'AnswerLeg', legId: call.callId });
    await event('LegAnswered', call.callId);
    return call;
  };

  /** Of a second call, which comes in now. */
  const answeredNext = async (): Promise<CallId> => {
    const callId = await fix().until('the second offer', () => fix().heard.filter((one) => one.kind === 'offer').at(1)?.callId);
    await must({ type: 'AnswerLeg', legId: callId });
    await event('LegAnswered', callId);
    return callId;
  };

  const originate = (callId: CallId, n: number, phone: Phone, ringMs = 15_000): MediaCommand => ({
    type: 'OriginateLeg', legId: ownedId(callId, 'l', n), target: phone.target, callerId: { number: '+15550100', name: 'Ann' }, ringMs,
    mark: { v: 1, step: 'ring', attempt: n - 1, trunk: 0 },
  });

  const ringing = async (callId: CallId, n: number, name: PhoneName): Promise<{ legId: LegId; phone: Phone }> => {
    const phone = fix().phone(name);
    await must(originate(callId, n, phone));
    await phone.waitRinging();
    const legId = ownedId(callId, 'l', n);
    await event('LegRinging', legId);
    return { legId, phone };
  };

  const answered = async (callId: CallId, n: number, name: PhoneName): Promise<{ legId: LegId; phone: Phone }> => {
    const leg = await ringing(callId, n, name);
    await leg.phone.answer();
    await event('LegAnswered', leg.legId);
    return leg;
  };

  const mark: CallMark = { v: 1, dialled: '+15550001', plan: 'p1', startedAt: 1, step: 'ring', place: 'ringing', n: 7 };

  return { execute, must, awaited, event, types, digits, finished, offered, answeredCaller, answeredNext, originate, ringing, answered, mark };
}

export type ContractSteps = ReturnType<typeof contractSteps>;
