// The life of a local stack: one per data directory, credentials kept, nothing left behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockDataDir } from '../../control-plane/local-stack/data-dir.ts';
import { type LocalStack, startLocalStack } from '../../control-plane/local-stack/local-stack.ts';
import { isAlive, startTimeOf } from '../../control-plane/local-stack/processes.ts';
import { renderConfig } from '../../control-plane/local-stack/render.ts';

let dir: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'frontdesk-stack-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const start = (): Promise<LocalStack> => startLocalStack({ dataDir: dir, need: { asterisk: true, redis: true }, progress: () => {} });
const idOf = (pid: number | undefined) => ({ pid: pid ?? 0, startTime: startTimeOf(pid ?? 0) ?? 'gone' });
const gone = async (id: { pid: number; startTime: string }): Promise<void> => {
  const end = performance.now() + 10_000;
  while (isAlive(id)) {
    if (performance.now() > end) throw new Error(`process ${id.pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

describe('a local stack', { timeout: 120_000 }, () => {
  test('stops all it started, and starts again with the same addresses and credentials', async () => {
    const first = await start();
    const processes = [idOf(first.asterisk?.pid), idOf(first.redis?.pid)];
    expect(first.asterisk?.version).toMatch(/^22\./);
    expect(statSync(join(dir, 'local-stack/state.json')).mode & 0o777).toBe(0o600);
    await first.stop();
    expect(processes.map(isAlive)).toEqual([false, false]);
    const second = await start();
    expect([second.asterisk?.url, second.asterisk?.sipPort, second.redis?.url]).toEqual([first.asterisk?.url, first.asterisk?.sipPort, first.redis?.url]);
    await second.stop();
  });

  test('refuses a data directory in use, naming the process', async () => {
    const stack = await start();
    await expect(start()).rejects.toThrow(/is in use by this process/);
    await stack.stop();
  });

  test('two stacks run side by side', async () => {
    const other = mkdtempSync(join(tmpdir(), 'frontdesk-stack-'));
    const stacks = await Promise.all([start(), startLocalStack({ dataDir: other, need: { asterisk: true, redis: true }, progress: () => {} })]);
    expect(new Set(stacks.flatMap(({ asterisk, redis }) => [asterisk?.url, asterisk?.sipPort, redis?.url])).size).toBe(6);
    await Promise.all(stacks.map((stack) => stack.stop()));
    rmSync(other, { recursive: true, force: true });
  });

  test('ends when its process is killed, and the next start takes the data directory over', async () => {
    const child = spawn(process.execPath, ['control-plane/local-stack/run.ts', '--data-dir', dir], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const line = await new Promise<string>((resolve) => child.stdout.once('data', (data: Buffer) => resolve(data.toString())));
    const running = JSON.parse(line) as { asterisk: { pid: number }; redis: { pid: number } };
    const processes = [idOf(running.asterisk.pid), idOf(running.redis.pid)];
    expect(processes.map(isAlive)).toEqual([true, true]);
    child.kill('SIGKILL');
    for (const id of processes) await gone(id);
    const next = await start();
    await next.stop();
  });

  test('starts only what is needed', async () => {
    const stack = await startLocalStack({ dataDir: dir, need: { asterisk: false, redis: true }, progress: () => {} });
    expect(stack.asterisk).toBeUndefined();
    await stack.stop();
  });

  test('says in a sentence that a SIP port is taken', async () => {
    const stack = await start();
    const second = startLocalStack({ dataDir: join(dir, 'second'), sipPort: stack.asterisk?.sipPort ?? 0, need: { asterisk: true, redis: false }, progress: () => {} });
    await expect(second).rejects.toThrow(/SIP port \d+ on 127\.0\.0\.1 is in use/);
    await stack.stop();
  });
});

describe('the lock of a data directory', () => {
  test('of twenty that find the lock of a dead process exactly one takes it', async () => {
    const lock = await lockDataDir(dir);
    const stale = JSON.parse(readFileSync(lock.path, 'utf8')) as Record<string, unknown>;
    lock.release();
    writeFileSync(lock.path, JSON.stringify({ ...stale, startTime: '1', token: 'of the dead' }));
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataDir(dir)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of tries) if (result.status === 'fulfilled') result.value.release();
  });

  test('is free again after its release', async () => {
    for (let round = 0; round < 3; round += 1) {
      const lock = await lockDataDir(dir);
      await expect(lockDataDir(dir)).rejects.toThrow(/in use/);
      lock.release();
    }
  });
});

test('a trunk whose address would add lines to the configuration is refused', () => {
  const values = {
    etcDir: join(dir, 'etc'), stateDir: dir, spoolDir: dir, runDir: dir, logDir: dir, moduleDir: dir, shareDir: dir, mohDir: dir,
    systemName: 'fd1', maxFiles: 1024, httpPort: 1, ariUser: 'u', ariPassword: 'p', sipBind: '127.0.0.1', sipPort: 2, rtp: { from: 3, to: 4 },
  };
  expect(() => renderConfig('asterisk', { ...values, trunks: [{ id: 'a', host: '1.2.3.4\n[evil]', port: 5060 }] })).toThrow(/host of trunk a/);
});
