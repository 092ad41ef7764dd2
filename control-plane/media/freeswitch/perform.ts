import { callIdOf, isCallRecording, type LegId } from '../../core/ids.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import type { Media } from '../../core/routing/config.ts';
import { identityText } from '../identity.ts';
import type { CommandResult } from '../media-driver.ts';
import { answerRefer } from './answer-transfer.ts';
import { bridgeLegs, destroyBridge } from './bridges.ts';
import type { CallRecordings } from './call-recording.ts';
import type { EslClient } from './esl/esl-client.ts';
import type { EslFailure, EslResult } from './esl/esl-result.ts';
import { setGuard } from './guard.ts';
import { switchCause } from './hang-up-cause.ts';
import { legEnded, type TellLeg } from './leg-events.ts';
import { listLeg, unlistLeg } from './leg-list.ts';
import type { Leg, Legs } from './legs.ts';
import { originateLeg } from './originate-leg.ts';
import { ringingTone } from './media-path.ts';
import { startMessage, stopMessage } from './message.ts';
import { fill, play, stopPrompt } from './prompts.ts';
import { sendDigits } from './send-digits.ts';
import type { Sound } from './sounds.ts';
import { superviseLeg } from './supervise-leg.ts';
import { identityVariable, peerVariable, phoneVariable, writtenIdentity } from './variables.ts';

const done: CommandResult = { ok: true };

/** What the commands of all calls share. */
export interface Performing {
  readonly esl: EslClient;
  readonly legs: Legs;
  readonly recordings: CallRecordings;
  readonly tell: TellLeg;
  /** The controller, as its marks name it. */
  readonly app: string;
  /** Where the switch keeps recordings. */
  readonly folder: string;
  readonly soundOf: (media: Media) => Sound;
}

/** Carries one command out. What is asked of the switch for one call leaves in order, and it obeys in that order. */
export async function perform(performing: Performing, command: MediaCommand): Promise<CommandResult> {
  const { esl, legs, recordings, tell, app, folder, soundOf } = performing;
  switch (command.type) {
    case 'OriginateLeg':
      return originateLeg(esl, legs, app, command);
    case 'SuperviseLeg':
      return superviseLeg(esl, legs, app, command);
    case 'AnswerLeg': {
      const { legId } = command;
      if (legs.get(legId)?.answered === true) return done;
      return result(await esl.api('uuid_answer', { leg: legId }, { order: callIdOf(legId) }));
    }
    case 'RingLeg': {
      const { legId } = command;
      return onLeg(legs, legId, (leg) => (leg.answered ? fill(esl, leg, ringingTone) : esl.api('uuid_ring_ready', { leg: legId }, { order: callIdOf(legId) })));
    }
    case 'HangUpLeg': {
      const { legId, cause } = command;
      const leg = legs.get(legId);
      // Asked again, the first reason stands: the leg may not have left yet, and its far end is to hear that one.
      if (leg !== undefined) leg.asked ??= cause;
      // Asterisk reads that number alone, and may be the one that rings the phone; the switch itself says only the other.
      if (leg?.asked === 'answered-elsewhere' && !leg.mayTransfer) void esl.api('uuid_setvar', { leg: legId, name: 'sip_reason', value: 'Q.850;cause=26,SIP;cause=200' }, { order: callIdOf(legId) });
      if (leg?.told !== undefined) await leg.told;
      const hungUp = await esl.api('uuid_kill', { leg: legId, cause: switchCause(leg?.asked ?? cause) }, { order: callIdOf(legId) });
      if (hungUp.ok || hungUp.error !== 'gone') return result(hungUp);
      // Hung up before the switch had it, it will have none; one that it had and has no more is ended.
      if (leg?.originate === undefined && leg?.asked !== undefined && legs.get(legId) === leg) legEnded(legs, leg, leg.asked, tell);
      return done;
    }
    case 'PlayPrompt': {
      const { legId, promptId, media } = command;
      if (media.length === 0) {
        setImmediate(() => { tell(callIdOf(promptId), { type: 'PromptFinished', legId, promptId, ok: false }); });
        return done;
      }
      return onLeg(legs, legId, (leg) => play(esl, legs.hand, leg, { id: promptId, sounds: media.map(soundOf) }, tell));
    }
    case 'StopPrompt': {
      const leg = legs.playing(command.promptId);
      if (leg === undefined) return result(gone('There is no such prompt.'));
      stopPrompt(esl, legs.hand, leg, command.promptId, tell);
      return done;
    }
    case 'SendDigits':
      return onLeg(legs, command.legId, (leg) => sendDigits(esl, leg, command.digits, command.delayMs), 'answered');
    case 'BridgeLegs':
      return result(await bridgeLegs(esl, legs, command.bridgeId, command.legIds, tell));
    case 'DestroyBridge':
      return result(await destroyBridge(esl, legs, command.bridgeId, tell));
    case 'StartRecording':
      return onLeg(legs, command.legId, (leg) => startMessage(esl, folder, leg, command, tell));
    case 'StartCallRecording':
      return result(await recordings.start(esl, folder, command));
    case 'StopRecording': {
      const { recordingId } = command;
      if (isCallRecording(recordingId)) return result(await recordings.stop(esl, recordingId));
      const leg = legs.recorded(recordingId);
      return result(leg === undefined ? gone('There is no such recording.') : await stopMessage(esl, leg));
    }
    case 'SetGuard':
      return onLeg(legs, command.legId, (leg) => setGuard(esl, leg, command.ms));
    case 'AnswerTransfer':
      return onLeg(legs, command.legId, async (leg) => {
        const { referred } = leg;
        if (referred === undefined) return gone('The phone has asked for no transfer.');
        leg.referred = undefined;
        const left = legs.in(leg.bridge ?? '').filter((other) => other !== leg);
        if (command.accepted) for (const other of left) other.peer = '';
        const told = answerRefer(esl, referred, command.accepted, left.map(({ id }) => id));
        if (command.accepted) leg.told = told;
        // The dialplan has parted the two; who is let go is not told of it.
        if (command.accepted && !referred.replaces) leg.bridge = undefined;
        return told;
      });
    case 'TakeLeg':
      return takeLeg(performing, command);
    case 'MarkCall': {
      const { legId, callId, mark } = command;
      const order = callIdOf(legId);
      const { winner: peer = '' } = mark;
      if (legs.get(legId)?.peer !== peer) setPeer(performing, legId, peer, order);
      return result(await esl.api('uuid_setvar', { leg: legId, name: identityVariable(legId, callId), value: writtenIdentity(identityText(callId, app, mark)) }, { order }));
    }
  }
}

