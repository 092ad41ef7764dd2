/**
 * Brings the switch to what the configuration says it must know by itself: phones, trunks, failsafes, emergency
 * settings; and collects the notes its dialplan took while no controller lived.
 */
import type { EmergencyIdentity, SwitchNote, SwitchSetup } from '../../switch-setup.ts';
import { deviceObjects, trunkObjects, type PjsipObject } from './pjsip-objects.ts';
import { createSwitchDatabase, type Ari } from './switch-database.ts';

export interface SwitchAdmin {
  /**
   * Makes what is missing, changes what differs, removes of `before` (an earlier result) what is no longer wanted.
   * Returns what is now there. Rejects with a sentence when the switch refuses or is away.
   */
  provision(setup: SwitchSetup, before: Provisioned): Promise<Provisioned>;
  /**
   * Gives each note to `keep`, oldest first, and removes it from the switch when `keep` has resolved: after a crash
   * in between it comes again. An emergency call is given when it is first seen, and again when it is over.
   */
  takeNotes(keep: (note: SwitchNote) => Promise<void>): Promise<void>;
}

/** What we made on the switch: ids by kind, to know later what to remove. */
export interface Provisioned {
  readonly objects: readonly { readonly type: PjsipObject['type']; readonly id: string }[];
  readonly failsafes: readonly string[];
}

export const nothingProvisioned: Provisioned = { objects: [], failsafes: [] };

/** Endpoints refer to the others, so they are made after and removed before them. */
const makingOrder: readonly PjsipObject['type'][] = ['auth', 'aor', 'endpoint', 'identify', 'registration'];

export function createAsteriskAdmin(ari: Ari): SwitchAdmin {
  const database = createSwitchDatabase(ari);
  /** Notes of calls that go on, already given. */
  const underWay = new Set<string>();
  return {
    async provision(setup, before) {
      const wanted = [...setup.devices.flatMap(deviceObjects), ...setup.trunks.flatMap(trunkObjects)];
      for (const type of makingOrder) {
        await Promise.all(wanted.filter((object) => object.type === type).map((object) => make(ari, object)));
      }
      for (const type of makingOrder.toReversed()) {
        const gone = before.objects.filter((object) => object.type === type && !wanted.some((other) => other.type === type && other.id === object.id));
        await Promise.all(gone.map((object) => remove(ari, object)));
      }
      // In both forms a carrier may send the number in.
      const failsafes = new Map([...setup.failsafes].flatMap(([dialled, target]) => [[dialled, target], [`+${dialled}`, target]] as const));
      for (const dialled of before.failsafes) {
        if (!failsafes.has(dialled)) await database.write('fd-failsafe', dialled, '');
      }
      for (const [dialled, target] of failsafes) await database.write('fd-failsafe', dialled, target);
      await database.write('fd-trunks', 'list', setup.trunks.map((trunk) => trunk.id).join('&'));
      await database.write('fd-emergency', 'trunks', setup.emergency.trunks.join('&'));
      for (const [id, identity] of identities(setup)) {
        await database.write('fd-emergency', `callerid/${id}`, identity.callerId);
        await database.write('fd-emergency', `location/${id}`, identity.location);
      }
      return {
        objects: wanted.map(({ type, id }) => ({ type, id })),
        failsafes: [...failsafes.keys()],
      };
    },

    async takeNotes(keep) {
      const found: { readonly family: string; readonly key: string; readonly note: SwitchNote }[] = [];
      for (const kind of ['emergency', 'failsafe'] as const) {
        const family = `fd-${kind}-log`;
        for (const key of await database.keys(family)) {
          const note = readNote(kind, await database.read(family, key));
          if (note !== undefined) found.push({ family, key, note });
        }
      }
      for (const { family, key, note } of found.toSorted((a, b) => a.note.at - b.note.at)) {
        if (note.outcome === 'STARTED') {
          if (note.kind === 'emergency' && !underWay.has(key)) await keep(note);
          underWay.add(key);
          continue;
        }
        await keep(note);
        await database.write(family, key, '');
        underWay.delete(key);
      }
    },
  };
}

function identities(setup: SwitchSetup): readonly (readonly [string, EmergencyIdentity])[] {
  const own = setup.devices.flatMap(({ id, emergency }) => (emergency === undefined ? [] : [[id, emergency] as const]));
  return [['default', setup.emergency], ...own];
}

function readNote(kind: SwitchNote['kind'], value: string): SwitchNote | undefined {
  const parts = value.split(',');
  const at = Number(parts[0]) * 1000;
  if (value === '' || !Number.isFinite(at)) return undefined;
  if (kind === 'emergency') {
    const [, from = '', dialled = '', outcome = '', trunk = ''] = parts;
    return { kind, at, from, dialled, outcome, trunk };
  }
  const [, , from = '', dialled = '', trunk = '', outcome = ''] = parts;
  return { kind, at, from, dialled, outcome, trunk };
}

async function make(ari: Ari, object: PjsipObject): Promise<void> {
  const fields = Object.entries(object.fields).map(([attribute, value]) => ({ attribute, value }));
  const result = await ari.request('asterisk.updateObject', { configClass: 'res_pjsip', objectType: object.type, id: object.id, fields });
  if (!result.ok) throw new Error(`The switch did not take the ${object.type} “${object.id}”: ${result.message}`);
}

async function remove(ari: Ari, object: { readonly type: string; readonly id: string }): Promise<void> {
  const result = await ari.request('asterisk.deleteObject', { configClass: 'res_pjsip', objectType: object.type, id: object.id });
  if (!result.ok && result.error !== 'gone') throw new Error(`The switch did not remove the ${object.type} “${object.id}”: ${result.message}`);
}
