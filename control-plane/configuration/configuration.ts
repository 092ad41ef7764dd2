/**
 * The configuration as everybody in the process sees it: held in memory, replaced whole on a change, checked whole
 * before one. Calls and reads never touch the database, and a copy on the disk lets a controller start without it.
 *
 * A write names the revision it was checked against; the store refuses it when somebody else was first, and it is
 * checked again. So what objects say of each other holds without a rule in the database for each.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Ms } from '../core/time.ts';
import { InUseError, TakenError, type ChangeResult, type ChangeSet, type ConfigStore } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import { completing } from './completed.ts';
import { checkTogether, parseDocument, referencesOf, type ObjectProblem, type Objects, type Problem } from './check.ts';
import { documents, type Kind } from './documents.ts';
import { isKind, keyText, type Change, type ConfigObject, type ObjectKey, type Snapshot, type Write } from './objects.ts';
import { renamedPhones } from './sip-prefix.ts';

export interface Current {
  readonly revision: number;
  readonly objects: Objects;
}

export type WriteResult =
  | { readonly ok: true; readonly revision: number; readonly objects: readonly ConfigObject[]; readonly changes: readonly Change[]; readonly warnings: readonly string[] }
  | {
      readonly ok: false;
      /** missing: no such object. stale: another version is there. exists: the id is taken. in-use: others name it. invalid: `problems`. */
      readonly reason: 'missing' | 'stale' | 'exists' | 'invalid' | 'in-use';
      readonly problems: readonly Problem[];
    };

/** A write as it comes in: the body is not checked yet. */
export interface Draft extends ObjectKey {
  readonly version: number | null;
  readonly body: unknown;
}

export interface Configuration {
  current(): Current;
  get<K extends Kind>(key: ObjectKey<K>): Extract<ConfigObject, { kind: K }> | undefined;
  /** All of the kind in the account, by id; of every account when none is given. */
  list<K extends Kind>(kind: K, account?: string): readonly Extract<ConfigObject, { kind: K }>[];
  /** All or nothing. Rejects with StoreAwayError; nothing has changed in memory then. */
  write(drafts: readonly Draft[], actor: string, undoes?: number): Promise<WriteResult>;
  /** Called after each change, in order. Returns what ends it. */
  onChange(changed: (current: Current) => void): () => void;
  stop(): Promise<void>;
}

export interface ConfigurationOptions {
  readonly store: ConfigStore;
  /** What the store had when it was opened, or the copy on the disk while it cannot be reached. */
  readonly snapshot: Snapshot;
  /** Written at the start and after each change; holds passwords. */
  readonly copyFile: string;
  /** The snapshot is that copy, which stays as it is until something newer is known. */
  readonly fromCopy?: boolean;
  readonly log: Log;
  /** What beside the configuration names an object that is to be deleted: said as its other users are. */
  readonly usersElsewhere?: (deleted: ObjectKey) => readonly Problem[];
  /** Sentences about settings that are accepted but will disappoint. */
  readonly warningsFor?: (objects: Objects, written: readonly ObjectKey[], before: Objects) => readonly string[];
}

/** Races between writers end after a few rounds; more is a fault of the store. */
const mostRounds = 20;
const againMs: Ms = 5000;

