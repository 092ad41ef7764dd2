/**
 * How a serving process ends, and what it survives.
 *
 * While it starts, a signal ends it as it ends any program: the kernel then ends the local stack, and the next start
 * takes the data directory over. Once it serves, the first signal ends it in order, a second one at once.
 */
import type { Frontdesk } from '../main.ts';
import type { Log } from '../telemetry/log.ts';
import { say } from './say.ts';

/** Switch and Redis get 4 s each, and writing out journals a little. */
const stopWithinMs = 12_000;
/** More bugs than this in a minute, and the process is not worth keeping. */
const bugsPerMinute = 100;

/** Resolves at SIGINT, SIGTERM or SIGHUP (the terminal was closed). The next one ends the process at once. */
export function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    let told = false;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (told) process.exit(130);
        told = true;
        resolve();
      });
    }
  });
}

/** Stops in order, after `drainMs` in which calls may end; 0, or 1 when that did not come to an end in time, and then nothing is waited for any more. */
export async function stopInTime(frontdesk: Frontdesk, drainMs: number): Promise<number> {
  const calls = frontdesk.controller.calls().length;
  const waits = calls > 0 && drainMs > 0 && frontdesk.controller.others().length === 0;
  say(waits ? `Stopping, when the calls that are up (${calls}) have ended, or in ${drainMs / 1000} s. Told again: at once.` : 'Stopping ...');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<number>((resolve) => {
    timer = setTimeout(() => {
      say(`Not everything stopped within ${(drainMs + stopWithinMs) / 1000} s; ending all the same.`);
      resolve(1);
    }, drainMs + stopWithinMs);
  });
  const code = await Promise.race([frontdesk.stop().then(() => 0), late]);
  clearTimeout(timer);
  return code;
}

/**
 * A bug outside of every call must not end the calls of others, and with the local stack our end is the switch's end
 * too: it is logged, counted, and the process goes on. One that comes back without end does end it.
 */
export function surviveBugs(log: Log): void {
  let count = 0;
  setInterval(() => { count = 0; }, 60_000).unref();
  process.on('uncaughtException', (error: unknown, origin) => {
    count += 1;
    log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error), origin }, 'A bug in Frontdesk: please report it with this line');
    if (count > bugsPerMinute) {
      say('Too many internal errors in a minute; ending. The log has them.');
      process.exit(70);
    }
  });
}
