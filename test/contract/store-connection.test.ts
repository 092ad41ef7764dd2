/** The connection to Redis where what is at its other end goes without a word, or takes no writes any more: over a wire in the test's hands. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLocalStack, type LocalStack } from '../../control-plane/local-stack/local-stack.ts';
import { connectRedis } from '../../control-plane/store/redis/connect.ts';
import { redisOwnership } from '../../control-plane/store/redis/ownership.ts';
import { silent } from '../runtime/sample-call.ts';
import { until } from '../support/until.ts';

describe('The connection to Redis', () => {
  let dir: string;
  let stack: LocalStack;
  let admin: Redis;
  let wire: Server;
  const sockets = new Set<Socket>();
  /** Those that lead nowhere any more. */
  const dead = new Set<Socket>();
  let connections = 0;
  let redis: Redis;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'frontdesk-wire-'));
    stack = await startLocalStack({ dataDir: dir, need: { asterisk: false, redis: true }, progress: () => undefined });
    const target = new URL(stack.redis?.url ?? '');
    admin = new Redis(target.href);
    wire = createServer((near) => {
      connections += 1;
      const far = connect({ host: target.hostname, port: Number(target.port) });
      for (const [from, to] of [[near, far], [far, near]] as const) {
        sockets.add(from);
        from.on('data', (data) => { if (!dead.has(from)) to.write(data); }).on('error', () => undefined).on('close', () => {
          sockets.delete(from);
          if (!dead.has(from)) to.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => { wire.listen(0, '127.0.0.1', resolve); });
  }, 120_000);
  afterAll(async () => {
    admin.disconnect();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => { wire.close(resolve); });
    await stack.stop();
    await rm(dir, { recursive: true });
  });
  beforeEach(async () => {
    const url = new URL(stack.redis?.url ?? '');
    url.host = `127.0.0.1:${(wire.address() as AddressInfo).port}`;
    redis = connectRedis(url.href, silent);
    await until(() => redis.status === 'ready', { describe: 'Redis is connected' });
  });
  afterEach(() => { redis.disconnect(); });

  const renews = async (): Promise<boolean> => redisOwnership({ redis, controller: 'a', leaseMs: 400, log: silent }).renew(null).then(({ held }) => held, () => false);

  it('is made anew when nothing is heard on it any more, though nobody has closed it', async () => {
    expect(await renews()).toBe(true);
    for (const socket of sockets) dead.add(socket);
    await until(renews, { describe: 'the lease is renewed over another connection', within: 20_000, everyMs: 200 });
  }, 30_000);

  it('is made anew when the server has become a replica: its address may be another’s by now', async () => {
    expect(await renews()).toBe(true);
    const before = connections;
    await admin.replicaof('127.0.0.1', 1);
    try {
      await until(async () => !(await renews()) && connections > before, { describe: 'there is another connection', within: 10_000, everyMs: 100 });
    } finally {
      await admin.replicaof('NO', 'ONE');
    }
    await until(renews, { describe: 'the lease is renewed' });
  }, 30_000);
});
