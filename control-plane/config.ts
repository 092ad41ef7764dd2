/**
 * The environment, read once: checked by zod, all problems at once, then frozen. Nothing else reads FRONTDESK_…,
 * ASTERISK_URL or REDIS_URL. A problem names the variable and what it must be, and never quotes an address, since
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
  FRONTDESK_SYNTHETIC_CALL: z.string().refine((value) => /^(on|off|[1-9]\d{0,4})$/.test(value), 'must be on, off, or the seconds between two of them').default('on'),
  FRONTDESK_LOG_NUMBERS: z.enum(['yes', 'no'], 'must be yes or no').default('no').transform((value) => value === 'yes'),
  ASTERISK_URL: url(['http:', 'https:'], 'http://user:password@host:8088, with the user of ari.conf', ({ username, password }) => username !== '' && password !== '').optional(),
  FRONTDESK_SMTP_URL: url(['smtp:', 'smtps:'], 'smtp://user:password@mail.clinic.example:587, or smtps:// for TLS from the start').optional(),
  FRONTDESK_MAIL_FROM: z.string().regex(/^[^\s@<>]+@[^\s@<>]+$/, 'must be an e-mail address').optional(),
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/frontdesk').optional(),
  FRONTDESK_MEDIA_KEY: mediaKey.optional(),
  FRONTDESK_MEDIA_KEYS_OLD: z.string().transform((value) => value.split(',').map((one) => one.trim()).filter((one) => one !== '')).pipe(z.array(mediaKey)).default([]),
  FRONTDESK_SECURITY_LOG: path.optional(),
  FRONTDESK_NEVER_BAN: z.string().transform((value) => value.split(',').map((one) => one.trim()).filter((one) => one !== ''))
    .refine((all) => all.every(isNetwork), 'must be IP addresses and networks such as 203.0.113.0/24, with commas between').default([]),
  FRONTDESK_NEW_ADMIN_KEY: z.enum(['yes', 'no'], 'must be yes or no').default('no').transform((value) => value === 'yes'),
  REDIS_URL: url(['redis:', 'rediss:'], 'redis://:password@host:6379, or rediss:// for TLS').optional(),
});

const syntheticEverySeconds = 60;
/** Who talks may finish their sentence. */
const ownSwitchDrainSeconds = 30;

/** Of tests and of the process's surroundings; no settings of the controller. */
const othersVariables: readonly string[] = ['FRONTDESK_KEEP_TRACES', 'FRONTDESK_API_URL', 'FRONTDESK_API_KEY'];
/** What a switch of one's own is told in its own configuration. */
const localStackOnly: readonly string[] = ['FRONTDESK_BIND', 'FRONTDESK_EXTERNAL_ADDRESS', 'FRONTDESK_SIP_PORT'];

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
  /** Numbers of callers and callees are written to the log whole. */
  readonly logNumbers: boolean;
  /** Given: that switch is used, and none is started. */
  readonly asteriskUrl: string | undefined;
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
      drainMs: 1000 * (e.FRONTDESK_DRAIN_SECONDS ?? (e.ASTERISK_URL === undefined ? ownSwitchDrainSeconds : 0)),
      syntheticMs: e.FRONTDESK_SYNTHETIC_CALL === 'off' ? null : 1000 * (e.FRONTDESK_SYNTHETIC_CALL === 'on' ? syntheticEverySeconds : Number(e.FRONTDESK_SYNTHETIC_CALL)),
      logNumbers: e.FRONTDESK_LOG_NUMBERS,
      asteriskUrl: e.ASTERISK_URL,
      redisUrl: e.REDIS_URL,
      databaseUrl: e.DATABASE_URL,
      mediaKey: e.FRONTDESK_MEDIA_KEY,
      oldMediaKeys: e.FRONTDESK_MEDIA_KEYS_OLD,
      securityLog: e.FRONTDESK_SECURITY_LOG,
      neverBan: e.FRONTDESK_NEVER_BAN,
      newAdminKey: e.FRONTDESK_NEW_ADMIN_KEY,
      smtpUrl: e.FRONTDESK_SMTP_URL,
      mailFrom: e.FRONTDESK_MAIL_FROM,
    }),
  };
}

function warningsOf(names: readonly string[]): readonly string[] {
  const known = Object.keys(environment.shape).filter((name) => name.startsWith('FRONTDESK_'));
  const unknown = names.filter((name) => name.startsWith('FRONTDESK_') && !known.includes(name) && !othersVariables.includes(name)).map((name) => {
    const meant = didYouMean(withoutPrefix(name), known.map(withoutPrefix));
    return meant === undefined ? `${name} is not a setting.` : `${name} is not a setting; did you mean FRONTDESK_${meant}?`;
  });
  const idle = names.includes('ASTERISK_URL') ? names.filter((name) => localStackOnly.includes(name)) : [];
  return [...unknown, ...idle.map((name) => `${name} has no effect beside ASTERISK_URL: that switch has its own configuration.`)];
}

/** What all names share makes none of them likelier. */
function withoutPrefix(name: string): string {
  return name.slice('FRONTDESK_'.length);
}
