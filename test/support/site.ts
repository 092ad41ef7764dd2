/**
 * A clinic to test with: one switch and one Redis per test file, a trunk, and parties that come and go per test.
 *
 *   let site: Site;
 *   beforeAll(async () => { site = await openSite(); }, SITE_START_MS);
 *   afterEach(() => site.afterTest());        // stops every party; then nothing may be left
 *   afterAll(() => site.close());
 *
 * The switch outlives the controller, which `site.startController(plan)` runs as a process of its own.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalStack, type LocalStack, type RunningAsterisk } from '../../control-plane/local-stack/local-stack.ts';
import type { Command } from '../../control-plane/local-stack/processes.ts';
import { rings, type Behaviour } from './behaviour.ts';
import { startController, type Controller, type ControllerOptions } from './controller.ts';
import { openRedisKeys, type RedisKeys } from './redis-keys.ts';
import type { SipCall } from './sip-call.ts';
import { register, startCallee, startCaller, type CallerOptions, type Party, type Place } from './sip-party.ts';
import { freeUdpPort, ownLoopbackAddress } from './sipp.ts';
import { connectSwitch, type PhoneAccount, type SwitchAdmin } from './switch-admin.ts';
import { addEvidence, until } from './until.ts';

/** For `beforeAll`: the first run on a machine downloads the switch. */
export const SITE_START_MS = 180_000;
const LEFT_WITHIN_MS = 1_000;

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface SiteOptions {
  /** Names of the trunks; 'carrier' alone by default. Each has an address of its own, by which the switch knows it. */
  readonly trunks?: readonly string[];
  /** Writes them into the switch's pjsip.conf; otherwise a controller makes them, from its plan. */
  readonly createTrunks?: boolean;
}

export interface PhoneOptions {
  /** Creates the account first; without a controller nobody else does. */
  readonly create?: boolean;
  readonly password?: string;
  /** For how long it registers, in seconds; 300 by default. */
  readonly expires?: number;
  /** Its account may be gone by the end of the test, and the switch then refuses that it takes its registration back. */
  readonly mayBeShutOut?: boolean;
}

/** A caller's party with its one call. */
export interface Caller extends Party {
  readonly call: SipCall;
}

export interface Site {
  readonly asterisk: RunningAsterisk;
  readonly redisUrl: string;
  readonly switch: SwitchAdmin;
  readonly redis: RedisKeys;
  /** Of this test file: traces, logs, controllers' data. Removed in `close` unless FRONTDESK_KEEP_TRACES is set. */
  readonly folder: string;
  /** Where a carrier is; a plan's trunk is written with it. */
  trunkAddress(trunk: string): Address;

  /** What answers behind a trunk: a mobile, the emergency centre. One at a time per trunk. */
  carrier(behaviour?: Behaviour, trunk?: string): Promise<Party>;
  /** A desk phone, registered and ringing until told. Account password: `password`, or one derived from the extension. */
  phone(extension: string, behaviour?: Behaviour, options?: PhoneOptions): Promise<Party>;
  /** A call from the carrier's side; resolves when it was dialled. */
  call(options: CallerOptions, trunk?: string): Promise<Caller>;
  /** A call from a registered phone's account. */
  callFromPhone(extension: string, options: Omit<CallerOptions, 'from'>): Promise<Caller>;
  startController(options: Pick<ControllerOptions, 'planFile' | 'instance' | 'env'> & { readonly dataDir?: string }): Promise<Controller>;

  /** The switch and Redis end and start again, with what they keep on disk and at the same ports. */
  restart(): Promise<void>;

  /** No channel, bridge or recording on the switch and no key of a call in Redis, within a second. */
  expectNothingLeft(): Promise<void>;
  /** Stops this test's parties, keeps the controller, and expects nothing left. */
  afterTest(): Promise<void>;
  /** Stops controllers, parties, switch and Redis. */
  close(): Promise<void>;
}

export const passwordOf = (extension: string): string => `phone-${extension}-secret`;

const tail = (file: string): string => {
  try {
    return readFileSync(file, 'latin1').trimEnd().split('\n').slice(-12).join('\n');
  } catch {
    return '';
  }
};

