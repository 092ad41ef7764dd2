/**
 * The environment, read once: checked by zod, all problems at once, then frozen. Nothing else reads FRONTDESK_…,
 * ASTERISK_URL, FREESWITCH_URL or REDIS_URL. A problem names the variable and what it must be, and never quotes an address, since
 * that holds a password.
 */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { isNetwork } from './configuration/fields.ts';
import { didYouMean } from './core/complaint.ts';

const port = (lowest: number) =>
  z.string().refine((value) => /^\d{1,5}$/.test(value) && Number(value) >= lowest && Number(value) <= 65_535, `must be a port from ${lowest} to 65535`).transform(Number);
const ipAddress = z.string().refine((value) => isIP(value) !== 0, 'must be an IP address of this machine, such as 0.0.0.0 for all of them');
const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
const sipAddress = z.string().refine((value) => sipPlace(value) !== undefined, 'must look like 10.0.0.5:5060, an address or a name and a port').transform((value) => sipPlace(value) ?? { host: '', port: 0 });
const path = z.string().refine((value) => !/\p{Cc}/u.test(value), 'must be a path without control characters').transform((value) => resolve(value));

function url(schemes: readonly string[], wanted: string, alsoGood: (parsed: URL) => boolean = () => true) {
  return z.string().refine((value) => {
    const parsed = URL.parse(value);
    return parsed !== null && schemes.includes(parsed.protocol) && parsed.hostname !== '' && alsoGood(parsed);
  }, `must look like ${wanted}`);
}

const examplePlan = join(import.meta.dirname, '..', 'dialplans', 'riverside-dental.yaml');
/** 32 bytes in base64 or hex. */
const mediaKey = z.string().refine((value) => /^[0-9a-f]{64}$/i.test(value) || (/^[A-Za-z0-9+/]{43}=?$/.test(value) && Buffer.from(value, 'base64').length === 32), 'must be 32 bytes in hex or base64: `openssl rand -hex 32` makes one');

const environment = z.object({
  FRONTDESK_PLAN: z.string().default(examplePlan)
    .transform((value) => value.split(',').map((file) => file.trim()).filter((file) => file !== ''))
    .refine((files) => files.length > 0, 'must name a plan file, or several with commas between'),
  FRONTDESK_DATA_DIR: path.default(resolve('.frontdesk')),
  FRONTDESK_CACHE_DIR: path.optional(),
  FRONTDESK_INSTANCE: z.string().regex(/^[a-z0-9-]{1,30}$/, 'must be 1 to 30 of a-z, 0-9 and -').default('main'),
  FRONTDESK_BIND: ipAddress.default('127.0.0.1'),
  FRONTDESK_EXTERNAL_ADDRESS: z.string().refine((value) => isIP(value) !== 0 || hostName.test(value), 'must be an IP address or a host name, without scheme or port').optional(),
  FRONTDESK_SIP_PORT: port(1).optional(),
  FRONTDESK_HTTP_PORT: port(0).default(8088),
  FRONTDESK_HTTP_BIND: ipAddress.default('127.0.0.1'),
  FRONTDESK_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent'], 'must be debug, info, warn, error or silent').optional(),
  FRONTDESK_DRAIN_SECONDS: z.string().refine((value) => /^\d{1,5}$/.test(value), 'must be a number of seconds, 0 to 99999').transform(Number).optional(),
  FRONTDESK_TRANSFERS: z.enum(['on', 'off', 'auto'], { error: 'must be on, off or auto' }).default('auto'),
  FRONTDESK_SYNTHETIC_CALL: z.string().refine((value) => /^(on|off|[1-9]\d{0,4})$/.test(value), 'must be on, off, or the seconds between two of them').default('on'),
  FRONTDESK_LOG_NUMBERS: z.enum(['yes', 'no'], 'must be yes or no').default('no').transform((value) => value === 'yes'),
  ASTERISK_URL: url(['http:', 'https:'], 'http://user:password@host:8088, with the user of ari.conf', ({ username, password }) => username !== '' && password !== '').optional(),
  FREESWITCH_URL: url(['freeswitch:'], 'freeswitch://:password@host:8021, with the password of event_socket.conf.xml', ({ password }) => password !== '').optional(),
  FRONTDESK_ASTERISK_SIP: sipAddress.optional(),
  FRONTDESK_FREESWITCH_SIP: sipAddress.optional(),
  FRONTDESK_SMTP_URL: url(['smtp:', 'smtps:'], 'smtp://user:password@mail.clinic.example:587, or smtps:// for TLS from the start').optional(),
  FRONTDESK_MAIL_FROM: z.string().regex(/^[^\s@<>]+@[^\s@<>]+$/, 'must be an e-mail address').optional(),
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/frontdesk').optional(),
  FRONTDESK_MEDIA_KEY: mediaKey.optional(),
  FRONTDESK_MEDIA_KEYS_OLD: z.string().transform((value) => value.split(',').map((one) => one.trim()).filter((one) => one !== '')).pipe(z.array(mediaKey)).default([]),
  FRONTDESK_SECURITY_LOG: path.optional(),
  FRONTDESK_NEVER_BAN: z.string().transform((value) => value.split(',').map((one) => one.trim()).filter((one) => one !== ''))
    .refine((all) => all.every(isNetwork), 'must be IP addresses and networks such as 203.0.113.0/24, with commas between').default([]),
  FRONTDESK_WEBHOOKS_PRIVATE: z.enum(['allow', 'refuse'], 'must be allow or refuse').default('refuse').transform((value) => value === 'allow'),
  FRONTDESK_NEW_ADMIN_KEY: z.enum(['yes', 'no'], 'must be yes or no').default('no').transform((value) => value === 'yes'),
  REDIS_URL: url(['redis:', 'rediss:'], 'redis://:password@host:6379, or rediss:// for TLS').optional(),
});

