/**
 * What is measured: one Asterisk and one Redis of the local stack, a controller as a process of its own with the
 * product's defaults, and two extensions. The same two phones can be reached past the controller, by `Dial()`.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalStack, type RunningAsterisk } from '../../control-plane/local-stack/local-stack.ts';
import type { Command } from '../../control-plane/local-stack/processes.ts';
import { startController, type Controller } from '../support/controller.ts';
import { openRedisKeys } from '../support/redis-keys.ts';
import { register } from '../support/sip-party.ts';
import { freeUdpPort, ownLoopbackAddress } from '../support/sipp.ts';
import { connectSwitch } from '../support/switch-admin.ts';
import { until } from '../support/until.ts';
import { startLoad, type Load } from './load.ts';

/** Rung first, so that both phones ring whoever of the two is quicker. */
const ringing = { extension: '201', password: 'bench-ringing-4711', role: 'phone-rings' } as const;
const answering = { extension: '202', password: 'bench-answering-4711', role: 'phone-answers' } as const;
const frontdeskNumber = '+12025550110';
const nativeNumber = '+12025550111';

export const paths = ['native', 'frontdesk'] as const;
export type Path = (typeof paths)[number];

/** As much of the readiness page as is of use here. */
export interface Readiness {
  readonly calls: number;
  readonly commandsInFlight: number;
  readonly eventLoopDelayMs: { readonly p99: number; readonly max: number };
  readonly metrics: Readonly<Record<string, number>>;
}

export interface Phones {
  readonly rings: Load;
  readonly answers: Load;
}

export interface Clinic {
  readonly asterisk: RunningAsterisk;
  readonly controller: Controller;
  readonly sipp: Command;
  /** Calls come from here; the switch knows the carrier by it. */
  readonly carrierHost: string;
  /** A new empty folder. */
  folder(name: string): string;
  numberOf(path: Path): string;
  startPhones(folder: string): Promise<Phones>;
  readiness(): Promise<Readiness>;
  /** Ids of calls, one per CDR written so far. */
  cdrs(): readonly string[];
  /** On the switch, in Redis and in the controller; empty when nothing is left of any call. */
  whatIsLeft(): Promise<readonly string[]>;
  close(): Promise<void>;
}

const plan = (carrierHost: string): string => `
account: { id: bench, name: Bench Dental }
trunks:
  - { id: carrier, host: ${carrierHost}, port: 5090 }
users:
${[ringing, answering].map(({ extension, password }) => `  - { id: user-${extension}, name: User ${extension}, devices: [{ extension: "${extension}", password: "${password}" }] }`).join('\n')}
numbers:
  - { e164: ${frontdeskNumber}, name: Main line, users: [user-${ringing.extension}, user-${answering.extension}], timeoutSeconds: 30, callConnect: external }
`;

export async function openClinic(progress: (line: string) => void): Promise<Clinic> {
  const root = mkdtempSync(join(tmpdir(), 'frontdesk-bench-'));
  const undo: (() => Promise<unknown> | void)[] = [() => { if (process.env['FRONTDESK_KEEP_TRACES'] === undefined) rmSync(root, { recursive: true, force: true }); }];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    return await open();
  } catch (error) {
    await close();
    throw error;
  }

  async function open(): Promise<Clinic> {
    const stack = await startLocalStack({ dataDir: join(root, 'stack'), need: { asterisk: true, redis: true }, tools: ['sipp', 'flite'], progress });
    undo.push(() => stack.stop());
    const { asterisk, redis } = stack;
    if (asterisk === undefined || redis === undefined) throw new Error('The bench needs a switch and a Redis of its own');
    const sipp = await stack.tool('sipp');
    const [phoneHost, carrierHost] = [ownLoopbackAddress(), ownLoopbackAddress()];
    const planFile = join(root, 'plan.yaml');
    writeFileSync(planFile, plan(carrierHost));
    const dataDir = join(root, 'controller');
    const controller = await startController({
      asteriskUrl: asterisk.url, redisUrl: redis.url, planFile, dataDir, folder: root, env: { NODE_OPTIONS: '--inspect-port=0', NODE_ENV: 'production' },
    });
    undo.push(() => controller.stop());
    // An exact number comes before the product's pattern in the same context.
    const dial = `PJSIP/${ringing.extension}&PJSIP/${answering.extension}`;
    await asterisk.cli(`dialplan add extension ${nativeNumber},1,Dial,"${dial},30" into from-trunk`);
    const shown = await asterisk.cli(`dialplan show ${nativeNumber}@from-trunk`);
    if (!shown.includes(dial)) throw new Error(`The native extension could not be added:\n${shown}`);

    const remote = { host: asterisk.sipHost, port: asterisk.sipPort };
    const phones = await Promise.all([ringing, answering].map(async (phone) => {
      const local = { host: phoneHost, port: await freeUdpPort(phoneHost) };
      const folder = join(root, `phone-${phone.extension}`);
      mkdirSync(folder);
      await register({ program: sipp, folder, local, remote }, phone.extension, phone.password, 3600);
      return { ...phone, local };
    }));
    const startPhone = ({ role, local, extension }: (typeof phones)[number], folder: string): Promise<Load> =>
      startLoad({ program: sipp, role, values: {}, local, remote, folder: join(folder, extension) });
    const admin = connectSwitch(asterisk.url, (command) => asterisk.cli(command));
    const keys = openRedisKeys(redis.url);
    undo.push(() => { keys.close(); });
    const readiness = async (): Promise<Readiness> => (await (await fetch(`${controller.httpUrl}/readyz`)).json()) as Readiness;
    let folders = 0;

    return {
      asterisk, controller, sipp, carrierHost, readiness, close,
      folder: (name) => {
        folders += 1;
        const folder = join(root, `${folders}-${name}`);
        mkdirSync(folder);
        return folder;
      },
      numberOf: (path) => (path === 'native' ? nativeNumber : frontdeskNumber),
      startPhones: async (folder) => {
        const [rings, answers] = await Promise.all(phones.map((phone) => startPhone(phone, folder)));
        if (rings === undefined || answers === undefined) throw new Error('There are two phones');
        return { rings, answers };
      },
      cdrs: () => readCdrs(join(dataDir, 'cdrs')),
      whatIsLeft: async () => {
        const { calls, commandsInFlight } = await readiness();
        return [
          ...(await admin.channels()).map(({ name }) => `channel ${name}`),
          ...(await admin.bridges()).map(({ id }) => `bridge ${id}`),
          ...(await keys.ofCalls()).map((key) => `Redis key ${key}`),
          ...(calls > 0 ? [`${calls} calls in the controller`] : []),
          ...(commandsInFlight > 0 ? [`${commandsInFlight} commands in flight`] : []),
        ];
      },
    };
  }
}

/** Waits a moment for the end of what was just hung up. */
export async function settled(clinic: Clinic): Promise<readonly string[]> {
  let left: readonly string[] = [];
  await until(async () => {
    left = await clinic.whatIsLeft();
    return left.length === 0;
  }, { describe: 'nothing of any call is left', within: 3000, everyMs: 50 }).catch(() => undefined);
  return left;
}

function readCdrs(dir: string): readonly string[] {
  let files: string[];
  try {
    files = readdirSync(dir);
  } catch {
    return [];
  }
  const lines = files.flatMap((file) => readFileSync(join(dir, file), 'utf8').split('\n').filter((line) => line !== ''));
  return lines.map((line) => (JSON.parse(line) as { callId: string }).callId);
}
