/**
 * Live journals in Redis: per call a list `fd:{callId}:journal`, and the set `fd:calls` of all of them.
 *
 * Appending returns at once. What is to be sent gathers per call, and one batch is on its way at a time, so batches
 * grow with the load and their order is certain. A batch whose reply does not come is sent again; the script ignores
 * what is there already. While Redis is away records wait in memory up to a bound; beyond it a call's journal ends
 * where it is (a prefix is useful, a journal with a hole is not) and the rest is counted as dropped.
 */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { CallId } from '../../core/ids.ts';
import type { Ms } from '../../core/time.ts';
import { hour } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { LiveJournals } from '../ports.ts';
import { recordOf, recordText } from '../record-line.ts';

export interface RedisJournalsOptions {
  readonly redis: Redis;
  /** This controller's name: what it writes of a call that is another's by now is refused. */
  readonly controller: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Records waiting for Redis, in characters. */
  readonly maxBuffered?: number;
  readonly ttlMs?: Ms;
  /** `flush` settles after this, sent or not. */
  readonly flushMs?: Ms;
}

export interface RedisJournals extends LiveJournals {
  /** Ends the connection; what has not been sent is lost. */
  stop(): void;
}

const indexKey = 'fd:calls';
const ownersKey = 'fd:owners';
const journalKey = (callId: CallId): string => `fd:{${callId}}:journal`;
const appendScript = readFileSync(new URL('lua/append-journal.lua', import.meta.url), 'utf8');
/** What one batch may hold, so that it neither blocks Redis nor outlives the command's deadline. */
const batchCharacters = 1_000_000;
/** A call that waits to be closed costs this much of the buffer. */
const closeCharacters = 100;
const againMs: Ms = 250;
/** What append-journal.lua answers where another controller has the call. */
const notOurs = -1;
/** What is written within this time goes in one batch; a crash may lose 200 ms. */
const gatherMs: Ms = 10;

interface Pending {
  /** Index of the first of `texts`. */
  from: number;
  texts: string[];
  indexed: boolean;
  closing: boolean;
  /** The journal in Redis cannot be continued. */
  broken: boolean;
}

type Sent =
  | { readonly kind: 'append'; readonly callId: CallId; readonly pending: Pending; readonly count: number; readonly characters: number }
  | { readonly kind: 'close'; readonly callId: CallId };

