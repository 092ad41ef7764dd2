/** Objects of configuration as they are kept: a document, whose it is, and which version of it. */
import type { Doc, Kind } from './documents.ts';

/** `account` is the object's own id for an account. Ids are unique per account and kind. */
export interface ObjectKey<K extends Kind = Kind> {
  readonly account: string;
  readonly kind: K;
  readonly id: string;
}

export type ConfigObject<K extends Kind = Kind> = {
  [P in K]: ObjectKey<P> & {
    /** 1 when created, one more with each change: the ETag. */
    readonly version: number;
    /** Epoch ms. */
    readonly createdAt: number;
    readonly updatedAt: number;
    readonly body: Doc<P>;
  };
}[K];

/** `body` null deletes. `version` is what the writer has seen: null for an object that must not exist yet. */
export interface Write<K extends Kind = Kind> extends ObjectKey<K> {
  readonly version: number | null;
  readonly body: Doc<K> | null;
}

/** One write that took effect. `before` null was created, `after` null deleted. */
export interface Change extends ObjectKey {
  /** Increases over the whole system; a change's writes share `revision`, the configuration they made. */
  readonly seq: number;
  readonly revision: number;
  readonly at: number;
  /** Id of the API key, `phone` and its SIP name, or `frontdesk` for itself. */
  readonly actor: string;
  readonly before: Doc<Kind> | null;
  readonly after: Doc<Kind> | null;
  /** The change that this one took back. */
  readonly undoes: number | null;
}

export interface Snapshot {
  /** Of the whole configuration: one more with each change of it. */
  readonly revision: number;
  readonly objects: readonly ConfigObject[];
}

export function keyText({ account, kind, id }: ObjectKey): string {
  return `${account}/${kind}/${id}`;
}

export function isKind<K extends Kind>(object: ConfigObject, kind: K): object is Extract<ConfigObject, { kind: K }> {
  return object.kind === kind;
}
