/**
 * Plan files into the configuration. A plan is taken in at a start, and again when it has changed since: what it says
 * replaces what it said, and what an admin made beside it stays.
 */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { withMade } from './configuration/completed.ts';
import type { Configuration, Draft } from './configuration/configuration.ts';
import type { Doc, Kind } from './configuration/documents.ts';
import { keyText, type ConfigObject, type ObjectKey } from './configuration/objects.ts';
import type { PlanObjects } from './store/plan-files/to-objects.ts';

/** Takes a recording in under an id, for the switch to play, and replies with what to write of it. */
export type TakeInAudio = (account: string, id: string, path: string) => Promise<Doc<'audio'>>;

interface Imported {
  readonly hash: string;
  readonly keys: readonly ObjectKey[];
}

export interface ImportResult {
  readonly written: number;
  /** Why nothing was; a sentence each. */
  readonly problems: readonly string[];
}

/** All plans or none. Rejects with StoreAwayError when the database is away, and with what `takeIn` rejects with. */
export async function importPlans(plans: readonly PlanObjects[], configuration: Configuration, dataDir: string, takeIn: TakeInAudio): Promise<ImportResult> {
  const file = join(dataDir, 'imported-plans.json');
  const before = await readImported(file);
  const objects = plans.flatMap((plan) => plan.objects);
  const hash = createHash('sha256').update(JSON.stringify(objects)).digest('hex');
  if (before.hash === hash) return { written: 0, problems: [] };

  const drafts: Draft[] = [];
  for (const { account, objects: own, audio } of plans) {
    for (const object of own) {
      const path = object.kind === 'audio' ? audio.get(object.id) : undefined;
      const body: Doc<Kind> = path === undefined ? object.body : await takeIn(account, object.id, path);
      drafts.push(...draftOf(object, body, configuration));
    }
  }
  const wanted = new Set(objects.map(keyText));
  for (const key of before.keys) {
    const there = configuration.get(key);
    if (there !== undefined && !wanted.has(keyText(key))) drafts.push({ account: key.account, kind: key.kind, id: key.id, version: there.version, body: null });
  }
  if (drafts.length > 0) {
    const result = await configuration.write(drafts, 'plan');
    if (!result.ok) return { written: 0, problems: result.problems.map(({ path, message }) => `${path}: ${message}`) };
  }
  const imported: Imported = { hash, keys: objects.map(({ account, kind, id }) => ({ account, kind, id })) };
  await writeFile(file, JSON.stringify(imported), { mode: 0o600 });
  return { written: drafts.length, problems: [] };
}

/** Nothing when it is there already as the plan has it; what was made for it stays. */
function draftOf({ account, kind, id }: ConfigObject, body: Doc<Kind>, configuration: Configuration): readonly Draft[] {
  const there = configuration.get({ account, kind, id });
  if (there === undefined) return [{ account, kind, id, version: null, body }];
  const kept = withMade(body, there.body);
  return isDeepStrictEqual(there.body, kept) ? [] : [{ account, kind, id, version: there.version, body: kept }];
}

async function readImported(file: string): Promise<Imported> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Imported;
  } catch {
    return { hash: '', keys: [] };
  }
}
