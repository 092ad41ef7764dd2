/**
 * The environment, read once: checked by zod, all problems at once, then frozen. Nothing else reads process.env.
 */
import { join } from 'node:path';
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);
const address = (schemes: string) => z.string().regex(new RegExp(`^(${schemes})://`), `must start with ${schemes.replaceAll('|', ':// or ')}://`);

const environment = z.object({
  FRONTDESK_PLAN: z.string().min(1).default(join(import.meta.dirname, '..', 'dialplans', 'riverside-dental.yaml')),
  FRONTDESK_DATA_DIR: z.string().min(1).default(join(process.cwd(), '.frontdesk')),
  FRONTDESK_CACHE_DIR: z.string().min(1).optional(),
  FRONTDESK_INSTANCE: z.string().regex(/^[a-z0-9-]{1,32}$/, 'must be 1 to 32 of a-z, 0-9 and -').default('main'),
  FRONTDESK_BIND: z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1'),
  FRONTDESK_EXTERNAL_ADDRESS: z.string().min(1).optional(),
  FRONTDESK_SIP_PORT: port.optional(),
  FRONTDESK_HTTP_PORT: port.default(8088),
  FRONTDESK_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  ASTERISK_URL: address('http|https').optional(),
  REDIS_URL: address('redis|rediss|unix').optional(),
});

export interface Config {
  /** The clinic's plan, a YAML file. */
  readonly planFile: string;
  readonly dataDir: string;
  readonly cacheDir: string | undefined;
  /** This controller's name; its ARI application is `frontdesk-<instance>`. */
  readonly instance: string;
  /** Where SIP and RTP listen; never ARI, never Redis. */
  readonly bind: string;
  readonly externalAddress: string | undefined;
  readonly sipPort: number | undefined;
  /** Of health and readiness, on loopback; 0 for any free one. */
  readonly httpPort: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Given: that switch is used, and none is started. */
  readonly asteriskUrl: string | undefined;
  readonly redisUrl: string | undefined;
}

export type ConfigResult = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly problems: readonly string[] };

/** Empty variables count as not set, as in most shells' `VAR= command`. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ConfigResult {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environment.safeParse(set);
  if (!parsed.success) {
    return { ok: false, problems: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) };
  }
  const e = parsed.data;
  return {
    ok: true,
    config: Object.freeze({
      planFile: e.FRONTDESK_PLAN,
      dataDir: e.FRONTDESK_DATA_DIR,
      cacheDir: e.FRONTDESK_CACHE_DIR,
      instance: e.FRONTDESK_INSTANCE,
      bind: e.FRONTDESK_BIND,
      externalAddress: e.FRONTDESK_EXTERNAL_ADDRESS,
      sipPort: e.FRONTDESK_SIP_PORT,
      httpPort: e.FRONTDESK_HTTP_PORT,
      logLevel: e.FRONTDESK_LOG_LEVEL,
      asteriskUrl: e.ASTERISK_URL,
      redisUrl: e.REDIS_URL,
    }),
  };
}
