/**
 * Phones and trunks as chan_pjsip objects (docs.asterisk.org, "res_pjsip configuration"), made live by
 * `PUT asterisk/config/dynamic/res_pjsip/{type}/{id}`. They go to AstDB (asterisk/sorcery.conf) and survive a
 * restart of the switch. The fields are those of the templates in asterisk/pjsip.conf.
 *
 * What that request does, tried on 22.10.1: fields that are not given stay as they were, so each object has all its
 * fields always, an empty one where it has none. `contact` of an aor and `match` of an identify are added to, and
 * AstDB keeps but one of them: so each has one, and its id names its content; another content is another object.
 * A changed registration goes on with the old server until it is removed, so its id does too; and one that is made
 * under the id of one just removed stayed unregistered for good, once in 30 times.
 */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { SwitchDevice, SwitchTrunk } from '../../switch-setup.ts';

export interface PjsipObject {
  readonly type: 'auth' | 'aor' | 'endpoint' | 'identify' | 'registration';
  readonly id: string;
  readonly fields: Readonly<Record<string, string>>;
}

const everyEndpoint = {
  disallow: 'all',
  direct_media: 'no',
};

/** `transfers`: its REFER is heard, and not refused (transfers.ts). */
export function deviceObjects(device: SwitchDevice, transfers: boolean): readonly PjsipObject[] {
  const { id, password, callerId } = device;
  return [
    { type: 'auth', id, fields: { auth_type: 'userpass', username: id, password } },
    // One contact: a phone that comes back at another port replaces itself.
    { type: 'aor', id, fields: { max_contacts: '1', remove_existing: 'yes', qualify_frequency: '0' } },
    {
      type: 'endpoint',
      id,
      fields: {
        ...everyEndpoint, allow_transfer: yesNo(transfers), context: 'from-phone', allow: 'ulaw,alaw,g722', dtmf_mode: 'rfc4733', rtp_symmetric: 'yes', force_rport: 'yes', rewrite_contact: 'yes',
        identify_by: 'username', auth: id, aors: id, callerid: `"${callerId.name.replace(/["\\\r\n]/g, '')}" <${callerId.number}>`,
      },
    },
  ];
}

/** `addresses`: all that the trunk's calls come from; `context`: where they go (asterisk/extensions.conf). */
export function trunkObjects(trunk: SwitchTrunk, addresses: readonly string[], context: 'from-trunk' | 'from-switch' = 'from-trunk'): readonly PjsipObject[] {
  const { id, credentials, nat } = trunk;
  const uri = `sip:${placeOf(trunk)}`;
  const aor = withContent(id, 'aor', { contact: uri, qualify_frequency: String(trunk.qualifySeconds) });
  const objects: PjsipObject[] = [
    aor,
    {
      type: 'endpoint',
      id,
      fields: {
        // a carrier has no say in who talks with whom
        ...everyEndpoint, allow_transfer: 'no', context, allow: trunk.codecs.join(','), dtmf_mode: trunk.dtmf, rtp_symmetric: yesNo(nat), force_rport: yesNo(nat),
        rewrite_contact: yesNo(nat), media_encryption: trunk.srtp ? 'sdes' : 'no', identify_by: 'ip,header', aors: aor.id, outbound_auth: credentials === undefined ? '' : id,
        // the trunk's codecs in the trunk's order (codec_prefs_outgoing_offer does not do it)
        outgoing_call_offer_pref: 'local_merge',
        // A phone's hold is told to the other switch, whose call it is.
        ...(context === 'from-switch' ? { moh_passthrough: 'yes' } : {}),
        send_pai: 'yes', send_connected_line: 'no', trust_id_inbound: 'yes', trust_id_outbound: 'yes',
      },
    },
    ...addresses.map((address): PjsipObject => ({ type: 'identify', id: `${id}~${address.replace('/', '_')}`, fields: { endpoint: id, match: address } })),
  ];
  if (credentials === undefined) return objects;
  const { username, password } = credentials;
  objects.unshift({ type: 'auth', id, fields: { auth_type: 'userpass', username, password } });
  // Another password is another registration. Of it the name tells 16 bits: too few to try guesses on.
  if (trunk.register) objects.push(withContent(`${id}~${digest(`${id} ${password}`, 4)}`, 'registration', registrationFields(trunk, uri, username)));
  return objects;
}

/** Asterisk gives up for good on what a carrier mends within the hour: so it may try for ever. */
function registrationFields({ id, host, port }: SwitchTrunk, uri: string, username: string): Readonly<Record<string, string>> {
  return {
    outbound_auth: id, server_uri: uri, client_uri: clientUri(host, port, username), contact_user: username, endpoint: id, line: 'yes', max_random_initial_delay: '0',
    retry_interval: '30', forbidden_retry_interval: '120', fatal_retry_interval: '120', auth_rejection_permanent: 'no', max_retries: '1000000',
  };
}

/** Where a trunk is: a SIP URI without its user. */
export function placeOf({ host, port, transport }: SwitchTrunk): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}${transport === 'udp' ? '' : `;transport=${transport}`}`;
}

/** As whom a trunk registers; the switch names the registration by it. */
export function clientUri(host: string, port: number, username: string): string {
  return `sip:${username}@${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

function withContent(owner: string, type: PjsipObject['type'], fields: PjsipObject['fields']): PjsipObject {
  return { type, id: `${owner}~${digest(JSON.stringify(fields), 8)}`, fields };
}

function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

/** The trunk or device an object belongs to. */
export function ownerOf(objectId: string): string {
  return objectId.split('~')[0] ?? objectId;
}