/** Every variable that is read. */
export const settingNames: readonly string[] = Object.keys(environment.shape);

const syntheticEverySeconds = 60;
/** Who talks may finish their sentence. */
const ownSwitchDrainSeconds = 30;

/** Of tests and of the process's surroundings; no settings of the controller. */
const othersVariables: readonly string[] = ['FRONTDESK_KEEP_TRACES', 'FRONTDESK_TEST_SWITCH', 'FRONTDESK_API_URL', 'FRONTDESK_API_KEY'];
/** What a switch of one's own is told in its own configuration. */
const localStackOnly: readonly string[] = ['FRONTDESK_BIND', 'FRONTDESK_EXTERNAL_ADDRESS', 'FRONTDESK_SIP_PORT'];
const asteriskOnly: readonly string[] = ['FRONTDESK_SECURITY_LOG'];
const sideBySideOnly: readonly string[] = ['FRONTDESK_ASTERISK_SIP', 'FRONTDESK_FREESWITCH_SIP'];

export interface SipPlace {
  readonly host: string;
  readonly port: number;
}

export interface Config {
  /** The clinics' plans, YAML files; at least one. */
  readonly planFiles: readonly string[];
  /** Nobody named a plan: the example is for an empty database only. */
  readonly planIsExample: boolean;
  /** Absolute. */
  readonly dataDir: string;
  readonly cacheDir: string | undefined;
  /** This controller's name; its ARI application is `frontdesk-<instance>`. */
  readonly instance: string;
  /** Where SIP and RTP listen; never ARI, never Redis. */
  readonly bind: string;
  readonly externalAddress: string | undefined;
  readonly sipPort: number | undefined;
  /** Of the API, health and readiness; 0 for any free one. */
  readonly httpPort: number;
  /** Loopback unless a reverse proxy with TLS stands elsewhere. */
  readonly httpBind: string;
  /** Undefined where each command has its own. */
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent' | undefined;
  /** Told to stop with calls and nobody to take them: waited for so long. A switch of our own ends with us; of another, calls outlive us. */
  readonly drainMs: number;
  /** Between two calls that Frontdesk makes to itself; null for none. */
  readonly syntheticMs: number | null;
  /** Whether phones may ask for transfers; auto: where the switch bears it. */
  readonly transfers: 'on' | 'off' | 'auto';
  /** Numbers of callers and callees are written to the log whole. */
  readonly logNumbers: boolean;
  /** Given: that switch is used, and none is started. */
  readonly asteriskUrl: string | undefined;
  readonly freeswitchUrl: string | undefined;
  /** Both are given, and used side by side: where each takes the other's calls. */
  readonly sideBySide: { readonly asterisk: SipPlace; readonly freeswitch: SipPlace } | undefined;
  readonly redisUrl: string | undefined;
  /** Absent: PGlite in the data directory. */
  readonly databaseUrl: string | undefined;
  /** Encrypts recordings at rest; made and kept in the data directory when absent. */
  readonly mediaKey: string | undefined;
  /** Keys that older recordings may still need. */
  readonly oldMediaKeys: readonly string[];
  /** Of a switch of one's own: the file its security log goes to. */
  readonly securityLog: string | undefined;
  /** IP addresses and networks that are not banned, however many passwords they guess. */
  readonly neverBan: readonly string[];
  /** Webhooks may lead into private networks, and go without TLS. */
  readonly webhooksPrivate: boolean;
  /** Another key of an agency admin is made and shown at the start: for one who has lost theirs. */
  readonly newAdminKey: boolean;
  /** Notices go out by e-mail over this server. */
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string | undefined;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Empty variables count as not set, as in most shells' `VAR= command`. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ConfigResult {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environment.safeParse(set);
  if (!parsed.success) {
    return { ok: false, problems: parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}.`) };
  }
  const e = parsed.data;
  const both = e.ASTERISK_URL !== undefined && e.FREESWITCH_URL !== undefined;
  const [asterisk, freeswitch] = [e.FRONTDESK_ASTERISK_SIP, e.FRONTDESK_FREESWITCH_SIP];
  if (both && (asterisk === undefined || freeswitch === undefined)) return { ok: false, problems: ['ASTERISK_URL and FREESWITCH_URL are both set, so FRONTDESK_ASTERISK_SIP and FRONTDESK_FREESWITCH_SIP must say where each takes SIP from the other, as 10.0.0.5:5060: phones that are registered with one ring for calls on the other. For one switch alone, leave the URL of the other empty.'] };
  return {
    ok: true,
    warnings: warningsOf(Object.keys(set)),
    config: Object.freeze({
      planFiles: e.FRONTDESK_PLAN,
      planIsExample: set['FRONTDESK_PLAN'] === undefined,
      dataDir: e.FRONTDESK_DATA_DIR,
      cacheDir: e.FRONTDESK_CACHE_DIR,
      instance: e.FRONTDESK_INSTANCE,
      bind: e.FRONTDESK_BIND,
      externalAddress: e.FRONTDESK_EXTERNAL_ADDRESS,
      sipPort: e.FRONTDESK_SIP_PORT,
      httpPort: e.FRONTDESK_HTTP_PORT,
      httpBind: e.FRONTDESK_HTTP_BIND,
      logLevel: e.FRONTDESK_LOG_LEVEL,
      drainMs: 1000 * (e.FRONTDESK_DRAIN_SECONDS ?? (e.ASTERISK_URL === undefined && e.FREESWITCH_URL === undefined ? ownSwitchDrainSeconds : 0)),
      syntheticMs: e.FRONTDESK_SYNTHETIC_CALL === 'off' ? null : 1000 * (e.FRONTDESK_SYNTHETIC_CALL === 'on' ? syntheticEverySeconds : Number(e.FRONTDESK_SYNTHETIC_CALL)),
      transfers: e.FRONTDESK_TRANSFERS,
      logNumbers: e.FRONTDESK_LOG_NUMBERS,
      asteriskUrl: e.ASTERISK_URL,
      freeswitchUrl: e.FREESWITCH_URL,
      sideBySide: both && asterisk !== undefined && freeswitch !== undefined ? { asterisk, freeswitch } : undefined,
      redisUrl: e.REDIS_URL,
      databaseUrl: e.DATABASE_URL,
      mediaKey: e.FRONTDESK_MEDIA_KEY,
      oldMediaKeys: e.FRONTDESK_MEDIA_KEYS_OLD,
      securityLog: e.FRONTDESK_SECURITY_LOG,
      neverBan: e.FRONTDESK_NEVER_BAN,
      webhooksPrivate: e.FRONTDESK_WEBHOOKS_PRIVATE,
      newAdminKey: e.FRONTDESK_NEW_ADMIN_KEY,
      smtpUrl: e.FRONTDESK_SMTP_URL,
      mailFrom: e.FRONTDESK_MAIL_FROM,
    }),
  };
}

function warningsOf(names: readonly string[]): readonly string[] {
  const known = settingNames.filter((name) => name.startsWith('FRONTDESK_'));
  const unknown = names.filter((name) => name.startsWith('FRONTDESK_') && !known.includes(name) && !othersVariables.includes(name)).map((name) => {
    const meant = didYouMean(withoutPrefix(name), known.map(withoutPrefix));
    return meant === undefined ? `${name} is not a setting.` : `${name} is not a setting; did you mean FRONTDESK_${meant}?`;
  });
  const given = ['ASTERISK_URL', 'FREESWITCH_URL'].find((name) => names.includes(name));
  const idle = given === undefined ? [] : names.filter((name) => localStackOnly.includes(name) || (given === 'FREESWITCH_URL' && asteriskOnly.includes(name)));
  const both = names.includes('ASTERISK_URL') && names.includes('FREESWITCH_URL');
  const alone = both ? [] : names.filter((name) => sideBySideOnly.includes(name)).map((name) => `${name} has no effect: it is for ASTERISK_URL and FREESWITCH_URL side by side.`);
  return [...unknown, ...alone, ...idle.map((name) => `${name} has no effect beside ${given}: ${asteriskOnly.includes(name) ? 'it is of an Asterisk' : 'that switch has its own configuration'}.`)];
}

function sipPlace(value: string): SipPlace | undefined {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain ?? '';
  const good = bracketed === undefined ? isIP(host) !== 0 || hostName.test(host) : isIP(host) === 6;
  return good && Number(digits) >= 1 && Number(digits) <= 65_535 ? { host, port: Number(digits) } : undefined;
}

/** What all names share makes none of them likelier. */
function withoutPrefix(name: string): string {
  return name.slice('FRONTDESK_'.length);
}
