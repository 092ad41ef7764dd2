/**
 * Brings the switch to what the configuration says it must know by itself: phones, trunks, failsafes, emergency
 * settings; and collects the notes its dialplan took while no controller lived.
 */
import type { DeviceRegistration, SwitchNote, SwitchSetup, TrunkHealth } from '../../switch-setup.ts';
import { createAddressBans, type AddressBans } from './address-bans.ts';
import { addressesOf } from './carrier-addresses.ts';
import { hasDialplan } from './dialplan-version.ts';
import { createProvisioning, type Provisioned } from './provisioning.ts';
import { registrationStates } from './registration-states.ts';
import { createSwitchDatabase, type Ari } from './switch-database.ts';
import { createTestCalls, type TestCallsOfSwitch } from './test-calls.ts';
import { createWhereabouts } from './whereabouts.ts';

export { nothingProvisioned, type Provisioned } from './provisioning.ts';

export interface SwitchAdmin extends AddressBans, TestCallsOfSwitch {
  /**
   * Makes what is missing, changes what differs, removes of `before` (an earlier result) what is no longer wanted.
   * Returns what is now there. Rejects with a sentence when the switch refuses or is away; done again, it goes on.
   * May be called at any time, calls up or not: calls go on as they were set up, the next is made by the new setup.
   * `changes` writes only what differs from what this process wrote last; `everything` is for a switch that may have
   * been restarted or replaced since.
   */
  provision(setup: SwitchSetup, before: Provisioned, extent?: 'everything' | 'changes'): Promise<Provisioned>;
  /** Of each trunk last provisioned, as the switch sees it now. Rejects with a sentence when it cannot be asked. */
  trunkHealth(): Promise<readonly TrunkHealth[]>;
  /** Where calls of the trunks last provisioned come from: addresses, and networks as `address/bits`. */
  trunkAddresses(): Promise<readonly string[]>;
  /** Of each device last provisioned. Rejects with a sentence when the switch cannot be asked. */
  registrations(): Promise<readonly DeviceRegistration[]>;
  /**
   * The same, for who looks every few seconds: one request, and the address of a phone that moves without having been
   * away is that of the last `registrations`.
   */
  glimpse(): Promise<readonly DeviceRegistration[]>;
  /**
   * Gives each note to `keep`, oldest first, and removes it from the switch when `keep` has resolved: after a crash
   * in between it comes again. An emergency call is given when it is first seen, and again when it is over.
   */
  takeNotes(keep: (note: SwitchNote) => Promise<void>): Promise<void>;
  /**
   * Places a call to ourselves (core/ids.ts, syntheticId), as a carrier would. `unknown`: the switch runs a dialplan of
   * before there were such calls. Rejects with a sentence.
   */
  callOurselves(callId: string): Promise<'placed' | 'unknown'>;
}

const dialplanWithCalls = 2;

/** `url`: the switch's, with user and password; without it nobody can say whether trunks are registered. `owner`: of bans. */
export function createAsteriskAdmin(ari: Ari, url?: string, owner = 'frontdesk'): SwitchAdmin {
  const database = createSwitchDatabase(ari);
  const provisioning = createProvisioning(ari, database, addressesOf);
  const online = async (): Promise<ReadonlySet<string>> => {
    const listed = await ari.request('endpoints.listByTech', { tech: 'PJSIP' });
    if (!listed.ok) throw new Error(`The switch does not say which phones are there: ${listed.message}`);
    return new Set(listed.body.filter(({ state }) => state === 'online').map(({ resource }) => resource));
  };
  const whereabouts = createWhereabouts(database, () => (url === undefined ? Promise.resolve(new Map()) : registrationStates(url)), online);
  /** Notes of calls that go on, already given. */
  const underWay = new Set<string>();
  let current: Pick<SwitchSetup, 'trunks' | 'devices'> = { trunks: [], devices: [] };
  return {
    async provision(setup, before, extent = 'everything') {
      current = setup;
      return provisioning.bring(setup, before, extent);
    },

    ...createAddressBans(ari, owner),
    ...createTestCalls(ari),
    trunkAddresses: async () => (await Promise.all(current.trunks.map(addressesOf))).flatMap(({ addresses }) => addresses),
    trunkHealth: () => whereabouts.trunks(current.trunks),
    registrations: () => whereabouts.devices(current.devices),
    glimpse: () => whereabouts.glimpse(current.devices),

    async callOurselves(callId) {
      if (!(await hasDialplan(ari, dialplanWithCalls))) return 'unknown';
      const placed = await ari.request('channels.originate', {
        endpoint: 'Local/call@fd-synthetic/n', context: 'fd-synthetic', extension: 'wait', priority: 1, timeout: 10, callerId: 'Frontdesk <0000>',
        // one that begins as the other is taken for the same
        channelId: `far-${callId}`, otherChannelId: callId,
      });
      if (!placed.ok) throw new Error(`The switch does not place a call to Frontdesk: ${placed.message}`);
      return 'placed';
    },

    async takeNotes(keep) {
      const found: { readonly family: string; readonly key: string; readonly note: SwitchNote }[] = [];
      for (const kind of ['emergency', 'failsafe'] as const) {
        const family = `fd-${kind}-log`;
        for (const key of await database.keys(family)) {
          const note = readNote(kind, key, await database.read(family, key));
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

/** An emergency is noted under its call's id, a failsafe in one of some slots. */
function readNote(kind: SwitchNote['kind'], key: string, value: string): SwitchNote | undefined {
  const parts = value.split(',');
  const at = Number(parts[0]) * 1000;
  if (value === '' || !Number.isFinite(at)) return undefined;
  if (kind === 'emergency') {
    const [, from = '', dialled = '', outcome = '', trunk = ''] = parts;
    return { kind, at, call: key, from, dialled, outcome, trunk };
  }
  const [, call = '', from = '', dialled = '', trunk = '', outcome = ''] = parts;
  return { kind, at, call, from, dialled, outcome, trunk };
}
