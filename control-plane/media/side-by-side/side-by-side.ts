/** Several switches as one, calls and all else. */
import { callIdOf } from '../../core/ids.ts';
import type { StoredRecordings, SwitchDriver } from '../switch-admin.ts';
import { composeAdmins, type AdminSide } from './compose-admins.ts';
import { composeDrivers, type SideBySide } from './compose-drivers.ts';
import { createRelays } from './relays.ts';

export interface BothSwitches {
  readonly driver: SwitchDriver & SideBySide<AdminSide> & { readonly admin: ReturnType<typeof composeAdmins> };
  readonly recordings: StoredRecordings;
}

/** One side of it, with what it has recorded. */
export interface RecordingSide extends AdminSide {
  readonly recordings: StoredRecordings;
}

/** The first is where a trunk registers that does not say where, and where calls begin that could begin on any. */
export function sideBySide(sides: readonly RecordingSide[], options: Pick<Parameters<typeof composeDrivers>[1], 'log' | 'againMs'>): BothSwitches {
  const composed: SideBySide<AdminSide> = composeDrivers<AdminSide>(sides, { ...options, onSide: (side, state) => { relays.onSide(side, state); } });
  const relays = createRelays(sides, { isUp: (side) => composed.isUp(side), log: options.log });
  return {
    driver: {
      ...composed, admin: composeAdmins(sides, composed), connects: () => sides.reduce((sum, { driver }) => sum + driver.connects(), 0),
      async stop() {
        relays.stop();
        await composed.stop();
      },
    },
    recordings: bothRecordings(sides, composed),
  };
}

/** Named by the call, whose switch has them. */
function bothRecordings(sides: readonly RecordingSide[], { homes, isUp }: Pick<SideBySide<AdminSide>, 'homes' | 'isUp'>): StoredRecordings {
  const having = (name: string): readonly RecordingSide[] => {
    const home = homes.of(callIdOf(name.replace(/-(?:caller|callee)$/, '')));
    return home === undefined ? sides : sides.filter((side) => side === home);
  };
  return {
    // What is on one that is away is looked for when it is back.
    list: async () => (await Promise.all(sides.filter(isUp).map(({ recordings }) => recordings.list()))).flat(),
    async fetch(name, file) {
      for (const { recordings } of having(name)) if (await recordings.fetch(name, file)) return true;
      return false;
    },
    async remove(name) {
      for (const { recordings } of having(name)) await recordings.remove(name);
    },
  };
}
