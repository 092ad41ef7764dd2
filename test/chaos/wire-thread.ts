/** The thread of wire.ts: a link proxy that is told by messages. */
import { parentPort, workerData } from 'node:worker_threads';
import { startLinkProxy } from '../support/link-proxy.ts';
import type { WireOrder } from './wire.ts';

const proxy = await startLinkProxy(String(workerData));
parentPort?.on('message', (order: WireOrder) => {
  if (order === 'cut') proxy.cut();
  else proxy.mend();
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window's
parentPort?.postMessage(proxy.url);
