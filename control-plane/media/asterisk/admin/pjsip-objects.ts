/**
 * Phones and trunks as chan_pjsip objects (docs.asterisk.org, "res_pjsip configuration"), made live by
 * `PUT asterisk/config/dynamic/res_pjsip/{type}/{id}`. They go to AstDB (asterisk/sorcery.conf) and survive a
 * restart of the switch. The fields are those of the templates in asterisk/pjsip.conf.
 */
import type { SwitchDevice, SwitchTrunk } from '../../switch-setup.ts';

export interface PjsipObject {
  readonly type: 'auth' | 'aor' | 'endpoint' | 'identify' | 'registration';
  readonly id: string;
  readonly fields: Readonly<Record<string, string>>;
}

const everyEndpoint = {
  disallow: 'all',
  direct_media: 'no',
  rtp_symmetric: 'yes',
  force_rport: 'yes',
  // REFER from a phone would change bridges behind the call's state: refused until the core can follow it.
  allow_transfer: 'no',
  dtmf_mode: 'rfc4733',
};

export function deviceObjects(device: SwitchDevice): readonly PjsipObject[] {
  const { id, password, callerId } = device;
  return [
    { type: 'auth', id, fields: { auth_type: 'userpass', username: id, password } },
    // One contact: a phone that comes back at another port replaces itself.
    { type: 'aor', id, fields: { max_contacts: '1', remove_existing: 'yes', qualify_frequency: '0' } },
    {
      type: 'endpoint',
      id,
      fields: {
        ...everyEndpoint, context: 'from-phone', allow: 'ulaw,alaw,g722', rewrite_contact: 'yes', identify_by: 'username',
        auth: id, aors: id, callerid: `"${callerId.name.replace(/["\\\r\n]/g, '')}" <${callerId.number}>`,
      },
    },
  ];
}

export function trunkObjects(trunk: SwitchTrunk): readonly PjsipObject[] {
  const { id, host, port, transport, credentials } = trunk;
  const uri = `sip:${host}:${port}${transport === 'tcp' ? ';transport=tcp' : ''}`;
  const endpoint = {
    ...everyEndpoint, context: 'from-trunk', allow: 'ulaw,alaw', rewrite_contact: 'no', send_pai: 'yes', send_connected_line: 'no', trust_id_inbound: 'yes',
    trust_id_outbound: 'yes', identify_by: 'ip,header', aors: id,
  };
  const objects: PjsipObject[] = [
    { type: 'aor', id, fields: { contact: uri } },
    { type: 'endpoint', id, fields: credentials === undefined ? endpoint : { ...endpoint, outbound_auth: id } },
    { type: 'identify', id, fields: { endpoint: id, match: host } },
  ];
  if (credentials === undefined) return objects;
  const { username, password } = credentials;
  return [
    { type: 'auth', id, fields: { auth_type: 'userpass', username, password } },
    ...objects,
    {
      type: 'registration',
      id,
      fields: { outbound_auth: id, server_uri: uri, client_uri: `sip:${username}@${host}:${port}`, retry_interval: '30', endpoint: id, line: 'yes' },
    },
  ];
}
