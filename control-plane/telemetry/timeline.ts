/** A call's facts as an operator reads them: one line each, in the words of the field. */
import type { CallFact, TransferOutcome } from '../core/call/facts.ts';
import type { DialTarget } from '../core/routing/config.ts';
import { actionWords } from '../core/routing/words.ts';

/** `names` knows the label of each leg dialled so far; the caller's own leg is `caller`. */
export function describeFact(fact: CallFact, names: ReadonlyMap<string, string>): string {
  const who = (legId: string): string => names.get(legId) ?? 'caller';
  switch (fact.type) {
    case 'CallStarted':
      return `incoming      ${nameAndNumber(fact.caller)} calls ${fact.dialled}`;
    case 'CallReconstructed':
      return 'taken over    from what the switch still had of the call';
    case 'StepEntered':
      return `step          ${fact.kind}`;
    case 'CallerAnswered':
      return 'answered      the caller, to play a prompt or to connect';
    case 'AnnouncementPlayed':
      return fact.ok ? 'announcement  heard by the caller' : 'announcement  could not be played';
    case 'DestinationsOrdered':
      return `order         ${fact.order.join(', then ')} (${fact.why})`;
    case 'SettingAsked':
      return fact.setting.of === 'night-switch' ? `setting       the night switch is to be set to ${fact.setting.to}` : `setting       agent ${fact.setting.agent}: ${actionWords[fact.setting.action]}`;
    case 'SettingSettled':
      return `setting       ${fact.ok ? 'done' : 'not done'}: ${fact.why}`;
    case 'QueueJoined':
      return `queue         waits in ${fact.queue}${fact.visit === 1 ? '' : ', again'}`;
    case 'OfferMade':
      return `queue         offered to ${fact.agent}`;
    case 'OfferEnded':
      return `queue         ${fact.agent}: ${fact.outcome}${fact.why === fact.outcome ? '' : `, ${fact.why}`}`;
    case 'CallbackKept':
      return fact.ok ? `callback      of ${fact.number} is kept` : `callback      of ${fact.number} could not be kept`;
    case 'QueueLeft':
      return `queue         left after ${(fact.waitedMs / 1000).toFixed(1)} s: ${fact.why}`;
    case 'SupervisionAsked':
      return `supervision   of ${fact.legId}, of call ${fact.callId}, asked for by ${fact.by}`;
    case 'Supervising':
      return `supervision   ${fact.mode}`;
    case 'Supervised':
      return `heard         by ${fact.supervision}, asked for by ${fact.by}: ${fact.mode ?? 'no more'}`;
    case 'LegDialed':
      return `dialing       ${fact.label} (${targetText(fact.target)}${fact.trunk === undefined ? '' : ` over ${fact.trunk}`})`;
    case 'LegRang':
      return `ringing       ${who(fact.legId)}`;
    case 'LegPickedUp':
      return `picked up     ${who(fact.legId)}`;
    case 'ExtensionDialed':
      return `extension     ${fact.digits} is dialled to ${who(fact.legId)}`;
    case 'ScreeningAsked':
      return `whisper       ${who(fact.legId)} hears who is calling and is asked for a key`;
    case 'WhisperStarted':
      return `whisper       ${who(fact.legId)} hears who is calling`;
    case 'KeyPressed':
      return `key press     ${who(fact.legId)} pressed ${fact.digit}`;
    case 'MenuTried':
      return `menu          ${menuTry(fact)}`;
    case 'StepsExhausted':
      return `step          ${fact.steps} taken: the plan leads in circles, and goes its last way`;
    case 'LegAccepted':
      return fact.won ? `accepted      ${who(fact.legId)} has the call` : `accepted      ${who(fact.legId)}, too late`;
    case 'LegDismissed':
      return `told          ${who(fact.legId)} that the call was taken`;
    case 'LegConnected':
      return `connected     caller and ${who(fact.legId)}`;
    case 'LegHeld':
      return `held          by ${who(fact.legId)}`;
    case 'LegUnheld':
      return `resumed       by ${who(fact.legId)}`;
    case 'TransferRefused':
      return `transfer      of ${who(fact.legId)} to ${fact.to} refused: ${fact.why}`;
    case 'TransferStarted':
      return `transfer      by ${who(fact.legId)} to ${fact.to}${fact.consultation === undefined ? '' : `, who was asked in call ${fact.consultation}`}`;
    case 'CallContinued':
      return `transfer      ${who(fact.legId)} goes on in call ${fact.as}`;
    case 'TransferEnded':
      return `transfer      ${transferText[fact.outcome]}`;
    case 'LegEnded':
      return `released      ${who(fact.legId)}: ${fact.cause}`;
    case 'RingEnded':
      return 'no answer     nobody accepted';
    case 'VoicemailStarted':
      return 'voicemail     recording';
    case 'VoicemailRecorded':
      return `voicemail     recorded${fact.durationMs === null ? '' : ` ${(fact.durationMs / 1000).toFixed(1)} s`}`;
    case 'VoicemailFailed':
      return 'voicemail     could not be recorded';
    case 'RecordingAnnounced':
      return `announcement  ${who(fact.legId)} has heard that the call is recorded`;
    case 'CallRecordingStarted':
      return 'recording     of the call has started';
    case 'CallRecordingEnded':
      return `recording     of the call has ended${fact.durationMs === null ? '' : `, ${(fact.durationMs / 1000).toFixed(1)} s`}`;
    case 'CallRecordingFailed':
      return 'recording     of the call failed; the call goes on';
    case 'CallNotRecorded':
      return 'recording     left out: not both have heard the announcement';
    case 'CallEnded':
      return `hang-up       by ${fact.by}; ${fact.disposition} (${fact.cause})`;
  }
}

function menuTry({ keys, outcome, to, why }: Extract<CallFact, { type: 'MenuTried' }>): string {
  if (outcome === 'left') return keys === '' ? 'left by the caller' : `left by the caller after ${keys}`;
  const pressed = keys === '' ? 'no key' : keys;
  const led = outcome === 'invalid' ? ` leads nowhere${why === undefined ? '' : `, ${why}`}` : why === undefined ? '' : `, ${why}`;
  return `${pressed}${led}: ${to === null ? 'asked again' : `on to ${to}`}`;
}

const transferText: Readonly<Record<TransferOutcome, string>> = {
  answered: 'answered', returned: 'not answered: back with who transferred', 'no-answer': 'answered by nobody', canceled: 'left by who was transferred',
};

function nameAndNumber(party: { readonly name: string; readonly number: string }): string {
  return [party.name, party.number].filter((part) => part !== '').join(' ') || 'a caller without number';
}

function targetText(target: DialTarget): string {
  return target.kind === 'device' ? `extension ${target.device}` : target.number;
}
