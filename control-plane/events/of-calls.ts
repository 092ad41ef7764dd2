/** What a fact of a call is to those who follow the account. Pure. */
import type { CallFact } from '../core/call/facts.ts';
import type { Cdr } from '../core/cdr/cdr.ts';
import type { EpochMs } from '../core/time.ts';
import type { EventData, NewEvent } from './catalogue.ts';

/** `record`: the call's, with this fact folded in. Of a call of no account nobody is told. */
export function eventsOfCall(record: Cdr, fact: CallFact, at: EpochMs): readonly NewEvent[] {
  const { account } = record;
  if (account === '') return [];
  switch (fact.type) {
    case 'CallStarted':
      return [{ at, account, type: 'call.started', data: about(record) }];
    case 'LegConnected': {
      const { legId, user, label, trunk } = record.legs.find((leg) => leg.legId === fact.legId) ?? { legId: fact.legId, user: '', label: '', trunk: null };
      return [{ at, account, type: 'call.answered', data: { ...about(record), leg: { legId, user, label, trunk } } }];
    }
    case 'TransferStarted':
      return [{ at, account, type: 'call.transferred', data: { ...about(record), kind: fact.kind, by: fact.legId, to: fact.to, consultation: fact.consultation ?? null } }];
    case 'TransferEnded':
      return [{ at, account, type: 'call.transfer-ended', data: { ...about(record), outcome: fact.outcome } }];
    case 'CallReconstructed':
    case 'StepEntered':
    case 'CallerAnswered':
    case 'AnnouncementPlayed':
    case 'SettingAsked':
    case 'SettingSettled':
    case 'DestinationsOrdered':
    case 'SupervisionAsked':
    case 'Supervising':
    case 'Supervised':
    case 'LegDialed':
    case 'LegRang':
    case 'LegPickedUp':
    case 'ExtensionDialed':
    case 'ScreeningAsked':
    case 'WhisperStarted':
    case 'KeyPressed':
    case 'MenuTried':
    case 'StepsExhausted':
    case 'LegAccepted':
    case 'LegDismissed':
    case 'LegHeld':
    case 'LegUnheld':
    case 'TransferRefused':
    case 'LegEnded':
    case 'CallContinued':
    case 'RingEnded':
    case 'VoicemailStarted':
    case 'VoicemailRecorded':
    case 'VoicemailFailed':
    case 'RecordingAnnounced':
    case 'CallRecordingStarted':
    case 'CallRecordingEnded':
    case 'CallRecordingFailed':
    case 'CallNotRecorded':
    case 'CallEnded':
      return [];
    // of these the desk tells
    case 'QueueJoined':
    case 'CallbackKept':
    case 'OfferMade':
    case 'OfferEnded':
    case 'QueueLeft':
      return [];
  }
}

/** Told with the record, once that is finished. */
export function eventOfEnd(record: Cdr): readonly NewEvent[] {
  if (record.account === '') return [];
  return [{ at: record.endedAt ?? record.startedAt, account: record.account, type: 'call.ended', data: record as unknown as EventData<'call.ended'> }];
}

function about({ callId, number, caller, dialled, origin, startedAt }: Cdr): EventData<'call.started'> {
  return { callId, number: { e164: number.e164, label: number.label }, caller, dialled, origin, startedAt };
}
