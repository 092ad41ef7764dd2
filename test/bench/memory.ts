/** What a live call holds in the controller's memory. */
import { freeUdpPort } from '../support/sipp.ts';
import { until } from '../support/until.ts';
import { settled, type Clinic } from './clinic.ts';
import type { Inspector } from './inspector.ts';
import { startLoad } from './load.ts';
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

export async function measureMemory(clinic: Clinic, inspector: Inspector, calls: number): Promise<Memory> {
  const folder = clinic.folder('memory');
  const phones = await clinic.startPhones(folder);
  const [idleBytes, idleResidentBytes] = [await inspector.liveBytes(), residentBytes(clinic.controller.pid)];
  const secondsToFill = calls / rate;
  const caller = await startLoad({
    program: clinic.sipp, role: 'caller', values: { to: clinic.numberOf('frontdesk'), talkMs: Math.round((secondsToFill + 4) * 1000) },
    local: { host: clinic.carrierHost, port: await freeUdpPort(clinic.carrierHost) },
    remote: { host: clinic.asterisk.sipHost, port: clinic.asterisk.sipPort }, folder: `${folder}/caller`, calls: { count: calls, perSecond: rate },
  });
  await until(async () => (await clinic.readiness()).calls === calls, { describe: `${calls} calls are live`, within: (secondsToFill + 4) * 1000, everyMs: 100 });
  const [liveBytes, liveResidentBytes] = [await inspector.liveBytes(), residentBytes(clinic.controller.pid)];
  await caller.finished;
  await caller.end(0);
  await settled(clinic);
  await Promise.all([phones.rings.end(3000), phones.answers.end(3000)]);
  const afterBytes = await inspector.liveBytes();
  return { calls, idleBytes, liveBytes, afterBytes, idleResidentBytes, liveResidentBytes, bytesPerCall: (liveBytes - idleBytes) / calls };
}
