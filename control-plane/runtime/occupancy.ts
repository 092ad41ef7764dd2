/**
 * Who is in how many calls now, over all controllers of the switch. Each counts its own calls as they are, and tells the
 * others, for as long as a lease lasts: the calls of one that dies are counted again once another has them. While the
 * store is away, a controller knows of its own calls alone.
 *
 * A party is busy while it has picked up in some call: then another call would find its phone in use.
 */
import type { Call } from '../core/call/call.ts';
import type { CallFact } from '../core/call/facts.ts';
import { partiesOf, partiesOfLeg } from '../core/call/parties.ts';
import type { Party } from '../core/routing/destinations.ts';
import type { EpochMs, Ms } from '../core/time.ts';
import type { Kept, SharedOccupancy } from '../store/ports.ts';
import type { CancelTimer, Clock } from './clock.ts';
import { leaseMs } from './lease.ts';
import { within } from './within.ts';

export interface PartyState extends Kept {
  /** When a call of it ended last, by the clock of whoever tells; 0 when none is known of. */
  readonly endedAt: EpochMs;
}

export interface Occupancy {
  /** Nothing is told before. */
  start(): void;
  /** Some call is not as it was. */
  changed(): void;
  onFact(call: Call, fact: CallFact): void;
  /** Never rejects. */
  read(parties: readonly Party[]): Promise<(party: Party) => PartyState>;
  /** As far as was heard of other controllers lately. */
  isBusy(party: Party): boolean;
  stop(): Promise<void>;
}

export interface OccupancyOptions {
  readonly calls: () => Iterable<Call>;
  /** Whose phone it is that calls, by its name on the switch. */
  readonly partyOfPhone: (phone: string) => Party | undefined;
  /** Absent: there is no other controller. */
  readonly shared: SharedOccupancy | undefined;
  readonly clock: Clock;
}

const tellEveryMs: Ms = leaseMs / 3;
/** What changes within this time is told together. */
const gatherMs: Ms = 50;
/** A caller waits for it. */
export const storeLimitMs: Ms = 150;
/** Parties whose last call is remembered here. */
const rememberedEnds = 10_000;

const nothing: Kept = { calls: 0, talking: 0 };

export function createOccupancy({ calls, partyOfPhone, shared, clock }: OccupancyOptions): Occupancy {
  const endedAt = new Map<Party, EpochMs>();
  let untold = new Map<Party, EpochMs>();
  let others: readonly ReadonlyMap<Party, Kept>[] = [];
  let beat: CancelTimer | null = null;
  let soon: CancelTimer | null = null;
  let stopped = false;

  const own = (): ReadonlyMap<Party, Kept> => {
    const kept = new Map<Party, Kept>();
    const add = (party: Party, pickedUp: boolean): void => {
      const before = kept.get(party) ?? nothing;
      kept.set(party, { calls: before.calls + 1, talking: before.talking + (pickedUp ? 1 : 0) });
    };
    for (const call of calls()) {
      const caller = callerOf(call);
      if (caller !== undefined && call.caller.phase !== 'ended') add(caller, true);
      for (const [party, pickedUp] of partiesOf(call)) if (party !== caller) add(party, pickedUp);
    }
    return kept;
  };
  // One that has transferred who it called is out of the call.
  const callerOf = ({ id, caller, offer: { phone } }: Call): Party | undefined => (phone === undefined || caller.legId !== id ? undefined : partyOfPhone(phone));
  const ended = (party: Party): void => {
    endedAt.delete(party);
    endedAt.set(party, clock.now());
    untold.set(party, clock.now());
    const [oldest] = endedAt.keys();
    if (endedAt.size > rememberedEnds && oldest !== undefined) endedAt.delete(oldest);
  };
  /** Null when the store cannot be asked in time. */
  const exchange = async (asked: readonly Party[]): Promise<ReadonlyMap<Party, EpochMs> | null> => {
    if (shared === undefined) return null;
    const telling = untold;
    untold = new Map();
    const now = clock.now();
    try {
      const answer = await within(clock, storeLimitMs, shared.exchange({ kept: own(), ended: new Map([...telling].map(([party, at]) => [party, now - at])) }, asked));
      ({ others } = answer);
      return answer.endedAt;
    } catch {
      others = [];
      untold = new Map([...telling, ...untold]);
      return null;
    }
  };
  const tell = (): void => {
    if (!stopped) void exchange([]);
  };
  const beatOn = (): void => {
    beat = clock.setTimer(clock.now() + tellEveryMs, () => {
      tell();
      beatOn();
    });
  };

  return {
    start: () => {
      if (shared === undefined) return;
      tell();
      beatOn();
    },
    changed: () => {
      if (others.length === 0 || stopped) return;
      soon ??= clock.setTimer(clock.now() + gatherMs, () => {
        soon = null;
        tell();
      });
    },
    onFact: (call, fact) => {
      if (fact.type === 'CallEnded') {
        const caller = callerOf(call);
        if (caller !== undefined) ended(caller);
      } else if (fact.type === 'LegEnded') {
        const leg = call.legs[fact.legId];
        for (const party of leg === undefined ? [] : partiesOfLeg(call, leg)) ended(party);
      }
    },
    read: async (parties) => {
      const ends = await exchange(parties);
      const here = own();
      return (party) => {
        const all = [here, ...others].map((one) => one.get(party) ?? nothing);
        return {
          calls: all.reduce((sum, one) => sum + one.calls, 0),
          talking: all.reduce((sum, one) => sum + one.talking, 0),
          endedAt: (ends ?? endedAt).get(party) ?? 0,
        };
      };
    },
    isBusy: (party) => [own(), ...others].some((one) => (one.get(party)?.talking ?? 0) > 0),
    stop: async () => {
      stopped = true;
      beat?.();
      soon?.();
      // Others have its calls from now on.
      if (shared !== undefined) await within(clock, storeLimitMs, shared.exchange({ kept: new Map(), ended: new Map() }, [])).catch(() => undefined);
    },
  };
}
