/**
 * Who looks after which call, in Redis: a lease per controller, and the owner of each call. All decisions are made by
 * the scripts of lua/, one at a time and by the server's clock, so that two controllers never both own a call.
 *
 * Calls that begin and end are noted in batches and never waited for: what Redis has not been told of, or has forgotten,
 * is found on the switch.
 */
import type { Redis } from 'ioredis';
import type { CallId } from '../../core/ids.ts';
import { hour, type EpochMs, type Ms } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Ownership } from '../ports.ts';
import { redisScript } from './scripts.ts';

export interface RedisOwnershipOptions {
  readonly redis: Redis;
  /** This controller's name. */
  readonly controller: string;
  readonly leaseMs: Ms;
  /** After Redis was away, or has lost its memory, others’ calls are left alone for so long: they may not have said yet that they live. */
  readonly settleMs?: Ms;
  readonly log: Log;
}

const [leasesKey, tokensKey, fenceKey, ownersKey, sinceKey, heldKey] = ['fd:leases', 'fd:tokens', 'fd:fence', 'fd:owners', 'fd:since', 'fd:held'] as const;
const noteKeys = [tokensKey, ownersKey, leasesKey] as const;
const renewKeys = [leasesKey, tokensKey, fenceKey, sinceKey, heldKey] as const;
const ownKeys = [leasesKey, tokensKey, ownersKey, sinceKey, heldKey] as const;
/** What begins and ends within this time is told together. */
const gatherMs: Ms = 10;
/** A call that is over is nobody's to finish: longer than any journal of it is looked at. */
const rememberMs: Ms = 24 * hour;
/** Calls that ended lately: a controller that is restarted may have journals of them on its disk. */
const rememberedOver = 10_000;
/** Of one script: a thousand take about a millisecond of Redis. */
const callsAtOnce = 1000;

/** What renew-lease.lua returns. */
type Renewal = readonly ['lapsed' | 'replaced'] | readonly [token: string, leads: 0 | 1, others: readonly string[], lapsed: readonly string[], now: EpochMs];
/** What own-calls.lua returns: owned, over, settled; -1: the lease is not held. */
type Owned = readonly [readonly CallId[], readonly CallId[], 0 | 1 | -1];

export function redisOwnership({ redis, controller, leaseMs, settleMs = 3 * leaseMs, log }: RedisOwnershipOptions): Ownership {
  const [renewLease, ownCalls, noteCalls, countOrphans] = [redisScript(redis, 'renew-lease'), redisScript(redis, 'own-calls'), redisScript(redis, 'note-calls'), redisScript(redis, 'count-orphans')];
  /** Of the lease that is held; null before the first. */
  let held: number | null = null;
  const mine = new Set<CallId>();
  const begun = new Set<CallId>();
  /** Begun, and not noted when they were new: another may have taken them since. */
  const begunBefore = new Set<CallId>();
  const ended = new Set<CallId>();
  const givenBack = new Set<CallId>();
  /** Told again to a Redis that may have forgotten them. */
  const over = new Set<CallId>();
  let timer: NodeJS.Timeout | null = null;
  let telling = false;

  const forget = (callId: CallId): void => {
    mine.delete(callId);
    begun.delete(callId);
    begunBefore.delete(callId);
  };
  const tellSoon = (): void => {
    if (timer !== null || telling || held === null || begun.size + begunBefore.size + ended.size + givenBack.size === 0) return;
    timer = setTimeout(() => {
      timer = null;
      void tell();
    }, gatherMs);
  };
  const tell = async (): Promise<void> => {
    const [news, late, past, back] = [begun, begunBefore, ended, givenBack].map((calls) => [...calls].slice(0, callsAtOnce)) as [CallId[], CallId[], CallId[], CallId[]];
    if (held === null || news.length + late.length + past.length + back.length === 0 || redis.status !== 'ready') return;
    telling = true;
    for (const callId of news) begun.delete(callId);
    for (const callId of late) begunBefore.delete(callId);
    for (const callId of past) ended.delete(callId);
    for (const callId of back) givenBack.delete(callId);
    let told = false;
    try {
      told = (await noteCalls(noteKeys, [controller, held, rememberMs, news.length, past.length, back.length, ...news, ...past, ...back, ...late])) === 1;
    } catch (error) {
      log.debug({ error: String(error) }, 'Redis was not told whose calls are whose');
    }
    telling = false;
    if (told) {
      tellSoon();
      return;
    }
    // Said again with the next lease, or when Redis is back.
    for (const callId of [...news, ...late]) if (mine.has(callId)) begunBefore.add(callId);
    for (const callId of past) if (!mine.has(callId)) ended.add(callId);
    for (const callId of back) if (!mine.has(callId)) givenBack.add(callId);
  };
  const claim: Ownership['claim'] = async (token, calls) => {
    const all = { mine: new Set<CallId>(), over: new Set<CallId>(), settled: true };
    for (let from = 0; from < calls.length; from += callsAtOnce) {
      const some = calls.slice(from, from + callsAtOnce).flatMap(({ callId, believed }) => [callId, believed ?? '']);
      const reply = (await ownCalls(ownKeys, [controller, token, settleMs, 'claim', ...some])) as Owned;
      if (reply[2] === -1) throw new Error('The lease is not held.');
      for (const callId of owned(reply)) all.mine.add(callId);
      for (const callId of reply[1]) all.over.add(callId);
      all.settled &&= reply[2] === 1;
    }
    return all;
  };
  const owned = ([callIds]: Owned): readonly CallId[] => {
    for (const callId of callIds) {
      // One that ended while this was asked stays so.
      if (over.has(callId)) ended.add(callId);
      else mine.add(callId);
    }
    tellSoon();
    return callIds;
  };

  redis.on('ready', tellSoon);

  return {
    renew: async (token) => {
      const reply = (await renewLease(renewKeys, [controller, token ?? '', leaseMs])) as Renewal;
      if (reply.length === 1) return { held: false, why: reply[0] };
      const [said, leads, others, lapsed, storeAt] = reply;
      if (held !== Number(said)) {
        held = Number(said);
        for (const callId of begun) begunBefore.add(callId);
        begun.clear();
        // Whose calls are whose is claimed anew by who has them; what is over, nobody else can say.
        for (const callId of over) ended.add(callId);
        tellSoon();
      }
      return { held: true, token: held, leads: leads === 1, others, lapsed, storeAt };
    },
    begin: (callId) => {
      mine.add(callId);
      ended.delete(callId);
      givenBack.delete(callId);
      begun.add(callId);
      tellSoon();
    },
    end: (callId) => {
      forget(callId);
      ended.add(callId);
      over.add(callId);
      const [oldest] = over;
      if (over.size > rememberedOver && oldest !== undefined) over.delete(oldest);
      tellSoon();
    },
    giveBack: (callId) => {
      forget(callId);
      givenBack.add(callId);
      tellSoon();
    },
    lose: (callId) => {
      forget(callId);
    },
    claim,
    take: async (token, from, atMost) => owned((await ownCalls(ownKeys, [controller, token, settleMs, 'take', from, atMost])) as Owned),
    orphans: async () => (await countOrphans([leasesKey, ownersKey], [])) as number,
    list: async (token) => ((await ownCalls(ownKeys, [controller, token, settleMs, 'list'])) as Owned)[0],
    leave: async (token) => {
      await tell();
      held = null;
      await renewLease(renewKeys, [controller, token, -1]);
    },
    stop: () => {
      held = null;
      if (timer !== null) clearTimeout(timer);
      redis.off('ready', tellSoon);
    },
  };
}
