/** One round: so many calls a second for so many seconds, by one of the two paths. */
import { freeUdpPort } from '../support/sipp.ts';
import { settled, type Clinic, type Path, type Readiness } from './clinic.ts';
import { startLoad, type LoadCounts } from './load.ts';
import { cpuMs } from './process-use.ts';

export interface RoundPlan {
  readonly path: Path;
  readonly rate: number;
  readonly seconds: number;
}

export interface Round extends RoundPlan {
  readonly calls: number;
  /** Calls that any of the three parties saw fail, or that never came about. */
  readonly failed: number;
  readonly setUpMs: readonly number[];
  readonly counts: Readonly<Record<'caller' | 'rings' | 'answers', LoadCounts>>;
  readonly asteriskCpuMs: number;
  /** Of the controller; native rounds show what it uses when idle. */
  readonly controllerCpuMs: number;
  /** Of the last seconds of the load. */
  readonly loopDelayP99Ms: number;
  readonly commands: number;
  readonly events: number;
  readonly commandsFailed: number;
  /** Calls that Frontdesk took; one it could not claim in time is the failsafe's. */
  readonly offered: number;
  readonly cdrs: number;
  readonly cdrsTwice: number;
  readonly left: readonly string[];
  /** What SIPp held against the calls, a line each. */
  readonly errors: readonly string[];
}

/** A call is one second of talk: at the rate N, N calls are live. */
export const talkMs = 1000;
const lateMs = 30_000;

export async function playRound(clinic: Clinic, plan: RoundPlan): Promise<Round> {
  const { path, rate, seconds } = plan;
  const { asterisk, controller } = clinic;
  const folder = clinic.folder(`${path}-${rate}`);
  const phones = await clinic.startPhones(folder);
  const [before, cdrsBefore] = [await clinic.readiness(), clinic.cdrs().length];
  const cpuBefore = { asterisk: cpuMs(asterisk.pid), controller: cpuMs(controller.pid) };
  const calls = rate * seconds;
  const caller = await startLoad({
    program: clinic.sipp, role: 'caller', values: { to: clinic.numberOf(path), talkMs },
    local: { host: clinic.carrierHost, port: await freeUdpPort(clinic.carrierHost) },
    remote: { host: asterisk.sipHost, port: asterisk.sipPort }, folder: `${folder}/caller`, calls: { count: calls, perSecond: rate },
  });
  // the last moment of full load: afterwards the delays of an idle loop would thin it out
  await Promise.race([new Promise((resolve) => { setTimeout(resolve, seconds * 1000); }), caller.finished]);
  const loaded = await clinic.readiness();
  await Promise.race([caller.finished, new Promise((resolve) => { setTimeout(resolve, lateMs).unref(); })]);
  const placed = await caller.end(1000);
  const left = await settled(clinic);
  const cpuAfter = { asterisk: cpuMs(asterisk.pid), controller: cpuMs(controller.pid) };
  const [rings, answers] = await Promise.all([phones.rings.end(3000), phones.answers.end(3000)]);
  const after = await clinic.readiness();
  const grown = (name: string): number => grownBy(name, before, after);
  const offered = grown('calls_offered_total');
  const cdrs = await cdrsSince(clinic, cdrsBefore, offered);
  const counts = { caller: placed.counts, rings: rings.counts, answers: answers.counts };
  return {
    ...plan, calls, counts, left, offered, cdrs: cdrs.length,
    failed: Math.max(calls - placed.counts.successful, placed.counts.failed, rings.counts.failed, answers.counts.failed, calls - answers.counts.successful, calls - rings.counts.successful),
    setUpMs: placed.setUpMs,
    asteriskCpuMs: cpuAfter.asterisk - cpuBefore.asterisk,
    controllerCpuMs: cpuAfter.controller - cpuBefore.controller,
    loopDelayP99Ms: loaded.eventLoopDelayMs.p99,
    commands: grown('commands_total'), events: grown('events_total'), commandsFailed: grown('commands_failed_total'),
    cdrsTwice: cdrs.length - new Set(cdrs).size,
    errors: [...placed.errors, ...rings.errors, ...answers.errors],
  };
}

const grownBy = (name: string, before: Readiness, after: Readiness): number => (after.metrics[name] ?? 0) - (before.metrics[name] ?? 0);

/** Records are written a moment after the call; more than expected is found out too. */
async function cdrsSince(clinic: Clinic, before: number, expected: number): Promise<readonly string[]> {
  for (let tries = 0; tries < 20 && clinic.cdrs().length - before < expected; tries += 1) await new Promise((resolve) => { setTimeout(resolve, 100); });
  return clinic.cdrs().slice(before);
}
