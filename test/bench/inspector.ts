/**
 * The controller seen from inside through Node's inspector (Chrome DevTools Protocol): its heap after a collection,
 * and a CPU profile. Turned on by SIGUSR1 when asked for, so that it costs the measured rounds nothing.
 */
import { WebSocket } from 'ws';
import { until } from '../support/until.ts';

export interface Inspector {
  /** Collects garbage and returns what is left: JavaScript objects and buffers outside the heap. */
  liveBytes(): Promise<number>;
  /** What keeps its event loop going: sockets, timers, requests under way. */
  handles(): Promise<number>;
  startProfile(): Promise<void>;
  /** JSON that Chrome DevTools and others read as a .cpuprofile. */
  stopProfile(): Promise<string>;
  close(): void;
}

/** The process must have been started with `--inspect-port=0`; `output` is what it has written so far. */
export async function inspect(pid: number, output: () => string): Promise<Inspector> {
  process.kill(pid, 'SIGUSR1');
  const url = await until(() => /Debugger listening on (ws:\S+)/.exec(output())?.[1], { describe: 'the controller opens its inspector' });
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 1 << 30 });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const waiting = new Map<number, (result: unknown) => void>();
  let last = 0;
  socket.on('message', (data: Buffer) => {
    const { id, result, error } = JSON.parse(data.toString()) as { id?: number; result?: unknown; error?: unknown };
    if (id === undefined) return;
    waiting.get(id)?.(error === undefined ? result : Promise.reject(new Error(JSON.stringify(error))));
    waiting.delete(id);
  });
  const call = (method: string, params: object = {}): Promise<unknown> => {
    const { promise, resolve } = Promise.withResolvers();
    last += 1;
    waiting.set(last, resolve);
    socket.send(JSON.stringify({ id: last, method, params }));
    return promise;
  };
  return {
    liveBytes: async () => {
      await call('HeapProfiler.collectGarbage');
      const { usedSize, backingStorageSize = 0 } = (await call('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize?: number };
      return usedSize + backingStorageSize;
    },
    handles: async () => {
      const { result } = (await call('Runtime.evaluate', { expression: 'process.getActiveResourcesInfo().length', returnByValue: true })) as { result: { value: number } };
      return result.value;
    },
    startProfile: async () => {
      await call('Profiler.enable');
      await call('Profiler.setSamplingInterval', { interval: 500 });
      await call('Profiler.start');
    },
    stopProfile: async () => {
      const { profile } = (await call('Profiler.stop')) as { profile: unknown };
      await call('Profiler.disable');
      return JSON.stringify(profile);
    },
    close: () => { socket.close(); },
  };
}
