/** What is said between embedded-sql.ts and its worker, in order: one request is under way at a time. */
import type { Row } from './sql.ts';

export type Request =
  | { readonly kind: 'query'; readonly text: string; readonly values: readonly unknown[] }
  | { readonly kind: 'script'; readonly text: string }
  | { readonly kind: 'close' };

export type Answer =
  | { readonly ok: true; readonly rows: readonly Row[] }
  | { readonly ok: false; readonly message: string; readonly code: string; readonly constraint: string; readonly detail: string };
