/** Calls that the switch makes for a controller: each comes in by the dialplan's offer, like any other, under the id it is given. */
import type { CallId, LegId } from '../../../core/ids.ts';
import { second, type Ms } from '../../../core/time.ts';
import { callerText } from '../../caller-text.ts';
import type { CallbackCalls, SupervisorCalls, TestCallsOfSwitch } from '../../switch-admin.ts';
import type { EslResult } from '../esl/esl-result.ts';
import { harmless, originateVariables } from '../esl/esl-text.ts';
import { mediaPath } from '../media-path.ts';
import { shownName } from '../shown-name.ts';
import { domain, profile } from '../sip-profile.ts';
import { phoneVariable } from '../variables.ts';
import type { Esl } from './switch-store.ts';

interface CallsOfSwitch extends CallbackCalls, SupervisorCalls, TestCallsOfSwitch {
  callOurselves(callId: CallId): Promise<'placed'>;
}

/** Nobody has dialled them. */
const ourselves = '#0000';
const supervision = '#0001';
const silence = 'silence_stream://-1';
const madeWithinMs: Ms = 5 * second;

/** What the switch would read as anything but a name is not said. */
const far = (said: string): string => (/^[\w./-]+$/.test(said) || said.startsWith('tone_stream://') || said === silence ? said : mediaPath('tone:beep'));

/** `tell` is called when the switch has made the leg, until what is returned is. */
export type OnceMade = (legId: LegId, tell: () => void) => () => void;

export function createCalls(esl: Esl, onceMade: OnceMade): CallsOfSwitch {
  async function place(callId: CallId, dialled: string, caller: { readonly number: string; readonly name: string }, said: string): Promise<EslResult> {
    const variables = originateVariables({
      origination_uuid: callId, fd_synthetic: 'yes', fd_origin: 'trunk', fd_dialled: dialled,
      origination_caller_id_number: harmless(callerText(caller.number, 40)), origination_caller_id_name: harmless(callerText(caller.name, 80)),
      // Both ends stay: else the switch takes them out of a call that they have connected.
      loopback_bowout: 'false', loopback_bowout_on_execute: 'false', loopback_export: 'fd_said', fd_said: far(said),
    });
    if (!variables.ok) return { ok: false, error: 'rejected', message: variables.message, sent: false };
    return made(callId, `${variables.text}loopback/heard/fd-far/XML`, madeWithinMs);
  }

  async function made(callId: CallId, leg: string, timeoutMs: Ms): Promise<EslResult> {
    return esl.bgapi('originate', { leg: { raw: leg }, to: '0', dialplan: 'XML', context: 'fd-offer' }, { order: callId, timeoutMs });
  }

  return {
    async callOurselves(callId) {
      const placed = await place(callId, ourselves, { number: '0000', name: 'Frontdesk' }, mediaPath('tone:beep'));
      if (!placed.ok) throw new Error(`The switch does not place a call to Frontdesk: ${placed.message}`);
      return 'placed';
    },

    async callAsTest({ callId, dialled, caller, said }) {
      const heard = mediaPath(said);
      const placed = await place(callId, dialled, caller, heard);
      if (!placed.ok) throw new Error(`The switch does not place the test call: ${placed.message}`);
      return 'placed';
    },
    async beginCallback({ callId, dialled, number }) {
      const placed = await place(callId, dialled, { number, name: '' }, silence);
      if (!placed.ok) throw new Error(`The switch does not begin the callback: ${placed.message}`);
      return 'begun';
    },
    async endTest(callId) {
      await esl.api('uuid_kill', { callId }, { order: callId });
    },
    async packetsOf(legId) {
      const asked = await esl.api('uuid_set_media_stats', { legId }, { order: legId });
      const [received, sent] = await Promise.all(['rtp_audio_in_packet_count', 'rtp_audio_out_packet_count'].map((name) => esl.api('uuid_getvar', { legId, name }, { order: legId })));
      if (!asked.ok || !received?.ok || !sent?.ok || !/^\d+$/.test(received.text) || !/^\d+$/.test(sent.text)) return null;
      return { received: Number(received.text), sent: Number(sent.text) };
    },

    async callSupervisor({ callId, phone, extension, shown, ringMs, over }) {
      const refused = (why: string): Error => new Error(`The switch does not ring phone ${extension}: ${why}`);
      const found = over === undefined ? await esl.api('sofia_contact', { phone: `${profile}/${phone}@${domain}` }, { order: callId }) : { ok: true as const, text: `sofia/gateway/${over}/${phone}` };
      if (!found.ok) throw refused(found.message);
      const contact = found.text.split(',')[0] ?? '';
      if (!/^sofia\/[\w.-]+\/[^,\s]+$/.test(contact)) throw refused('it is not registered.');
      const variables = originateVariables({
        origination_uuid: callId, fd_synthetic: 'yes', fd_origin: 'phone', fd_dialled: supervision, [phoneVariable]: phone,
        effective_caller_id_number: extension, effective_caller_id_name: 'Supervisor',
        origination_caller_id_number: harmless(callerText(shown.number, 40)), origination_caller_id_name: shownName(shown.name),
        ignore_early_media: 'true', originate_timeout: String(Math.max(1, Math.ceil(ringMs / second))),
      });
      if (!variables.ok) throw refused(variables.message);
      // What comes of it is told by the offer, or by nothing: the one who asked has a time for it.
      const there = Promise.withResolvers<'there'>();
      const forget = onceMade(callId, () => { there.resolve('there'); });
      const early = await Promise.race([made(callId, `${variables.text}${contact}`, ringMs + madeWithinMs), there.promise]);
      forget();
      if (early !== 'there' && !early.ok) throw refused(early.message);
      return 'rings';
    },
    async endSupervisor(callId) {
      const ended = await esl.api('uuid_kill', { callId }, { order: callId });
      if (!ended.ok && ended.error !== 'gone') throw new Error(`The switch does not end the supervision: ${ended.message}`);
      return ended.ok;
    },
  };
}
