/**
 * A new database costs seconds of work whose result is the same everywhere. So it is done once for each version of the
 * program, kept where downloads are kept, and copied.
 */
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import type { Ms } from '../../core/time.ts';
import { startWorker } from './embedded-worker-link.ts';

/** Leaves a new database in `dir` where there was none, and says whether it did. Rejects when it cannot: then it is to be made in place. */
export async function copyTemplate(dir: string, templates: string, withinMs: Ms): Promise<boolean> {
  if (!(await isEmpty(dir))) return false;
  const template = join(templates, `pglite-${versionOfPglite()}`);
  if (await isEmpty(template)) await makeTemplate(template, withinMs);
  const copy = `${dir}.new`;
  await rm(copy, { recursive: true, force: true });
  await cp(template, copy, { recursive: true });
  // It is whole before it has its name.
  await rename(copy, dir);
  return true;
}

/** A copy that cannot be opened: neither it nor what it was copied from is any good. */
export async function dropTemplate(dir: string, templates: string): Promise<void> {
  await rm(join(templates, `pglite-${versionOfPglite()}`), { recursive: true, force: true });
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
}

async function makeTemplate(template: string, withinMs: Ms): Promise<void> {
  const own = `${template}.${process.pid}`;
  await mkdir(own, { recursive: true, mode: 0o700 });
  try {
    const link = await startWorker(own, withinMs);
    await link.ask({ kind: 'close' }, withinMs, false);
    await link.end();
    await rename(own, template);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    // Another process was faster.
    if (await isEmpty(template)) throw error;
  }
}

async function isEmpty(dir: string): Promise<boolean> {
  try {
    return (await readdir(dir)).length === 0;
  } catch {
    return true;
  }
}

function versionOfPglite(): string {
  const entry = fileURLToPath(import.meta.resolve('@electric-sql/pglite'));
  const { version } = JSON.parse(readFileSync(join(entry, '..', '..', 'package.json'), 'utf8')) as { readonly version: string };
  return version;
}
