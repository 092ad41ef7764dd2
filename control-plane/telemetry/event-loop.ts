/**
 * How late the event loop runs. A switch's websocket is lost when its peer stalls (Asterisk's
 * `websocket_write_timeout`), and a lease is fenced by the same clock, so this is the first number to look at.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface EventLoopDelay {
  /** Milliseconds since the last `reset`; 0 before the first sample. */
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly meanMs: number;
}

export interface EventLoopMonitor {
  read(): EventLoopDelay;
  /** Starts a new window. */
  reset(): void;
  stop(): void;
}

/** As `monitorEventLoop`, of the last one to two minutes: an old stall is no trouble of now. */
export function monitorEventLoopLately(windowMs = 60_000): Omit<EventLoopMonitor, 'reset'> {
  const monitor = monitorEventLoop();
  let before = monitor.read();
  const timer = setInterval(() => {
    before = monitor.read();
    monitor.reset();
  }, windowMs).unref();
  return {
    read: () => {
      const now = monitor.read();
      return { p99Ms: Math.max(before.p99Ms, now.p99Ms), maxMs: Math.max(before.maxMs, now.maxMs), meanMs: Math.max(before.meanMs, now.meanMs) };
    },
    stop: () => {
      clearInterval(timer);
      monitor.stop();
    },
  };
}

/** Samples every `resolutionMs`; what is measured is the delay beyond that period. Does not keep the process alive. */
export function monitorEventLoop(resolutionMs = 10): EventLoopMonitor {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  // The histogram holds the whole interval between samples, in nanoseconds.
  const beyond = (nanoseconds: number): number =>
    histogram.count === 0 ? 0 : Math.max(0, Math.round((nanoseconds / 1e6 - resolutionMs) * 100) / 100);
  return {
    read: () => ({ p99Ms: beyond(histogram.percentile(99)), maxMs: beyond(histogram.max), meanMs: beyond(histogram.mean) }),
    reset: () => { histogram.reset(); },
    stop: () => { histogram.disable(); },
  };
}
