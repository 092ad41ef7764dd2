/**
 * What the contacts of an account cost: a file of them imported as the API does it, into the database that Frontdesk has
 * by itself; held in memory; looked up by a call.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { readContactFile } from '../../control-plane/contacts/contact-file.ts';
import { createContacts, type Contacts } from '../../control-plane/contacts/contacts.ts';
import { openDatabase } from '../../control-plane/store/postgres/open-database.ts';
import { account, set, user } from '../contract/database-fixture.ts';
import { silent } from '../runtime/sample-call.ts';

export interface ContactFigures {
  readonly contacts: number;
  readonly fileBytes: number;
  readonly readMs: number;
  /** From then until they are in the database and known here. */
  readonly takeMs: number;
  /** Of the event loop, meanwhile. */
  readonly longestPauseMs: number;
  /** Of the process, with the database in it. */
  readonly residentBytes: { readonly before: number; readonly peak: number };
  /** Of the heap. */
  readonly bytesEach: number;
  readonly lookUpNs: number;
}

const clinic = 'clinic';
const owners = 200;
const hasUser = (id: string): boolean => id.startsWith('user-');
const sampledEveryMs = 5;
const lookUps = 2_000_000;

export async function measureContacts(count: number): Promise<ContactFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'frontdesk-bench-'));
  const database = await openDatabase({ dataDir: folder, log: silent });
  const contacts = createContacts({ store: database.contacts, copyFile: join(folder, 'contacts.ndjson'), hasUser: (_, id) => hasUser(id), log: silent });
  try {
    await database.config.apply(set(0, account(clinic), ...Array.from({ length: owners }, (_, i) => user(`user-${i}`))));
    await contacts.catchUp();
    const empty = await liveBytes();
    const imported = await measureImport(contacts, count);
    return { contacts: count, ...imported, bytesEach: (await liveBytes() - empty) / count, lookUpNs: lookUpNs(contacts, count) };
  } finally {
    await contacts.stop();
    await database.close();
    await rm(folder, { recursive: true });
  }
}

async function measureImport(contacts: Contacts, count: number): Promise<Omit<ContactFigures, 'contacts' | 'bytesEach' | 'lookUpNs'>> {
  const bytes = fileOf(count);
  const before = process.memoryUsage.rss();
  let peak = before;
  const sampling = setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()); }, sampledEveryMs);
  const pauses = monitorEventLoopDelay({ resolution: 1 });
  pauses.enable();
  const began = performance.now();
  const read = await readContactFile(bytes, hasUser);
  const readAt = performance.now();
  const done = read.ok ? await contacts.import(clinic, read.file, 'add') : undefined;
  const takenAt = performance.now();
  pauses.disable();
  clearInterval(sampling);
  if (done?.ok !== true || done.created !== count) throw new Error('The file was not imported');
  return { fileBytes: bytes.length, readMs: readAt - began, takeMs: takenAt - readAt, longestPauseMs: pauses.max / 1e6, residentBytes: { before, peak } };
}

function fileOf(count: number): Uint8Array {
  const lines = Array.from({ length: count }, (_, i) => `${numberAt(i)},Patient ${i},user-${i % owners},${i % 2 === 0 ? 'regular' : 'new'};insured,Insurer ${i % 50}\n`);
  return Buffer.from(['number,name,owner,tags,field.insurance\n', ...lines].join(''));
}

function numberAt(i: number): string {
  return `+1312${2_000_000 + i * 7}`;
}

/** By the text of a number that comes with a call, and so is no text that is known. */
function lookUpNs({ contactOf }: Contacts, count: number): number {
  const asked = Array.from({ length: count }, (_, i) => numberAt((i * 7919) % count));
  const began = performance.now();
  let found = 0;
  for (let i = 0; i < lookUps; i += 1) if (contactOf(clinic, asked[i % count] ?? '') !== undefined) found += 1;
  if (found !== lookUps) throw new Error('A contact was not found');
  return ((performance.now() - began) * 1e6) / lookUps;
}

/** After a collection. */
async function liveBytes(): Promise<number> {
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.collectGarbage');
    return process.memoryUsage().heapUsed;
  } finally {
    session.disconnect();
  }
}
