/** Which events met a call in which phase, as a table; a cell that can be reached must have been, often enough to mean something. */
import type { CallPhase } from '../../control-plane/core/call/call.ts';
import type { CallEvent } from '../../control-plane/core/call/events.ts';
import type { Visits } from './world.ts';

/** By type, so that a new phase or event does not compile until it has its row or column. */
const phases = Object.keys({
  offered: 0, announcing: 0, menu: 0, ordering: 0, ringing: 0, connecting: 0, connected: 0, greeting: 0, beeping: 0, recording: 0, ending: 0, ended: 0,
} satisfies Record<CallPhase, 0>);

const events = Object.keys({
  CallOffered: 0, LegRinging: 0, LegAnswered: 0, LegEnded: 0, LegDigit: 0, LegHeld: 0, LegUnheld: 0, TransferRefused: 0, PromptFinished: 0,
  LegBridged: 0, LegUnbridged: 0, RecordingStarted: 0, RecordingFinished: 0, RecordingFailed: 0, TimerFired: 0, DestinationsOrdered: 0, CommandFailed: 0, ExtensionPlanned: 0, CallAdopted: 0,
} satisfies Record<CallEvent['type'], 0>);

export const leastVisits = 20;

/** Cells that no call can be in, each with its reason; `*` stands for all phases or all events. */
const unreachable: Readonly<Record<string, string>> = {
  'offered *': 'a call leaves this phase with its first event, which is its offer or its adoption',
  'ended *': 'the mailbox closes with the call',
  '* CallOffered': 'said once, to a new call',
  '* ExtensionPlanned': 'a menu alone asks for one, and is answered before anything else happens',
  '* DestinationsOrdered': 'it was asked for',
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
  'ringing RecordingStarted': 'recording comes after ringing, and nothing leads back',
  'ringing RecordingFinished': 'the same',
  'ringing RecordingFailed': 'the same',
  'connecting RecordingStarted': 'a message and a connection exclude each other, and a call is recorded from its connection on',
  'connecting RecordingFinished': 'the same',
  'connecting RecordingFailed': 'the same',
  'greeting RecordingStarted': 'a recording is asked for after greeting and beep',
  'greeting RecordingFinished': 'the same',
  'greeting RecordingFailed': 'the same',
  'beeping RecordingStarted': 'the same',
};

export function isReachable(phase: string, event: string): boolean {
  const known = `${phase} ${event}` in unreachable || `${phase} *` in unreachable || `* ${event}` in unreachable;
  return !known || (phase === 'offered' && (event === 'CallOffered' || event === 'CallAdopted')) || (phase === 'ordering' && event === 'DestinationsOrdered') || (phase === 'menu' && event === 'ExtensionPlanned');
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
  const rows = phases.map((phase) => phase.padEnd(11) + events.map((event) => {
    const seen = visits.get(`${phase} ${event}`) ?? 0;
    return (seen === 0 && !isReachable(phase, event) ? '·' : String(seen)).padStart(11);
  }).join(''));
  return [`${''.padEnd(11)}${events.map((event) => short(event).padStart(11)).join('')}`, ...rows].join('\n');
}
