/**
 * A clinic to test with: one switch and one Redis per test file, a trunk, and parties that come and go per test.
 *
 *   let site: Site;
 *   beforeAll(async () => { site = await openSite(); }, SITE_START_MS);
 *   afterEach(() => site.afterTest());        // stops every party; then nothing may be left
 *   afterAll(() => site.close());
 *
 * The switch outlives the controller, which `site.startController(plan)` runs as a process of its own. It is an Asterisk, or with
 * FRONTDESK_TEST_SWITCH=freeswitch the FreeSWITCH of FREESWITCH_HOME: then `site.asterisk` says that there is none.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalStack, type LocalStack, type RunningAsterisk } from '../../control-plane/local-stack/local-stack.ts';
import type { Command } from '../../control-plane/local-stack/processes.ts';
import { wavHeader } from '../../control-plane/store/media-files/wav.ts';
import { rings, type Behaviour } from './behaviour.ts';
import { startController, type Controller, type ControllerOptions } from './controller.ts';
import { startFreeSwitch, withoutOwnFreeSwitch } from './freeswitch.ts';
import { connectFreeSwitch } from './freeswitch-admin.ts';
import { openRedisKeys, type RedisKeys } from './redis-keys.ts';
import type { SipCall } from './sip-call.ts';
import { register, startCallee, startCaller, type CallerOptions, type Party, type Place } from './sip-party.ts';
import { freeUdpPort, ownLoopbackAddress } from './sipp.ts';
import { skipHere } from './skip-here.ts';
import { connectSwitch, type PhoneAccount, type SwitchAdmin } from './switch-admin.ts';
import { SAMPLE_RATE, toneSamples } from './tone.ts';
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
  /** FRONTDESK_TEST_SWITCH, or an Asterisk, by default. */
  readonly switch?: 'asterisk' | 'freeswitch';
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
  /** Which of the two it is. */
  readonly onFreeSwitch: boolean;
  /** Throws where the switch is another. */
  readonly asterisk: RunningAsterisk;
  /** Where the switch keeps what it records. */
  readonly recordingsDir: string;
  /** Where the switch takes SIP. */
  readonly sip: Address;
  /** How a controller or a driver attaches to it. */
  readonly attach: Pick<ControllerOptions, 'asteriskUrl' | 'freeswitchUrl'>;
  /** Its API or event socket. */
  readonly switchUrl: string;
  /** What has a controller attach at another address than that. */
  attachAt(url: string): Readonly<Record<string, string>>;
  readonly switchLog: string;
  readonly redisUrl: string;
  readonly switch: SwitchAdmin;
  readonly redis: RedisKeys;
  /** Of this test file: traces, logs, controllers' data. Removed in `close` unless FRONTDESK_KEEP_TRACES is set. */
  readonly folder: string;
  /** For processes that are many callers or phones at once (sipp.ts). */
  readonly sipp: Command;
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
  startController(options: Pick<ControllerOptions, 'planFile' | 'instance' | 'env' | 'freeswitchUrl'> & { readonly dataDir?: string }): Promise<Controller>;

  /** For a test that ends the switch, as its first step: where the switch is not ours the test is skipped. */
  needsOwnSwitch(): Promise<void>;
  /** SIGKILL to the switch. */
  killSwitch(): void;
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
  const onFreeSwitch = (options.switch ?? process.env['FRONTDESK_TEST_SWITCH']) === 'freeswitch';
  const startStack = (): Promise<LocalStack> => startLocalStack({
    dataDir: join(folder, 'stack'),
    need: { asterisk: !onFreeSwitch, redis: true },
    tools: ['sipp', 'flite'],
    trunks: options.createTrunks === true ? [...carriers].map(([id, address]) => ({ id, ...address, from: [address.host] })) : [],
    progress: () => undefined,
  });
  let stack = await startStack();
  const { redis } = stack;
  if (redis === undefined) throw new Error('The local stack did not start a Redis of its own');
  const on = await (onFreeSwitch ? freeSwitchSide() : asteriskSide(stack, () => stack));
  const { admin } = on;
  const removeEvidence = addEvidence(async () => `switch log:\n${tail(on.logFile)}\nchannels:\n${JSON.stringify(await admin.channels())}`);
  const keys = openRedisKeys(redis.url);
  const program: Command = await stack.tool('sipp');
  const { remote } = on;
  if (options.createTrunks === true) for (const [id, address] of carriers) await on.createTrunk(id, address);

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
    onFreeSwitch,
    get asterisk() { return on.asterisk(); },
    recordingsDir: on.recordingsDir,
    sip: remote,
    attach: on.attach,
    switchUrl: on.attach.freeswitchUrl ?? on.attach.asteriskUrl ?? '',
    attachAt: (url) => (onFreeSwitch ? { FREESWITCH_URL: url } : { ASTERISK_URL: url }),
    switchLog: on.logFile,
    redisUrl: redis.url,
    switch: admin,
    redis: keys,
    folder,
    sipp: program,
    trunkAddress,
    carrier: async (behaviour = rings(), trunk = firstTrunk) => {
      const party = keep(await startCallee(await place(trunkAddress(trunk)), `mobile at ${trunk}`, 'mobile', behaviour));
      if (options.createTrunks === true) await on.reach(trunk);
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
      const started = await startController({ ...on.attach, redisUrl: redis.url, folder, ...controller, dataDir: controller.dataDir ?? join(folder, 'controller') });
      controllers.add(started);
      return started;
    },
    needsOwnSwitch: async () => {
      if (onFreeSwitch && withoutOwnFreeSwitch !== undefined) await skipHere(withoutOwnFreeSwitch);
    },
    killSwitch: () => { process.kill(on.pid(), 'SIGKILL'); },
    restart: async () => {
      await stack.stop();
      stack = await startStack();
      await on.restarted();
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
      await Promise.all([stack.stop(), on.stop()]);
      if (process.env['FRONTDESK_KEEP_TRACES'] === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** What differs from switch to switch. */
export interface SwitchSide {
  /** With its version: `Asterisk 22.8.2`. */
  readonly name: string;
  readonly admin: SwitchAdmin;
  readonly remote: Address;
  readonly logFile: string;
  readonly recordingsDir: string;
  readonly attach: Pick<ControllerOptions, 'asteriskUrl' | 'freeswitchUrl'>;
  pid(): number;
  /** Calls of carriers to a number ring registered phones past the controllers, by the switch alone. */
  dialNatively(number: string, phones: readonly string[]): Promise<void>;
  asterisk(): RunningAsterisk;
  /** One of those that no controller makes. */
  createTrunk(id: string, address: Address): Promise<void>;
  /** Waits until such a trunk can be called: it may have found nobody between two tests. */
  reach(trunk: string): Promise<void>;
  /** Beside the local stack. */
  stop(): Promise<void>;
  /** The local stack has started again. */
  restarted(): Promise<void>;
}

export const asteriskSide = (first: LocalStack, now: () => LocalStack): SwitchSide => {
  const { asterisk } = first;
  if (asterisk === undefined) throw new Error('The local stack did not start a switch of its own');
  return {
    name: `Asterisk ${asterisk.version}`,
    admin: connectSwitch(asterisk.url, (command) => asterisk.cli(command)), remote: { host: asterisk.sipHost, port: asterisk.sipPort }, logFile: asterisk.logFile, recordingsDir: join(asterisk.spoolDir, 'recording'), attach: { asteriskUrl: asterisk.url },
    pid: () => (now().asterisk ?? asterisk).pid,
    dialNatively: async (number, phones) => {
      // An exact number comes before the product's pattern in the same context.
      const dial = phones.map((phone) => `PJSIP/${phone}`).join('&');
      await asterisk.cli(`dialplan add extension ${number},1,Dial,"${dial},30" into from-trunk`);
      const shown = await asterisk.cli(`dialplan show ${number}@from-trunk`);
      if (!shown.includes(dial)) throw new Error(`The native extension could not be added:\n${shown}`);
    },
    asterisk: () => asterisk,
    // written into its pjsip.conf
    createTrunk: () => Promise.resolve(),
    reach: async (trunk) => {
      await asterisk.cli(`pjsip qualify ${trunk}`);
      await until(async () => /Contact:.*\sAvail\s/.test(await asterisk.cli(`pjsip show aor ${trunk}`)), { describe: `the switch reaches trunk ${trunk}` });
    },
    stop: () => Promise.resolve(),
    restarted: async () => {
      const again = now().asterisk;
      if (again?.url !== asterisk.url || again.sipPort !== asterisk.sipPort) throw new Error('The switch came back at other ports');
    },
  };
};

export const freeSwitchSide = async (options: Parameters<typeof startFreeSwitch>[0] = {}): Promise<SwitchSide> => {
  const freeswitch = await startFreeSwitch(options);
  // of those that come with an Asterisk
  for (const [name, hz, seconds] of [['demo-congrats', 900, 20], ['vm-intro', 900, 3], ['vm-goodbye', 900, 1]] as const) {
    const samples = toneSamples(hz, 0, SAMPLE_RATE * seconds);
    writeFileSync(join(freeswitch.soundsDir, `${name}.wav`), Buffer.concat([wavHeader({ channels: 1, rate: SAMPLE_RATE }, samples.byteLength), Buffer.from(samples.buffer)]));
  }
  const trunks: string[] = [];
  return {
    name: `FreeSWITCH ${/\d+\.\d+\.\d+/.exec(await freeswitch.ask('version'))?.[0] ?? ''}`,
    admin: connectFreeSwitch(freeswitch), remote: { host: freeswitch.sipHost, port: freeswitch.sipPort }, logFile: freeswitch.logFile, recordingsDir: freeswitch.recordingsDir, attach: { freeswitchUrl: freeswitch.url },
    pid: () => freeswitch.pid,
    dialNatively: (number, phones) => freeswitch.dialNatively(number, phones),
    asterisk: () => { throw new Error('This test is of Asterisk alone'); },
    createTrunk: async (id, address) => {
      trunks.push(id);
      await freeswitch.createTrunk({ id, ...address });
      await freeswitch.keep('fd-trunks', 'list', { trunks: trunks.join(',') });
    },
    reach: () => Promise.resolve(),
    stop: () => freeswitch.stop(),
    restarted: () => freeswitch.restart(),
  };
};
