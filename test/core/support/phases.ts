/** A call brought into each phase, and an event of each type for it. A missing one does not compile. */
import type { CallPhase } from '../../../control-plane/core/call/call.ts';
import type { CallEvent } from '../../../control-plane/core/call/events.ts';
import type { Plan } from '../../../control-plane/core/routing/plan.ts';
import { given, type Story } from './given.ts';
import { desk, menu, mobile, planOf, planOfMenus, planOfNight, planOfQueue, planOfSupervision, ringOf, walkOf } from './plans.ts';

export const everyPart: Plan = planOf([desk(1, { whisper: ['file:who'] }), mobile()], { announcement: true });

const oneMenu: Plan = planOfMenus({ menu: menu('menu', { 1: 'ring' }) });

/** Two users of a group that takes turns. */
const inTurn: Plan = walkOf('round-robin', [desk(1), desk(2)], { announcement: true });

/** A code of the night switch. */
const nightSwitch: Plan = planOfNight('closed');

const ringing = (): Story => given(everyPart).offered().promptEnds().legRings(1).legRings(2);
const greeting = (): Story => ringing().timer('round').legEnds(1).legEnds(2);
const recording = (): Story => greeting().promptEnds().promptEnds();
const connecting = (): Story => ringing().legAnswers(1).legEnds(2);

export const inPhase = {
  offered: () => given(everyPart),
  announcing: () => given(everyPart).offered(),
  menu: () => given(oneMenu).offered(),
  queued: () => given(planOfQueue()).offered(),
  setting: () => given(nightSwitch).offered(),
  ordering: () => given(inTurn).offered().promptEnds(),
  ringing: () => ringing().legAnswers(2),
  connecting,
  connected: () => connecting().promptEnds(1).bridged(),
  supervising: () => given(planOfSupervision()).offered().legAnswers(1).bridged(),
  greeting,
  beeping: () => greeting().promptEnds(),
  recording,
  ending: () => connecting().promptEnds(1).bridged().callerHangsUp(),
  ended: () => ringing().callerHangsUp().allEnds(),
} satisfies Record<CallPhase, () => Story>;

export const phases = Object.keys(inPhase) as CallPhase[];

/** The leg an event is about: the winner where there is one, else the screened mobile, else the caller. */
function legIn(story: Story): string {
  const ids = Object.keys(story.call.legs);
  return (story.call.phase === 'ringing' ? ids[1] : ids[0]) ?? story.call.id;
}

function promptIn(story: Story): { legId: string; promptId: string } {
  const { call } = story;
  const holder = 'promptId' in call ? call : Object.values(call.legs).find((leg) => 'promptId' in leg && leg.promptId !== null);
  return holder !== undefined && 'promptId' in holder && holder.promptId !== null ? { legId: holder.id, promptId: holder.promptId } : { legId: call.id, promptId: 'none' };
}

const bridgeIn = ({ call }: Story): string => ('bridgeId' in call ? call.bridgeId : `${call.id}--b1`);
const recordingIn = ({ call }: Story): string => call.recording ?? `${call.id}--r1`;

export const eventOf = {
  CallOffered: () => ({ type: 'CallOffered' }),
  LegRinging: (story) => ({ type: 'LegRinging', legId: legIn(story) }),
  LegAnswered: (story) => ({ type: 'LegAnswered', legId: legIn(story) }),
  LegEnded: (story) => ({ type: 'LegEnded', legId: legIn(story), cause: 'normal' }),
  LegDigit: (story) => ({ type: 'LegDigit', legId: legIn(story), digit: '1' }),
  LegHeld: (story) => ({ type: 'LegHeld', legId: legIn(story) }),
  LegUnheld: (story) => ({ type: 'LegUnheld', legId: legIn(story) }),
  TransferAsked: (story) => ({ type: 'TransferAsked', legId: legIn(story), to: '102' }),
  PromptFinished: (story) => ({ type: 'PromptFinished', ...promptIn(story), ok: true }),
  LegBridged: (story) => ({ type: 'LegBridged', legId: legIn(story), bridgeId: bridgeIn(story) }),
  LegUnbridged: (story) => ({ type: 'LegUnbridged', legId: legIn(story), bridgeId: bridgeIn(story) }),
  RecordingStarted: (story) => ({ type: 'RecordingStarted', recordingId: recordingIn(story) }),
  RecordingFinished: (story) => ({ type: 'RecordingFinished', recordingId: recordingIn(story), durationMs: 4000 }),
  RecordingFailed: (story) => ({ type: 'RecordingFailed', recordingId: recordingIn(story) }),
  TimerFired: (story) => ({ type: 'TimerFired', id: Object.entries(story.call.timers).sort((a, b) => a[1] - b[1])[0]?.[0] ?? 'round' }),
  DestinationsOrdered: () => ({ type: 'DestinationsOrdered', step: 'ring', order: ['u2', 'u1'], why: 'turn 2 of front' }),
  SettingSettled: () => ({ type: 'SettingSettled', step: 'night-switch', ok: true, why: 'saved' }),
  CommandFailed: (story) => ({ type: 'CommandFailed', command: { type: 'PlayPrompt', ...promptIn(story), media: [] }, error: 'rejected', mayHaveReachedCarrier: false }),
  ExtensionPlanned: ({ call }) => ({ type: 'ExtensionPlanned', request: call.planning?.request ?? 'extension-1', steps: {}, first: null, why: 'there is no extension 109' }),
  ModeAsked: () => ({ type: 'ModeAsked', mode: 'barge' }),
  SupervisionTold: () => ({ type: 'SupervisionTold', supervision: 'fdsupervision-1.main', by: 'key1', mode: 'listen' }),
  DeskSaid: ({ call }) => ({ type: 'DeskSaid', said: { type: 'OfferCall', offerId: `${call.id}--o1.1`, callId: call.id, visit: 1, queue: 'front', agent: 'ana', devices: ['d1'], ringMs: 15_000, callback: null, ring: ringOf([desk(1)]) } }),
  CallbackKept: ({ call }) => ({ type: 'CallbackKept', id: `${call.id}-q9`, visit: 1, number: '+13125550177', ok: true }),
  CallAdopted: (story) => ({ type: 'CallAdopted', seen: story.onSwitch() }),
} satisfies { readonly [T in CallEvent['type']]: (story: Story) => Extract<CallEvent, { type: T }> };

export const eventTypes = Object.keys(eventOf) as CallEvent['type'][];