async function takeLeg(performing: Performing, { legId, callId, from, servedLeg, mark }: Extract<MediaCommand, { type: 'TakeLeg' }>): Promise<CommandResult> {
  const { esl, legs, app } = performing;
  const order = callIdOf(legId);
  const isNew = legs.get(legId) === undefined;
  setPeer(performing, from, '', order);
  const leg = legs.of(legId);
  leg.answered = true;
  void listLeg(esl, legId, callId);
  setPeer(performing, legId, servedLeg, order);
  const taken = await esl.api('uuid_setvar', { leg: legId, name: identityVariable(legId, callId), value: writtenIdentity(identityText(callId, app, mark)) }, { order });
  if (!isNew) return result(taken);
  if (taken.ok) {
    const phone = await esl.api('uuid_getvar', { leg: legId, name: phoneVariable }, { order });
    leg.mayTransfer = phone.ok && phone.text !== '_undef_';
  } else if (taken.error === 'gone' && legs.get(legId) === leg) {
    // Its end was another controller's to hear of, or comes no more.
    legs.delete(legId);
    void unlistLeg(esl, legId);
  }
  return result(taken);
}

/** Who ends with this leg from now on. */
function setPeer({ esl, legs }: Performing, legId: LegId, peer: string, order: string): void {
  const leg = legs.get(legId);
  if (leg !== undefined) leg.peer = peer;
  void esl.api('uuid_setvar', { leg: legId, name: peerVariable, value: peer }, { order });
}

async function onLeg(legs: Legs, legId: LegId, ask: (leg: Leg) => Promise<EslResult>, state: 'any' | 'answered' = 'any'): Promise<CommandResult> {
  const leg = legs.get(legId);
  if (leg === undefined) return result(gone('The leg is not on the switch.'));
  if (state === 'answered' && !leg.answered) return { ok: false, error: 'not-ready', mayHaveReachedCarrier: false, detail: 'The leg has not been answered.' };
  // Before it is parted, this would be ended by it.
  if (leg.joining !== undefined) await leg.joining.over;
  if (leg.parking !== undefined) await leg.parking.over;
  return result(await ask(leg));
}

function gone(message: string): EslFailure {
  return { ok: false, error: 'gone', message, sent: false };
}

function result(reply: EslResult): CommandResult {
  return reply.ok ? done : { ok: false, error: reply.error, mayHaveReachedCarrier: false, detail: reply.message };
}
