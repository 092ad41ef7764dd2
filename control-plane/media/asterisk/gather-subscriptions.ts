import type { AriClient } from './ari/ari-client.ts';
import type { AriResult } from './ari/ari-result.ts';

/** Settles with a result for each source, such as `channel:…`, in their order; never rejects. */
export type Subscribe = (ari: AriClient, sources: readonly string[]) => Promise<readonly AriResult<unknown>[]>;

/** Of one request, which may have 60,000 bytes. */
const atOnce = 300;

interface Asked {
  readonly source: string;
  readonly settle: (result: AriResult<unknown>) => void;
}

/**
 * What is asked for in one turn of the event loop goes in one request: its answer lists everything that the application is
 * subscribed to, so that a request for each of a thousand calls would cost the square of them. A list is refused whole for
 * one source that has gone; then each half is tried alone.
 */
export function gatherSubscriptions(): Subscribe {
  const waiting = new Map<AriClient, Asked[]>();

  const send = async (ari: AriClient, asked: readonly Asked[]): Promise<void> => {
    if (asked.length === 0) return;
    const result = await ari.request('applications.subscribe', { applicationName: ari.app, eventSource: asked.map(({ source }) => source) });
    const half = Math.ceil(asked.length / 2);
    if (!result.ok && result.status !== undefined && asked.length > 1) await Promise.all([send(ari, asked.slice(0, half)), send(ari, asked.slice(half))]);
    else for (const { settle } of asked) settle(result);
  };
  const sendAll = (ari: AriClient): void => {
    const all = waiting.get(ari) ?? [];
    waiting.delete(ari);
    for (let from = 0; from < all.length; from += atOnce) void send(ari, all.slice(from, from + atOnce));
  };

  return (ari, sources) => Promise.all(sources.map((source) => new Promise<AriResult<unknown>>((settle) => {
    const already = waiting.get(ari);
    if (already === undefined) {
      waiting.set(ari, [{ source, settle }]);
      setImmediate(sendAll, ari);
    } else already.push({ source, settle });
  })));
}
