/** FreeSWITCH as an operator sees it, for tests: the same as of an Asterisk (switch-admin.ts), by the event socket. */
import type { FreeSwitch } from './freeswitch.ts';
import type { SwitchAdmin, SwitchChannel } from './switch-admin.ts';
import { until } from './until.ts';

interface Row {
  readonly uuid: string;
  readonly name: string;
  readonly callstate: string;
  readonly cid_name: string;
  readonly cid_num: string;
}

const states: Readonly<Record<string, string>> = { ACTIVE: 'Up', HELD: 'Up', RINGING: 'Ringing', EARLY: 'Ringing' };

export const connectFreeSwitch = (freeswitch: FreeSwitch): SwitchAdmin => {
  // its list of channels lags behind their number
  const channels = (): Promise<readonly SwitchChannel[]> => until(async () => {
    const { rows = [] } = JSON.parse(await freeswitch.ask('show channels as json')) as { readonly rows?: readonly Row[] };
    if (!(await freeswitch.ask('status')).includes(`\n${rows.length} session(s) - `)) return undefined;
    return rows.map(({ uuid, name, callstate, cid_name, cid_num }) => ({ id: uuid, name, state: states[callstate] ?? 'Ring', caller: { name: cid_name, number: cid_num } }));
  }, { describe: 'the switch lists as many channels as it has' });
  const causes: Readonly<Record<string, string>> = { answered_elsewhere: 'LOSE_RACE' };

  return {
    channels,
    // it has none: two legs are connected, or not
    bridges: () => Promise.resolve([]),
    hangUp: async (channelId, reason = '') => void (await freeswitch.ask(`uuid_kill ${channelId} ${causes[reason] ?? 'NORMAL_CLEARING'}`)),
    clear: async () => {
      await freeswitch.ask('hupall NORMAL_CLEARING');
      await until(async () => (await channels()).length === 0, { describe: 'everybody is hung up' });
    },
    createPhone: (phone) => freeswitch.createPhone(phone),
    deletePhone: async (id) => {
      await freeswitch.ask(`db delete/fd-phone/${id}`);
      await freeswitch.ask(`sofia profile frontdesk flush_inbound_reg ${id}@frontdesk`);
    },
    knows: async (id) => (await freeswitch.kept('fd-phone', id)) !== undefined,
    isRegistered: async (id) => (await freeswitch.ask(`sofia_contact frontdesk/${id}@frontdesk`)).startsWith('sofia/'),
    // the dialplan forgets older claims when it begins to offer, and wakes by itself when it has been claimed
    claim: async (channelId, instance) => (await freeswitch.ask(`uuid_getvar ${channelId} fd_task`)).includes('Added')
      && (await freeswitch.ask(`hash insert_ifempty/fd_claim/${channelId}/${instance}`)).startsWith('+OK'),
    identityOf: async (channelId) => {
      const written = await freeswitch.ask(`uuid_getvar ${channelId} fd_identity`);
      return written === '_undef_' || written.startsWith('-ERR') ? undefined : Buffer.from(written, 'base64url').toString();
    },
    writeIdentity: async (channelId, text) => void (await freeswitch.ask(`uuid_setvar ${channelId} fd_identity ${Buffer.from(text).toString('base64url')}`)),
    obeys: async (channelId) => (await freeswitch.ask(`uuid_setvar ${channelId} fd_obeys yes`)).startsWith('+OK'),
    hearing: () => Promise.resolve(undefined),
    // as it does by itself
    takesShortRegistrations: () => Promise.resolve(),
    knowsEmergencyOf: async (id) => (await freeswitch.kept('fd-emergency', id)) !== undefined,
    placeSyntheticCall: async (callId) => {
      await freeswitch.ask(`originate {origination_uuid=${callId},fd_synthetic=yes,fd_origin=trunk,fd_dialled=#0000,loopback_bowout=false,loopback_bowout_on_execute=false,fd_said=silence_stream://-1,loopback_export=fd_said}loopback/heard/fd-far/XML 0 XML fd-offer`);
    },
    spoilSyntheticCalls: async () => {
      await freeswitch.ask('unload mod_loopback');
      return async () => void (await freeswitch.ask('load mod_loopback'));
    },
    putDb: () => Promise.reject(new Error('This test writes to the database of an Asterisk')),
  };
};
