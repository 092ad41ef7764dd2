import { callIdOf, isCallRecording, type LegId } from '../../core/ids.ts';
import { betweenDigitsMs, digitMs } from '../../core/call/digits.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import type { TellLeg } from './leg-events.ts';
import type { CommandResult } from '../media-driver.ts';
import type { AriClient } from './ari/ari-client.ts';
import type { AriResult } from './ari/ari-result.ts';
import type { CallRecordings } from './call-recording.ts';
import { reasonCode } from './hang-up-cause.ts';
import { identityText } from '../identity.ts';
import { appVariable, identityVariable, peerVariable, setByReading } from './identity.ts';
import { catchLateStop } from './late-stop.ts';
import type { Leg, Legs } from './legs.ts';
import { mediaUri } from './media-uri.ts';
import { originateLeg } from './originate-leg.ts';
import type { SetVariable } from './set-variables.ts';
import { superviseLeg } from './supervise-leg.ts';

const done: CommandResult = { ok: true };

/**
 * Carries one command out. Requests leave here and now, in the order of the calls, and Asterisk obeys them in that
 * order, so a command of several requests waits for its last only.
 *
 * `answer` and `addChannel` wait for the channel's thread, and every request of every call waits behind them. A prompt
 * or a recording keeps that thread busy, so it is stopped first; stopping does not wait.
 */
