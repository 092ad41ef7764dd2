/**
 * The configuration as everybody in the process sees it: held in memory, replaced whole on a change, checked whole
 * before one. Calls and reads never touch the database.
 */
import type { Change, ConfigObject, ObjectKey, Write } from './objects.ts';
import type { Kind } from './documents.ts';
import type { Problem } from './check.ts';

export interface Current {
  readonly revision: number;
  readonly objects: ReadonlyMap<string, ConfigObject>;
}

export type WriteResult =
  | { readonly ok: true; readonly revision: number; readonly objects: readonly ConfigObject[]; readonly changes: readonly Change[]; readonly warnings: readonly string[] }
  | {
      readonly ok: false;
      /** missing: no such object. stale: another version is there. exists: the id is taken. invalid: `problems`. */
      readonly reason: 'missing' | 'stale' | 'exists' | 'invalid' | 'in-use';
      readonly problems: readonly Problem[];
    };

export interface Configuration {
  current(): Current;
  get<K extends Kind>(key: ObjectKey<K>): ConfigObject<K> | undefined;
  /** All of the kind in the account, by id; of every account when none is given. */
  list<K extends Kind>(kind: K, account?: string): readonly ConfigObject<K>[];
  /** All or nothing. Rejects with StoreAwayError; nothing has changed in memory then. */
  write(writes: readonly Write[], actor: string, undoes?: number): Promise<WriteResult>;
  /** Called after each change, in order. Returns what ends it. */
  onChange(changed: (current: Current) => void): () => void;
  stop(): void;
}
