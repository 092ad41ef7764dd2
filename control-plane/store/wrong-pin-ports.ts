/** What is kept of wrong PINs. Implementation: redis/wrong-pins.ts. */
import type { CallId } from '../core/ids.ts';
import type { EpochMs } from '../core/time.ts';

/** A PIN that nobody has was dialled on a phone of this user. */
export interface WrongPin {
  readonly account: string;
  readonly user: string;
  readonly callId: CallId;
  readonly at: EpochMs;
}

/** Wrong PINs of agents, as all controllers of one switch saw them. Rejects when the store is away. */
export interface WrongPinStore {
  /** Those before `since` are forgotten. */
  add(pin: WrongPin, since: EpochMs): Promise<void>;
  read(since: EpochMs): Promise<readonly WrongPin[]>;
}
