// Starts one Redis on loopback, with a password, keeping its data in the data directory.
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalStackError, WAY_OUT } from './errors.ts';
import { freePort, isFree } from './ports.ts';
import { type Child, type Command, startChild } from './processes.ts';
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

export const startRedis = async (
  program: Command,
  dir: string,
  state: StackState,
  started: (child: Child) => void,
): Promise<{ child: Child; url: string; port: number }> => {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const configFile = join(dir, 'redis.conf');
  let trouble = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const remembered = attempt === 0 ? state.ports.redis : undefined;
    const port = remembered !== undefined && (await isFree('127.0.0.1', remembered, ['tcp'])) ? remembered : await freePort('127.0.0.1', ['tcp'], []);
    if (port === undefined) throw new LocalStackError('ports', 'Found no free port for Redis on 127.0.0.1.');
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
    const child = await startChild(program, [configFile], join(dir, 'redis.log'), dir);
    started(child);
    const until = performance.now() + READY_WITHIN_MS;
    while (child.ended() === undefined && performance.now() < until) {
      if (await answers(port, state.redisPassword)) return { child, port, url: `redis://:${state.redisPassword}@127.0.0.1:${port}` };
      await delay(20);
    }
    trouble = child.ended() ?? 'it did not answer';
    await child.stop(2_000);
  }
  throw new LocalStackError('start-failed', `Redis did not start (${trouble}). Its log is ${join(dir, 'redis.log')}. ${WAY_OUT}`);
};
