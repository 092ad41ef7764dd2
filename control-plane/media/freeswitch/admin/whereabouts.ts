/** Which phone is where and how trunks do, as mod_sofia has it: one list each. */
import type { DeviceContact, DeviceRegistration, SwitchDevice, SwitchTrunk, TrunkHealth, TrunkState } from '../../switch-setup.ts';
import { createSince } from '../../since.ts';
import { profile } from '../sip-profile.ts';
import type { Esl } from './switch-store.ts';

interface Whereabouts {
  trunks(trunks: readonly SwitchTrunk[]): Promise<readonly TrunkHealth[]>;
  devices(devices: readonly Pick<SwitchDevice, 'id'>[]): Promise<readonly DeviceRegistration[]>;
}

interface Gateway {
  readonly name: string;
  /** sofia_state_names of mod_sofia: NOREG where it does not register. */
  readonly state: string;
  /** Whether it answers OPTIONS; up too where it is not asked. */
  readonly up: boolean;
  /** Of the last OPTIONS, 0 where there was none. */
  readonly roundTripMs: number;
}

export function createWhereabouts(esl: Esl, now: () => number = Date.now): Whereabouts {
  const trunksSince = createSince(now);
  const devicesSince = createSince(now);
  return {
    async trunks(trunks) {
      const gateways = await readGateways(esl);
      const health = trunks.map((trunk): TrunkHealth => {
        // The last of a name is the oldest, which may be about to go.
        const gateway = gateways.find(({ name }) => name === trunk.id);
        const state = stateOf(trunk, gateway);
        return { trunk: trunk.id, state, since: trunksSince.of(`${trunk.id} ${state}`), roundTripMs: gateway?.up === true && gateway.roundTripMs > 0 ? gateway.roundTripMs : null };
      });
      trunksSince.keepOnly(health.map(({ trunk, state }) => `${trunk} ${state}`));
      return health;
    },
    async devices(devices) {
      const listed = await esl.api('sofia', { deed: { raw: `xmlstatus profile ${profile} reg` } }, { order: 'store', timeoutMs: 10_000 });
      if (!listed.ok) throw new Error(`The switch does not say which phones are there: ${listed.message}`);
      const found = elements(listed.text, 'registration').map((one) => ({
        id: textOf(one, 'sip-auth-user'), address: `${textOf(one, 'network-ip')}:${textOf(one, 'network-port')}`, userAgent: textOf(one, 'agent'),
        seconds: Number(/expsecs\((-?\d+)\)/.exec(textOf(one, 'status'))?.[1] ?? 0),
      }));
      devicesSince.keepOnly(found.map(({ id, address }) => `${id} ${address}`));
      return devices.map(({ id }) => ({
        device: id,
        contacts: found.filter((one) => one.id === id && one.seconds > 0).map(({ address, userAgent, seconds }): DeviceContact => ({
          address, userAgent, expiresAt: now() + seconds * 1000, since: devicesSince.of(`${id} ${address}`),
        })),
      }));
    },
  };
}

export async function readGateways(esl: Esl): Promise<readonly Gateway[]> {
  const listed = await esl.api('sofia', { deed: { raw: 'xmlstatus gateway' } }, { order: 'store', timeoutMs: 10_000 });
  if (!listed.ok) throw new Error(`The switch does not say how trunks do: ${listed.message}`);
  return elements(listed.text, 'gateway').map((one) => ({ name: textOf(one, 'name'), state: textOf(one, 'state'), up: textOf(one, 'status') === 'UP', roundTripMs: Number(textOf(one, 'pingtime')) }));
}

function stateOf({ register, credentials, qualifySeconds }: SwitchTrunk, gateway: Gateway | undefined): TrunkState {
  if (gateway === undefined) return 'unknown';
  if (register && credentials !== undefined) {
    if (gateway.state === 'REGED') return gateway.up ? 'registered' : 'unreachable';
    return gateway.state === 'FAILED' || gateway.state === 'FAIL_WAIT' ? 'rejected' : gateway.state === 'TIMEOUT' ? 'unreachable' : 'unknown';
  }
  if (qualifySeconds === 0) return 'unknown';
  if (!gateway.up) return 'unreachable';
  return gateway.roundTripMs > 0 ? 'reachable' : 'unknown';
}

/** Each of a name, in what mod_sofia writes: none holds another of its name. */
function elements(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^]*?)</${name}>`, 'g'))].map(([, text = '']) => text);
}

const entities: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&amp;': '&' };

function textOf(xml: string, name: string): string {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
  return text.replace(/&(?:lt|gt|quot|apos|amp);/g, (entity) => entities[entity] ?? entity);
}
