/**
 * How soon live calls can be commanded again when their controller is killed: by another that is there, and, where there
 * is none, by the same one started again. The calls talk all the while; SIPp says whether one was dropped.
 */
import { readFileSync } from 'node:fs';
import type { Ms } from '../../control-plane/core/time.ts';
import type { Controller } from '../support/controller.ts';
import { lookerAt, type Looker } from '../support/commandable.ts';
import { until } from '../support/until.ts';
import { numbers, settled, type Clinic, type Seat } from './clinic.ts';
import { fixed, tableOf } from './table.ts';

export interface Regained {
  /** From the kill; null when it did not come about. */
  readonly firstMs: Ms | null;
  readonly allMs: Ms | null;
}

export interface Adoption {
  readonly calls: number;
  readonly byAnother: Regained;
  /** Started at once; from the kill on, so with all that a start takes. */
  readonly byItself: Regained;
  /** From the kill until the controller that was started again said that it is ready. */
  readonly startedMs: Ms;
  /** Calls that did not go on until their caller hung up. */
  readonly dropped: number;
  readonly faults: readonly string[];
}

const rate = 30;
/** While all calls are up: two kills fit in. */
const talkMs: Ms = 40_000;
const everyMs: Ms = 100;
const within: Ms = 15_000;
/** A call with two legs takes about ten, and somewhat more while a third rings. */
const filesPerCall = 12;

/** The one controller that lives has the calls; the other seat's is started beside it. */
export async function measureAdoption(clinic: Clinic, calls: number, say: (line: string) => void): Promise<Adoption> {
  const files = openFilesOf(clinic.switchPid());
  if (files < calls * filesPerCall) throw new Error(`${calls} calls take about ${calls * filesPerCall} open files, and the switch may have ${files}: raise it with ulimit -n`);
  const [seat, other] = [clinic.seats.find(({ process }) => process !== null), clinic.seats.find(({ process }) => process === null)];
  if (seat === undefined || other === undefined) throw new Error('One controller lives, and one does not');
  const folder = clinic.folder(`adopt-${calls}`);
  const cdrsBefore = new Set(clinic.cdrs());
  const fillMs = Math.round((1000 * calls) / rate);
  const phones = await clinic.startPhones(folder, fillMs + 2 * talkMs);
  const caller = await clinic.startCalls({ folder: `${folder}/caller`, to: numbers.frontdesk, talkMs: fillMs + talkMs, count: calls, perSecond: rate });
  await until(async () => (await clinic.readiness()).calls === calls, { describe: `${calls} calls are live`, within: fillMs + 10_000, everyMs: 100 });
  const looker = lookerAt(clinic.admin, () => clinic.seats);
  const callIds = (await looker.look()).listed.map(({ callId }) => callId);
  const faults: string[] = [];

  await clinic.start(other);
  await until(async () => (await readyz(other)).takesOver === true, { describe: 'the other would take its calls', within: 20_000, everyMs: 100 });
  await kill(seat);
  const byAnother = await regained(looker, callIds, performance.now());
  faults.push(...await disobedient(looker, callIds));

  await kill(other);
  const killedAt = performance.now();
  const startedMs = clinic.start(other).then(() => performance.now() - killedAt);
  const byItself = await regained(looker, callIds, killedAt);
  const adoption = { calls, byAnother, byItself, startedMs: await startedMs };
  faults.push(...await disobedient(looker, callIds));
  say(`${calls} calls: by another after ${seconds(byAnother.allMs)} s, by itself after ${seconds(byItself.allMs)} s`);

  await caller.finished;
  const placed = await caller.end(1000);
  const left = await settled(clinic, 20_000);
  await Promise.all([phones.rings.end(3000), phones.answers.end(3000)]);
  const cdrs = clinic.cdrs().filter((callId) => !cdrsBefore.has(callId));
  const missing = callIds.filter((callId) => !cdrs.includes(callId)).length;
  for (const [regain, how] of [[byAnother, 'another'], [byItself, 'itself']] as const) if (regain.allMs === null) faults.push(`not all calls were regained by ${how} within ${within} ms`);
  if (missing > 0) faults.push(`${missing} calls have no CDR`);
  if (cdrs.length !== new Set(cdrs).size) faults.push(`${cdrs.length - new Set(cdrs).size} calls have more than one CDR`);
  if (left.length > 0) faults.push(`${left.length} things left, such as ${left[0]}`);
  const dropped = calls - placed.counts.successful;
  if (dropped > 0) faults.push(`${dropped} calls were dropped: ${placed.errors[0] ?? ''}`);
  return { ...adoption, dropped, faults: faults.map((fault) => `${calls} calls and a kill: ${fault}`) };
}

async function kill(seat: Seat): Promise<void> {
  await seat.process?.kill();
  seat.process = null;
}

async function readyz({ process }: Seat): Promise<{ readonly takesOver?: boolean }> {
  return (await (await fetch(`${(process as Controller).httpUrl}/readyz`)).json()) as { readonly takesOver?: boolean };
}

/** A call counts from the end of the look that found it listed and heard: later, if anything, than it was. */
async function regained(looker: Looker, callIds: readonly string[], since: number): Promise<Regained> {
  let firstMs: Ms | null = null;
  const all = until(async () => {
    const { listed, problem } = await looker.look();
    const at = Math.round(performance.now() - since);
    const owners = Map.groupBy(listed, ({ callId }) => callId);
    const well = callIds.filter((callId) => problem(owners.get(callId) ?? []) === null).length;
    if (well > 0) firstMs ??= at;
    return well === callIds.length ? at : null;
  }, { describe: 'every call is commandable again', within: within - (performance.now() - since), everyMs });
  const allMs = await all.catch(() => null);
  return { firstMs, allMs };
}

/** Asked when all are regained, so that a thousand requests are not part of what is measured. */
async function disobedient(looker: Looker, callIds: readonly string[]): Promise<readonly string[]> {
  let deaf = 0;
  for (let from = 0; from < callIds.length; from += 20) {
    const obey = await Promise.all(callIds.slice(from, from + 20).map((callId) => looker.obeys(callId)));
    deaf += obey.filter((obeys) => !obeys).length;
  }
  return deaf === 0 ? [] : [`${deaf} channels obey nobody`];
}

const openFilesOf = (pid: number): number => Number(/^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1] ?? 0);

const seconds = (ms: Ms | null): string => (ms === null ? 'never' : fixed(ms / 1000, 2));

export const adoptionTable = (adoptions: readonly Adoption[]): readonly string[] => [
  'seconds from kill -9 until calls can be commanded again',
  ...tableOf(
    ['live calls', 'another: first', 'all', 'started again: ready', 'first', 'all', 'dropped'],
    adoptions.map(({ calls, byAnother, byItself, startedMs, dropped }) => [
      String(calls), seconds(byAnother.firstMs), seconds(byAnother.allMs), seconds(startedMs), seconds(byItself.firstMs), seconds(byItself.allMs), String(dropped),
    ]),
  ),
];
