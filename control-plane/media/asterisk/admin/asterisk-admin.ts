/**
 * Brings the switch to what the configuration says it must know by itself: phones, trunks, failsafes, emergency
 * settings; and collects the notes its dialplan took while no controller lived.
 */
import { addressesOf } from '../../carrier-addresses.ts';
import type { BesideAnother, SwitchAdmin } from '../../switch-admin.ts';
import type { SwitchNote, SwitchSetup } from '../../switch-setup.ts';
import { createAddressBans } from './address-bans.ts';
import { hasDialplan } from './dialplan-version.ts';
import { createProvisioning, nothingProvisioned, type Provisioned } from './provisioning.ts';
import { createRelayedLegs } from './relayed-legs.ts';
import { registrationStates } from './registration-states.ts';
import { createSwitchDatabase, type Ari } from './switch-database.ts';
import { createCallbackCalls } from './callback-calls.ts';
import { createSupervisorCalls } from './supervisor-calls.ts';
import { createTestCalls } from './test-calls.ts';
import { transfersOn } from './transfers.ts';
import { createWhereabouts } from './whereabouts.ts';

export type { Provisioned } from './provisioning.ts';

export interface AsteriskAdmin extends SwitchAdmin, BesideAnother {
  provision(setup: SwitchSetup, before: Provisioned | null, extent?: 'everything' | 'changes'): Promise<Provisioned>;
}

const dialplanWithCalls = 2;

/** `url`: the switch's, with user and password; without it nobody can say whether trunks are registered. `owner`: of bans. `securityLog`: a file. */
export function createAsteriskAdmin(ari: Ari, url?: string, { owner = 'frontdesk', securityLog }: { readonly owner?: string; readonly securityLog?: string | undefined } = {}): AsteriskAdmin {
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
      return provisioning.bring(setup, before ?? nothingProvisioned, extent);
    },

    transfers: (setting) => transfersOn(ari, setting),
    ...createAddressBans(ari, owner, securityLog),
    ...createCallbackCalls(ari),
    ...createSupervisorCalls(ari),
    ...createTestCalls(ari),
    ...createRelayedLegs(ari),
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
