/**
 * Whether calls can be commanded. A call counts as commandable when
 *
 *   – exactly one controller that is ready lists it among its live calls (`/live-calls`),
 *   – the switch says that this controller's application is subscribed to the caller's channel (`GET applications`), so
 *     that it hears what happens, and
 *   – the channel obeys: it takes an ARI command that changes nothing (an end of music that does not play).
 */
import type { Ms } from '../../control-plane/core/time.ts';
import type { Controller } from './controller.ts';

export interface Seat {
  /** The controller's FRONTDESK_INSTANCE. */
  readonly name: string;
  /** Null while it is dead. */
  readonly process: Controller | null;
  readonly apiKey: string;
}

export interface Listed {
  readonly seat: string;
  readonly callId: string;
  readonly from: string;
}

export interface Look {
  /** What the controllers say that are ready; a call of which two say that they have it is there twice. */
  readonly listed: readonly Listed[];
  /** Of one call, given who lists it: why it cannot be commanded; null when nothing speaks against it. */
  readonly problem: (owners: readonly Listed[]) => string | null;
}

export interface Looker {
  look(): Promise<Look>;
  obeys(callId: string): Promise<boolean>;
}

/** Whoever does not answer by then is not there: stopped, or dead. */
const answersWithinMs: Ms = 700;

export function lookerAt(asteriskUrl: string, seats: () => readonly Seat[]): Looker {
  const url = new URL(asteriskUrl);
  const authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
  const ari = async (method: string, path: string): Promise<Response> => fetch(`${url.origin}/ari/${path}`, { method, headers: { authorization }, signal: AbortSignal.timeout(5000) });
  const subscriptions = async (): Promise<ReadonlyMap<string, ReadonlySet<string>>> => {
    const listed = (await (await ari('GET', 'applications')).json()) as readonly { readonly name: string; readonly channel_ids: readonly string[] }[];
    return new Map(listed.map(({ name, channel_ids: ids }) => [name, new Set(ids)]));
  };
  return {
    look: async () => {
      const [listed, subscribed] = await Promise.all([Promise.all(seats().map(liveCallsOf)), subscriptions()]);
      return {
        listed: listed.flat(),
        problem: (owners) => {
          const [owner] = owners;
          if (owner === undefined) return 'nobody has it';
          if (owners.length > 1) return `${owners.map(({ seat }) => seat).join(' and ')} have it`;
          return subscribed.get(`frontdesk-${owner.seat}`)?.has(owner.callId) === true ? null : `${owner.seat} has it and hears nothing of it`;
        },
      };
    },
    obeys: async (callId) => {
      const answer = await ari('DELETE', `channels/${callId}/moh`);
      await answer.arrayBuffer();
      return answer.ok;
    },
  };
}

async function liveCallsOf({ name, process, apiKey }: Seat): Promise<readonly Listed[]> {
  if (process === null) return [];
  try {
    const ask = (path: string): Promise<Response> => fetch(`${process.httpUrl}${path}`, { headers: { authorization: `Bearer ${apiKey}` }, signal: AbortSignal.timeout(answersWithinMs) });
    const [ready, live] = await Promise.all([ask('/readyz'), ask('/api/v1/live-calls')]);
    await ready.arrayBuffer();
    const { items } = (await live.json()) as { readonly items: readonly { readonly callId: string; readonly caller: { readonly number: string } }[] };
    return ready.ok && live.ok ? items.map(({ callId, caller }) => ({ seat: name, callId, from: caller.number })) : [];
  } catch {
    // not there
    return [];
  }
}
