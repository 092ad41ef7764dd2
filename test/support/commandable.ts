/**
 * Whether calls can be commanded. A call counts as commandable when
 *
 *   – exactly one controller that is ready lists it among its live calls (`/live-calls`),
 *   – the switch, where it tells each controller of its own calls alone, says that this one is told of the caller's channel
 *     (an Asterisk's `GET applications`), and
 *   – the channel obeys: it takes a command that changes nothing.
 */
import type { Ms } from '../../control-plane/core/time.ts';
import type { Controller } from './controller.ts';
import type { SwitchAdmin } from './switch-admin.ts';

export interface Seat {
  /** The controller's FRONTDESK_INSTANCE. */
  readonly name: string;
  /** Null while it is dead. */
  readonly process: Controller | null;
  readonly apiKey: string;
}

export interface Listed {
  readonly seat: string;
  readonly callId: string;
  readonly from: string;
}

export interface Look {
  /** What the controllers say that are ready; a call of which two say that they have it is there twice. */
  readonly listed: readonly Listed[];
  /** Of one call, given who lists it: why it cannot be commanded; null when nothing speaks against it. */
  readonly problem: (owners: readonly Listed[]) => string | null;
}

export interface Looker {
  look(): Promise<Look>;
  obeys(callId: string): Promise<boolean>;
}

/** Whoever does not answer by then is not there: stopped, or dead. */
const answersWithinMs: Ms = 700;

export function lookerAt(admin: Pick<SwitchAdmin, 'hearing' | 'obeys'>, seats: () => readonly Seat[]): Looker {
  return {
    look: async () => {
      const [listed, hearing] = await Promise.all([Promise.all(seats().map(liveCallsOf)), admin.hearing()]);
      return {
        listed: listed.flat(),
        problem: (owners) => {
          const [owner] = owners;
          if (owner === undefined) return 'nobody has it';
          if (owners.length > 1) return `${owners.map(({ seat }) => seat).join(' and ')} have it`;
          return hearing === undefined || hearing.get(owner.seat)?.has(owner.callId) === true ? null : `${owner.seat} has it and hears nothing of it`;
        },
      };
    },
    obeys: (callId) => admin.obeys(callId),
  };
}

async function liveCallsOf({ name, process, apiKey }: Seat): Promise<readonly Listed[]> {
  if (process === null) return [];
  try {
    const ask = (path: string): Promise<Response> => fetch(`${process.httpUrl}${path}`, { headers: { authorization: `Bearer ${apiKey}` }, signal: AbortSignal.timeout(answersWithinMs) });
    const [ready, live] = await Promise.all([ask('/readyz'), ask('/api/v1/live-calls')]);
    await ready.arrayBuffer();
    const { items } = (await live.json()) as { readonly items: readonly { readonly callId: string; readonly caller: { readonly number: string } }[] };
    return ready.ok && live.ok ? items.map(({ callId, caller }) => ({ seat: name, callId, from: caller.number })) : [];
  } catch {
    // not there
    return [];
  }
}
