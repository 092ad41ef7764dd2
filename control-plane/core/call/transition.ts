/**
 * The story of a call: events in, commands out. Total: any event in any phase returns, never throws.
 */
import type { EpochMs } from '../time.ts';
import type { Call } from './call.ts';
import type { CallCommand } from './commands.ts';
import type { CallEvent } from './events.ts';
import type { CallFact } from './facts.ts';

export interface Context {
  /** When the event happened. */
  readonly now: EpochMs;
}

export interface Transition {
  readonly call: Call;
  readonly commands: readonly CallCommand[];
  readonly facts: readonly CallFact[];
}

export function transition(call: Call, event: CallEvent, ctx: Context): Transition {
  void event;
  void ctx;
  return { call, commands: [], facts: [] };
}
