/** Callbacks as desks see them: nobody's calls, so that the controller that runs the desks looks after them. */
import type { CallId } from '../../core/ids.ts';
import type { Place } from '../../core/queue/desk.ts';
import type { CallsCommand } from './messages.ts';

export type KeptPlaces = ReadonlyMap<string, readonly Place[]>;

export interface DeskCallbacks {
  /** True: it was of a callback, and for no call. */
  obey(account: string, command: CallsCommand): boolean;
  /** By account. `live`: all calls that there are, null where some may not be known. Rejects when they cannot be read. */
  kept(live: ReadonlySet<CallId> | null): Promise<KeptPlaces>;
}

/** Nobody is called back. */
export const noCallbacks: DeskCallbacks = { obey: () => false, kept: () => Promise.resolve(new Map()) };