export const openSite = async (options: SiteOptions = {}): Promise<Site> => {
  const folder = mkdtempSync(join(tmpdir(), 'frontdesk-site-'));
  const host = ownLoopbackAddress();
  const carriers = new Map<string, Address>();
  for (const trunk of options.trunks ?? ['carrier']) {
    const address = ownLoopbackAddress();
    carriers.set(trunk, { host: address, port: await freeUdpPort(address) });
  }
  const firstTrunk = [...carriers.keys()][0] ?? '';
  const startStack = (): Promise<LocalStack> => startLocalStack({
    dataDir: join(folder, 'stack'),
    need: { asterisk: true, redis: true },
    tools: ['sipp', 'flite'],
    trunks: options.createTrunks === true ? [...carriers].map(([id, address]) => ({ id, ...address, from: [address.host] })) : [],
    progress: () => undefined,
  });
  let stack = await startStack();
  const { asterisk, redis } = stack;
  if (asterisk === undefined || redis === undefined) throw new Error('The local stack did not start a switch and a Redis of its own');
  const removeEvidence = addEvidence(async () => `switch log:\n${tail(asterisk.logFile)}\nchannels:\n${await asterisk.cli('core show channels concise')}`);
  const admin = connectSwitch(asterisk.url, (command) => asterisk.cli(command));
  const keys = openRedisKeys(redis.url);
  const program: Command = await stack.tool('sipp');
  const remote = { host: asterisk.sipHost, port: asterisk.sipPort };

  const parties = new Set<Party>();
  const goodbyes: (() => Promise<void>)[] = [];
  const controllers = new Set<Controller>();
  let test = 0;

  const place = async (at: { readonly host: string; readonly port?: number } = { host }): Promise<Place> => {
    const own = join(folder, `test-${test}`);
    mkdirSync(own, { recursive: true });
    return { program, folder: own, local: { host: at.host, port: at.port ?? (await freeUdpPort(at.host)) }, remote };
  };
  const keep = <P extends Party>(party: P): P => {
    parties.add(party);
    return party;
  };
  const trunkAddress = (trunk: string): Address => {
    const address = carriers.get(trunk);
    if (address === undefined) throw new Error(`This site has no trunk ${trunk}`);
    return address;
  };
  const dial = async (from: Place, caller: CallerOptions): Promise<Caller> => {
    const party = keep(await startCaller(from, caller));
    const call = await party.nextCall();
    return Object.assign(party, { call });
  };
  const stopParties = async (): Promise<void> => {
    const stopping = [...parties];
    parties.clear();
    await Promise.all(stopping.map((party) => party.stop()));
    // a phone that is gone must not be rung in the next test
    await Promise.all(goodbyes.splice(0).map((goodbye) => goodbye()));
  };

  const whatIsLeft = async (): Promise<string[]> => [
    ...(await admin.channels()).map(({ name, state }) => `channel ${name} (${state})`),
    ...(await admin.bridges()).map(({ id, channels }) => `bridge ${id} with ${channels.length} channels`),
    ...(await keys.ofCalls()).map((key) => `Redis key ${key}`),
  ];
  const expectNothingLeft = async (): Promise<void> => {
    let left: string[] = [];
    const clean = async (): Promise<boolean> => {
      left = await whatIsLeft();
      return left.length === 0;
    };
    try {
      await until(clean, { describe: 'nothing of any call is left', within: LEFT_WITHIN_MS, everyMs: 25 });
    } catch (error) {
      throw new Error(`A call left behind: ${left.join(', ')}`, { cause: error });
    }
  };

  return {
    asterisk,
    redisUrl: redis.url,
    switch: admin,
    redis: keys,
    folder,
    trunkAddress,
    carrier: async (behaviour = rings(), trunk = firstTrunk) => {
      const party = keep(await startCallee(await place(trunkAddress(trunk)), `mobile at ${trunk}`, 'mobile', behaviour));
      // the switch asks a trunk of pjsip.conf every 30 s whether it is there, and found nobody between two tests
      if (options.createTrunks === true) {
        await asterisk.cli(`pjsip qualify ${trunk}`);
        await until(async () => /Contact:.*\sAvail\s/.test(await asterisk.cli(`pjsip show aor ${trunk}`)), { describe: `the switch reaches trunk ${trunk}` });
      }
      return party;
    },
    phone: async (extension, behaviour = rings(), phone = {}) => {
      const account: PhoneAccount = { id: extension, password: phone.password ?? passwordOf(extension) };
      if (phone.create === true) await admin.createPhone(account);
      const at = await place();
      await register(at, extension, account.password, phone.expires ?? 300);
      goodbyes.push(async () => {
        await register(at, extension, account.password, 0).catch((error: unknown) => {
          if (phone.mayBeShutOut !== true) throw error;
        });
      });
      return keep(await startCallee(at, `phone ${extension}`, extension, behaviour));
    },
    // from any port: the switch knows a carrier by its address
    call: async (caller, trunk = firstTrunk) => dial(await place({ host: trunkAddress(trunk).host }), caller),
    callFromPhone: async (extension, caller) => dial(await place(), { password: passwordOf(extension), ...caller, from: extension }),
    startController: async (controller) => {
      const started = await startController({ asteriskUrl: asterisk.url, redisUrl: redis.url, folder, ...controller, dataDir: controller.dataDir ?? join(folder, 'controller') });
      controllers.add(started);
      return started;
    },
    restart: async () => {
      await stack.stop();
      stack = await startStack();
      if (stack.asterisk?.url !== asterisk.url || stack.asterisk.sipPort !== asterisk.sipPort) throw new Error('The switch came back at other ports');
    },
    expectNothingLeft,
    afterTest: async () => {
      test += 1;
      // before the parties stop: a phone that dies would end the calls that should have ended by themselves
      const left = await expectNothingLeft().then(() => undefined, (error: unknown) => error);
      await stopParties();
      if (left === undefined) return;
      await admin.clear();
      throw left;
    },
    close: async () => {
      await stopParties();
      await Promise.all([...controllers].map((controller) => controller.stop()));
      removeEvidence();
      keys.close();
      await stack.stop();
      if (process.env['FRONTDESK_KEEP_TRACES'] === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
};
