/** Callers and callees of one round: a SIPp process for all callers, and for all phones, that do the same; their traces read into a ledger. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Ms } from '../../control-plane/core/time.ts';
import type { Command } from '../../control-plane/local-stack/processes.ts';
import type { Address } from '../support/premises.ts';
import { freeUdpPort, startSipp, type Sipp } from '../support/sipp.ts';
import { areaCodes, failsafe, inTurn, mobileRingsMs, patienceOf, switchboard, waitOf, type Kind, type Phones } from './kinds.ts';
import type { Ledger } from './ledger.ts';

export interface PartiesOptions {
  readonly program: Command;
  /** Made here. */
  readonly folder: string;
  readonly remote: Address;
  /** And where they registered. */
  readonly phones: readonly (Phones & { readonly at: Address })[];
  readonly carrier: Address;
  readonly kinds: readonly Kind[];
  readonly ledger: Ledger;
  /** Tells the callers of rounds apart: two digits. */
  readonly round: number;
  readonly rate: number;
  readonly lengthMs: Ms;
}

export interface Parties {
  /** No new calls; settles when every caller is done, or after `withinMs`, and then says who was not. */
  finish(withinMs: Ms): Promise<readonly string[]>;
  /** What SIPp held against the scenarios: lines of all its processes. */
  stop(): Promise<readonly string[]>;
}

/** As long as a caller is ready to hear it ring. */
const setUpWithin: Ms = 60_000;

const tag = (): string => `fd${randomBytes(4).toString('hex')}`;

export async function startParties(options: PartiesOptions): Promise<Parties> {
  const { program, folder, remote, phones, carrier, kinds, ledger, round, rate, lengthMs } = options;
  mkdirSync(folder, { recursive: true });
  const common = { program, remote, folder } as const;
  const many = ['-l', '5000', '-buff_size', '4194304', '-recv_timeout', String(setUpWithin)];
  const started: Sipp[] = [];
  const stop = async (): Promise<readonly string[]> => (await Promise.all(started.map((sipp) => sipp.stop()))).flatMap(({ errors }) => linesOf(errors));
  try {
    for (const { name, at: local, does, ringMs, talkMs } of phones) {
      const scenario = does === 'refuse' ? { scenario: 'uas-rejects', values: { tag: tag(), status: '486 Busy Here' } } as const : { scenario: 'many-callees', values: { tag: tag(), user: name, ringMs, talkMs } } as const;
      started.push(await startSipp({ ...common, ...scenario, name: `phones ${name}`, local, extraArguments: many, onMessage: ledger.callee }));
    }
    started.push(await startSipp({
      ...common, name: 'trunk', local: carrier, scenario: 'many-over-the-trunk',
      values: {
        tag: tag(), user: 'carrier', failsafe: failsafe.slice(1), switchboard: switchboard.slice(1), ringMs: mobileRingsMs, pressMs: waitOf(lengthMs), againMs: 2000,
        talkMs: lengthMs + 3000, patienceMs: patienceOf(lengthMs),
      },
      extraArguments: many, onMessage: ledger.callee,
    }));
    const alike = [...Map.groupBy(kinds, ({ caller }) => JSON.stringify(caller)).values()];
    const names = alike.map((group) => group.map(({ name }) => name).join('-'));
    const perCycle = kinds.reduce((sum, { share }) => sum + share, 0);
    const callers = await Promise.all(alike.map(async (group, index) => {
      const { talkMs = 0, keyEveryMs } = group[0]?.caller ?? {};
      const dialled = join(folder, `dialled-${index}.csv`);
      writeFileSync(dialled, ['SEQUENTIAL', ...areaCodes.flatMap((areaCode) => inTurn(group).map(({ e164 }) => `${e164};${areaCode};`)), ''].join('\n'));
      return startSipp({
        ...common, name: `callers ${index}`, local: { host: carrier.host, port: await freeUdpPort(carrier.host) }, scenario: 'many-callers',
        values: { tag: tag(), from: `+1[field1]${String(round).padStart(2, '0')}${index}`, to: '[field0]', talkMs: keyEveryMs ?? talkMs, after: keyEveryMs === undefined ? 'bye' : 'press', presses: keyEveryMs === undefined ? 0 : Math.ceil(talkMs / keyEveryMs) },
        extraArguments: [...many, '-inf', dialled, '-r', String(group.reduce((sum, { share }) => sum + share, 0)), '-rp', String(Math.round((1000 * perCycle) / rate))], onMessage: ledger.caller,
      });
    }));
    started.push(...callers);
    return {
      finish: async (withinMs) => {
        for (const sipp of callers) sipp.finish();
        const { promise: late, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, withinMs);
        const done = new Set<Sipp>();
        await Promise.race([late, Promise.all(callers.map(async (sipp) => { await sipp.exited; done.add(sipp); }))]);
        clearTimeout(timer);
        return callers.flatMap((sipp, index) => (done.has(sipp) ? [] : [names[index] ?? '']));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Each begins with its time; what follows is the message it is about. A timeout that the scenario asks for is no error. */
const linesOf = (errors: string): readonly string[] =>
  errors.split('\n').filter((line) => /^\d{4}-\d\d-\d\d/.test(line) && !/receive timeout on message .* jumping to label/.test(line)).map((line) => line.slice(0, 240));
