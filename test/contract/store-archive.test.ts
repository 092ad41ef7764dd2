import { appendFile, chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyCdr, type Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { openFileArchive, type FileArchive } from '../../control-plane/store/files/call-archive.ts';
import { memoryArchive } from '../../control-plane/store/memory-journals.ts';
import type { CallArchive } from '../../control-plane/store/ports.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { onePhonePlan, openingOf, silent, stepAt } from '../runtime/sample-call.ts';

const cdrOf = (callId: string): Cdr => emptyCdr(callId, onePhonePlan);

function suite(make: () => Promise<CallArchive>): void {
  it('gives a journal back as it was written, while the call lives and after its record', async () => {
    const archive = await make();
    archive.append('c1', openingOf('c1'));
    archive.append('c2', openingOf('c2'));
    archive.append('c1', stepAt(1));
    await archive.flush();
    expect(await archive.read('c1')).toEqual([openingOf('c1'), stepAt(1)]);
    expect([...(await archive.listOpen())].sort()).toEqual(['c1', 'c2']);
    await archive.writeCdr(cdrOf('c1'));
    expect(await archive.read('c1')).toEqual([openingOf('c1'), stepAt(1)]);
    expect(await archive.listOpen()).toEqual(['c2']);
  });

  it('keeps one record per call, and refuses a second', async () => {
    const archive = await make();
    expect(await archive.hasCdr('c3')).toBe(false);
    await archive.writeCdr(cdrOf('c3'));
    await archive.writeCdr(cdrOf('c3'));
    expect(await archive.hasCdr('c3')).toBe(true);
  });

  it('knows nothing of a stranger', async () => {
    const archive = await make();
    expect(await archive.read('nobody')).toEqual([]);
  });
}

describe('the archive in memory', () => {
  suite(() => Promise.resolve(memoryArchive()));
});

describe('the archive in the data directory', () => {
  let dir: string;
  const opened: FileArchive[] = [];
  const metrics = createMetrics();
  const make = async (): Promise<FileArchive> => {
    const archive = await openFileArchive({ dir, log: silent, metrics, everyMs: 5, now: () => Date.UTC(2026, 10, 21, 10) });
    opened.push(archive);
    return archive;
  };
  beforeEach(async () => { dir = await mkdtemp(join(tmpdir(), 'frontdesk-archive-')); });
  afterEach(async () => {
    for (const archive of opened.splice(0)) await archive.stop();
    await rm(dir, { recursive: true, force: true });
  });
  suite(make);

  const segment = (): string => join(dir, 'journals', '2026-11-21T10.ndjson');

  it('writes exactly one record per call, also over a restart', async () => {
    await (await make()).writeCdr(cdrOf('r1'));
    const later = await make();
    expect(await later.hasCdr('r1')).toBe(true);
    await later.writeCdr(cdrOf('r1'));
    const lines = (await readFile(join(dir, 'cdrs', '2026-11-21.ndjson'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as Cdr).callId)).toEqual(['r1']);
  });

  it('finds after a crash the calls that were cut short, and continues their journals', async () => {
    const before = await make();
    for (const callId of ['over', 'cut']) before.append(callId, openingOf(callId));
    await before.writeCdr(cdrOf('over'));
    await before.flush();
    const after = await make();
    expect(await after.listOpen()).toEqual(['cut']);
    expect(await after.read('cut')).toEqual([openingOf('cut')]);
    after.append('cut', stepAt(1));
    await after.flush();
    expect(await (await make()).read('cut')).toEqual([openingOf('cut'), stepAt(1)]);
  });

  it('writes a call that comes back from another controller from its opening on, after what it had of it before', async () => {
    const archive = await make();
    await archive.listOpen();
    const before = [openingOf('c1'), stepAt(1), stepAt(2)];
    for (const record of before) archive.append('c1', record);
    archive.letGo('c1');
    expect(await archive.read('c1')).toEqual([]);
    const since = [openingOf('c1'), stepAt(1), stepAt(7), stepAt(8)];
    for (const record of since) archive.append('c1', record);
    await archive.flush();
    expect(await (await make()).read('c1')).toEqual([...before, ...since]);
  });

  it('loses one line, not two, when a crash tore the last', async () => {
    const before = await make();
    before.append('torn', openingOf('torn'));
    await before.stop();
    await appendFile(segment(), '{"callId":"torn","seq":1,"rec');
    const after = await make();
    expect(await after.read('torn')).toEqual([openingOf('torn')]);
    after.append('torn', stepAt(7));
    await after.flush();
    expect(await (await make()).read('torn')).toEqual([openingOf('torn'), stepAt(7)]);
  });

  it('exports one call as replay reads it', async () => {
    const archive = await make();
    archive.append('x1', openingOf('x1'));
    archive.append('x2', openingOf('x2'));
    archive.append('x1', stepAt(1));
    const lines = (await archive.exportJournal('x1')).trim().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([openingOf('x1'), stepAt(1)]);
  });

  it('goes on when the disk does not take a write, says so, and catches up', async () => {
    // A file where the folder should be: a refusal that also root meets.
    await writeFile(join(dir, 'journals'), '');
    const archive = await make();
    archive.append('d1', openingOf('d1'));
    await archive.flush();
    expect(archive.problem()).toContain('cannot be written');
    await rm(join(dir, 'journals'));
    archive.append('d1', stepAt(1));
    await archive.flush();
    expect(archive.problem()).toBeNull();
    expect(await archive.read('d1')).toEqual([openingOf('d1'), stepAt(1)]);
    await chmod(dir, 0o700);
    expect(await readdir(join(dir, 'journals'))).toHaveLength(1);
  });
});
