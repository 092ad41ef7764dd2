/** One run of the worker: a request at a time, each with a deadline, after which the worker is ended like a process by SIGKILL. */
import { Worker } from 'node:worker_threads';
import type { Ms } from '../../core/time.ts';
import type { Answer, Request } from './embedded-protocol.ts';
import type { Row } from './sql.ts';
import { away, isAway, SqlError } from './sql.ts';

export interface WorkerLink {
  /** As Queries in sql.ts; `mayHaveHappened` is for when no answer came. Nothing may be asked before the last was answered. */
  ask<R extends Row>(request: Request, withinMs: Ms, mayHaveHappened: boolean): Promise<readonly R[]>;
  alive(): boolean;
  /** Settles when the thread is gone. */
  end(): Promise<void>;
}

/** Resolves when the directory is open. */
export async function startWorker(dir: string, withinMs: Ms): Promise<WorkerLink> {
  const worker = new Worker(new URL('embedded-worker.ts', import.meta.url), { workerData: dir, execArgv: [], stdout: true, stderr: true });
  let waiting: PromiseWithResolvers<Answer> | null = null;
  let reason: string | null = null;
  const gone = Promise.withResolvers<void>();

  const lost = (why: string): void => {
    reason ??= why;
    waiting?.reject(new Error(reason));
    waiting = null;
  };
  worker.on('message', (answer: Answer) => {
    waiting?.resolve(answer);
    waiting = null;
  });
  worker.on('error', (error) => { lost(`it failed: ${error instanceof Error ? error.message : String(error)}`); });
  worker.on('exit', () => {
    lost('it ended');
    gone.resolve();
  });
  // What Postgres prints is of no use to the reader of our output; errors come as answers.
  worker.stdout.resume();
  worker.stderr.resume();

  const answerWithin = async (limitMs: Ms, send: () => void): Promise<Answer> => {
    if (reason !== null) throw new Error(reason);
    waiting = Promise.withResolvers<Answer>();
    const deadline = setTimeout(() => {
      lost(`no answer within ${limitMs} ms`);
      void worker.terminate();
    }, limitMs);
    try {
      const answer = waiting.promise;
      send();
      return await answer;
    } finally {
      clearTimeout(deadline);
    }
  };

  const ask = async <R extends Row>(limitMs: Ms, mayHaveHappened: boolean, send: () => void): Promise<readonly R[]> => {
    const sent = reason === null;
    let answer: Answer;
    try {
      answer = await answerWithin(limitMs, send);
    } catch (error) {
      throw away(error instanceof Error ? error.message : String(error), sent && mayHaveHappened, error);
    }
    if (answer.ok) return answer.rows as readonly R[];
    if (answer.code !== '' && !isAway(answer.code)) throw new SqlError(answer.message, answer.code, answer.constraint, answer.detail);
    // Without a code it was not Postgres that refused, but the machine it runs in that broke.
    if (answer.code === '' || answer.code.startsWith('XX')) void worker.terminate();
    throw away(answer.message, mayHaveHappened);
  };

  const link: WorkerLink = {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    ask: (request, limitMs, mayHaveHappened) => ask(limitMs, mayHaveHappened, () => { worker.postMessage(request); }),
    alive: () => reason === null,
    end: async () => {
      reason ??= 'it was closed';
      await worker.terminate();
      await gone.promise;
    },
  };
  try {
    await ask(withinMs, false, () => {});
  } catch (error) {
    await link.end();
    throw error;
  }
  return link;
}