export function redisJournals(options: RedisJournalsOptions): RedisJournals {
  const { redis, controller, log, metrics } = options;
  const maxBuffered = options.maxBuffered ?? 64_000_000;
  const ttlMs = options.ttlMs ?? 24 * hour;
  const calls = new Map<CallId, Pending>();
  /** Calls with something to send, in the order it came. */
  const dirty = new Set<CallId>();
  let buffered = 0;
  let scheduled = false;
  let sending = false;
  let sha: string | null = null;
  let stopped = false;
  let again: NodeJS.Timeout | null = null;
  let idle: (() => void)[] = [];
  metrics.gauge('live_journal_buffered_characters', () => buffered);

  const pendingOf = (callId: CallId): Pending => {
    let pending = calls.get(callId);
    if (pending === undefined) {
      pending = { from: 0, texts: [], indexed: false, closing: false, broken: false };
      calls.set(callId, pending);
    }
    return pending;
  };

  const schedule = (): void => {
    if (scheduled || sending || stopped) return;
    scheduled = true;
    setTimeout(() => {
      scheduled = false;
      void send();
    }, gatherMs);
  };

  const append: LiveJournals['append'] = (callId, record) => {
    const pending = pendingOf(callId);
    if (pending.closing) return;
    const text = recordText(record);
    if (pending.broken || buffered + text.length > maxBuffered) {
      if (!pending.broken) log.warn({ call: callId }, 'Redis is away too long: a live journal ends here, the archive goes on');
      pending.broken = true;
      metrics.count('live_journal_dropped_total');
      return;
    }
    buffered += text.length;
    pending.texts.push(text);
    dirty.add(callId);
    schedule();
  };

  const forget = (callId: CallId): void => {
    const pending = calls.get(callId);
    if (pending === undefined) return;
    for (const text of pending.texts) buffered -= text.length;
    if (pending.closing) buffered -= closeCharacters;
    calls.delete(callId);
    dirty.delete(callId);
  };

  const letGo: LiveJournals['letGo'] = (callId) => {
    if (calls.get(callId)?.closing !== true) forget(callId);
  };

  const close: LiveJournals['close'] = (callId) => {
    const pending = pendingOf(callId);
    if (pending.closing) return;
    for (const text of pending.texts) buffered -= text.length;
    pending.texts = [];
    if (buffered + closeCharacters > maxBuffered) {
      // Its keys expire, and a reconcile closes what has a CDR.
      metrics.count('live_journal_dropped_total');
      forget(callId);
      return;
    }
    pending.closing = true;
    buffered += closeCharacters;
    dirty.add(callId);
    schedule();
  };

  const send = async (): Promise<void> => {
    if (sending || stopped || dirty.size === 0) return;
    if (redis.status !== 'ready') {
      sendLater();
      return;
    }
    sending = true;
    let lost = false;
    try {
      sha ??= (await redis.script('LOAD', appendScript)) as string;
      lost = await sendBatch(sha);
    } catch (error) {
      lost = true;
      metrics.count('live_journal_errors_total');
      log.debug({ error: String(error) }, 'A batch of live journals did not get through');
    }
    sending = false;
    if (dirty.size === 0) {
      for (const settle of idle) settle();
      idle = [];
    } else if (lost) {
      sendLater();
    } else {
      schedule();
    }
  };

  const sendLater = (): void => {
    if (again !== null || stopped) return;
    again = setTimeout(() => {
      again = null;
      schedule();
    }, againMs);
    again.unref();
  };

  /** True when something has to be sent again. */
  const sendBatch = async (script: string): Promise<boolean> => {
    const pipeline = redis.pipeline();
    /** What each command of the pipeline was for. */
    const sent: (Sent | null)[] = [];
    let characters = 0;
    for (const callId of dirty) {
      if (characters > batchCharacters) break;
      const pending = pendingOf(callId);
      if (pending.closing) {
        pipeline.srem(indexKey, callId);
        pipeline.unlink(journalKey(callId));
        sent.push(null, { kind: 'close', callId });
        continue;
      }
      if (!pending.indexed) {
        pipeline.sadd(indexKey, callId);
        sent.push(null);
      }
      pipeline.evalsha(script, 2, journalKey(callId), ownersKey, pending.from, ttlMs, callId, controller, ...pending.texts);
      const size = pending.texts.reduce((sum, text) => sum + text.length, 0);
      sent.push({ kind: 'append', callId, pending, count: pending.texts.length, characters: size });
      characters += size;
    }
    const replies = (await pipeline.exec()) ?? [];
    let lost = false;
    let previousFailed = false;
    for (const [index, one] of sent.entries()) {
      const [error, reply] = replies[index] ?? [new Error('no reply'), undefined];
      if (error !== null && error.message.startsWith('NOSCRIPT')) sha = null;
      if (one === null) {
        previousFailed = error !== null;
        continue;
      }
      if (error !== null || previousFailed) {
        lost = true;
        metrics.count('live_journal_errors_total');
      } else {
        settle(one, Number(reply));
      }
      previousFailed = false;
    }
    return lost;
  };

  const settle = (one: Sent, length: number): void => {
    const pending = calls.get(one.callId);
    if (one.kind === 'close') {
      forget(one.callId);
      return;
    }
    // Closed while its records were on their way: the close is next, and has emptied the buffer.
    if (pending === undefined || pending !== one.pending || pending.closing) return;
    pending.indexed = true;
    pending.texts.splice(0, one.count);
    buffered -= one.characters;
    metrics.count('live_journal_records_total', one.count);
    if (length < pending.from + one.count) {
      if (length === notOurs) {
        log.debug({ call: one.callId }, 'Another controller has the call: its live journal is not added to');
      } else {
        metrics.count('live_journal_gaps_total');
        log.warn({ call: one.callId }, 'Redis has lost a live journal; the archive goes on');
      }
      pending.broken = true;
      for (const text of pending.texts) buffered -= text.length;
      pending.texts = [];
    }
    pending.from += one.count;
    if (pending.texts.length === 0) dirty.delete(one.callId);
  };

  redis.on('ready', schedule);
  redis.on('close', () => { sha = null; });

  return {
    append,
    close,
    read: async (callId) => (await redis.lrange(journalKey(callId), 0, -1)).map(recordOf),
    takeUp: async (callId) => {
      letGo(callId);
      let texts: string[];
      try {
        texts = await redis.lrange(journalKey(callId), 0, -1);
      } catch (error) {
        // What is there is unknown, so it cannot be continued.
        if (!calls.has(callId)) pendingOf(callId).broken = true;
        throw error;
      }
      if (!calls.has(callId) && texts.length > 0) calls.set(callId, { from: texts.length, texts: [], indexed: true, closing: false, broken: false });
      return texts.map(recordOf);
    },
    letGo,
    list: () => redis.smembers(indexKey),
    flush: () => {
      if (dirty.size === 0 && !sending) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      const deadline = setTimeout(resolve, options.flushMs ?? 2000);
      idle.push(() => {
        clearTimeout(deadline);
        resolve();
      });
      schedule();
      return promise;
    },
    stop: () => {
      stopped = true;
      if (again !== null) clearTimeout(again);
      for (const settleFlush of idle) settleFlush();
      idle = [];
      redis.disconnect();
    },
  };
}
