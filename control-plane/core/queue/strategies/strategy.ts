/**
 * What a strategy is: it says in which order those are asked who could be offered the call now. The tiers have been seen
 * to before; who is busy, resting or has let this call pass is not among the candidates. The first is offered the call.
 */
import type { AgentId, Fallback } from '../config.ts';
import type { AgentRecord } from '../desk.ts';

export interface Candidate extends Pick<AgentRecord, 'idleSince'> {
  readonly agent: AgentId;
  /** In the list of the queue, all tiers one after the other. */
  readonly position: number;
  readonly share: number;
  /** Calls of this queue, and the end of the last of them; 0 for none. */
  readonly calls: number;
  readonly lastAt: AgentRecord['idleSince'];
}

export interface Choice {
  /** Position of who was asked last; -1 where nobody was. */
  readonly lastAsked: number;
  readonly credit: Readonly<Record<AgentId, number>>;
  /** Who had the caller last. */
  readonly lastAgent: AgentId | null;
  readonly fallback: Fallback;
  readonly random: () => number;
}

/** `candidates` by position. */
export type Strategy = (candidates: readonly Candidate[], choice: Choice) => readonly Candidate[];
