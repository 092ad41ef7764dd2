/**
 * All numbers in the text format of Prometheus, through prom-client. Names begin with `frontdesk_`, times are in seconds.
 * One registry per controller. Numbers of callers and callees are never labels.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics, TimeName } from './metrics.ts';

/** One line of a gauge; its labels are the same for all lines of a name. */
export interface Reading {
  readonly name: string;
  readonly help: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Seconds. A call is disturbed by a request of 100 ms; what a caller waits for is told apart up to ten seconds. */
const times: Readonly<Record<TimeName, { readonly help: string; readonly buckets: readonly number[] }>> = {
  ari_round_trip: { help: 'From a request to the switch to its answer.', buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] },
  answer_to_bridge: { help: 'From the answer of a phone that hears nothing first, to both being connected.', buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5] },
  synthetic_call_setup: { help: 'From placing the call that Frontdesk makes to itself, over claim and plan, to its being answered.', buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10] },
};

/** Returns what writes all of it out as it is now. `readings` is asked each time. */
export function prometheus(metrics: Metrics, readings: () => readonly Reading[]): () => Promise<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  // Told here by event-loop.ts; the library's say “Nan” where there is nothing to tell, which not every reader takes.
  for (const { name } of registry.getMetricsAsArray()) if (name.startsWith('nodejs_eventloop_lag')) registry.removeSingleMetric(name);
  const histograms = new Map(Object.entries(times).map(([name, { help, buckets }]) => [name, new Histogram({ name: `frontdesk_${name}_seconds`, help, buckets: [...buckets], registers: [registry] })]));
  metrics.onTime((name, ms) => { histograms.get(name)?.observe(ms / 1000); });
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();

  const count = (name: string, value: number): void => {
    const counter = counters.get(name) ?? new Counter({ name: `frontdesk_${name}`, help: sentence(name), registers: [registry] });
    counters.set(name, counter);
    counter.reset();
    counter.inc(value);
  };
  const set = ({ name, help, labels = {}, value }: Reading): void => {
    const gauge = gauges.get(name) ?? new Gauge({ name: `frontdesk_${name}`, help, labelNames: Object.keys(labels), registers: [registry] });
    gauges.set(name, gauge);
    gauge.set(labels, value);
  };

  return () => {
    // what is no longer there, a trunk perhaps, is not shown as it was
    for (const gauge of gauges.values()) gauge.reset();
    for (const [name, value] of Object.entries(metrics.read())) {
      if (name.endsWith('_total')) count(name, value);
      else set({ name, help: sentence(name), value });
    }
    for (const reading of readings()) set(reading);
    return registry.metrics();
  };
}

/** `calls_ended_total` is its own explanation: “Calls ended.” */
function sentence(name: string): string {
  const words = name.replace(/_total$/, '').replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
