/**
 * The wire between a controller and its switch, in a thread of its own: what is late in this process must not make the
 * controller late.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface Wire {
  /** The switch's address, by way of this. */
  readonly url: string;
  /** Breaks every connection, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export type WireOrder = 'cut' | 'mend';

export async function startWire(switchUrl: string): Promise<Wire> {
  const worker = new Worker(new URL('wire-thread.ts', import.meta.url), { workerData: switchUrl });
  const [url] = (await once(worker, 'message')) as [string];
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window's
  const order = (what: WireOrder): void => { worker.postMessage(what); };
  return {
    url,
    cut: () => { order('cut'); },
    mend: () => { order('mend'); },
    close: async () => { await worker.terminate(); },
  };
}
