/** Pages of a list: one row more than asked for is read, and tells whether there is a next page. */
import { CursorError, type Page } from '../ports.ts';

/** `cursorOf` the last item given begins the next page. */
export function pageOf<R, T>(rows: readonly R[], limit: number, itemOf: (row: R) => T, cursorOf: (row: R) => string): Page<T> {
  const given = rows.slice(0, limit);
  const last = given.at(-1);
  return { items: given.map(itemOf), next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}

/** A cursor that is a sequence number; null for the first page. */
export function seqCursor(cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  if (!/^\d{1,15}$/.test(cursor)) throw new CursorError('The cursor is not one that a page gave.');
  return Number(cursor);
}

/** Conditions of a query and the values they name. */
export class Conditions {
  readonly values: unknown[] = [];
  readonly #parts: string[] = [];

  /** Leaves out what is undefined or null. `text` has `?` for the value. */
  add(text: string, value: unknown): this {
    if (value === undefined || value === null) return this;
    this.#parts.push(text.replaceAll('?', this.value(value)));
    return this;
  }

  /** The placeholder of a further value. */
  value(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  /** `where …`, or nothing. */
  get text(): string {
    return this.#parts.length === 0 ? '' : `where ${this.#parts.join(' and ')}`;
  }
}
