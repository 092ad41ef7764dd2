// Turns the templates in asterisk/ into a configuration directory. The same templates serve the containers.
//
// A template value is written @NAME@. An unknown one throws, so that a template and this file cannot drift.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalStackError } from './errors.ts';

/** A carrier written into pjsip.conf. Trunks may also be made through ARI at run time; asterisk/README.md shows how. */
export interface Trunk {
  /** The endpoint's name: letters, digits, - and _. */
  id: string;
  /** Where our calls to the carrier go. */
  host: string;
  port: number;
  transport?: 'udp' | 'tcp';
  /** Addresses, networks or address:port the carrier calls from; by default host:port. */
  from?: readonly string[];
  /** How often it is asked with OPTIONS whether it is there; 30 by default, 0 for a carrier that does not answer them. */
  qualifySeconds?: number;
  /** For carriers that ask us for a password. */
  auth?: { username: string; password: string };
}

export interface ConfigValues {
  etcDir: string;
  stateDir: string;
  spoolDir: string;
  runDir: string;
  logDir: string;
  moduleDir: string;
  shareDir: string;
  mohDir: string;
  systemName: string;
  maxFiles: number;
  httpPort: number;
  ariUser: string;
  ariPassword: string;
  sipBind: string;
  sipPort: number;
  rtp: { from: number; to: number };
  externalAddress?: string;
  /** Without it there is no SIP over TLS. */
  tls?: TlsFiles;
  trunks: readonly Trunk[];
}

export interface TlsFiles {
  port: number;
  certificate: string;
  key: string;
  /** Whom carriers' certificates must come from. */
  authorities: string;
}

/** Where the switch notes logins. */
export const securityLogOf = (logDir: string): string => join(logDir, 'security.log');

const SAFE = /^[A-Za-z0-9._:/-]+$/;
const checked = (what: string, value: string, pattern = SAFE): string => {
  if (!pattern.test(value)) throw new LocalStackError('bad-option', `${what} is ${JSON.stringify(value)}; it may hold letters, digits, and . _ : / - only.`);
  return value;
};

const trunkSections = (trunk: Trunk): string => {
  const id = checked('The name of a trunk', trunk.id, /^[A-Za-z0-9_-]{1,60}$/);
  const host = checked(`The host of trunk ${id}`, trunk.host);
  const transport = trunk.transport ?? 'udp';
  const from = (trunk.from ?? [`${host}:${trunk.port}`]).map((address) => checked(`An address of trunk ${id}`, address));
  const lines = [
    `[${id}](trunk)`,
    `transport = transport-${transport}`,
    `aors = ${id}`,
    ...(trunk.auth === undefined ? [] : [`outbound_auth = ${id}`]),
    `[${id}]`,
    'type = aor',
    `contact = sip:${host}:${trunk.port}${transport === 'tcp' ? '\\;transport=tcp' : ''}`,
    // A carrier that is gone is then skipped at once instead of after timer B.
    `qualify_frequency = ${trunk.qualifySeconds ?? 30}`,
    `[${id}]`,
    'type = identify',
    `endpoint = ${id}`,
    `match = ${from.join(',')}`,
  ];
  if (trunk.auth !== undefined) {
    lines.push(
      `[${id}]`,
      'type = auth',
      'auth_type = userpass',
      `username = ${checked(`The user name of trunk ${id}`, trunk.auth.username, /^[^\s;\\]+$/)}`,
      `password = ${checked(`The password of trunk ${id}`, trunk.auth.password, /^[^\s;\\]+$/)}`,
    );
  }
  return lines.join('\n');
};

const PRIVATE_NETS = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'];
const isPrivate = (address: string): boolean => /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(address);

const natLines = (externalAddress: string | undefined): string => {
  if (externalAddress === undefined) return '';
  const address = checked('FRONTDESK_EXTERNAL_ADDRESS', externalAddress);
  // A private external address is the host's own, given because we cannot see it: then only loopback is local.
  const local = ['127.0.0.0/8', ...(isPrivate(address) ? [] : PRIVATE_NETS)];
  return [`external_signaling_address = ${address}`, `external_media_address = ${address}`, ...local.map((net) => `local_net = ${net}`)].join('\n');
};

const tlsLines = (values: ConfigValues, bind: string, nat: string): string =>
  values.tls === undefined ? '' : [
    '[transport-tls]', 'type = transport', 'protocol = tls', `bind = ${bind}:${values.tls.port}`,
    `cert_file = ${values.tls.certificate}`, `priv_key_file = ${values.tls.key}`, `ca_list_file = ${values.tls.authorities}`,
    // a carrier must prove who it is; phones have passwords, not certificates
    'verify_server = yes', 'verify_client = no', 'method = tlsv1_2', nat,
  ].join('\n');

/** Writes every template of `templateDir`, filled in, to `values.etcDir` (mode 0600: there are passwords in it). */
export const renderConfig = (templateDir: string, values: ConfigValues): void => {
  const bind = values.sipBind.includes(':') ? `[${checked('FRONTDESK_BIND', values.sipBind)}]` : checked('FRONTDESK_BIND', values.sipBind);
  const nat = natLines(values.externalAddress);
  const table: Readonly<Record<string, string>> = {
    ETC_DIR: values.etcDir,
    SECURITY_LOG: securityLogOf(values.logDir),
    STATE_DIR: values.stateDir,
    SPOOL_DIR: values.spoolDir,
    RUN_DIR: values.runDir,
    LOG_DIR: values.logDir,
    MODULE_DIR: values.moduleDir,
    SHARE_DIR: values.shareDir,
    MOH_DIR: values.mohDir,
    SYSTEM_NAME: values.systemName,
    MAX_FILES: String(values.maxFiles),
    HTTP_BIND: '127.0.0.1',
    HTTP_PORT: String(values.httpPort),
    ARI_USER: values.ariUser,
    ARI_PASSWORD: values.ariPassword,
    SIP_BIND: bind,
    SIP_PORT: String(values.sipPort),
    RTP_START: String(values.rtp.from),
    RTP_END: String(values.rtp.to),
    TRANSPORT_NAT: nat,
    TRANSPORT_TLS: tlsLines(values, bind, nat),
    TRUNKS: values.trunks.map(trunkSections).join('\n\n'),
  };
  mkdirSync(values.etcDir, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(templateDir).filter((file) => file.endsWith('.conf'))) {
    const text = readFileSync(join(templateDir, name), 'utf8').replace(/@([A-Z_]+)@/g, (_, key: string) => {
      const value = table[key];
      if (value === undefined) throw new Error(`${name} asks for @${key}@, which render.ts does not know`);
      return value;
    });
    writeFileSync(join(values.etcDir, name), text, { mode: 0o600 });
  }
};
