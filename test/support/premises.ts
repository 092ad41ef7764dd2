/**
 * What a load is put on: one switch, one Redis that can be away for a while, controllers that share them, each a process
 * of its own, and phones that are registered. SIPp plays whoever calls and whoever is called.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startLocalStack, type LocalStack, type RunningAsterisk } from '../../control-plane/local-stack/local-stack.ts';
import type { Command } from '../../control-plane/local-stack/processes.ts';
import { startController, type Controller, type ControllerOptions } from './controller.ts';
import { openRedisKeys } from './redis-keys.ts';
import { register } from './sip-party.ts';
import { freeUdpPort, ownLoopbackAddress } from './sipp.ts';
import { asteriskSide, freeSwitchSide } from './site.ts';
import type { SwitchAdmin } from './switch-admin.ts';
import { until } from './until.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Premises {
  /** Kept after `close` where FRONTDESK_KEEP_TRACES is set. */
  readonly root: string;
  /** Throws where the switch is another. */
  readonly asterisk: RunningAsterisk;
  /** With its version: `Asterisk 22.8.2`. */
  readonly switchName: string;
  /** Its API or event socket. */
  readonly switchUrl: string;
  readonly admin: SwitchAdmin;
  switchPid(): number;
  /** Calls of carriers to a number ring registered phones past the controllers, by the switch alone. */
  dialNatively(number: string, phones: readonly string[]): Promise<void>;
  readonly sipp: Command;
  /** Where the switch takes SIP. */
  readonly remote: Address;
  /** Calls from outside come from here; the switch knows the carrier by it. */
  readonly carrierHost: string;
  readonly redis: {
    readonly url: string;
    stop(): Promise<void>;
    /** At its port; `empty` takes what it kept on its disk. */
    start(options?: { readonly empty: boolean }): Promise<void>;
  };
  /** A new empty folder. */
  folder(name: string): string;
  /** Stopped by `close`, before all else. */
  startController(options: Pick<ControllerOptions, 'planFile' | 'dataDir' | 'env'> & { readonly instance: string; readonly switchUrl?: string }): Promise<Controller>;
  /** For a phone, or several. */
  freeAddress(): Promise<Address>;
  /** Registers a phone that a controller has made known to the switch; settles with where it is. */
  registerPhone(extension: string, password: string, at?: Address): Promise<Address>;
  /** On the switch and in Redis: empty when nothing is left of any call. */
  whatIsLeft(): Promise<readonly string[]>;
  /** Done by `close` when the controllers have ended, the last one first. */
  atClose(step: () => Promise<unknown> | void): void;
  close(): Promise<void>;
}

const registeredForSeconds = 7200;

export type SwitchKind = 'asterisk' | 'freeswitch';

export async function openPremises(name: string, progress: (line: string) => void, kind: SwitchKind = 'asterisk'): Promise<Premises> {
  const root = mkdtempSync(join(tmpdir(), `frontdesk-${name}-`));
  const undo: (() => Promise<unknown> | void)[] = [() => { if (process.env['FRONTDESK_KEEP_TRACES'] === undefined) rmSync(root, { recursive: true, force: true }); }];
  const controllers = new Set<Controller>();
  const close = async (): Promise<void> => {
    // Before whatever they stand on.
    await Promise.all([...controllers].map((controller) => controller.stop()));
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    return await open();
  } catch (error) {
    await close();
    throw error;
  }

  async function open(): Promise<Premises> {
    const stack = await startLocalStack({ dataDir: join(root, 'switch'), need: { asterisk: kind === 'asterisk', redis: false }, tools: ['sipp', 'flite'], progress });
    undo.push(() => stack.stop());
    const on = await (kind === 'asterisk' ? asteriskSide(stack, () => stack) : freeSwitchSide({ logLevel: 'warning' }));
    undo.push(() => on.stop());
    const redis = await redisOf(join(root, 'redis'), progress);
    undo.push(() => redis.stop());
    const sipp = await stack.tool('sipp');
    const { admin, remote } = on;
    const switchUrl = on.attach.freeswitchUrl ?? on.attach.asteriskUrl ?? '';
    const phoneHost = ownLoopbackAddress();
    const freeAddress = async (): Promise<Address> => ({ host: phoneHost, port: await freeUdpPort(phoneHost) });
    let folders = 0;
    const folder = (of: string): string => {
      folders += 1;
      const made = join(root, `${folders}-${of}`);
      mkdirSync(made);
      return made;
    };

    return {
      root, admin, sipp, remote, redis, folder, close, switchUrl,
      get asterisk() { return on.asterisk(); },
      switchName: on.name,
      switchPid: () => on.pid(),
      dialNatively: (number, phones) => on.dialNatively(number, phones),
      carrierHost: ownLoopbackAddress(),
      startController: async ({ switchUrl: url = switchUrl, ...options }) => {
        const started = await startController({ ...(kind === 'asterisk' ? { asteriskUrl: url } : { freeswitchUrl: url }), redisUrl: redis.url, folder: folder(`log-of-${options.instance}`), ...options });
        controllers.add(started);
        return started;
      },
      freeAddress,
      registerPhone: async (extension, password, at) => {
        const local = at ?? await freeAddress();
        const own = folder(`phone-${extension}`);
        await until(() => register({ program: sipp, folder: own, local, remote }, extension, password, registeredForSeconds).then(() => true), { describe: `phone ${extension} registers`, within: 10_000, everyMs: 200 });
        return local;
      },
      whatIsLeft: async () => {
        const keys = openRedisKeys(redis.url);
        const asked = new Redis(redis.url, { maxRetriesPerRequest: 2 });
        asked.on('error', () => undefined);
        try {
          return [
            ...(await admin.channels()).map(({ name: channel, state }) => `channel ${channel} (${state})`),
            ...(await admin.bridges()).map(({ id }) => `bridge ${id}`),
            ...(await keys.ofCalls()).map((key) => `Redis key ${key}`),
            ...Object.entries(await asked.hgetall('fd:owners')).map(([callId, owner]) => `owner ${owner} of ${callId}`),
          ];
        } finally {
          keys.close();
          asked.disconnect();
        }
      },
      atClose: (step) => { undo.push(step); },
    };
  }
}

async function redisOf(dir: string, progress: (line: string) => void): Promise<Premises['redis']> {
  const run = (): Promise<LocalStack> => startLocalStack({ dataDir: dir, need: { asterisk: false, redis: true }, progress });
  let stack: LocalStack | null = await run();
  const url = stack.redis?.url ?? '';
  return {
    url,
    stop: async () => {
      await stack?.stop();
      stack = null;
    },
    start: async ({ empty } = { empty: false }) => {
      if (empty) rmSync(join(dir, 'local-stack', 'redis'), { recursive: true, force: true });
      stack ??= await run();
      if (stack.redis?.url !== url) throw new Error('Redis came back elsewhere');
    },
  };
}

/** The first key of an agency admin, which a controller shows at its first start. */
export function firstKeyOf(controllers: Iterable<Controller>): string {
  for (const controller of controllers) {
    const key = /\bfd_[0-9a-f]{12}_[0-9a-f]{48}\b/.exec(controller.output())?.[0];
    if (key !== undefined) return key;
  }
  throw new Error('No controller has shown the first key');
}