export function createConfiguration(options: ConfigurationOptions): Configuration {
  const { store, copyFile, log } = options;
  const listeners = new Set<(current: Current) => void>();
  let current: Current = currentOf(options.snapshot);
  let queue: Promise<unknown> = Promise.resolve();
  let copying: Promise<void> = options.fromCopy === true ? Promise.resolve() : keepCopy();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function keepCopy(): Promise<void> {
    const { revision, objects } = current;
    try {
      await writeFile(`${copyFile}.new`, JSON.stringify({ revision, objects: [...objects.values()] } satisfies Snapshot), { mode: 0o600 });
      await rename(`${copyFile}.new`, copyFile);
    } catch (error) {
      log.warn({ error: String(error) }, 'The copy of the configuration on the disk could not be written; a start without the database would have an older one');
    }
  }

  function replace(next: Current): void {
    current = next;
    copying = copying.then(keepCopy);
    for (const listener of listeners) listener(current);
  }

  const reload = async (): Promise<void> => { replace(currentOf(await store.load())); };

  const follow = (): void => {
    clearTimeout(timer);
    queue = queue.then(reload).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'The changed configuration could not be read; tried again');
      clearTimeout(timer);
      if (!stopped) timer = setTimeout(follow, againMs);
    });
  };
  const unwatch = store.watch((revision) => {
    if (revision !== current.revision) follow();
  });

  /** Another controller may have taken a number or an extension since the revision that was checked. */
  const apply = async (set: ChangeSet): Promise<ChangeResult | 'in-use'> => {
    try {
      return await store.apply(set);
    } catch (error) {
      if (error instanceof InUseError) return 'in-use';
      if (error instanceof TakenError) return { ok: false, revision: set.base };
      throw error;
    }
  };

  async function write(drafts: readonly Draft[], actor: string, undoes?: number): Promise<WriteResult> {
    for (let round = 0; round < mostRounds; round += 1) {
      const before = current.objects;
      const checked = check(before, drafts, options.usersElsewhere ?? (() => []));
      if (!checked.ok) return checked;
      const { writes, objects } = checked;
      const result = await apply({ writes, base: current.revision, actor, at: Date.now(), ...(undoes === undefined ? {} : { undoes }) });
      if (result === 'in-use') return { ok: false, reason: 'in-use', problems: [{ path: 'contacts', message: 'have come to name it. Change them first.' }] };
      if (!result.ok) {
        await reload();
        continue;
      }
      replace({ revision: result.revision, objects: withWritten(objects, writes, result.objects) });
      return { ...result, warnings: [...renamedPhones(before, objects), ...(options.warningsFor?.(current.objects, writes, before) ?? [])] };
    }
    throw new Error(`The configuration changed ${mostRounds} times while one write was checked.`);
  }

  return {
    current: () => current,
    get: (key) => {
      const object = current.objects.get(keyText(key));
      return object !== undefined && isKind(object, key.kind) ? object : undefined;
    },
    list: (kind, account) => [...current.objects.values()].filter((object) => isKind(object, kind)).filter((object) => account === undefined || object.account === account).toSorted((a, b) => (keyText(a) < keyText(b) ? -1 : 1)),
    write: (drafts, actor, undoes) => {
      const written = queue.then(() => write(drafts, actor, undoes));
      queue = written.catch(() => undefined);
      return written;
    },
    onChange: (changed) => {
      listeners.add(changed);
      return () => { listeners.delete(changed); };
    },
    stop: async () => {
      unwatch();
      stopped = true;
      clearTimeout(timer);
      await queue;
      await copying;
    },
  };
}

/** The copy that an earlier run left; undefined when there is none that can be read. */
export async function readCopy(copyFile: string): Promise<Snapshot | undefined> {
  try {
    return JSON.parse(await readFile(copyFile, 'utf8')) as Snapshot;
  } catch {
    return undefined;
  }
}

function currentOf({ revision, objects }: Snapshot): Current {
  // another version of this program may have kinds of its own
  return { revision, objects: new Map(objects.filter(({ kind }) => Object.hasOwn(documents, kind)).map((object) => [keyText(object), object])) };
}

type Checked = Extract<WriteResult, { ok: false }> | { readonly ok: true; readonly writes: readonly Write[]; readonly objects: Objects };

