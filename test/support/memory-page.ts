/** Pages of lists that a test keeps in memory. */
import { CursorError, type Page } from '../../control-plane/store/ports.ts';

export function pageOf<T>(items: readonly T[], { cursor, limit }: { readonly cursor?: string; readonly limit: number }): Page<T> {
  if (cursor !== undefined && !/^\d+$/.test(cursor)) throw new CursorError('No such page');
  const from = Number(cursor ?? 0);
  return { items: items.slice(from, from + limit), next: from + limit < items.length ? String(from + limit) : null };
}
