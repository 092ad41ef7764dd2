/**
 * The disk of the data directory, looked at every few seconds. While too little of it is free no recording of a call
 * begins, so that what is left is for journals and records; calls go on, and a message that is left is still taken.
 */
import type { Ms } from '../core/time.ts';
import type { MediaDriver } from '../media/media-driver.ts';
import { createDiskGuard } from '../store/media-files/retention.ts';
import type { Log } from '../telemetry/log.ts';

export interface DiskWatch {
  /** A sentence for readiness while too little is free, else null. */
  problem(): string | null;
  /** Looks now: something could not be written. */
  look(): void;
  /** The same driver, which begins no recording of a call while there is a problem. */
  withoutRecording<D extends MediaDriver>(driver: D): D;
  stop(): void;
}

const everyMs: Ms = 10_000;

/** Resolves after the first look. */
export async function watchDisk(dir: string, log: Log): Promise<DiskWatch> {
  const guard = createDiskGuard({ dir });
  const look = async (): Promise<void> => {
    const before = guard.problem();
    const problem = await guard.check();
    if (problem !== null && before === null) log.error({}, problem);
    if (problem === null && before !== null) log.info({}, 'There is room on the disk again: calls are recorded as they are to be');
  };
  await look();
  const timer = setInterval(() => { void look(); }, everyMs);
  return {
    problem: () => guard.problem(),
    look: () => { void look(); },
    withoutRecording: (driver) => ({
      ...driver,
      execute: (command) => {
        const problem = command.type === 'StartCallRecording' ? guard.problem() : null;
        if (problem === null) return driver.execute(command);
        return Promise.resolve({ ok: false, error: 'rejected', mayHaveReachedCarrier: false, detail: problem });
      },
    }),
    stop: () => { clearInterval(timer); },
  };
}
