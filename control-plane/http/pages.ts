/** Pages of lists that are in memory: cut after an id, so that what is added or removed meanwhile shifts nothing. */
import { CursorError, type Page } from '../store/ports.ts';

/** `items` in the order of their `name`, which is unique. Throws CursorError. */
export function pageOfList<T>(items: readonly T[], name: (item: T) => string, { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number }): Page<T> {
  const after = placeOfCursor(cursor);
  const rest = items.map((item) => ({ item, id: name(item) })).filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return { items: page.map(({ item }) => item), next: last === undefined || rest.length <= limit ? null : cursorAfter(last.id) };
}

export function cursorAfter(id: string): string {
  return Buffer.from(`after:${id}`).toString('base64url');
}

/** After which id the page begins; empty for the first. Throws CursorError. */
export function placeOfCursor(cursor: string | undefined): string {
  if (cursor === undefined) return '';
  const text = Buffer.from(cursor, 'base64url').toString();
  if (!text.startsWith('after:')) throw new CursorError('Not from a list in memory');
  return text.slice('after:'.length);
}

/** What a store is asked with: no cursor rather than an undefined one. */
export function pageFrom({ cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number }): { readonly cursor?: string; readonly limit: number } {
  return cursor === undefined ? { limit } : { cursor, limit };
}

/** Without the fields that were not given. */
export function given<T extends Record<string, unknown>>(fields: T): { [P in keyof T]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [P in keyof T]?: Exclude<T[P], undefined> };
}
