/** The files of an archive are named by the UTC day or hour they begin with; that alone says when one is due. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EpochMs } from '../../core/time.ts';

const dated = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}))?\.ndjson$/;
const [hourMs, dayMs] = [3_600_000, 86_400_000];

/**
 * Removes the files whose last line was written before `before`, but none of today's, whatever `before` is: those are
 * being written. Resolves with how many; none when there is no such directory. Files of other names stay.
 */
export async function removeDatedFiles(dir: string, before: EpochMs, now: EpochMs): Promise<number> {
  const today = Math.floor(now / dayMs) * dayMs;
  let removed = 0;
  for (const name of await namesIn(dir)) {
    const [, day, hour] = dated.exec(name) ?? [];
    if (day === undefined) continue;
    const end = Date.parse(`${day}T${hour ?? '00'}:00:00Z`) + (hour === undefined ? dayMs : hourMs);
    // A date that is none gives NaN, which is before nothing.
    if (!(end <= Math.min(before, today))) continue;
    await rm(join(dir, name), { force: true });
    removed++;
  }
  return removed;
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
