/** Which events met a call in which phase, as a table; a cell that can be reached must have been, often enough to mean something. */
import type { CallPhase } from '../../control-plane/core/call/call.ts';
import type { CallEvent } from '../../control-plane/core/call/events.ts';
import type { Visits } from './world.ts';

/** By type, so that a new phase or event does not compile until it has its row or column. */
const phases = Object.keys({
  offered: 0, announcing: 0, menu: 0, queued: 0, setting: 0, ordering: 0, ringing: 0, connecting: 0, connected: 0, supervising: 0, greeting: 0, beeping: 0, recording: 0, ending: 0, ended: 0,
} satisfies Record<CallPhase, 0>);

const events = Object.keys({
  CallOffered: 0, LegRinging: 0, LegAnswered: 0, LegEnded: 0, LegDigit: 0, LegHeld: 0, LegUnheld: 0, TransferAsked: 0, PromptFinished: 0,
  LegBridged: 0, LegUnbridged: 0, RecordingStarted: 0, RecordingFinished: 0, RecordingFailed: 0, TimerFired: 0, DestinationsOrdered: 0, SettingSettled: 0, CommandFailed: 0, ExtensionPlanned: 0, ModeAsked: 0, CallbackKept: 0, SupervisionTold: 0, DeskSaid: 0, CallAdopted: 0,
} satisfies Record<CallEvent['type'], 0>);

/** Far below what the rarest cell has on average, since the scenarios are drawn anew each time. */
export const leastVisits = 5;

/** Cells that no call can be in, each with its reason; `*` stands for all phases or all events. */
const unreachable: Readonly<Record<string, string>> = {
  'offered *': 'a call leaves this phase with its first event, which is its offer or its adoption',
  'ended *': 'the mailbox closes with the call',
  '* CallOffered': 'said once, to a new call',
  'announcing DeskSaid': 'nobody has waited in a queue yet',
  'menu DeskSaid': 'the same',
  'setting DeskSaid': 'the same',
  'queued ExtensionPlanned': 'who waits talks with nobody',
  'supervising LegRinging': 'what hears is there at once, and nobody is rung',
  'supervising PromptFinished': 'nothing is played to who hears others',
  'supervising ExtensionPlanned': 'a supervisor transfers nobody',
  'supervising DeskSaid': 'nobody has waited in a queue yet',
  '* ModeAsked': 'of supervisions alone',
  '* SupervisionTold': 'the world of the model has nobody who tells it',
  '* DestinationsOrdered': 'it was asked for',
  '* SettingSettled': 'the same',
  '* CallbackKept': 'the same, and it comes to whoever waits no more by chance',
  'setting LegRinging': 'nobody is dialled by a code',
  'setting LegAnswered': 'the caller hears ringing',
  'setting LegDigit': 'who is not answered presses no key',
  'setting PromptFinished': 'nothing comes before it',
  'setting LegBridged': 'the same',
  'setting LegUnbridged': 'the same',
  'setting RecordingStarted': 'the same',
  'setting RecordingFinished': 'the same',
  'setting RecordingFailed': 'the same',
  'ordering TimerFired': 'the runtime answers in half the time that is waited for an answer',
  'ordering LegRinging': 'nobody has been dialled yet',
  'ordering LegBridged': 'the bridge comes after ringing, and nothing leads back',
  'ordering LegUnbridged': 'the same',
  'ordering RecordingStarted': 'recording comes after ringing, and nothing leads back',
  'ordering RecordingFinished': 'the same',
  'ordering RecordingFailed': 'the same',
  'announcing LegRinging': 'nobody has been dialled yet, and nothing leads back',
  'announcing LegBridged': 'no bridge has been asked for yet',
  'announcing LegUnbridged': 'the same',
  'announcing RecordingStarted': 'no recording has been asked for yet',
  'announcing RecordingFinished': 'the same',
  'announcing RecordingFailed': 'the same',
  'menu RecordingStarted': 'a message ends the call, and the recording of a call its connection',
  'menu RecordingFinished': 'the same',
  'menu RecordingFailed': 'the same',
  'greeting RecordingStarted': 'a recording is asked for after greeting and beep',
  'greeting RecordingFinished': 'the same',
  'greeting RecordingFailed': 'the same',
  'beeping RecordingStarted': 'the same',
  'setting ExtensionPlanned': 'nobody asks for one',
  'ordering ExtensionPlanned': 'a menu and who talks ask for it, and have the answer at once',
  'announcing ExtensionPlanned': 'the same',
  'ringing ExtensionPlanned': 'the same',
  'connecting ExtensionPlanned': 'the same',
  'greeting ExtensionPlanned': 'the same',
  'beeping ExtensionPlanned': 'the same',
  'recording ExtensionPlanned': 'the same',
  'ending ExtensionPlanned': 'the same',
};

export function isReachable(phase: string, event: string): boolean {
  const known = `${phase} ${event}` in unreachable || `${phase} *` in unreachable || `* ${event}` in unreachable;
  return !known || (phase === 'offered' && (event === 'CallOffered' || event === 'CallAdopted')) || (phase === 'supervising' && event === 'ModeAsked') || (phase === 'ordering' && event === 'DestinationsOrdered') || (phase === 'setting' && event === 'SettingSettled') || (phase === 'queued' && event === 'CallbackKept') || (phase === 'menu' && event === 'ExtensionPlanned');
}

/** Reachable cells with too few visits, and impossible ones that were visited. */
export function poorlyVisited(visits: Visits): readonly string[] {
  return phases.flatMap((phase) => events.flatMap((event) => {
    const seen = visits.get(`${phase} ${event}`) ?? 0;
    if (isReachable(phase, event)) return seen < leastVisits ? [`${phase} ${event}: ${seen}`] : [];
    return [];
  }));
}

const short = (event: string): string => event.replace(/^Leg|^Recording(?=F|S)/, (part) => (part === 'Leg' ? '' : 'Rec')).slice(0, 10);

export function tableOf(visits: Visits): string {
  const rows = phases.map((phase) => phase.padEnd(12) + events.map((event) => {
    const seen = visits.get(`${phase} ${event}`) ?? 0;
    return (seen === 0 && !isReachable(phase, event) ? '·' : String(seen)).padStart(11);
  }).join(''));
  return [`${''.padEnd(12)}${events.map((event) => short(event).padStart(11)).join('')}`, ...rows].join('\n');
}
