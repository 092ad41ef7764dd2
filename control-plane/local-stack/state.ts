// What the local stack remembers in its data directory (mode 0600): credentials and ports, which stay the same
// over restarts so that registered phones find their server again, and the processes it runs, so that
// the next start can end those a crash left behind.
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { ProcessId } from './processes.ts';

export interface StackState {
  systemName: string;
  ariPassword: string;
  redisPassword: string;
  ports: { http?: number; sip?: number; tls?: number; redis?: number };
  processes: { asterisk?: ProcessId; redis?: ProcessId };
}

const fresh = (): StackState => ({
  systemName: `fd${randomBytes(4).toString('hex')}`,
  ariPassword: randomBytes(18).toString('hex'),
  redisPassword: randomBytes(18).toString('hex'),
  ports: {},
  processes: {},
});

const isState = (value: unknown): value is StackState =>
  typeof value === 'object' && value !== null && 'systemName' in value && 'ariPassword' in value && 'redisPassword' in value && 'ports' in value && 'processes' in value;

/** The remembered state; a new one where there is none or it cannot be read. */
export const readState = (path: string): StackState => {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isState(value) ? value : fresh();
  } catch {
    return fresh();
  }
};

export const writeState = (path: string, state: StackState): void => {
  writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${path}.new`, path);
};
