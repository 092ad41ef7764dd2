/**
 * Hands commands to the media driver, in order and without waiting for replies. A reply advances nothing; a failed
 * one becomes a `CommandFailed` of its call, and one for a call that has ended meanwhile is dropped.
 *
 * The end of a bridge is asked for again: a leg that stays has its guard, a prompt and a recording end with their leg,
 * but an empty bridge would stay until somebody looked.
 */
import type { CallId } from '../core/ids.ts';
import type { MediaCommand } from '../core/call/commands.ts';
import type { CallEvent } from '../core/call/events.ts';
import type { CommandResult, MediaDriver } from '../media/media-driver.ts';
import type { Log } from '../telemetry/log.ts';
import type { Ms } from '../core/time.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CancelTimer, Clock } from './clock.ts';

type CommandFailed = Extract<CallEvent, { type: 'CommandFailed' }>;

export interface Executor {
  /** For a call: its failure goes to `onFailed` of the options, never within this call. */
  submit(callId: CallId, command: MediaCommand): void;
  /** Of no call (reaping, guards): its failure is counted alone. */
  attempt(command: MediaCommand, onFailed?: (result: CommandResult) => void): void;
  /** Nothing is sent from here on: another controller has this name, or this one stops. */
  seal(): void;
  inFlight(): number;
}

export interface ExecutorOptions {
  readonly driver: Pick<MediaDriver, 'execute'>;
  /** False when the call is no longer known. */
  readonly onFailed: (callId: CallId, event: CommandFailed) => boolean;
  /** Asked by what is of no call; a call asks for itself before each step. */
  readonly maySend: () => boolean;
  readonly clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Commands without a reply beyond which new ones fail at once: the switch has stalled, and memory is finite. */
  readonly maxInFlight?: number;
}

/** Doubled each time. */
const againMs: Ms = 1000;
const mostTries = 6;

const unreachable: CommandResult = { ok: false, error: 'unreachable', mayHaveReachedCarrier: false, detail: 'not sent' };

export function createExecutor(options: ExecutorOptions): Executor {
  const { driver, clock, log, metrics } = options;
  const maxInFlight = options.maxInFlight ?? 20_000;
  let inFlight = 0;
  let sealed = false;
  const again = new Set<CancelTimer>();

  const send = (command: MediaCommand, onFailed: (result: CommandResult & { ok: false }) => void, tries = 1): void => {
    metrics.count('commands_total');
    if (sealed || inFlight >= maxInFlight) {
      metrics.count('commands_refused_total');
      queueMicrotask(() => { onFailed(unreachable as CommandResult & { ok: false }); });
      return;
    }
    inFlight++;
    const settled = (result: CommandResult): void => {
      inFlight--;
      if (result.ok) return;
      metrics.count('commands_failed_total');
      // After `unreachable` the switch is asked for all it has as soon as it can be.
      if (command.type !== 'DestroyBridge' || result.error === 'gone' || result.error === 'unreachable' || tries >= mostTries || sealed) {
        onFailed(result);
        return;
      }
      const cancel = clock.setTimer(clock.now() + againMs * 2 ** (tries - 1), () => {
        again.delete(cancel);
        send(command, onFailed, tries + 1);
      });
      again.add(cancel);
    };
    driver.execute(command).then(settled, (error: unknown) => {
      log.error({ error: String(error), command: command.type }, 'The media driver broke its promise never to reject');
      settled(unreachable);
    });
  };

  return {
    submit: (callId, command) => {
      send(command, ({ error, mayHaveReachedCarrier, detail }) => {
        log.debug({ call: callId, command: command.type, error, detail }, 'A command failed');
        if (!options.onFailed(callId, { type: 'CommandFailed', command, error, mayHaveReachedCarrier })) metrics.count('commands_late_reply_total');
      });
    },
    attempt: (command, onFailed) => {
      if (options.maySend()) send(command, (result) => { onFailed?.(result); });
      else metrics.count('commands_refused_total');
    },
    seal: () => {
      sealed = true;
      for (const cancel of again) cancel();
      again.clear();
    },
    inFlight: () => inFlight,
  };
}
