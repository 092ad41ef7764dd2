/**
 * A clinic's plan, a controller that serves it, and what the controller has written of a call. Audio in these plans is
 * tones, so that a test can tell by ear which prompt a party hears.
 *
 *   clinic = await openClinic(site, { numbers: [...], users: [...] });
 *   const caller = await clinic.call(NUMBER);
 *   (await clinic.cdrOf(caller)).disposition
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Call } from '../../control-plane/core/call/call.ts';
import type { CallFact } from '../../control-plane/core/call/facts.ts';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { replay } from '../../control-plane/runtime/replay.ts';
import { recordOf } from '../../control-plane/store/record-line.ts';
import type { JournalRecord } from '../../control-plane/store/ports.ts';
import type { Controller } from './controller.ts';
import type { CallerOptions } from './sip-party.ts';
import { passwordOf, type Caller, type Site } from './site.ts';
import { SAMPLE_RATE, toneSamples } from './tone.ts';
import { until } from './until.ts';

/** What each prompt of a test plan sounds like, in Hz. */
export const PROMPTS = { announcement: 1_000, whisper: 1_300, greeting: 850 } as const;
type PromptName = keyof typeof PROMPTS;

export interface PlanUser {
  readonly id: string;
  readonly pin?: string;
  readonly devices: readonly ({ readonly extension: string } | { readonly mobile: string; readonly ringSeconds?: number })[];
}

export interface PlanNumber {
  readonly e164: string;
  readonly users?: readonly string[];
  readonly timeoutSeconds?: number;
  readonly announcement?: object;
  readonly whisper?: object;
  readonly callConnect?: 'off' | 'external' | 'every';
  readonly acceptKey?: string;
  readonly voicemail?: object | 'off';
  readonly route?: object;
}

export interface ClinicPlan {
  /** Of its account, beside id and name. */
  readonly account?: object;
  readonly users: readonly PlanUser[];
  readonly numbers: readonly PlanNumber[];
  /** As the API's documents, with their ids. */
  readonly receivingNumbers?: readonly object[];
  readonly ringGroups?: readonly object[];
  readonly menus?: readonly object[];
  readonly queues?: readonly object[];
  /** Written as `{ file: 'name.wav' }`, beside the prompts. */
  readonly tones?: Readonly<Record<string, { readonly hz: number; readonly seconds: number }>>;
}

export interface Clinic {
  readonly controller: Controller;
  readonly dataDir: string;
  /** Calls from outside, over the first trunk, from a number no other call has. */
  call(to: string, caller?: Partial<CallerOptions>): Promise<Caller>;
  /** The call's phase now, and all else: from the live journal in Redis. */
  stateOf(caller: Caller): Promise<Call>;
  /** What is known of a live call so far, from Redis. */
  liveJournalOf(caller: Caller): Promise<readonly JournalRecord[]>;
  /** Journals of all calls so far by call id, read in one go: a file holds an hour of them. */
  journals(): ReadonlyMap<string, readonly JournalRecord[]>;
  /** Everything the controller wrote of the call; once it is over. */
  journalOf(caller: Caller): Promise<readonly JournalRecord[]>;
  factsOf(caller: Caller): Promise<readonly CallFact[]>;
  /** The one record of the call; waits until it is written. */
  cdrOf(caller: Caller): Promise<Cdr>;
  /** No call and no command of one in the controller, nothing on the switch, nothing in Redis: within a second. */
  expectNothingLeft(): Promise<void>;
}

/** A tone as a file a switch can play. */
export const wav = (hz: number, seconds: number): Buffer => {
  const samples = toneSamples(hz, 0, Math.round(SAMPLE_RATE * seconds));
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + bytes.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]] as const) head.writeUInt16LE(value, at);
  head.writeUInt32LE(SAMPLE_RATE, 24);
  head.writeUInt32LE(2 * SAMPLE_RATE, 28);
  head.write('data', 36);
  head.writeUInt32LE(bytes.length, 40);
  return Buffer.concat([head, bytes]);
};

