/**
 * Postgres in a thread of its own: a slow query would stall every call on the main one. Answers once when the
 * directory (`workerData`) is open, and then once per request.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import type { Answer, Request } from './embedded-protocol.ts';
import type { Row } from './sql.ts';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function refusal(error: unknown): Answer {
  const fields = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
  return { ok: false, message: messageOf(error), code: textOf(fields['code']), constraint: textOf(fields['constraint']), detail: textOf(fields['detail']) };
}

/** ENOSPC of WebAssembly's system interface (WASI). */
const noSpace = 51;

/** What the file system below throws is no Error, and has a message or a number. */
function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  const { message, errno } = (typeof error === 'object' && error !== null ? error : {}) as { readonly message?: unknown; readonly errno?: unknown };
  if (typeof message === 'string' && message !== '') return message;
  if (errno === noSpace) return 'the disk is full';
  return typeof errno === 'number' ? `its files cannot be read or written (error ${errno})` : String(error);
}

async function answer(database: PGlite, request: Request): Promise<Answer> {
  try {
    switch (request.kind) {
      case 'query':
        return { ok: true, rows: (await database.query<Row>(request.text, [...request.values])).rows };
      case 'script':
        await database.exec(request.text);
        return { ok: true, rows: [] };
      case 'close':
        await database.close();
        return { ok: true, rows: [] };
    }
  } catch (error) {
    return refusal(error);
  }
}

async function serve(port: NonNullable<typeof parentPort>, dir: string): Promise<void> {
  let database: PGlite;
  try {
    database = await PGlite.create(dir);
  } catch (error) {
    port.postMessage(refusal(error));
    return;
  }
  port.on('message', (request: Request) => {
    void answer(database, request).then((said) => { port.postMessage(said); });
  });
  port.postMessage({ ok: true, rows: [] } satisfies Answer);
}

if (parentPort !== null) await serve(parentPort, String(workerData));
