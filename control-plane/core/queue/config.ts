/** How a queue is set up. Checked at the edge: here it is true. Durations in milliseconds; `null` is no limit. */
import type { Ms } from '../time.ts';

export type QueueId = string;
/** A user's id: an agent is a user who takes calls of queues. */
export type AgentId = string;
export type DeviceId = string;

/** Who is asked first: the rule of each is in its file under strategies/. */
export const strategyNames = ['ring-all', 'round-robin', 'least-recent', 'fewest-calls', 'longest-idle', 'random', 'weighted', 'top-down', 'sticky'] as const;
export type StrategyName = (typeof strategyNames)[number];
export type Fallback = Exclude<StrategyName, 'sticky' | 'ring-all'>;

/**
 * Who counts as present. `logged-in`: has a device, and is not offline. `available`: and is not on a break. `free`: and
 * could be offered a call now.
 */
export type Presence = 'logged-in' | 'available' | 'free';

export interface QueueAgent {
  readonly agent: AgentId;
  /** Of the calls, for the strategy `weighted`: 2 gets twice as many as 1. */
  readonly share: number;
  /** Instead of the queue's own. */
  readonly wrapUpMs?: Ms;
}

export interface Tier {
  /** By position: the first is listed first. */
  readonly agents: readonly QueueAgent[];
  /** So long does a call wait for this tier before the next one joins it. */
  readonly delayMs: Ms;
}

export interface QueueConfig {
  readonly id: QueueId;
  readonly strategy: StrategyName;
  /** `sticky` alone: how the others are asked, and how long the one is waited for who had the caller last. */
  readonly fallback: Fallback;
  readonly stickyWaitMs: Ms;
  readonly tiers: readonly Tier[];
  /** Of two queues with the same agent the heavier is served first, whoever has waited longer. */
  readonly weight: number;
  readonly offerMs: Ms;
  readonly wrapUpMs: Ms;
  /** For so long is nobody offered another call who declined one, was busy, or let it ring. */
  readonly rejectDelayMs: Ms;
  readonly busyDelayMs: Ms;
  readonly noAnswerDelayMs: Ms;
  /** Missed one after the other: then the agent is put on a break. */
  readonly pauseAfterMissed: number | null;
  readonly maxWaitMs: Ms | null;
  readonly maxLength: number | null;
  /** For how long a callback keeps its place. */
  readonly maxCallbackMs: Ms | null;
  /** Nobody may join while nobody is present in this sense. */
  readonly joinNeeds: Presence | null;
  /** Who waits is sent on when nobody has been present in this sense for so long. */
  readonly stayNeeds: Presence | null;
  readonly stayMs: Ms;
  /** A call that is answered within this time was answered in time. */
  readonly serviceLevelMs: Ms;
  /** When a caller is told the position. */
  readonly announce: { readonly firstMs: Ms; readonly everyMs: Ms } | null;
}
