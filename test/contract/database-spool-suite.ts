/** Records of calls reach the database from the archive's files, each once. */
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { openFileArchive } from '../../control-plane/store/files/call-archive.ts';
import { StoreAwayError } from '../../control-plane/store/ports.ts';
import { startCdrSpool, type CdrSpool, type CdrSpoolOptions } from '../../control-plane/store/postgres/cdr-spool.ts';
import type { SqlDatabase } from '../../control-plane/store/postgres/open-database.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { silent } from '../runtime/sample-call.ts';
import { until } from '../support/until.ts';
import { cdr, type DatabaseFixture, type DatabasePlace } from './database-fixture.ts';

/** As the archive writes it. */
const line = (one: Cdr): string => `${JSON.stringify(one)}\n`;

const all = (spool: CdrSpool): Promise<unknown> => until(() => spool.pending() === 0 && spool.problem() === null, { describe: 'nothing is pending' });

export function spoolContract(fixture: () => DatabaseFixture): void {
  describe('the spool of call records', () => {
    let place: DatabasePlace;
    let db: SqlDatabase;
    const spools: CdrSpool[] = [];
    beforeEach(async () => {
      place = await fixture().place();
      db = await place.open();
      await mkdir(join(place.dataDir, 'cdrs'), { recursive: true });
    });
    afterEach(async () => {
      for (const spool of spools.splice(0)) await spool.stop();
      await place.dispose();
    });

    const start = (options: Partial<CdrSpoolOptions> = {}): CdrSpool => {
      const spool = startCdrSpool({ dir: place.dataDir, store: db.cdrs, log: silent, metrics: createMetrics(), everyMs: 10, backOffMs: 5, ...options });
      spools.push(spool);
      return spool;
    };
    const file = (day: string): string => join(place.dataDir, 'cdrs', `${day}.ndjson`);
    const write = (day: string, ...ids: readonly string[]): Promise<void> => appendFile(file(day), ids.map((id) => line(cdr(id))).join(''));
    const stored = async (): Promise<string[]> => (await db.cdrs.search({}, { limit: 1000 })).items.map(({ callId }) => callId).sort();
    const arrived = (...ids: readonly string[]): Promise<unknown> => until(async () => (await stored()).join() === ids.join(), { describe: `${ids.join()} arrive` });
    /** Of the database, as it counts what arrives. */
    const counted = (): { readonly store: CdrSpoolOptions['store']; readonly ids: string[] } => {
      const ids: string[] = [];
      return {
        ids,
        store: {
          sentOf: (spool) => db.cdrs.sentOf(spool),
          addFromSpool: async (cdrs, mark) => {
            await db.cdrs.addFromSpool(cdrs, mark);
            ids.push(...cdrs.map(({ callId }) => callId));
          },
        },
      };
    };

    it('sends what the archive writes', async () => {
      const archive = await openFileArchive({ dir: place.dataDir, log: silent, metrics: createMetrics(), everyMs: 5 });
      const spool = start();
      await archive.writeCdr(cdr('a'));
      spool.wake();
      await arrived('a');
      expect(await db.cdrs.get('a')).toEqual(cdr('a'));
      await archive.stop();
    });

    it('sends the files of all days, and goes on after a restart where it was', async () => {
      await write('2026-11-20', 'a', 'b');
      await write('2026-11-21', 'c');
      const before = counted();
      const first = start(before);
      await arrived('a', 'b', 'c');
      await all(first);
      await first.stop();
      await write('2026-11-20', 'd');
      await write('2026-11-21', 'e');
      await db.close();
      db = await place.open();
      const after = counted();
      start(after);
      await arrived('a', 'b', 'c', 'd', 'e');
      expect([before.ids, after.ids]).toEqual([['a', 'b', 'c'], ['d', 'e']]);
    });

    it('does not wait for a file that was removed before it could be sent', async () => {
      await write('2025-11-20', 'a');
      let away = true;
      const whenThere = <T>(work: () => Promise<T>): Promise<T> => (away ? Promise.reject(new StoreAwayError('gone for a year', false)) : work());
      const spool = start({ store: { sentOf: (id) => whenThere(() => db.cdrs.sentOf(id)), addFromSpool: (cdrs, mark) => whenThere(() => db.cdrs.addFromSpool(cdrs, mark)) } });
      await until(() => spool.pending() === 1, { describe: 'it waits' });
      await rm(file('2025-11-20'));
      await write('2026-11-21', 'b');
      away = false;
      await arrived('b');
      await all(spool);
      expect(spool.skipped()).toBe(0);
    });

    it('sends a line when it is complete', async () => {
      const text = line(cdr('a'));
      await writeFile(file('2026-11-21'), text.slice(0, 100));
      const spool = start();
      await write('2026-11-20', 'z');
      await arrived('z');
      await appendFile(file('2026-11-21'), text.slice(100));
      await arrived('a', 'z');
      expect(spool.skipped()).toBe(0);
    });

    it('passes a rotten line over, and says so', async () => {
      await write('2026-11-21', 'a');
      await appendFile(file('2026-11-21'), '{"callId":"torn","acc\n\n{"callId":"c"}\n');
      await write('2026-11-21', 'b');
      const spool = start();
      await arrived('a', 'b');
      await all(spool);
      expect(spool.skipped()).toBe(3);
    });

    it('passes over what the database refuses, and loses none beside it', async () => {
      await write('2026-11-21', 'a');
      await appendFile(file('2026-11-21'), line(cdr('b', { startedAt: Number.MAX_SAFE_INTEGER, disposition: 'x'.repeat(10) as 'busy', dialled: 'y'.repeat(20_000).replaceAll('y', () => Math.random().toString(36)) })));
      await write('2026-11-21', 'c');
      const spool = start();
      await arrived('a', 'c');
      await all(spool);
      expect(spool.skipped()).toBe(1);
    });

    it('sends lines longer than a batch, and many small ones', async () => {
      const ids = Array.from({ length: 20 }, (_, index) => `c${index}`).sort();
      await write('2026-11-21', ...ids);
      const { store, ids: sent } = counted();
      const spool = start({ batchBytes: 300, store });
      await arrived(...ids);
      await all(spool);
      expect(sent.sort()).toEqual(ids);
    });

    it('counts what waits while the database is away, and sends each once when it is back', async () => {
      const { store, ids } = counted();
      let away = true;
      const spool = start({
        store: {
          sentOf: store.sentOf,
          addFromSpool: async (cdrs, mark) => {
            if (away) throw new StoreAwayError('away', false);
            await store.addFromSpool(cdrs, mark);
          },
        },
      });
      await write('2026-11-21', 'a', 'b', 'c');
      await until(() => spool.pending() === 3 && spool.problem() !== null, { describe: 'three wait' });
      away = false;
      await arrived('a', 'b', 'c');
      await all(spool);
      expect(ids).toEqual(['a', 'b', 'c']);
    });

    it('sends all again to a database that is another', async () => {
      await write('2026-11-21', 'a', 'b');
      await all(start());
      await arrived('a', 'b');
      for (const spool of spools.splice(0)) await spool.stop();
      const old = place;
      place = await fixture().place();
      db = await place.open();
      const { store, ids } = counted();
      start({ dir: old.dataDir, store });
      await arrived('a', 'b');
      expect(ids).toEqual(['a', 'b']);
      for (const spool of spools.splice(0)) await spool.stop();
      await old.dispose();
    });
  });
}
