/**
 * Which phone is where and how trunks do, as the switch sees it. Each reading asks it anew: a call into the dialplan per
 * eight objects and, for trunks that register, one HTTP request; a glimpse, one list of all endpoints. What the switch does not keep is since when:
 * that is remembered here, from reading to reading.
 */
import type { DeviceContact, DeviceRegistration, SwitchDevice, SwitchTrunk, TrunkHealth, TrunkState } from '../../switch-setup.ts';
import { createSince } from '../../since.ts';
import { clientUri, trunkObjects } from './pjsip-objects.ts';
import type { RegistrationState } from './registration-states.ts';
import type { SwitchContact, SwitchDatabase } from './switch-database.ts';

interface Whereabouts {
  trunks(trunks: readonly SwitchTrunk[]): Promise<readonly TrunkHealth[]>;
  devices(devices: readonly Pick<SwitchDevice, 'id'>[]): Promise<readonly DeviceRegistration[]>;
  /** The same by one request, however many: where a phone is, is asked of those alone that have come since the last reading. */
  glimpse(devices: readonly Pick<SwitchDevice, 'id'>[]): Promise<readonly DeviceRegistration[]>;
}

/** An answer of the dialplan holds 4,096 bytes. */
const askedAtOnce = 8;

export function createWhereabouts(
  database: Pick<SwitchDatabase, 'contacts'>, registrationStates: () => Promise<ReadonlyMap<string, RegistrationState>>, online: () => Promise<ReadonlySet<string>>,
  now: () => number = Date.now,
): Whereabouts {
  const trunksSince = createSince(now);
  const devicesSince = createSince(now);
  /** As last read, by device. */
  const known = new Map<string, readonly SwitchContact[]>();

  async function contactsOf(aors: readonly string[]): Promise<readonly SwitchContact[]> {
    const found: SwitchContact[] = [];
    for (let i = 0; i < aors.length; i += askedAtOnce) found.push(...(await database.contacts(aors.slice(i, i + askedAtOnce))));
    return found;
  }

  return {
    async trunks(trunks) {
      const aors = new Map(trunks.map((trunk) => [trunk.id, trunkObjects(trunk, []).find(({ type }) => type === 'aor')?.id ?? trunk.id]));
      const [contacts, registered] = await Promise.all([
        contactsOf([...aors.values()]),
        trunks.some(registers) ? registrationStates() : new Map<string, RegistrationState>(),
      ]);
      const health = trunks.map((trunk) => {
        const contact = contacts.find(({ aor }) => aor === aors.get(trunk.id));
        const registration = registers(trunk) ? registered.get(clientUri(trunk.host, trunk.port, trunk.credentials?.username ?? '')) : undefined;
        const state = stateOf(contact, registration);
        return { trunk: trunk.id, state, since: trunksSince.of(`${trunk.id} ${state}`), roundTripMs: contact === undefined || !(contact.roundTripUs > 0) ? null : contact.roundTripUs / 1000 };
      });
      trunksSince.keepOnly(health.map(({ trunk, state }) => `${trunk} ${state}`));
      return health;
    },

    devices: (devices) => read(devices, devices),

    async glimpse(devices) {
      const there = await online();
      for (const id of known.keys()) if (!there.has(id)) known.delete(id);
      return read(devices, devices.filter(({ id }) => there.has(id) && !known.has(id)));
    },
  };

  async function read(devices: readonly Pick<SwitchDevice, 'id'>[], asked: readonly Pick<SwitchDevice, 'id'>[]): Promise<readonly DeviceRegistration[]> {
    const contacts = await contactsOf(asked.map(({ id }) => id));
    for (const { id } of asked) {
      const own = contacts.filter(({ aor }) => aor === id);
      if (own.length === 0) known.delete(id);
      else known.set(id, own);
    }
    for (const id of known.keys()) if (!devices.some((device) => device.id === id)) known.delete(id);
    devicesSince.keepOnly([...known.values()].flat().map(({ aor, uri }) => `${aor} ${uri}`));
    return devices.map(({ id }) => ({
      device: id,
      contacts: (known.get(id) ?? []).map(({ uri, userAgent, expiresAt }): DeviceContact => ({
        address: addressOf(uri), userAgent, expiresAt: expiresAt * 1000, since: devicesSince.of(`${id} ${uri}`),
      })),
    }));
  }
}

function registers({ register, credentials }: SwitchTrunk): boolean {
  return register && credentials !== undefined;
}

/** The switch's words for a contact: Unknown, NonQualified, Reachable, Unreachable (contact_statuses in res_pjsip). */
function stateOf(contact: SwitchContact | undefined, registration: RegistrationState | undefined): TrunkState {
  if (registration === 'rejected') return 'rejected';
  if (contact?.status === 'Unreachable') return 'unreachable';
  if (registration === 'registered') return 'registered';
  return contact?.status === 'Reachable' && registration === undefined ? 'reachable' : 'unknown';
}

/** `host:port` of a SIP URI (RFC 3261 section 19.1.1). */
function addressOf(uri: string): string {
  return /^sips?:(?:[^@]*@)?([^;?>]+)/i.exec(uri)?.[1] ?? '';
}
