/**
 * A switch that dies without a word leaves legs on the other: those to its phones, and those of its calls to the other's phones. They
 * would ring or be silent until their own timers end them. A lost link alone says nothing: the two switches talk on without us. So they are
 * ended once the other switch does not reach it either, or once it is back as another process, which knows none of them.
 */
import { second, type Ms } from '../../core/time.ts';
import type { LinkState } from '../media-driver.ts';
import type { AdminSide } from './compose-admins.ts';
import type { SideBySide } from './compose-drivers.ts';

interface Relays {
  /** The link to it has come, or is lost, or could not be made. */
  onSide(side: AdminSide, state: LinkState): void;
  stop(): void;
}

interface Away {
  /** What was relayed when it was found away, as soon as somebody can say: all older than a process that comes after. */
  legs?: Promise<readonly string[]>;
  timer?: NodeJS.Timeout;
}

interface RelaysOptions extends Pick<SideBySide<AdminSide>, 'isUp'> {
  readonly log: { warn(fields: Record<string, unknown>, message: string): void };
  readonly lookEveryMs?: Ms;
}

export function createRelays(sides: readonly AdminSide[], { isUp, log, lookEveryMs = second }: RelaysOptions): Relays {
  const away = new Map<AdminSide, Away>();
  /** Which process each was when it was last reached. */
  const processes = new Map<AdminSide, string>();

  async function end(living: AdminSide, dead: AdminSide, legs: readonly string[]): Promise<void> {
    if (legs.length === 0) return;
    log.warn({ switch: dead.name, legs: legs.length }, 'A switch has died; legs between it and the other are ended');
    await living.driver.admin.endRelayed(legs);
  }

  /** True where nothing is left to look for. */
  async function look(side: AdminSide, found: Away): Promise<boolean> {
    const living = sides.find((one) => one !== side && isUp(one));
    if (living === undefined) return false;
    const { driver: { admin }, peer: { id } } = living;
    try {
      await (found.legs ??= admin.relayed(id));
    } catch (error) {
      delete found.legs;
      throw error;
    }
    if (await admin.reaches(id)) return false;
    const legs = await admin.relayed(id);
    if (away.get(side) === found) await end(living, side, legs);
    return true;
  }

  async function watch(side: AdminSide, found: Away): Promise<void> {
    const over = await look(side, found).catch((error: unknown) => {
      log.warn({ switch: side.name, err: error }, 'Whether legs to a switch that is away are dead could not be told; it is asked again');
      return false;
    });
    if (!over && away.get(side) === found) found.timer = setTimeout(() => void watch(side, found), lookEveryMs);
  }

  async function cameBack(side: AdminSide, found: Away | undefined): Promise<void> {
    const living = sides.find((one) => one !== side && isUp(one));
    const [before, now] = [processes.get(side), await side.driver.admin.process()];
    processes.set(side, now);
    if (living !== undefined && before !== undefined && before !== now) await end(living, side, (await found?.legs) ?? []);
  }

  return {
    onSide(side, state) {
      const found = away.get(side);
      if (state === 'down') {
        if (found !== undefined) return;
        const now: Away = {};
        away.set(side, now);
        void watch(side, now);
        return;
      }
      clearTimeout(found?.timer);
      away.delete(side);
      if (state === 'up') void cameBack(side, found).catch((error: unknown) => { log.warn({ switch: side.name, err: error }, 'Whether a switch has been restarted could not be told'); });
    },
    stop() {
      for (const { timer } of away.values()) clearTimeout(timer);
      away.clear();
    },
  };
}
