/** The calls of this controller, as desks see them. */
import type { Call, Leg } from '../../core/call/call.ts';
import { deskViewOf } from '../../core/call/desk-view.ts';
import type { DeskMessage } from '../../core/call/commands.ts';
import type { CallEvent, DeskWord } from '../../core/call/events.ts';
import { isOffer, type CallId } from '../../core/ids.ts';
import type { DeskCommand } from '../../core/queue/commands.ts';
import type { AgentId, DeviceId, QueueId } from '../../core/queue/config.ts';
import type { OfferId } from '../../core/queue/desk.ts';
import type { Media } from '../../core/routing/config.ts';
import type { Attempt, RingStep } from '../../core/routing/plan.ts';
import type { Ms } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';
import type { CallsCommand, MeasuredCall, There } from './messages.ts';

export interface CallsHere {
  /** No: calls are being found again, and there may be more. */
  settled(): boolean;
  calls(): readonly CallId[];
  views(): There['views'];
  measured(): readonly MeasuredCall[];
  /** False: the call is not here. */
  tell(command: CallsCommand): boolean;
  endedLately(callId: CallId): boolean;
  /** One of our phones has made the call. */
  isOfPhone(callId: CallId): boolean;
}

/** A phone, by its name on the switch. */
export interface PhoneOf {
  readonly account: string;
  readonly user: AgentId;
  readonly device: DeviceId;
}

export interface CallsHereOptions {
  /** Of a Controller. */
  readonly controller: {
    calls(): readonly Call[];
    call(callId: CallId): Call | undefined;
    deliver(callId: CallId, event: CallEvent): boolean;
    endedLately(callId: CallId): boolean;
    settledNow(): boolean;
  };
  readonly phoneOf: (name: string) => PhoneOf | undefined;
  /** By the configuration of this moment; null: no device of the agent can be rung. */
  readonly offerRing: (call: Call, offer: Extract<DeskCommand, { type: 'OfferCall' }>) => RingStep | null;
  /** Empty where nothing is said. */
  readonly positionMedia: (account: string, queue: QueueId, position: number, estimatedWaitMs: Ms | null) => readonly Media[];
  readonly log: Log;
}

export function callsHere({ controller, phoneOf, offerRing, positionMedia, log }: CallsHereOptions): CallsHere {
  const orElse = <T>(otherwise: T, callId: CallId, compile: () => T): T => {
    try {
      return compile();
    } catch (error) {
      log.error({ call: callId, error: error instanceof Error ? error.stack : String(error) }, 'What a desk asks of a call could not be compiled');
      return otherwise;
    }
  };
  const wordOf = (call: Call, command: CallsCommand): DeskWord => {
    if (command.type === 'OfferCall') return { ...command, ring: orElse(null, call.id, () => offerRing(call, command)) };
    if (command.type === 'TellPosition') return { ...command, media: orElse([], call.id, () => positionMedia(call.plan.account.id, call.visit?.queue ?? '', command.position, command.estimatedWaitMs)) };
    return command;
  };
  return {
    settled: () => controller.settledNow(),
    calls: () => controller.calls().map(({ id }) => id),
    views: () => controller.calls().flatMap((call) => {
      const view = deskViewOf(call);
      return view === null ? [] : [{ account: call.plan.account.id, view }];
    }),
    measured: () => controller.calls().flatMap((call) => measure(call, phoneOf)),
    tell: (command) => {
      const call = controller.call(command.callId);
      return call !== undefined && controller.deliver(call.id, { type: 'DeskSaid', said: wordOf(call, command) });
    },
    endedLately: (callId) => controller.endedLately(callId),
    isOfPhone: (callId) => controller.call(callId)?.offer.phone !== undefined,
  };
}

/** Nothing where nobody is in it who could be an agent. */
function measure(call: Call, phoneOf: CallsHereOptions['phoneOf']): readonly MeasuredCall[] {
  const { id: callId, plan, caller, visit, offer: { phone } } = call;
  const account = plan.account.id;
  const parties = new Map<OfferId | null, { readonly users: Set<AgentId>; readonly devices: Set<DeviceId> }>();
  const add = (offer: OfferId | null, user: AgentId, device: DeviceId | null): void => {
    const party = parties.get(offer) ?? { users: new Set(), devices: new Set() };
    parties.set(offer, party);
    if (user !== '') party.users.add(user);
    if (device !== null) party.devices.add(device);
  };
  const addAttempt = (offer: OfferId | null, { user, target }: Attempt): void => { if (user !== '' || target.kind === 'device') add(offer, user, target.kind === 'device' ? target.device : null); };
  for (const leg of Object.values(call.legs)) {
    const step = plan.steps[leg.step];
    const attempt = step?.kind === 'ring' ? step.attempts[leg.attempt] : undefined;
    if (!isOver(leg) && attempt !== undefined) addAttempt(isOffer(leg.step) ? leg.step : null, attempt);
  }
  if (!isOver(caller)) {
    // One that has transferred who it called is out of the call.
    const calls = phone === undefined || caller.legId !== callId ? undefined : phoneOf(phone);
    if (calls?.account === account) add(null, calls.user, calls.device);
    // An agent who has the call since its caller transferred it has it by the offer still.
    if (caller.attempt !== undefined) addAttempt(visit?.service?.legId === caller.legId ? visit.service.offerId : null, caller.attempt);
  }
  return [...parties].map(([offer, { users, devices }]) => ({ account, callId, offer, users: [...users], devices: [...devices] }));
}

/** The call is over, and what it said of that was not heard. A callback has no call. */
export function answerForEnded(command: CallsCommand): DeskMessage | null {
  switch (command.type) {
    case 'OfferCall':
      return command.callback === null ? { type: 'OfferCanceled', offerId: command.offerId, left: true } : null;
    case 'ConnectOffer':
      return { type: 'OfferBridgeFailed', offerId: command.offerId, lost: 'caller' };
    case 'HoldPlace':
    case 'TellPosition':
      return { type: 'CallLeft', callId: command.callId, visit: command.visit, why: 'abandoned' };
    case 'WithdrawOffer':
      return { type: 'OfferCleared', offerId: command.offerId };
    case 'LeaveQueue':
      return null;
  }
}

function isOver({ phase }: Pick<Leg | Call['caller'], 'phase'>): boolean {
  return phase === 'ending' || phase === 'ended';
}
