/** Brings the switch's objects and its database from one setup to the next, while calls go on. */
import type { EmergencyIdentity, Failsafe, SwitchSetup, SwitchTrunk } from '../../switch-setup.ts';
import type { CarrierAddresses } from '../../carrier-addresses.ts';
import { deviceObjects, ownerOf, placeOf, trunkObjects, type PjsipObject } from './pjsip-objects.ts';
import type { Ari, SwitchDatabase } from './switch-database.ts';
import { transfersOn } from './transfers.ts';

type ObjectName = Pick<PjsipObject, 'type' | 'id'>;

/** What we made on the switch, to know later what to remove. */
export interface Provisioned {
  readonly objects: readonly ObjectName[];
  readonly failsafes: readonly string[];
  /** Devices with an emergency identity of their own; absent in what older versions left. */
  readonly identities?: readonly string[];
  /** Devices with emergency trunks of their own; absent likewise. */
  readonly emergencyTrunks?: readonly string[];
}

export const nothingProvisioned: Provisioned = { objects: [], failsafes: [] };

interface Provisioning {
  /** One at a time, in the order of the calls. */
  bring(setup: SwitchSetup, before: Provisioned, extent: 'everything' | 'changes'): Promise<Provisioned>;
}

export function createProvisioning(ari: Ari, database: SwitchDatabase, addressesOf: (trunk: SwitchTrunk) => Promise<CarrierAddresses>): Provisioning {
  /** What this process has written and not removed: fields by type and id, values by family and key. */
  const written = new Map<string, string>();
  let busy: Promise<unknown> = Promise.resolve();

  async function make(object: PjsipObject): Promise<void> {
    const [key, fields] = [keyOf(object), JSON.stringify(object.fields)];
    if (written.get(key) === fields) return;
    written.delete(key);
    if (object.type === 'aor' && (await isLeftAlone(object))) {
      written.set(key, fields);
      return;
    }
    const given = Object.entries(object.fields).map(([attribute, value]) => ({ attribute, value }));
    const result = await ari.request('asterisk.updateObject', { configClass: 'res_pjsip', objectType: object.type, id: object.id, fields: given });
    if (!result.ok) throw new Error(`The switch did not take the ${object.type} “${object.id}”: ${result.message}`);
    written.set(key, fields);
  }

  /**
   * Tried on 22.10.1: an aor that is written again takes what a phone has registered for its own `contact`. That never
   * lapses, and calls go on to where the phone was. So one that is as it should be is not written; one that differs is
   * made anew, and its phone has to register again.
   */
  async function isLeftAlone({ type, id, fields }: PjsipObject): Promise<boolean> {
    const there = await ari.request('asterisk.getObject', { configClass: 'res_pjsip', objectType: type, id });
    if (!there.ok) return false;
    const asRead: Readonly<Record<string, string>> = { yes: 'true', no: 'false' };
    const same = Object.entries(fields).every(([attribute, value]) => there.body.some((one) => one.attribute === attribute && one.value === (asRead[value] ?? value)));
    if (!same) await remove({ type, id });
    return same;
  }

  async function remove(object: ObjectName): Promise<void> {
    written.delete(keyOf(object));
    const result = await ari.request('asterisk.deleteObject', { configClass: 'res_pjsip', objectType: object.type, id: object.id });
    if (!result.ok && result.error !== 'gone') throw new Error(`The switch did not remove the ${object.type} “${object.id}”: ${result.message}`);
  }

  async function write(family: string, key: string, value: string): Promise<void> {
    const name = `${family}/${key}`;
    if (written.get(name) === value) return;
    written.delete(name);
    await database.write(family, key, value);
    written.set(name, value);
  }

  async function bringObjects(setup: SwitchSetup, before: Provisioned): Promise<readonly ObjectName[]> {
    const { allowed } = await transfersOn(ari, setup.transfers ?? 'auto');
    const { peer } = setup;
    const carriers = await Promise.all([...setup.trunks, ...(peer === undefined ? [] : [peer])].map(async (trunk) => ({ trunk, ...(await addressesOf(trunk)) })));
    const wanted = [...setup.devices.flatMap((device) => deviceObjects(device, allowed)), ...carriers.flatMap(({ trunk, addresses }) => trunkObjects(trunk, addresses, trunk === peer ? 'from-switch' : 'from-trunk'))];
    const names = new Set(wanted.map(keyOf));
    // Without a name server a carrier's calls still come from where they came from.
    const unknown = new Set(carriers.filter(({ hostUnknown }) => hostUnknown).map(({ trunk }) => trunk.id));
    const kept = before.objects.filter((object) => !names.has(keyOf(object)) && object.type === 'identify' && unknown.has(ownerOf(object.id)));
    const gone = before.objects.filter((object) => !names.has(keyOf(object)) && !kept.includes(object));
    // A registration that is removed takes itself back at the carrier, and is asked for its password once more.
    const takenBack = new Set(gone.filter(({ type }) => type === 'registration').map(({ id }) => ownerOf(id)));
    const last = gone.filter(({ type, id }) => type === 'auth' && takenBack.has(id));
    const makeAll = async (type: PjsipObject['type']): Promise<void> => void (await Promise.all(wanted.filter((object) => object.type === type).map(make)));
    const removeAll = async (type: PjsipObject['type']): Promise<void> => void (await Promise.all(gone.filter((object) => object.type === type && !last.includes(object)).map(remove)));
    // An endpoint refers to its auth and aor, an identify and a registration to their endpoint: what is referred to is
    // made first and removed last, so that no call in between finds a half. A carrier may keep one registration per
    // user, so the old one is taken back before the new one is made.
    for (const type of ['auth', 'aor', 'endpoint', 'identify'] as const) await makeAll(type);
    await removeAll('registration');
    await makeAll('registration');
    for (const type of ['identify', 'endpoint', 'aor', 'auth'] as const) await removeAll(type);
    return [...wanted, ...kept, ...last].map(({ type, id }) => ({ type, id }));
  }

  async function bring(setup: SwitchSetup, before: Provisioned, extent: 'everything' | 'changes'): Promise<Provisioned> {
    if (extent === 'everything') written.clear();
    const objects = await bringObjects(setup, before);
    // In both forms a carrier may send the number in.
    const failsafes = new Map([...setup.failsafes].flatMap(([dialled, failsafe]) => [[dialled, failsafeText(failsafe)], [`+${dialled}`, failsafeText(failsafe)]] as const));
    const identities = identitiesOf(setup);
    const emergencyTrunks = new Map(setup.devices.flatMap(({ id, emergencyTrunks: own }) => (own === undefined ? [] : [[id, own.join('&')] as const])));
    for (const dialled of before.failsafes) {
      if (!failsafes.has(dialled)) await write('fd-failsafe', dialled, '');
    }
    for (const [dialled, target] of failsafes) await write('fd-failsafe', dialled, target);
    await write('fd-trunks', 'list', setup.trunks.map((trunk) => trunk.id).join('&'));
    await write('fd-emergency', 'trunks', setup.emergency.trunks.join('&'));
    for (const trunk of setup.trunks) await write('fd-trunks', `at/${trunk.id}`, placeOf(trunk));
    for (const id of trunksOf(before)) {
      if (!setup.trunks.some((trunk) => trunk.id === id)) await write('fd-trunks', `at/${id}`, '');
    }
    for (const id of before.identities ?? []) {
      if (!identities.has(id)) await writeIdentity(id, { callerId: '', location: '' });
    }
    for (const [id, identity] of identities) await writeIdentity(id, identity);
    for (const id of before.emergencyTrunks ?? []) {
      if (!emergencyTrunks.has(id)) await write('fd-emergency', `trunks/${id}`, '');
    }
    for (const [id, trunks] of emergencyTrunks) await write('fd-emergency', `trunks/${id}`, trunks);
    return { objects, failsafes: [...failsafes.keys()], identities: [...identities.keys()], emergencyTrunks: [...emergencyTrunks.keys()] };
  }

  async function writeIdentity(id: string, { callerId, location }: EmergencyIdentity): Promise<void> {
    await write('fd-emergency', `callerid/${id}`, callerId);
    await write('fd-emergency', `location/${id}`, location);
  }

  return {
    bring(setup, before, extent) {
      const turn = busy.then(() => bring(setup, before, extent));
      busy = turn.catch(() => undefined);
      return turn;
    },
  };
}

function identitiesOf(setup: SwitchSetup): ReadonlyMap<string, EmergencyIdentity> {
  const own = setup.devices.flatMap(({ id, emergency }) => (emergency === undefined ? [] : [[id, emergency] as const]));
  return new Map([['default', setup.emergency], ...own]);
}

function failsafeText({ number, trunks }: Failsafe): string {
  return trunks === undefined ? number : `${number}@${trunks.join('&')}`;
}

function trunksOf({ objects }: Provisioned): readonly string[] {
  return objects.filter(({ type, id }) => type === 'aor' && ownerOf(id) !== id).map(({ id }) => ownerOf(id));
}

function keyOf({ type, id }: ObjectName): string {
  return `${type} ${id}`;
}