export async function perform(ari: AriClient, legs: Legs, recordings: CallRecordings, setVariable: SetVariable, command: MediaCommand, tell: TellLeg): Promise<CommandResult> {
  switch (command.type) {
    case 'OriginateLeg':
      return originateLeg(ari, legs, command);
    case 'SuperviseLeg':
      return superviseLeg(ari, legs, command);
    case 'AnswerLeg': {
      const leg = legs.get(command.legId);
      // An answer waits for the leg's prompt, and with it waits every request behind it: 6 s were seen, at an adoption.
      if (leg?.answered === true) return { ok: true };
      freeThread(ari, leg);
      if (leg !== undefined) leg.answering = true;
      return result(await ari.request('channels.answer', { channelId: command.legId }));
    }
    case 'RingLeg': {
      const leg = legs.get(command.legId);
      // Before the answer it is a 180, which the answer ends.
      if (leg !== undefined) leg.ringTone = leg.answering || leg.answered;
      return result(await ari.request('channels.ring', { channelId: command.legId }));
    }
    case 'HangUpLeg': {
      const leg = legs.get(command.legId);
      // Asked again, the first reason stands: the leg may not have left yet, and its far end is to hear that one.
      if (leg !== undefined) leg.asked ??= command.cause;
      const hungUp = await ari.request('channels.hangup', { channelId: command.legId, reason_code: reasonCode(leg?.asked ?? command.cause) });
      return !hungUp.ok && hungUp.error === 'gone' ? done : result(hungUp);
    }
    case 'PlayPrompt': {
      const { legId, promptId } = command;
      if (command.media.length === 0) {
        setImmediate(() => { tell(callIdOf(promptId), { type: 'PromptFinished', legId, promptId, ok: false }); });
        return done;
      }
      const leg = legs.get(legId);
      stopRinging(ari, leg);
      if (leg !== undefined) catchLateStop(ari, leg, promptId);
      leg?.prompts.add(promptId);
      const playing = await ari.request('channels.playWithId', { channelId: legId, playbackId: promptId, media: command.media.map(mediaUri) });
      if (!playing.ok) leg?.prompts.delete(promptId);
      return result(playing);
    }
    case 'SendDigits':
      // Carried out by the channel's thread, pauses and all; the reply does not wait for it.
      return result(await ari.request('channels.sendDTMF', {
        channelId: command.legId, dtmf: command.digits, before: command.delayMs, duration: digitMs, between: betweenDigitsMs,
      }));
    case 'StopPrompt': {
      const leg = legs.hearing(command.promptId);
      if (leg !== undefined) leg.promptStopped = true;
      return result(await ari.request('playbacks.stop', { playbackId: command.promptId }));
    }
    case 'BridgeLegs': {
      const members = command.legIds.map((legId) => legs.get(legId));
      for (const leg of members) {
        freeThread(ari, leg);
        stopRinging(ari, leg);
      }
      // 409 for a bridge that exists; if it could not be made, the next request says so.
      const made = ari.request('bridges.createWithId', { bridgeId: command.bridgeId, type: 'mixing' });
      // The switch subscribes the application that a channel is in, and one that has prompts in a row is not moved between them.
      if (members.some((leg) => leg?.moving === true)) {
        await made;
        await ari.request('applications.subscribe', { applicationName: ari.app, eventSource: [`bridge:${command.bridgeId}`] });
      }
      return result(await ari.request('bridges.addChannel', { bridgeId: command.bridgeId, channel: command.legIds }));
    }
    case 'DestroyBridge':
      // Who is to go on is out before its thread gets what is asked for next: a prompt that begins in between has no end (tried).
      for (const { id, asked } of legs.in(command.bridgeId)) if (asked === undefined) void ari.request('bridges.removeChannel', { bridgeId: command.bridgeId, channel: [id] });
      return result(await ari.request('bridges.destroy', { bridgeId: command.bridgeId }));
    case 'StartRecording': {
      const leg = legs.get(command.legId);
      stopRinging(ari, leg);
      if (leg !== undefined) leg.recording = command.recordingId;
      const recording = await ari.request('channels.record', {
        channelId: command.legId, name: command.recordingId, format: 'wav', ifExists: 'fail', terminateOn: 'none',
        maxDurationSeconds: Math.ceil(command.maxMs / 1000), maxSilenceSeconds: Math.ceil(command.silenceMs / 1000),
      });
      if (!recording.ok && leg?.recording === command.recordingId) leg.recording = undefined;
      return result(recording);
    }
    case 'StartCallRecording':
      return result(await recordings.start(ari, command));
    case 'StopRecording':
      if (isCallRecording(command.recordingId)) return result(await recordings.stop(ari, command.recordingId));
      return result(await ari.request('recordings.stop', { recordingName: command.recordingId }));
    case 'SetGuard':
      return result(await setVariable(ari, command.legId, 'TIMEOUT(absolute)', String(Math.ceil(command.ms / 1000))));
    case 'AnswerTransfer': {
      // Its end would end who it talked with, and who hears that the transfer is accepted may be gone at once.
      if (command.accepted) void setNow(ari, command.legId, peerVariable, peerOf(legs, command.legId, ''));
      return result(await ari.request('channels.transfer_progress', { channelId: command.legId, states: command.accepted ? 'channel_answered' : 'channel_declined' }));
    }
    case 'TakeLeg': {
      const { legId, callId, from, servedLeg, mark } = command;
      const leg = legs.get(legId);
      if (leg !== undefined) leg.subscribed = true;
      void ari.request('applications.subscribe', { applicationName: ari.app, eventSource: [`channel:${legId}`] });
      void setNow(ari, from, peerVariable, peerOf(legs, from, ''));
      void setNow(ari, legId, peerVariable, peerOf(legs, legId, servedLeg));
      void setNow(ari, legId, appVariable, ari.app);
      return result(await setNow(ari, legId, identityVariable(legId, callId), identityText(callId, ari.app, mark)));
    }
    case 'MarkCall': {
      const { legId, callId, mark } = command;
      const { winner: peer = '' } = mark;
      if (legs.get(legId)?.peer !== peer) void setVariable(ari, legId, peerVariable, peerOf(legs, legId, peer));
      return result(await setVariable(ari, legId, identityVariable(legId, callId), identityText(callId, ari.app, mark)));
    }
  }
}

/** Who ends with this leg from now on. */
function peerOf(legs: Legs, legId: LegId, peer: string): string {
  const leg = legs.get(legId);
  if (leg !== undefined) leg.peer = peer;
  return peer;
}

/** Before the request that follows, and not gathered with others. */
function setNow(ari: AriClient, channelId: LegId, name: string, value: string): Promise<AriResult<unknown>> {
  return ari.request('channels.getChannelVar', { channelId, variable: setByReading(name, value) });
}

function freeThread(ari: AriClient, leg: Leg | undefined): void {
  if (leg === undefined) return;
  for (const playbackId of leg.prompts) void ari.request('playbacks.stop', { playbackId });
  leg.promptStopped ||= leg.prompts.size > 0;
  if (leg.recording !== undefined) void ari.request('recordings.stop', { recordingName: leg.recording });
}

/** The tone goes on in a bridge and under a recording (tried). */
function stopRinging(ari: AriClient, leg: Leg | undefined): void {
  if (leg?.ringTone !== true) return;
  leg.ringTone = false;
  void ari.request('channels.ringStop', { channelId: leg.id });
}

function result(reply: AriResult<unknown>): CommandResult {
  return reply.ok ? done : { ok: false, error: reply.error, mayHaveReachedCarrier: false, detail: reply.message };
}
