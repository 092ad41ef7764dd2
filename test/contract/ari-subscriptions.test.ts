/** Subscriptions to many calls at once, against a switch that refuses a list for one source that has gone. */
import { describe, expect, test } from 'vitest';
import type { AriClient } from '../../control-plane/media/asterisk/ari/ari-client.ts';
import { gatherSubscriptions } from '../../control-plane/media/asterisk/gather-subscriptions.ts';

const switchWithout = (gone: readonly string[], link = true) => {
  const requests: string[][] = [];
  const request = async (_operation: string, { eventSource }: { readonly eventSource: string[] }) => {
    requests.push(eventSource);
    if (!link) return { ok: false, error: 'unreachable', message: 'no link', sent: false };
    return eventSource.some((source) => gone.includes(source)) ? { ok: false, error: 'gone', status: 422, message: 'gone', sent: true } : { ok: true, status: 200, body: {} };
  };
  return { requests, ari: { app: 'frontdesk-x', request } as unknown as AriClient };
};
const sourcesOf = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `channel:${i}`);

describe('Subscriptions asked for together', () => {
  test('go in one request, those of a later turn in another', async () => {
    const { ari, requests } = switchWithout([]);
    const subscribe = gatherSubscriptions();
    const results = await Promise.all([subscribe(ari, ['channel:a', 'bridge:a']), subscribe(ari, ['channel:b']), subscribe(ari, [])]);
    await subscribe(ari, ['channel:c']);
    expect(results.map((each) => each.map(({ ok }) => ok))).toEqual([[true, true], [true], []]);
    expect(requests).toEqual([['channel:a', 'bridge:a', 'channel:b'], ['channel:c']]);
  });

  test('are refused for those that have gone alone', async () => {
    const gone = ['channel:7', 'channel:8', 'channel:99'];
    const { ari, requests } = switchWithout(gone);
    const results = await gatherSubscriptions()(ari, sourcesOf(100));
    expect(results.flatMap(({ ok }, i) => (ok ? [] : [`channel:${i}`]))).toEqual(gone);
    expect(requests.length).toBeLessThan(40);
  });

  test('are not longer than a request may be', async () => {
    const { ari, requests } = switchWithout([]);
    await gatherSubscriptions()(ari, sourcesOf(1000));
    expect(Math.max(...requests.map(({ length }) => length))).toBeLessThanOrEqual(300);
    expect(requests.flat()).toEqual(sourcesOf(1000));
  });

  test('fail once, and all, without a link', async () => {
    const { ari, requests } = switchWithout([], false);
    expect((await gatherSubscriptions()(ari, sourcesOf(50))).every((result) => !result.ok && result.error === 'unreachable')).toBe(true);
    expect(requests).toHaveLength(1);
  });
});
