/**
 * Whether every call that is up can be commanded. A call counts as commandable when
 *
 *   – exactly one controller that is ready lists it among its live calls (`/live-calls`),
 *   – the switch says that this controller's application is subscribed to the caller's channel (`GET applications`), so
 *     that it hears what happens, and
 *   – the channel obeys: it takes an ARI command that changes nothing (an end of music that does not play), once a fault.
 *
 * Looked at over and over from the first blow on. A call is looked at from a second after its INVITE until its end.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { EpochMs, Ms } from '../../control-plane/core/time.ts';
import type { Clinic } from './clinic.ts';
import { isFailsafe, type Entry, type Ledger } from './ledger.ts';

export interface Watch {
  /**
   * Settles when every call has been commandable for `forMs`, with the moment from which it was; null when that did not
   * come about in time.
   */
  well(forMs: Ms, withinMs: Ms): Promise<EpochMs | null>;
  /** What was wrong when it was last looked. */
  wrong(): readonly string[];
  /** Each look that found something wrong: when, of how many calls, and of one of them what. */
  looks(): readonly string[];
  stop(): Promise<void>;
}

interface Listed {
  readonly seat: string;
  readonly callId: string;
}

const everyMs: Ms = 200;
/** Whoever does not answer by then is not there: stopped, or dead. */
const answersWithinMs: Ms = 700;
const newMs: Ms = 1000;

export function startWatch(clinic: Clinic, ledger: Ledger): Watch {
  const url = new URL(clinic.asterisk.url);
  const authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
  const obeyed = new Set<string>();
  let wrong: readonly string[] = [];
  let wellSince: EpochMs | null = null;
  const begun = Date.now();
  const looks: string[] = [];
  const ending = new AbortController();

  const ari = async (method: string, path: string): Promise<Response> => fetch(`${url.origin}/ari/${path}`, { method, headers: { authorization }, signal: AbortSignal.timeout(5000) });
  const apps = async (): Promise<ReadonlyMap<string, ReadonlySet<string>>> => {
    const listed = (await (await ari('GET', 'applications')).json()) as readonly { readonly name: string; readonly channel_ids: readonly string[] }[];
    return new Map(listed.map(({ name, channel_ids: ids }) => [name, new Set(ids)]));
  };
  const obeys = async (callId: string): Promise<boolean> => {
    if (obeyed.has(callId)) return true;
    const answer = await ari('DELETE', `channels/${callId}/moh`);
    await answer.arrayBuffer();
    if (answer.ok) obeyed.add(callId);
    return answer.ok;
  };

  const look = async (): Promise<readonly string[]> => {
    const at = Date.now();
    const [listed, subscribed] = await Promise.all([listedBy(clinic), apps()]);
    // Asked only now: who has ended while the others answered is none of them.
    const calls = ledger.up().filter(({ invitedAt, legs }) => invitedAt < at - newMs && !legs.some(isFailsafe));
    const problems = await Promise.all(calls.map(async (entry): Promise<readonly [Entry, string | null]> => {
      const owners = listed.get(entry.from) ?? [];
      const [owner] = owners;
      if (owner === undefined) return [entry, 'nobody has it'];
      if (owners.length > 1) return [entry, `${owners.map(({ seat }) => seat).join(' and ')} have it`];
      if (subscribed.get(`frontdesk-${owner.seat}`)?.has(owner.callId) !== true) return [entry, `${owner.seat} has it and hears nothing of it`];
      return [entry, (await obeys(owner.callId)) ? null : 'its channel obeys nobody'];
    }));
    return problems.flatMap(([{ from, kind, ended, legs }, problem]) => (problem === null || ended !== null || legs.some(({ endedBy }) => endedBy === 'phone') ? [] : [`${from} (${kind.name}): ${problem}`]));
  };
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const at = Date.now();
      wrong = await look().catch((error: unknown) => [String(error)]);
      if (wrong.length > 0) looks.push(`${((at - begun) / 1000).toFixed(1)} s: ${wrong.length} calls, ${wrong[0]}`);
      wellSince = wrong.length > 0 ? null : (wellSince ?? at);
      await delay(everyMs);
    }
  };
  const running = run();

  return {
    well: async (forMs, withinMs) => {
      const from = Date.now();
      while (Date.now() < from + withinMs) {
        if (wellSince !== null && Date.now() - Math.max(wellSince, from) >= forMs) return wellSince;
        await delay(everyMs / 2);
      }
      return null;
    },
    wrong: () => wrong,
    looks: () => looks,
    stop: async () => {
      ending.abort();
      await running;
    },
  };
}

/** By the caller's number: which controllers that are ready say that they have the call. */
async function listedBy({ seats, apiKey }: Clinic): Promise<ReadonlyMap<string, readonly Listed[]>> {
  const all = new Map<string, Listed[]>();
  await Promise.all(seats.map(async ({ name, process }) => {
    if (process === null) return;
    try {
      const ask = (path: string): Promise<Response> => fetch(`${process.httpUrl}${path}`, { headers: { authorization: `Bearer ${apiKey}` }, signal: AbortSignal.timeout(answersWithinMs) });
      const [ready, live] = await Promise.all([ask('/readyz'), ask('/api/v1/live-calls')]);
      await ready.arrayBuffer();
      const { items } = (await live.json()) as { readonly items: readonly { readonly callId: string; readonly caller: { readonly number: string } }[] };
      if (!ready.ok || !live.ok) return;
      for (const { callId, caller } of items) all.set(caller.number, [...(all.get(caller.number) ?? []), { seat: name, callId }]);
    } catch {
      // not there
    }
  }));
  return all;
}
