/** What a controller leaves for others to read: records and notices in its data directory, journals in Redis. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Call } from '../../control-plane/core/call/call.ts';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import type { Notice } from '../../control-plane/notify/notices.ts';
import { replay } from '../../control-plane/runtime/replay.ts';
import { readJournals, recent } from '../../control-plane/store/files/journal-files.ts';
import { recordOf } from '../../control-plane/store/record-line.ts';

const linesOf = (file: string): string[] => {
  try {
    return readFileSync(file, 'utf8').split('\n').filter((line) => line !== '');
  } catch {
    return [];
  }
};

const filesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
};

export const cdrsIn = (dataDir: string): Cdr[] => filesIn(join(dataDir, 'cdrs')).flatMap(linesOf).map((line) => JSON.parse(line) as Cdr);

export const noticesIn = (dataDir: string): Notice[] => linesOf(join(dataDir, 'notices.ndjson')).map((line) => JSON.parse(line) as Notice);

/** A call as its journal on the disk tells it, which is written some 200 ms behind; null when it knows none. */
export const callOnDisk = async (dataDir: string, id: string): Promise<Call | null> => {
  const journals = await readJournals(await recent(join(dataDir, 'journals')), (callId) => callId === id);
  return replay(journals.get(id) ?? [])?.call ?? null;
};

/** The live calls as their journals in Redis tell them. */
export const openLiveCalls = (redisUrl: string): { read(): Promise<Call[]>; close(): void } => {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 2 });
  redis.on('error', () => undefined);
  return {
    read: async () => {
      const ids = await redis.smembers('fd:calls');
      const journals = await Promise.all(ids.map((id) => redis.lrange(`fd:{${id}}:journal`, 0, -1)));
      return journals.flatMap((texts) => {
        const past = replay(texts.map(recordOf));
        return past === null ? [] : [past.call];
      });
    },
    close: () => {
      redis.disconnect();
    },
  };
};
