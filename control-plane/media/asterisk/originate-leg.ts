import { callIdOf } from '../../core/ids.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import { sipName } from '../../core/routing/sip-name.ts';
import type { CommandResult } from '../media-driver.ts';
import type { AriClient } from './ari/ari-client.ts';
import type { AriFailure } from './ari/ari-result.ts';
import { callerText } from '../caller-text.ts';
import { identityText } from '../identity.ts';
import { appVariable, dialledVariable, identityVariable, peerVariable, setByReading } from './identity.ts';
import type { Legs } from './legs.ts';

type Originate = Extract<MediaCommand, { type: 'OriginateLeg' }>;

/** Args of our own legs in StasisStart. */
export const legArgument = 'leg';
/** The same as the dialplan's for callers: the owner renews it. */
const guardSeconds = 20;
/** From the create to its StasisStart; it was never seen above a few milliseconds. */
const enterWithinMs = 5000;

/** What may stand in a dial string: anything else could name another technology, or an option of it. */
const safeName = /^[A-Za-z0-9_.+*#-]{1,64}$/;

/** PJSIP/<endpoint> rings the first contact of its AOR: a device is one phone. */
function dialString({ target, trunk }: Originate): string | undefined {
  const name = target.kind === 'device' ? target.device : trunk;
  if (name === undefined) return undefined;
  const endpoint = sipName(target.sipPrefix, name);
  if (!safeName.test(endpoint)) return undefined;
  if (target.kind === 'device') return `PJSIP/${endpoint}`;
  return safeName.test(target.number) ? `PJSIP/${target.number}@${endpoint}` : undefined;
}

/**
 * Create, wait for the leg's StasisStart, dial: a leg so made survives the death of its controller (one originated
 * does not), and a hang-up in between prevents the dial. Only the dial sends the INVITE.
 */
export async function originateLeg(ari: AriClient, legs: Legs, command: Originate): Promise<CommandResult> {
  const endpoint = dialString(command);
  if (endpoint === undefined) return failed('rejected', false, 'The device, number or trunk has a name that cannot be dialled.');
  if (legs.get(command.legId) !== undefined) return failed('rejected', false, 'The id of the leg is in use.');
  const leg = legs.of(command.legId);
  leg.peer = command.servedLeg ?? callIdOf(command.legId);
  const entered = Promise.withResolvers<'entered' | 'gone' | 'lost' | 'timeout'>();
  leg.originate = { entered: () => { entered.resolve('entered'); }, gone: () => { entered.resolve('gone'); }, lost: () => { entered.resolve('lost'); } };
  const timer = setTimeout(() => { entered.resolve('timeout'); }, enterWithinMs);

  const number = callerText(command.callerId.number, 40);
  const name = callerText(command.callerId.name, 80);
  const created = ari.request('channels.create', {
    endpoint, app: ari.app, appArgs: legArgument, channelId: command.legId,
    variables: {
      [identityVariable(command.legId, callIdOf(command.legId))]: identityText(callIdOf(command.legId), ari.app, command.mark),
      'TIMEOUT(absolute)': String(guardSeconds),
      // The caller it is bridged with ends with it, whoever lives (extensions.conf).
      'CHANNEL(hangup_handler_push)': 'fd-over,s,1',
      [peerVariable]: leg.peer,
      [appVariable]: ari.app,
      // Its REFER is told of, and does nothing by itself. (Of a trunk it is refused: admin/pjsip-objects.ts.)
      ...(command.target.kind === 'device' ? { 'PJSIP_TRANSFER_HANDLING()': 'ari-only' } : {}),
      // The far end's From and P-Asserted-Identity are the new channel's connected line; its CALLERID would make
      // them anonymous. `i`: no update is sent for it.
      ...(number === '' ? {} : { 'CONNECTEDLINE(num,i)': number, 'CONNECTEDLINE(name,i)': name }),
    },
  });
  // The reply may come after the StasisStart, and the dial need not wait for it.
  let refused: AriFailure | undefined;
  void created.then((result) => {
    if (result.ok) return;
    refused = result;
    entered.resolve('gone');
  });

  const how = await entered.promise;
  clearTimeout(timer);
  leg.originate = undefined;
  if (refused !== undefined) {
    legs.delete(leg.id);
    // It may have been made all the same, and would wait for its guard.
    if (refused.sent && (refused.error === 'timeout' || refused.error === 'unreachable')) void ari.request('channels.hangup', { channelId: leg.id });
    return failed(refused.error, false, refused.message);
  }
  if (how === 'lost') return failed('unreachable', false, 'The link to the switch was lost before the leg was dialled.');
  if (how === 'timeout') {
    legs.delete(leg.id);
    void ari.request('channels.hangup', { channelId: leg.id });
    return failed('timeout', false, 'The new leg did not enter the application in time.');
  }
  if (how === 'gone' || leg.asked !== undefined) return failed('gone', false, 'The leg was hung up before it was dialled.');

  // A phone rings at once; a carrier may leave it open for seconds whether anything rings.
  if (command.target.kind !== 'device') void ari.request('channels.getChannelVar', { channelId: leg.id, variable: setByReading(dialledVariable, '1') });
  const dialled = await ari.request('channels.dial', { channelId: leg.id, timeout: Math.max(1, Math.ceil(command.ringMs / 1000)) });
  if (dialled.ok) {
    leg.dialled = true;
    return { ok: true };
  }
  if (dialled.error === 'gone' || dialled.error === 'not-ready') return failed('gone', false, dialled.message);
  if (dialled.error === 'rejected') {
    // Its end would otherwise come by the guard; the event that tells of it follows.
    void ari.request('channels.hangup', { channelId: leg.id });
    return failed('rejected', false, dialled.message);
  }
  return failed(dialled.error, dialled.sent, dialled.message);
}

function failed(error: AriFailure['error'], mayHaveReachedCarrier: boolean, detail: string): CommandResult {
  return { ok: false, error, mayHaveReachedCarrier, detail };
}
