/**
 * Hands commands to the media driver, in order and without waiting for replies. A reply advances nothing; a failed
 * one becomes a `CommandFailed` of its call, and one for a call that has ended meanwhile is dropped.
 */
import type { CallId } from '../core/ids.ts';
import type { MediaCommand } from '../core/call/commands.ts';
import type { CallEvent } from '../core/call/events.ts';
import type { CommandResult, MediaDriver } from '../media/media-driver.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

type CommandFailed = Extract<CallEvent, { type: 'CommandFailed' }>;

export interface Executor {
  /** For a call: its failure goes to `onFailed` of the options, never within this call. */
  submit(callId: CallId, command: MediaCommand): void;
  /** Of no call (reaping, guards): its failure is counted alone. */
  attempt(command: MediaCommand, onFailed?: (result: CommandResult) => void): void;
  /** Nothing is sent from here on: another controller has this name. */
  seal(): void;
  inFlight(): number;
}

export interface ExecutorOptions {
  readonly driver: Pick<MediaDriver, 'execute'>;
  /** False when the call is no longer known. */
  readonly onFailed: (callId: CallId, event: CommandFailed) => boolean;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Commands without a reply beyond which new ones fail at once: the switch has stalled, and memory is finite. */
  readonly maxInFlight?: number;
}

const unreachable: CommandResult = { ok: false, error: 'unreachable', mayHaveReachedCarrier: false, detail: 'not sent' };

export function createExecutor(options: ExecutorOptions): Executor {
  const { driver, log, metrics } = options;
  const maxInFlight = options.maxInFlight ?? 20_000;
  let inFlight = 0;
  let sealed = false;

  const send = (command: MediaCommand, onFailed: (result: CommandResult & { ok: false }) => void): void => {
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
      onFailed(result);
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
    attempt: (command, onFailed) => { send(command, (result) => { onFailed?.(result); }); },
    seal: () => { sealed = true; },
    inFlight: () => inFlight,
  };
}
