// Starts one Redis on loopback, with a password, keeping its data in the data directory.
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalStackError, WAY_OUT } from './errors.ts';
import { freePort, isFree } from './ports.ts';
import { type Child, type Command, type Run, startChild } from './processes.ts';
import type { StackState } from './state.ts';

const ATTEMPTS = 5;
const READY_WITHIN_MS = 20_000;

/** Whether a Redis that knows our password answers; another stack's Redis on the same port does not. */
const answers = (port: number, password: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    const finish = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.includes('+PONG')) finish(true);
      else if (text.startsWith('-')) finish(false);
    });
  });

interface StartedRedis {
  child: Child;
  redis: { url: string; readonly pid: number };
  port: number;
  /** Once it has ended: one start from the same configuration, at the same port. Rejects with LocalStackError. */
  again: () => Promise<Child>;
}

/** Throws LocalStackError. */
export const startRedis = async (program: Command, dir: string, state: StackState, { started, signal }: Run): Promise<StartedRedis> => {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const configFile = join(dir, 'redis.conf');
  const configure = (port: number): void => {
    const config = [
      'bind 127.0.0.1',
      `port ${port}`,
      'protected-mode yes',
      `requirepass ${state.redisPassword}`,
      'daemonize no',
      `dir ${JSON.stringify(dir)}`,
      'logfile ""',
      'save ""',
      // What a crash of the machine may lose is a second of hints: the switch is the truth.
      'appendonly yes',
      'appendfsync everysec',
      'maxmemory-policy noeviction',
    ];
    writeFileSync(configFile, `${config.join('\n')}\n`, { mode: 0o600 });
  };

  /** One that answers, or why there is none. */
  const launch = async (port: number): Promise<Child | string> => {
    signal.throwIfAborted();
    const child = await startChild(program, [configFile], join(dir, 'redis.log'), dir);
    started(child);
    const until = performance.now() + READY_WITHIN_MS;
    while (child.ended() === undefined && !signal.aborted && performance.now() < until) {
      if (await answers(port, state.redisPassword)) return child;
      await delay(20);
    }
    const trouble = child.ended() ?? 'it did not answer';
    await child.stop(2_000);
    return trouble;
  };
  const notStarted = (trouble: string): LocalStackError => new LocalStackError('start-failed', `Redis did not start (${trouble}). Its log is ${join(dir, 'redis.log')}. ${WAY_OUT}`);

  let trouble = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const remembered = attempt === 0 ? state.ports.redis : undefined;
    const port = remembered !== undefined && (await isFree('127.0.0.1', remembered, ['tcp'])) ? remembered : await freePort('127.0.0.1', ['tcp'], []);
    if (port === undefined) throw new LocalStackError('ports', 'Found no free port for Redis on 127.0.0.1.');
    configure(port);
    const launched = await launch(port);
    if (typeof launched !== 'string') {
      let child = launched;
      const redis = { url: `redis://:${state.redisPassword}@127.0.0.1:${port}`, get pid() { return child.id.pid; } };
      const again = async (): Promise<Child> => {
        const next = await launch(port);
        if (typeof next === 'string') throw notStarted(next);
        child = next;
        return next;
      };
      return { child, redis, port, again };
    }
    trouble = launched;
  }
  throw notStarted(trouble);
};
