/** A call told in sentences: `given(plan).offered().legRings(1).legAnswers(1)`. Legs are counted from 1, as dialled. */
import type { Cause } from '../../../control-plane/core/cause.ts';
import { newCall, type Call, type Leg } from '../../../control-plane/core/call/call.ts';
import type { CallCommand, MediaCommand } from '../../../control-plane/core/call/commands.ts';
import type { CallEvent, CallOnSwitch, CommandError, Offer } from '../../../control-plane/core/call/events.ts';
import type { CallFact } from '../../../control-plane/core/call/facts.ts';
import { markOf } from '../../../control-plane/core/call/mark-of.ts';
import { transition } from '../../../control-plane/core/call/transition.ts';
import { emptyCdr, foldCdr, type Cdr } from '../../../control-plane/core/cdr/cdr.ts';
import type { Plan } from '../../../control-plane/core/routing/plan.ts';

export const startedAt = 1_800_000_000_000;
export const offer: Offer = { callId: 'c7', dialled: '+12025550110', origin: 'trunk', caller: { number: '+13125550177', name: 'Jo Ray' }, orphan: false };

type Of<T extends { readonly type: string }, K extends T['type']> = Extract<T, { readonly type: K }>;

/** The value, and all within it, can no longer be changed. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}

export class Story {
  call: Call;
  now = startedAt;
  /** Of the last event. */
  commands: readonly CallCommand[] = [];
  facts: readonly CallFact[] = [];
  readonly allCommands: CallCommand[] = [];
  readonly allFacts: CallFact[] = [];
  readonly events: { readonly event: CallEvent; readonly at: number }[] = [];
  cdr: Cdr;

  constructor(plan: Plan, call?: Call) {
    this.call = frozen(call ?? newCall(offer, plan, startedAt));
    this.cdr = emptyCdr(offer.callId, plan);
  }

  when(event: CallEvent): this {
    const result = transition(this.call, event, { now: this.now });
    this.call = frozen(result.call);
    this.commands = result.commands;
    this.facts = result.facts;
    this.allCommands.push(...result.commands);
    this.allFacts.push(...result.facts);
    this.events.push({ event, at: this.now });
    for (const fact of result.facts) this.cdr = foldCdr(this.cdr, fact, this.now);
    return this;
  }

  after(ms: number): this {
    this.now += ms;
    return this;
  }

  offered(): this { return this.when({ type: 'CallOffered' }); }
  legRings(n: number): this { return this.when({ type: 'LegRinging', legId: this.legId(n) }); }
  legAnswers(n: number): this { return this.when({ type: 'LegAnswered', legId: this.legId(n) }); }
  legPresses(n: number, digit: string): this { return this.when({ type: 'LegDigit', legId: this.legId(n), digit }); }
  legEnds(n: number, cause: Cause = 'normal'): this { return this.when({ type: 'LegEnded', legId: this.legId(n), cause }); }
  /** One key after the other, at once. */
  callerPresses(keys: string): this {
    const facts: CallFact[] = [];
    const commands: CallCommand[] = [];
    for (const digit of keys) {
      this.when({ type: 'LegDigit', legId: offer.callId, digit });
      facts.push(...this.facts);
      commands.push(...this.commands);
    }
    [this.facts, this.commands] = [facts, commands];
    return this;
  }

  ordered(...order: readonly string[]): this { return this.when({ type: 'DestinationsOrdered', step: 'ring', order, why: 'turn 4 of front' }); }
  callerHangsUp(): this { return this.when({ type: 'LegEnded', legId: this.call.caller.legId, cause: 'normal' }); }

  /** The prompt in hand: the caller's, or a leg's. */
  promptEnds(n?: number, ok = true): this {
    const holder = n === undefined ? this.call : this.leg(n);
    const promptId = 'promptId' in holder ? (holder.promptId ?? 'none') : 'none';
    return this.when({ type: 'PromptFinished', legId: holder.id, promptId, ok });
  }

  bridged(): this {
    if (!('bridgeId' in this.call)) throw new Error(`a call in ${this.call.phase} has no bridge`);
    const { caller, bridgeId } = this.call;
    const other = this.call.phase === 'supervising' ? this.call.spy : this.call.winner;
    return this.when({ type: 'LegBridged', legId: caller.legId, bridgeId }).when({ type: 'LegBridged', legId: other, bridgeId });
  }

  recordingEnds(durationMs: number | null): this {
    return this.when({ type: 'RecordingFinished', recordingId: this.call.recording ?? 'none', durationMs });
  }

  /** The timer fires, at its deadline. */
  timer(id: string): this {
    this.now = Math.max(this.now, this.call.timers[id] ?? this.now);
    return this.when({ type: 'TimerFired', id });
  }

  fails(type: MediaCommand['type'], error: CommandError = 'rejected', mayHaveReachedCarrier = false): this {
    const command = this.allCommands.findLast((one): one is MediaCommand => one.type === type);
    if (command === undefined) throw new Error(`no ${type} was asked for`);
    return this.when({ type: 'CommandFailed', command, error, mayHaveReachedCarrier });
  }

  adopted(change: Partial<CallOnSwitch> = {}): this {
    return this.when({ type: 'CallAdopted', seen: { ...this.onSwitch(), ...change } });
  }

  /** What a switch has that carried out all that was asked of it. */
  onSwitch(): CallOnSwitch {
    const { call } = this;
    const caller = call.caller.phase === 'ended' ? null
      : { answered: call.caller.phase === 'answered', number: call.offer.caller.number, name: call.offer.caller.name, mark: markOf(call), ...(call.caller.legId === call.id ? {} : { legId: call.caller.legId }) };
    const legs = Object.values(call.legs).filter((leg) => leg.phase !== 'ended').map((leg) => ({
      legId: leg.id,
      state: leg.phase === 'dialing' || leg.phase === 'ringing' ? leg.phase : ('answered' as const),
      createdAt: startedAt,
      mark: { v: 1 as const, step: leg.step, attempt: leg.attempt, trunk: leg.trunk },
    }));
    const together = call.phase === 'connected' ? [call.caller.legId, call.winner] : call.phase === 'supervising' ? [call.caller.legId, ...Object.values(call.legs).filter(({ phase }) => phase === 'bridged').map(({ id }) => id)] : [];
    const bridges = 'bridgeId' in call && together.length > 1 ? [{ bridgeId: call.bridgeId, legIds: together }] : [];
    return { caller, legs, bridges, recordings: call.recording === null ? [] : [call.recording] };
  }

  /** All that is still on the switch ends, and every retry is used up where it does not. */
  allEnds(): this {
    for (const leg of Object.values(this.call.legs)) if (leg.phase !== 'ended') this.when({ type: 'LegEnded', legId: leg.id, cause: 'normal' });
    if (this.call.recording !== null) this.recordingEnds(1000);
    if (this.call.phase !== 'ended') this.callerHangsUp();
    if (this.call.recording !== null) this.recordingEnds(1000);
    for (const leg of Object.values(this.call.legs)) if (leg.phase !== 'ended') this.when({ type: 'LegEnded', legId: leg.id, cause: 'normal' });
    return this;
  }

  leg(n: number): Leg {
    const leg = Object.values(this.call.legs)[n - 1];
    if (leg === undefined) throw new Error(`leg ${n} was not dialled`);
    return leg;
  }

  legId(n: number): string { return this.leg(n).id; }
  phases(): readonly string[] { return Object.values(this.call.legs).map((leg) => leg.phase); }

  /** The media commands of the last event, as short words: `HangUpLeg l2 answered-elsewhere`. */
  asked(): readonly string[] {
    return this.commands.filter((one) => one.type !== 'StartTimer' && one.type !== 'CancelTimer' && one.type !== 'MarkCall').map(words);
  }

  told(): readonly string[] { return this.facts.map((fact) => fact.type); }
  every<K extends CallFact['type']>(type: K): readonly Of<CallFact, K>[] { return this.allFacts.filter((one): one is Of<CallFact, K> => one.type === type); }
  everyCommand<K extends CallCommand['type']>(type: K): readonly Of<CallCommand, K>[] { return this.allCommands.filter((one): one is Of<CallCommand, K> => one.type === type); }
}

const short = (id: string): string => (id === offer.callId ? 'caller' : id.replace(`${offer.callId}--`, ''));

function words(command: CallCommand): string {
  const parts: string[] = [command.type];
  if ('legId' in command) parts.push(short(command.legId));
  if ('legIds' in command) parts.push(...command.legIds.map(short));
  if ('cause' in command) parts.push(command.cause);
  if ('media' in command) parts.push(...command.media);
  if (command.type === 'SendDigits') parts.push(command.digits, String(command.delayMs));
  if ('trunk' in command && command.trunk !== undefined) parts.push(command.trunk);
  return parts.join(' ');
}

export function given(plan: Plan): Story {
  return new Story(plan);
}
