/**
 * An account served by a controller in this process: its configuration is given as the core reads it, so that routing
 * can be tried on a switch before, and apart from, any way of writing it down.
 *
 *   served = await serve(site, account);
 *   const caller = await site.call({ from, to });
 *   (await served.cdr()).disposition
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Call } from '../../control-plane/core/call/call.ts';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { callsOut } from '../../control-plane/core/call/calls-out.ts';
import { compileFor } from '../../control-plane/core/routing/compile.ts';
import type { Account } from '../../control-plane/core/routing/config.ts';
import { realClock } from '../../control-plane/runtime/clock.ts';
import { createController, type Controller } from '../../control-plane/runtime/controller.ts';
import { memoryArchive, memoryJournals } from '../../control-plane/store/memory-journals.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { localTime } from '../../control-plane/hours/local-time.ts';
import type { Site } from './site.ts';
import { driverOf } from './driver-of.ts';
import { until } from './until.ts';

export interface Served {
  /** The one call there is. */
  call(): Call | undefined;
  calls(): readonly Call[];
  /** The record of the last call, once it is written; each is told once. */
  cdr(): Promise<Cdr>;
  /** The controller goes and another comes, with the journals of the first or with none. Calls stay on the switch. */
  restart(journals: 'kept' | 'lost'): Promise<void>;
  stop(): Promise<void>;
}

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export const serve = async (site: Site, account: Account): Promise<Served> => {
  let stores = { live: memoryJournals(), archive: memoryArchive() };
  const told = new Set<string>();

  const start = async (): Promise<Controller> => {
    const controller = createController({
      ...stores,
      driver: driverOf(site, 'account'),
      clock: realClock(), log: quiet, metrics: createMetrics(), controller: 'account',
      compilePlan: ({ callId, dialled, caller }, at) => compileFor([account], { callId, dialled, callerNumber: caller.number, callerName: caller.name, at, localTime: (timezone) => localTime(timezone, at), callsOut: (id) => callsOut(controller.calls(), id), contact: () => undefined, whisperMedia: () => undefined }),
    });
    await controller.start();
    return controller;
  };
  let controller = await start();

  return {
    call: () => controller.calls()[0],
    calls: () => controller.calls(),
    cdr: async () => {
      const cdr = await until(() => stores.archive.cdrs().find(({ callId }) => !told.has(callId)), { describe: 'the record of the call is written', within: 8_000 });
      told.add(cdr.callId);
      return cdr;
    },
    restart: async (journals) => {
      await controller.stop();
      if (journals === 'lost') stores = { live: memoryJournals(), archive: memoryArchive() };
      controller = await start();
    },
    stop: () => controller.stop(),
  };
};

/** What the switch has recorded under this name, or undefined. */
export const recordedOn = (site: Site, name: string): Int16Array | undefined => {
  try {
    const file = readFileSync(join(site.recordingsDir, `${name}.wav`));
    return new Int16Array(file.buffer.slice(file.byteOffset + 44, file.byteOffset + file.length - (file.length % 2)));
  } catch {
    return undefined;
  }
};
