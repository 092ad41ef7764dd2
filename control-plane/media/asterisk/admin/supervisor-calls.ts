/** Supervisors' phones: rung by the switch, and offered like a call of their own once they answer. */
import { second } from '../../../core/time.ts';
import { callerText } from '../../caller-text.ts';
import type { SupervisorCalls } from '../../switch-admin.ts';
import { hasDialplan } from './dialplan-version.ts';
import type { Ari } from './switch-database.ts';

const dialplanWithSupervisors = 5;

export function createSupervisorCalls(ari: Ari): SupervisorCalls {
  return {
    async callSupervisor({ callId, phone, extension, shown, ringMs, over }) {
      if (!(await hasDialplan(ari, dialplanWithSupervisors))) return 'unknown';
      const name = callerText(shown.name, 80).replace(/["<>]/g, '');
      const rung = await ari.request('channels.originate', {
        endpoint: over === undefined ? `PJSIP/${phone}` : `PJSIP/${phone}@${over}`, context: 'fd-supervision', extension: 's', priority: 1, timeout: ringMs / second, channelId: callId,
        callerId: `"${name}" <${callerText(shown.number, 40)}>`, variables: { FD_SUPERVISOR: extension },
      });
      if (!rung.ok) throw new Error(`The switch does not ring phone ${extension}: ${rung.message}`);
      return 'rings';
    },
    async endSupervisor(callId) {
      const ended = await ari.request('channels.hangup', { channelId: callId, reason: 'normal' });
      if (!ended.ok && ended.error !== 'gone') throw new Error(`The switch does not end the supervision: ${ended.message}`);
      return ended.ok;
    },
  };
}