/** The plan as a file; JSON is YAML. A prompt of PROMPTS is written as `{ file: 'whisper.wav' }`. */
const writePlan = (site: Site, folder: string, plan: ClinicPlan, promptSeconds: Partial<Record<PromptName, number>> = {}): string => {
  mkdirSync(folder, { recursive: true });
  for (const name of Object.keys(PROMPTS) as PromptName[]) writeFileSync(join(folder, `${name}.wav`), wav(PROMPTS[name], promptSeconds[name] ?? 1));
  for (const [name, { hz, seconds }] of Object.entries(plan.tones ?? {})) writeFileSync(join(folder, `${name}.wav`), wav(hz, seconds));
  const { host, port } = site.trunkAddress('carrier');
  const file = join(folder, 'plan.yaml');
  const document = {
    account: { id: 'test-clinic', name: 'Test Clinic', ...plan.account },
    trunks: [{ id: 'carrier', host, port: String(port) }],
    users: plan.users.map((user) => ({
      ...user, name: user.id,
      devices: user.devices.map((device) => ({ ...device, ...('extension' in device ? { password: passwordOf(device.extension) } : {}) })),
    })),
    numbers: plan.numbers.map((number) => ({ name: 'Reception', ...number })),
    ...(plan.receivingNumbers === undefined ? {} : { receivingNumbers: plan.receivingNumbers }),
    ...(plan.ringGroups === undefined ? {} : { ringGroups: plan.ringGroups }),
    ...(plan.menus === undefined ? {} : { menus: plan.menus }),
    ...(plan.queues === undefined ? {} : { queues: plan.queues }),
  };
  writeFileSync(file, JSON.stringify(document, null, 2));
  return file;
};

/** Lines of every file of a folder of the data directory, the oldest first. */
const linesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort().flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter((line) => line !== ''));
  } catch {
    return [];
  }
};

const numberOf = (caller: Caller): string => caller.call.callerId().number;

/** Lines `{"callId":…,"seq":…,"record":…}`, see store/files/call-archive.ts. */
const recordsIn = (folder: string, callId: string): JournalRecord[] =>
  linesIn(folder).filter((line) => line.startsWith(`{"callId":${JSON.stringify(callId)},`)).map((line) => (JSON.parse(line) as { record: JournalRecord }).record);

let lastNumber = 0;

export const openClinic = async (
  site: Site, plan: ClinicPlan, promptSeconds: Partial<Record<PromptName, number>> = {}, env: Readonly<Record<string, string>> = {},
): Promise<Clinic> => {
  const folder = join(site.folder, 'clinic');
  const dataDir = join(folder, 'data');
  const planFile = writePlan(site, folder, plan, promptSeconds);
  const controller = await site.startController({ planFile, dataDir, env });

  const cdrsOf = (caller: Caller): Cdr[] => linesIn(join(dataDir, 'cdrs')).filter((line) => line.includes(numberOf(caller))).map((line) => JSON.parse(line) as Cdr).filter((cdr) => cdr.caller.number === numberOf(caller));

  const cdrOf = async (caller: Caller): Promise<Cdr> => {
    const cdr = await until(() => cdrsOf(caller)[0], { describe: `the record of the call from ${numberOf(caller)} is written`, within: 3_000, everyMs: 20 });
    expect(cdrsOf(caller)).toHaveLength(1);
    return cdr;
  };
  const liveJournalOf = async (caller: Caller): Promise<readonly JournalRecord[]> =>
    (await site.redis.journals()).map((texts) => texts.map(recordOf)).find(([first]) => first?.kind === 'opened' && first.offer.caller.number === numberOf(caller)) ?? [];
  const journalOf = async (caller: Caller): Promise<readonly JournalRecord[]> => {
    const { callId } = await cdrOf(caller);
    return until(() => {
      const records = recordsIn(join(dataDir, 'journals'), callId);
      return replay(records)?.call.phase === 'ended' ? records : undefined;
    }, { describe: `the journal of the call from ${numberOf(caller)} is whole`, within: 3_000, everyMs: 20 });
  };
  return {
    controller, dataDir,
    call: (to, caller = {}) => {
      lastNumber += 1;
      return site.call({ to, from: `+1555${String(2_000_000 + lastNumber)}`, ...caller });
    },
    liveJournalOf,
    stateOf: async (caller) => {
      const call = replay(await liveJournalOf(caller))?.call;
      if (call === undefined) throw new Error(`Redis has no journal of the call from ${numberOf(caller)}`);
      return call;
    },
    journals: () => {
      const found = new Map<string, JournalRecord[]>();
      for (const line of linesIn(join(dataDir, 'journals'))) {
        const { callId, record } = JSON.parse(line) as { callId: string; record: JournalRecord };
        const records = found.get(callId) ?? [];
        records.push(record);
        found.set(callId, records);
      }
      return found;
    },
    journalOf,
    factsOf: async (caller) => (await journalOf(caller)).flatMap((record) => (record.kind === 'step' ? record.facts : [])),
    cdrOf,
    expectNothingLeft: async () => {
      await site.expectNothingLeft();
      await until(async () => {
        const body = (await (await fetch(`${controller.httpUrl}/readyz`)).json()) as { calls: number; commandsInFlight: number };
        return body.calls === 0 && body.commandsInFlight === 0;
      }, { describe: 'the controller has no call and no command under way', within: 1_000 });
    },
  };
};
