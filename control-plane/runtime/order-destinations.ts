/**
 * Who is rung first (D7, D9), asked by each call when it comes to a ring step.
 *
 * round-robin: turns are counted over all calls of the system, in the store, and each call has one. A controller that
 * cannot ask counts on from the last turn that it has seen, and tells the store of it when it is back.
 *
 * least-connected: fewest live calls first, of equals the one whose last call ended longest ago, then as listed. A
 * destination is busy when everybody of it has picked up in some call; it is skipped while another is not.
 */
import type { OrderCommand, OrderedDestination } from '../core/call/commands.ts';
import type { CallId } from '../core/ids.ts';
import { count } from '../core/routing/words.ts';
import type { Turns } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Clock } from './clock.ts';
import { storeLimitMs, type Occupancy } from './occupancy.ts';
import { within } from './within.ts';

export interface DestinationOrder {
  readonly order: readonly string[];
  readonly why: string;
}

/** Never rejects, and answers in time for the caller. */
export type OrderDestinations = (callId: CallId, command: OrderCommand) => Promise<DestinationOrder>;

export interface OrderOptions {
  /** Absent: there is no other controller. */
  readonly turns: Turns | undefined;
  readonly occupancy: Pick<Occupancy, 'read'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Turns given here that are remembered, for calls that ask again. */
const rememberedTurns = 1000;
/** Destinations that are named with their numbers. */
const mostNamed = 10;

export function createOrderDestinations({ turns, occupancy, clock, log, metrics }: OrderOptions): OrderDestinations {
  const lastSeen = new Map<string, number>();
  const given = new Map<string, number>();
  const see = (group: string, turn: number): number => {
    lastSeen.set(group, Math.max(turn, lastSeen.get(group) ?? 0));
    return turn;
  };
  const giveAlone = (group: string, asker: string): number => {
    const turn = given.get(asker) ?? (lastSeen.get(group) ?? 0) + 1;
    given.set(asker, turn);
    const [oldest] = given.keys();
    if (given.size > rememberedTurns && oldest !== undefined) given.delete(oldest);
    return see(group, turn);
  };
  const inTurn = async (callId: CallId, { step, group, destinations }: OrderCommand): Promise<DestinationOrder> => {
    const asker = `${callId} ${step}`;
    const ids = destinations.map(({ id }) => id);
    const orderOf = (turn: number, how: string): DestinationOrder => {
      const first = (turn - 1) % ids.length;
      return { order: [...ids.slice(first), ...ids.slice(0, first)], why: `turn ${turn} of ${group}${how}` };
    };
    if (turns === undefined) return orderOf(giveAlone(group, asker), '');
    const taken = turns.take(group, asker, lastSeen.get(group) ?? 0).then((turn) => see(group, turn));
    try {
      return orderOf(await within(clock, storeLimitMs, taken), '');
    } catch (error) {
      metrics.count('turns_counted_alone_total');
      log.debug({ call: callId, group, error: String(error) }, 'Whose turn it is could not be asked: this controller counts on alone');
      return orderOf(giveAlone(group, asker), ', by the count of this controller alone');
    }
  };
  const byCalls = async ({ destinations }: OrderCommand): Promise<DestinationOrder> => {
    const stateOf = await occupancy.read(destinations.flatMap(({ parties }) => parties));
    const rows = destinations.map(({ id, parties }: OrderedDestination) => {
      const states = parties.map(stateOf);
      return {
        id, calls: states.reduce((sum, { calls }) => sum + calls, 0), endedAt: Math.max(0, ...states.map(({ endedAt }) => endedAt)),
        busy: states.length > 0 && states.every(({ talking }) => talking > 0),
      };
    });
    const free = rows.filter(({ busy }) => !busy);
    const rung = (free.length > 0 ? free : rows).toSorted((a, b) => a.calls - b.calls || a.endedAt - b.endedAt);
    const skipped = free.length > 0 ? rows.filter(({ busy }) => busy) : [];
    const numbers = rung.slice(0, mostNamed).map(({ id, calls }, i) => `${id} ${i === 0 ? count(calls, 'live call') : calls}`).join(', ');
    const [first, second] = rung;
    const why = [
      `least connected: ${numbers}${rung.length > mostNamed ? ' …' : ''}`,
      ...(first !== undefined && first.calls === second?.calls ? ['of equals the longest idle first'] : []),
      ...(skipped.length > 0 ? [`busy, so skipped: ${skipped.slice(0, mostNamed).map(({ id }) => id).join(', ')}${skipped.length > mostNamed ? ' …' : ''}`] : []),
      ...(free.length === 0 ? ['all are busy'] : []),
    ];
    return { order: rung.map(({ id }) => id), why: why.join('; ') };
  };

  return (callId, command) => (command.pattern === 'round-robin' ? inTurn(callId, command) : byCalls(command));
}
