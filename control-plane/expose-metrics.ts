/** What `/metrics` says beyond the counters: is it well, where not, and who does what among several controllers. */
import type { CallPhase } from './core/call/call.ts';
import type { Registration } from './http/ports.ts';
import type { Readiness } from './http/server.ts';
import type { Controller } from './runtime/controller.ts';
import { deskReadings } from './runtime/desks/desk-readings.ts';
import type { Desks } from './runtime/desks/desks.ts';
import { timeAnswers } from './telemetry/answer-to-bridge.ts';
import type { EventLoopMonitor } from './telemetry/event-loop.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { prometheus, type Reading } from './telemetry/prometheus.ts';

export interface Exposed {
  readonly metrics: Metrics;
  readonly loop: Pick<EventLoopMonitor, 'read'>;
  readonly readiness: () => Readiness;
  readonly controller: Controller;
  readonly databaseIsUp: () => boolean;
  readonly redisIsUp: () => boolean;
  readonly unsentNotices: () => number;
  readonly registrations: () => readonly Registration[];
  /** Absent: there are no queues. */
  readonly desks?: Pick<Desks, 'running'>;
}

const phases: Readonly<Record<Exclude<CallPhase, 'ended'>, true>> = {
  offered: true, announcing: true, menu: true, queued: true, setting: true, ordering: true, ringing: true, connecting: true, connected: true, supervising: true, greeting: true, beeping: true, recording: true, ending: true,
};

/** Returns what writes all of it out. */
export function exposeMetrics(exposed: Exposed): () => Promise<string> {
  const { metrics, loop, readiness, controller } = exposed;
  const onFact = timeAnswers((ms) => { metrics.time('answer_to_bridge', ms); });
  controller.observe({ onFact: (_, fact, at) => { onFact(fact, at); } });
  return prometheus(metrics, () => {
    const { ready, reasons } = readiness();
    const { p99Ms, maxMs } = loop.read();
    const calls = controller.calls();
    return [
      reading('ready', 'Calls can be taken: as /readyz.', ready),
      reading('reasons', 'Things that are not as they should be: as /readyz, which says them.', reasons.length),
      reading('switch_up', 'The link to the switch.', controller.health().link === 'up'),
      reading('database_up', 'The database can be used.', exposed.databaseIsUp()),
      reading('redis_up', 'Redis can be used.', exposed.redisIsUp()),
      reading('lease_held', 'This controller holds its lease.', controller.holdsLease()),
      reading('leads', 'This controller does what only one of several may do.', controller.leads()),
      reading('controllers_others', 'Other controllers that live.', controller.others().length),
      reading('event_loop_delay_p99_seconds', 'How late the event loop runs, of the last minute or two.', p99Ms / 1000),
      reading('event_loop_delay_max_seconds', 'How late the event loop runs at most, of the last minute or two.', maxMs / 1000),
      reading('notices_unsent', 'Notices that wait for the mail server.', exposed.unsentNotices()),
      ...Object.keys(phases).map((phase) => reading('calls', 'Live calls of this controller.', calls.filter((call) => call.phase === phase).length, { phase })),
      ...exposed.registrations().flatMap(ofRegistration),
      ...(exposed.desks === undefined ? [] : deskReadings(exposed.desks, Date.now())),
    ];
  });
}

function ofRegistration({ account, kind, id, state, roundTripMs }: Registration): readonly Reading[] {
  if (kind === 'device') return [reading('phone_registered', 'The phone is registered.', state === 'registered', { account, extension: id })];
  // of what nobody knows nothing is said
  if (state === 'unknown') return [];
  const labels = { account, trunk: id };
  return [
    reading('trunk_up', 'The trunk can be used: registered where it registers, and answering where it is asked.', state === 'registered' || state === 'reachable', labels),
    ...(roundTripMs === null ? [] : [reading('trunk_round_trip_seconds', 'Of the last OPTIONS that the trunk answered.', roundTripMs / 1000, labels)]),
  ];
}

function reading(name: string, help: string, value: number | boolean, labels?: Readonly<Record<string, string>>): Reading {
  return { name, help, value: Number(value), ...(labels === undefined ? {} : { labels }) };
}
