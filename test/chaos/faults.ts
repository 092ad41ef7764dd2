/** What is done to the clinic while it is busy, and how each thing is mended afterwards. */
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import type { Ms } from '../../control-plane/core/time.ts';
import type { Controller } from '../support/controller.ts';
import type { Clinic, Seat } from './clinic.ts';

export interface Fault {
  readonly title: string;
  /** From the first blow until the outside is as it was; a controller that died stays dead. */
  strike(clinic: Clinic): Promise<void>;
  /** Once all calls are looked after: brings back what is gone. */
  restore(clinic: Clinic): Promise<void>;
  /** For its length nobody is there who could take a call: new ones are the failsafe's. */
  readonly nobodyThere?: boolean;
  /** Whose turn it was is forgotten: the next to ask counts on from the last turn that its controller has seen, which another may have gone beyond. */
  readonly turnsForgotten?: boolean;
  /**
   * What the dead one saw and did last nobody else can know: in the moment before (journals are written in batches), and all
   * since Redis was away. That concerns who began to talk then, and was done before anybody looked.
   */
  readonly forgets?: boolean;
}

/** For how long a store is away, or everybody dead. */
const someSeconds: Ms = 5000;
const stoppedMs: Ms = 10_000;

function seatOf({ seats }: Clinic, index: number): Seat & { readonly process: Controller } {
  const seat = seats[index];
  if (seat?.process === null || seat === undefined) throw new Error(`There is no controller ${index + 1}`);
  return seat as Seat & { readonly process: Controller };
}

async function kill(seat: Seat): Promise<void> {
  await seat.process?.kill();
  seat.process = null;
}

const restart = async (clinic: Clinic): Promise<void> => {
  for (const seat of clinic.seats) if (seat.process === null) await clinic.start(seat);
};
const nothing = (): Promise<void> => Promise.resolve();

export const faults = {
  kill: { title: 'a controller is killed', forgets: true, strike: (clinic) => kill(seatOf(clinic, 0)), restore: restart },
  stop: {
    title: 'a controller is stopped for 10 s',
    strike: async (clinic) => {
      const { pid } = seatOf(clinic, 1).process;
      process.kill(pid, 'SIGSTOP');
      try {
        await delay(stoppedMs);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    },
    restore: nothing,
  },
  'redis-away': {
    title: 'Redis is away for 5 s',
    strike: async ({ redis }) => {
      await redis.stop();
      await delay(someSeconds);
      await redis.start();
    },
    restore: nothing,
  },
  'redis-empty': {
    title: 'Redis comes back empty',
    turnsForgotten: true,
    strike: async ({ redis }) => {
      await redis.stop();
      await redis.start({ empty: true });
    },
    restore: nothing,
  },
  'redis-and-kill': {
    title: 'a controller is killed while Redis is away',
    forgets: true,
    strike: async (clinic) => {
      await clinic.redis.stop();
      await delay(1000);
      await kill(seatOf(clinic, 1));
      await delay(someSeconds - 1000);
      await clinic.redis.start();
    },
    restore: restart,
  },
  'postgres-away': {
    title: 'Postgres is away for 5 s',
    strike: async ({ postgres }) => {
      await postgres.stop('immediate');
      await delay(someSeconds);
      await postgres.start();
    },
    restore: nothing,
  },
  'link-cut': {
    title: 'a controller loses its link to the switch',
    strike: async (clinic) => {
      const { wire } = seatOf(clinic, 0);
      wire?.cut();
      await delay(1000);
      wire?.mend();
    },
    restore: nothing,
  },
  'same-name': {
    title: 'a second controller of the same name',
    strike: async (clinic) => {
      const seat = seatOf(clinic, 1);
      const first = seat.process;
      await clinic.start(seat, join(clinic.root, `${seat.name}-again`));
      // Whoever runs them sees that one is not ready, and stops it.
      await first.stop();
    },
    restore: nothing,
  },
  'all-dead': {
    title: 'all controllers are dead for 5 s',
    nobodyThere: true,
    forgets: true,
    strike: async (clinic) => {
      await Promise.all(clinic.seats.map(kill));
      await delay(someSeconds);
      await Promise.all(clinic.seats.map((seat) => clinic.start(seat)));
    },
    restore: nothing,
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];
