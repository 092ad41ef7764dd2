// Starts a program of the local stack again when it ends by itself: a clinic must not be without phones until a person comes.
import type { Log } from '../telemetry/log.ts';
import type { LocalStack, ProgramName } from './local-stack.ts';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** One that has lived so long is started again as soon as the first time. */
const GOOD_LIFE_MS = 60_000;

const TITLES: Readonly<Record<ProgramName, string>> = { asterisk: 'Asterisk', redis: 'Redis' };

export interface KeptRunning {
  /** A sentence while the program is away, else none. */
  problems(name: ProgramName): readonly string[];
  /** Starts nothing any more; a start that has begun is ended by the stack's own `stop`. */
  stop(): void;
}

/** The wait before a start is doubled with each that failed or did not live long. */
export const keepRunning = (stack: Pick<LocalStack, 'onExit' | 'again'>, log: Log): KeptRunning => {
  let stopped = false;
  const keep = (name: ProgramName) => {
    const title = TITLES[name];
    let waitMs = FIRST_WAIT_MS;
    let runningSince = performance.now();
    let problem: string | null = null;
    let timer: NodeJS.Timeout | undefined;

    const startLater = (): void => {
      if (stopped) return;
      timer = setTimeout(() => { void start(); }, waitMs);
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
    };
    const start = async (): Promise<void> => {
      try {
        await stack.again(name);
      } catch (error) {
        if (stopped) return;
        const why = error instanceof Error ? error.message : String(error);
        problem = `${title} ended and could not be started again; it is tried again. ${why}`;
        log.error({ program: name, error: why, againInMs: waitMs }, `${title} could not be started again; it is tried again`);
        startLater();
        return;
      }
      problem = null;
      runningSince = performance.now();
      log.warn({ program: name }, `${title} was started again`);
    };
    return {
      problems: () => (problem === null ? [] : [problem]),
      ended: (reason: string): void => {
        if (performance.now() - runningSince >= GOOD_LIFE_MS) waitMs = FIRST_WAIT_MS;
        problem = `${title} ended (${reason}); it is started again.`;
        log.error({ program: name, reason, againInMs: waitMs }, `${title} ended; it is started again`);
        startLater();
      },
      stop: () => { clearTimeout(timer); },
    };
  };
  const programs = { asterisk: keep('asterisk'), redis: keep('redis') };
  stack.onExit((name, reason) => { programs[name].ended(reason); });
  return {
    problems: (name) => programs[name].problems(),
    stop: () => {
      stopped = true;
      for (const program of Object.values(programs)) program.stop();
    },
  };
};
