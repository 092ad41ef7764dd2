/** What a live call holds in the controller's memory. */
import { until } from '../support/until.ts';
import { numbers, settled, type Clinic } from './clinic.ts';
import type { Inspector } from './inspector.ts';
import { residentBytes } from './process-use.ts';

export interface Memory {
  readonly calls: number;
  /** Each after a collection. */
  readonly idleBytes: number;
  readonly liveBytes: number;
  readonly afterBytes: number;
  readonly bytesPerCall: number;
  /** Of the process; the collector keeps pages, so the growth may be nothing. */
  readonly idleResidentBytes: number;
  readonly liveResidentBytes: number;
}

/** Low, so that no call fails even on a busy machine: `calls` of them must be live at once. */
const rate = 30;
const graceMs = 4000;

export async function measureMemory(clinic: Clinic, pid: number, inspector: Inspector, calls: number): Promise<Memory> {
  const folder = clinic.folder('memory');
  const fillMs = (1000 * calls) / rate;
  const phones = await clinic.startPhones(folder, fillMs + 2 * graceMs);
  const [idleBytes, idleResidentBytes] = [await inspector.liveBytes(), residentBytes(pid)];
  const caller = await clinic.startCalls({ folder: `${folder}/caller`, to: numbers.frontdesk, talkMs: Math.round(fillMs + graceMs), count: calls, perSecond: rate });
  await until(async () => (await clinic.readiness()).calls === calls, { describe: `${calls} calls are live`, within: fillMs + graceMs, everyMs: 100 });
  const [liveBytes, liveResidentBytes] = [await inspector.liveBytes(), residentBytes(pid)];
  await caller.finished;
  await caller.end(0);
  await settled(clinic);
  await Promise.all([phones.rings.end(3000), phones.answers.end(3000)]);
  const afterBytes = await inspector.liveBytes();
  return { calls, idleBytes, liveBytes, afterBytes, idleResidentBytes, liveResidentBytes, bytesPerCall: (liveBytes - idleBytes) / calls };
}
