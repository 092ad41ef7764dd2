/**
 * Brings the switch to what the configuration says it must know by itself, and collects the notes its dialplan took while no
 * controller lived. What it keeps is read by the scripts of freeswitch/, so that a restart finds it with no controller alive.
 */
import type { BesideAnother, SwitchAdmin } from '../../switch-admin.ts';
import type { SwitchNote, SwitchSetup } from '../../switch-setup.ts';
import { addressesOf } from '../../carrier-addresses.ts';
import { createCalls, type OnceMade } from './calls.ts';
import type { HeardLogins } from './logins.ts';
import { createProvisioning, type Provisioned } from './provisioning.ts';
import { createRelayedLegs } from './relayed-legs.ts';
import { createSwitchStore, type Esl, type Fields } from './switch-store.ts';
import { createWhereabouts } from './whereabouts.ts';

export interface FreeSwitchAdmin extends SwitchAdmin, BesideAnother {
  provision(setup: SwitchSetup, before: Provisioned | null, extent?: 'everything' | 'changes'): Promise<Provisioned>;
}

/** `owner`: of bans. */
export function createFreeSwitchAdmin(esl: Esl, owner: string, heard: Pick<HeardLogins, 'take'>, onceMade: OnceMade): FreeSwitchAdmin {
  const store = createSwitchStore(esl);
  const provisioning = createProvisioning(esl, store);
  const whereabouts = createWhereabouts(esl);
  /** Notes of calls that go on, already given. */
  const underWay = new Set<string>();
  let current: Pick<SwitchSetup, 'trunks' | 'devices'> = { trunks: [], devices: [] };
  return {
    async provision(setup, before, extent = 'everything') {
      current = setup;
      return provisioning.bring(setup, before ?? { kept: [] }, extent);
    },
    transfers: (setting) => Promise.resolve(setting === 'off' ? { allowed: false, why: 'transfers are turned off' } : { allowed: true }),
    ...createCalls(esl, onceMade),
    ...createRelayedLegs(esl),
    async logins() {
      const phones = new Set(current.devices.map(({ id }) => id));
      return { logins: heard.take().map((login) => (phones.has(login.endpoint) ? login : { ...login, endpoint: '<unknown>' })), problem: null };
    },
    ban: (bans) => store.ban(owner, bans),
    trunkAddresses: async () => (await Promise.all(current.trunks.map(addressesOf))).flatMap(({ addresses }) => addresses),
    trunkHealth: () => whereabouts.trunks(current.trunks),
    registrations: () => whereabouts.devices(current.devices),
    glimpse: () => whereabouts.devices(current.devices),

    async takeNotes(keep) {
      const kinds = ['emergency', 'failsafe'] as const;
      const lists = await Promise.all(kinds.map(async (kind) => [...await store.list(`fd-${kind}-log`)].map(([key, fields]) => ({ family: `fd-${kind}-log`, key, note: readNote(kind, key, fields) }))));
      for (const { family, key, note } of lists.flat().toSorted((a, b) => a.note.at - b.note.at)) {
        if (note.outcome === 'STARTED') {
          if (note.kind === 'emergency' && !underWay.has(key)) await keep(note);
          underWay.add(key);
          continue;
        }
        await keep(note);
        await store.remove(family, key);
        underWay.delete(key);
      }
    },
  };
}

/** An emergency is noted under its call's id, a failsafe in one of some slots. */
function readNote(kind: SwitchNote['kind'], key: string, fields: Fields): SwitchNote {
  const of = (name: string): string => fields[name] ?? '';
  const what = { kind, at: Number(of('at')) * 1000 || 0, dialled: of('dialled'), outcome: outcomes[of('outcome')] ?? of('outcome') };
  return kind === 'emergency' ? { ...what, call: key, from: of('phone'), trunk: of('trunk') } : { ...what, call: of('call'), from: of('origin'), trunk: of('number') };
}

/** As other switches name them. */
const outcomes: Readonly<Record<string, string>> = { SUCCESS: 'ANSWER', USER_BUSY: 'BUSY', NO_ANSWER: 'NOANSWER', ALLOTTED_TIMEOUT: 'NOANSWER', ORIGINATOR_CANCEL: 'CANCEL', NOTRUNK: 'NOTARGET' };
