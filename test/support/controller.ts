/**
 * The controller under test, as a process of its own: it can be killed as a crash kills it, and started again.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, startChild, type Child } from '../../control-plane/local-stack/processes.ts';
import { freePort } from '../../control-plane/local-stack/ports.ts';
import { addEvidence, until } from './until.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const READY_WITHIN_MS = 40_000;

export interface ControllerOptions {
  /** One of the two. */
  readonly asteriskUrl?: string;
  readonly freeswitchUrl?: string;
  readonly redisUrl: string;
  readonly planFile: string;
  readonly dataDir: string;
  readonly folder: string;
  readonly instance?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Controller {
  readonly pid: number;
  readonly httpUrl: string;
  /** Its standard output and error so far. */
  output(): string;
  alive(): boolean;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; SIGKILL after 5 s, or so much later as it is given. */
  stop(graceMs?: number): Promise<void>;
  /** How it ended: `exit code 0`, or by which signal; undefined while it lives. */
  ended(): string | undefined;
}

/** Starts `frontdesk start` and resolves when its readiness answers 200. */
export const startController = async (options: ControllerOptions): Promise<Controller> => {
  const httpPort = await freePort('127.0.0.1', ['tcp'], []);
  if (httpPort === undefined) throw new Error('No free port for the controller');
  const logFile = join(options.folder, `controller-${options.instance ?? 'main'}.log`);
  const child: Child = await startChild(
    {
      command: process.execPath,
      args: [join(ROOT, 'control-plane/cli/frontdesk.ts')],
      env: {
        ASTERISK_URL: options.asteriskUrl ?? '',
        FREESWITCH_URL: options.freeswitchUrl ?? '',
        REDIS_URL: options.redisUrl,
        FRONTDESK_PLAN: options.planFile,
        FRONTDESK_DATA_DIR: options.dataDir,
        FRONTDESK_HTTP_PORT: String(httpPort),
        FRONTDESK_INSTANCE: options.instance ?? 'main',
        // what is on the switch is the test's own
        FRONTDESK_SYNTHETIC_CALL: 'off',
        ...options.env,
      },
    },
    ['start'],
    logFile,
    ROOT,
  );
  const output = (): string => {
    try {
      return readFileSync(logFile, 'utf8');
    } catch {
      return '';
    }
  };
  const removeEvidence = addEvidence(() => `controller${child.ended() === undefined ? '' : ` (ended: ${child.ended()})`}:\n${output().trimEnd().split('\n').slice(-25).join('\n')}`);
  const httpUrl = `http://127.0.0.1:${httpPort}`;
  const end = async (graceMs: number): Promise<void> => {
    await child.stop(graceMs);
    removeEvidence();
  };
  try {
    await until(
      async () => {
        if (child.ended() !== undefined) return 'ended';
        const response = await fetch(`${httpUrl}/readyz`, { signal: AbortSignal.timeout(1_000) });
        await response.arrayBuffer();
        return response.ok ? 'ready' : undefined;
      },
      { describe: 'the controller is ready', within: READY_WITHIN_MS, everyMs: 25 },
    ).then((how) => {
      if (how === 'ended') throw new Error(`The controller ended at once (${child.ended()}):\n${output().slice(-3_000)}`);
    });
  } catch (error) {
    await end(1_000);
    throw error;
  }
  return {
    pid: child.id.pid,
    httpUrl,
    output,
    alive: () => isAlive(child.id),
    kill: async () => {
      if (isAlive(child.id)) process.kill(child.id.pid, 'SIGKILL');
      await child.exited;
      removeEvidence();
    },
    stop: (graceMs = 5_000) => end(graceMs),
    ended: () => child.ended(),
  };
};