function check(before: Objects, drafts: readonly Draft[], usersElsewhere: (deleted: ObjectKey) => readonly Problem[]): Checked {
  const problems: Problem[] = [];
  const writes: Write[] = [];
  const complete = completing(before, drafts);
  const prefix = (key: ObjectKey, path: string): string => (drafts.length === 1 ? path : [`${key.kind}/${key.id}`, ...(path === '' ? [] : [path])].join(' '));
  for (const draft of drafts) {
    const there = before.get(keyText(draft));
    if (draft.version === null && there !== undefined) return refused('exists', prefix(draft, 'id'), `There is a ${draft.kind} “${draft.id}” already.`);
    if (draft.version !== null && there === undefined) return refused('missing', prefix(draft, ''), `There is no ${draft.kind} “${draft.id}”.`);
    if (draft.version !== null && there?.version !== draft.version) return refused('stale', prefix(draft, ''), `The ${draft.kind} “${draft.id}” has changed: read it again, and repeat your change on that.`);
    const { account, kind, id, version } = draft;
    if (draft.body === null) {
      writes.push({ account, kind, id, version, body: null });
      continue;
    }
    const parsed = parseDocument(kind, draft.body);
    if (parsed.ok) writes.push({ account, kind, id, version, body: complete(kind, parsed.body, id, there) });
    else problems.push(...parsed.problems.map((problem) => ({ ...problem, path: prefix(draft, problem.path) })));
  }
  if (problems.length > 0) return { ok: false, reason: 'invalid', problems };

  const objects = withWritten(before, writes, []);
  const users = [...usersOfDeleted(objects, writes), ...writes.flatMap((write) => (write.body === null ? usersElsewhere(write) : []))];
  if (users.length > 0) return { ok: false, reason: 'in-use', problems: users };
  const found = checkTogether(objects);
  if (found.length === 0) return { ok: true, writes, objects };
  return { ok: false, reason: 'invalid', problems: found.map((problem) => toldToWriter(problem, writes, prefix)) };
}

function refused(reason: 'exists' | 'missing' | 'stale', path: string, message: string): Checked {
  return { ok: false, reason, problems: [{ path, message }] };
}

function withWritten(before: Objects, writes: readonly Write[], stored: readonly ConfigObject[]): Objects {
  const after = new Map(before);
  for (const write of writes) {
    const key = keyText(write);
    if (write.body === null) after.delete(key);
    else after.set(key, { ...write, version: (write.version ?? 0) + 1, createdAt: before.get(key)?.createdAt ?? 0, updatedAt: 0 } as ConfigObject);
  }
  for (const object of stored) after.set(keyText(object), object);
  return after;
}

/** Who would be left with a name that means nothing: said of the deleted, with each of its users. */
function usersOfDeleted(after: Objects, writes: readonly Write[]): readonly Problem[] {
  const deleted = new Set(writes.filter((write) => write.body === null).map(keyText));
  if (deleted.size === 0) return [];
  const problems: Problem[] = [];
  for (const object of after.values()) {
    const { account } = object;
    if (deleted.has(keyText({ account, kind: 'account', id: account }))) problems.push({ path: `${object.kind}/${object.id}`, message: 'belongs to the account. Delete it first.' });
    for (const { kind, id, path } of referencesOf(object)) {
      if (deleted.has(keyText({ account, kind, id }))) problems.push({ path: `${object.kind}/${object.id} ${path}`, message: `uses the ${kind} “${id}”. Change it first.` });
    }
  }
  return problems;
}

/** A problem of an object that was not written is one that the write makes; of another account nothing is told. */
function toldToWriter(problem: ObjectProblem, writes: readonly Write[], prefix: (key: ObjectKey, path: string) => string): Problem {
  const { object, rival, path, message } = problem;
  const written = (key: ObjectKey): boolean => writes.some((write) => keyText(write) === keyText(key));
  if (written(object)) return { path: prefix(object, path), message };
  if (rival !== undefined && written(rival.object)) return { path: prefix(rival.object, rival.path), message: rival.message };
  if (writes.some((write) => write.account === object.account)) return { path: '', message: `would break ${object.kind}/${object.id} ${path}: ${message}` };
  return { path: '', message: 'is in use elsewhere in this system. Choose another.' };
}
