/** What a run of the model of queues varies: the queues, who works in them, who calls, and what goes wrong. Plain JSON. */
import * as fc from 'fast-check';
import { strategyNames, type Fallback, type Presence, type QueueConfig } from '../../control-plane/core/queue/config.ts';

export type Answer = 'accepts' | 'declines' | 'is busy' | 'lets it ring' | 'cannot be reached' | 'is not told' | 'leaves in the whisper';

export interface SceneAgent {
  readonly id: string;
  readonly status: 'available' | 'on-demand';
  /** One after the other, offer by offer, and again from the first. */
  readonly answers: readonly Answer[];
  readonly acts: readonly ({ readonly atMs: number } & ({ readonly does: 'break' | 'back' | 'out' | 'in' | 'ready' } | { readonly does: 'call'; readonly forMs: number }))[];
}

export interface SceneCall {
  readonly atMs: number;
  /** By its place in the list, as often as it goes round. */
  readonly queue: number;
  readonly number: string | null;
  readonly priority: number;
  readonly sticky: string | null;
  readonly patienceMs: number;
  readonly callbackAtMs: number | null;
  readonly bridgeFails: 'never' | 'once';
  readonly talksMs: number;
}

export type SceneBreak = { readonly atMs: number; readonly does: 'resync' | 'configured' } | { readonly atMs: number; readonly does: 'taken over'; readonly desk: 'whole' | 'old' | 'none'; readonly records: boolean };

export interface Scene {
  readonly queues: readonly QueueConfig[];
  readonly agents: readonly SceneAgent[];
  readonly calls: readonly SceneCall[];
  readonly breaks: readonly SceneBreak[];
  /** Per cent of messages, either way. */
  readonly lost: number;
  readonly twice: number;
  readonly delayMs: number;
  readonly seed: number;
}

const agentIds = ['ana', 'ben', 'cleo', 'dan', 'eva'];
const presence = fc.constantFrom<Presence>('logged-in', 'available', 'free');
const orNone = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const queue = (id: string): fc.Arbitrary<QueueConfig> => fc.record({
  id: fc.constant(id),
  strategy: fc.constantFrom(...strategyNames),
  fallback: fc.constantFrom<Fallback>('longest-idle', 'round-robin', 'weighted'),
  stickyWaitMs: fc.constantFrom(0, 5000),
  tiers: fc.tuple(fc.shuffledSubarray(agentIds, { minLength: 1 }), fc.integer({ min: 0, max: 4 }), fc.constantFrom(0, 4000, 20_000)).map(([ids, cut, delayMs]) => {
    const agents = ids.map((agent, i) => ({ agent, share: 1 + (i % 3), ...(i === 2 ? { wrapUpMs: 1000 } : {}) }));
    return [agents.slice(0, cut), agents.slice(cut)].filter((tier) => tier.length > 0).map((tier) => ({ agents: tier, delayMs }));
  }),
  weight: fc.constantFrom(1, 1, 2),
  offerMs: fc.constantFrom(3000, 10_000),
  wrapUpMs: fc.constantFrom(0, 2000, 15_000),
  rejectDelayMs: fc.constantFrom(0, 1000, 10_000),
  busyDelayMs: fc.constantFrom(0, 3000),
  noAnswerDelayMs: fc.constantFrom(0, 5000),
  pauseAfterMissed: orNone(fc.constantFrom(1, 2)),
  maxWaitMs: orNone(fc.constantFrom(10_000, 40_000)),
  maxLength: orNone(fc.constantFrom(1, 3)),
  maxCallbackMs: fc.constantFrom(null, 60_000),
  joinNeeds: orNone(presence),
  stayNeeds: orNone(presence),
  stayMs: fc.constantFrom(0, 5000),
  serviceLevelMs: fc.constant(20_000),
  announce: fc.constantFrom(null, { firstMs: 3000, everyMs: 7000 }),
});

const when = fc.integer({ min: 0, max: 60_000 });

const agent = (id: string): fc.Arbitrary<SceneAgent> => fc.record({
  id: fc.constant(id),
  status: fc.constantFrom('available', 'available', 'available', 'on-demand'),
  answers: fc.array(fc.oneof(
    { weight: 6, arbitrary: fc.constant<Answer>('accepts') },
    { weight: 4, arbitrary: fc.constantFrom<Answer>('declines', 'is busy', 'lets it ring', 'cannot be reached', 'is not told', 'leaves in the whisper') },
  ), { minLength: 1, maxLength: 5 }),
  acts: fc.array(fc.oneof(
    fc.record({ atMs: when, does: fc.constantFrom<'break' | 'back' | 'out' | 'in' | 'ready'>('break', 'back', 'out', 'in', 'ready', 'ready') }),
    fc.record({ atMs: when, does: fc.constant('call' as const), forMs: fc.constantFrom(500, 8000) }),
  ), { maxLength: 4 }),
});

const call: fc.Arbitrary<SceneCall> = fc.record({
  atMs: fc.oneof(when, fc.constantFrom(1000, 1000, 5000)),
  queue: fc.nat({ max: 2 }),
  number: fc.constantFrom(null, '+12025550101', '+12025550102', '+12025550103', '+12025550104'),
  priority: fc.constantFrom(0, 0, 0, 1),
  sticky: fc.constantFrom(null, 'x', 'y'),
  patienceMs: fc.constantFrom(2000, 15_000, 60_000, 1e9),
  callbackAtMs: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom(1500, 8000) }),
  bridgeFails: fc.constantFrom('never', 'never', 'once'),
  talksMs: fc.constantFrom(1, 3000, 20_000),
});

const sceneBreak: fc.Arbitrary<SceneBreak> = fc.oneof(
  fc.record({ atMs: when, does: fc.constantFrom('resync' as const, 'resync' as const, 'configured' as const) }),
  fc.record({ atMs: when, does: fc.constant('taken over' as const), desk: fc.constantFrom('whole', 'old', 'none'), records: fc.boolean() }),
);

export const scene: fc.Arbitrary<Scene> = fc.record({
  queues: fc.integer({ min: 1, max: 3 }).chain((n) => fc.tuple(...['q1', 'q2', 'q3'].slice(0, n).map(queue))),
  agents: fc.integer({ min: 1, max: 5 }).chain((n) => fc.tuple(...agentIds.slice(0, n).map(agent))),
  calls: fc.array(call, { minLength: 1, maxLength: 12 }),
  breaks: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(sceneBreak, { maxLength: 3 }) }),
  lost: fc.constantFrom(0, 0, 5, 20),
  twice: fc.constantFrom(0, 0, 30),
  delayMs: fc.constantFrom(1, 30, 2000),
  seed: fc.nat(),
});
