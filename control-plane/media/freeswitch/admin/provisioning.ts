/** Brings what the switch keeps, and its gateways, from one setup to the next, while calls go on. */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { addressesOf } from '../../carrier-addresses.ts';
import type { EmergencyIdentity, SwitchDevice, SwitchSetup, SwitchTrunk } from '../../switch-setup.ts';
import { profile, domain } from '../sip-profile.ts';
import { writtenFields, type Esl, type Fields, type SwitchStore } from './switch-store.ts';
import { readGateways } from './whereabouts.ts';

/** What we keep on the switch, as `family/key`, to know later what to remove. */
export interface Provisioned {
  readonly kept: readonly string[];
}

interface Provisioning {
  /** One at a time, in the order of the calls. */
  bring(setup: SwitchSetup, before: Provisioned, extent: 'everything' | 'changes'): Promise<Provisioned>;
}

type Kept = ReadonlyMap<string, Fields>;

const families = ['fd-phone', 'fd-trunk', 'fd-trunks', 'fd-failsafe', 'fd-emergency'] as const;
/** A gateway that registers takes that back before it is made anew: the carrier may keep one registration per user. */
const takenBackWithinMs = 5000;
const lookEveryMs = 100;
/** Below it the switch does not ask (mod_sofia). */
const shortestPing = 5;

export function createProvisioning(esl: Esl, store: SwitchStore): Provisioning {
  /** What this process has written and not removed, by `family/key`. */
  const written = new Map<string, string>();
  let busy: Promise<unknown> = Promise.resolve();

  async function command(name: string, deed: string, what: string): Promise<void> {
    const done = await esl.api(name, deed === '' ? {} : { deed: { raw: deed } }, { order: 'store', timeoutMs: 10_000 });
    if (!done.ok && !/no such gateway/i.test(done.message)) throw new Error(`The switch ${what}: ${done.message}`);
  }

  /** True where it was another. */
  async function write(name: string, fields: Fields, there: Kept): Promise<boolean> {
    const text = writtenFields(fields);
    if (written.get(name) === text) return false;
    const [family, key] = parted(name);
    const known = there.get(name);
    const same = known !== undefined && isSame(known, fields);
    if (!same) await store.put(family, key, fields);
    written.set(name, text);
    return !same;
  }

  /** New ones are found, changed ones have to go first. */
  async function bringGateways(changed: ReadonlySet<string>): Promise<void> {
    if (changed.size === 0) return;
    const there = (await readGateways(esl)).filter(({ name }) => changed.has(name));
    for (const { name } of there) await command('sofia', `profile ${profile} killgw ${name}`, `does not let go of the trunk “${name}”`);
    const leaving = new Set(there.filter(({ state }) => state !== 'NOREG').map(({ name }) => name));
    const until = performance.now() + takenBackWithinMs;
    while (leaving.size > 0 && performance.now() < until && (await readGateways(esl)).some(({ name }) => leaving.has(name))) await delay(lookEveryMs);
    await command('sofia', `profile ${profile} rescan`, 'does not take its trunks');
  }

  /** A profile without TLS passes over a trunk that is to have it, and a call goes without a codec that is in no module. */
  async function expectAble(trunks: readonly SwitchTrunk[]): Promise<void> {
    const wrong: string[] = [];
    const secure = trunks.filter(({ transport }) => transport === 'tls').map(({ id }) => id);
    if (secure.length > 0) {
      const there = new Set((await readGateways(esl)).map(({ name }) => name));
      const missing = secure.filter((id) => !there.has(id));
      if (missing.length > 0) wrong.push(`it has no TLS, which ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} to have: give it the configuration of freeswitch/ anew and start it again, or choose another transport`);
    }
    const inModules = trunks.flatMap(({ id, codecs }) => codecs.flatMap((codec) => (codecModules[codec] === undefined ? [] : [{ id, codec, ...codecModules[codec] }])));
    if (inModules.length > 0) {
      const listed = await esl.api('show', { what: 'codec' }, { order: 'store' });
      if (!listed.ok) throw new Error(`The switch does not say which codecs it has: ${listed.message}`);
      for (const { id, codec, name, module } of inModules) if (!listed.text.includes(`codec,${name}`)) wrong.push(`it lacks ${module}, so calls over ${id} go without ${codec}: load it, or take ${codec} from the trunk`);
    }
    if (wrong.length > 0) throw new Error(`The switch cannot do what trunks ask for: ${wrong.join('; ')}.`);
  }

  async function bring(setup: SwitchSetup, before: Provisioned, extent: 'everything' | 'changes'): Promise<Provisioned> {
    if (extent === 'everything') written.clear();
    const carriers = new Map(await Promise.all([...setup.trunks, ...peerOf(setup)].map(async (trunk) => [trunk.id, await addressesOf(trunk)] as const)));
    const there = extent === 'everything' || before.kept.some((name) => !written.has(name)) ? await readAll() : new Map<string, Fields>();
    // Without a name server a carrier's calls still come from where they came from.
    const addresses = (trunk: SwitchTrunk): readonly string[] => {
      const { addresses: found = [], hostUnknown = true } = carriers.get(trunk.id) ?? {};
      const known = hostUnknown ? (there.get(`fd-trunk/${trunk.id}`)?.['match'] ?? fieldsOf(written.get(`fd-trunk/${trunk.id}`))['match'] ?? '').split(',').filter((one) => one !== '') : [];
      return [...new Set([...found.map(network), ...known])];
    };
    const wanted = wantedOf(setup, addresses);
    const changed = new Set<string>();
    for (const [name, fields] of wanted) if (await write(name, fields, there)) changed.add(name);
    const gone = before.kept.filter((name) => !wanted.has(name));
    for (const name of gone) {
      const [family, key] = parted(name);
      await store.remove(family, key);
      written.delete(name);
      // Where it has registered it would be rung still.
      if (family === 'fd-phone') await command('sofia', `profile ${profile} flush_inbound_reg ${key}@${domain}`, `does not forget where the phone “${key}” is`);
    }
    const trunks = new Set([...changed, ...gone].filter((name) => name.startsWith('fd-trunk/')).map((name) => name.slice('fd-trunk/'.length)));
    if (trunks.size > 0) await command('reloadacl', '', 'does not take the addresses of its trunks');
    await bringGateways(trunks);
    await expectAble(setup.trunks);
    return { kept: [...wanted.keys()] };
  }

  async function readAll(): Promise<Kept> {
    const lists = await Promise.all(families.map(async (family) => [...await store.list(family)].map(([key, fields]) => [`${family}/${key}`, fields] as const)));
    return new Map(lists.flat());
  }

  return {
    bring(setup, before, extent) {
      const turn = busy.then(() => bring(setup, before, extent));
      busy = turn.catch(() => undefined);
      return turn;
    },
  };
}

function wantedOf(setup: SwitchSetup, addresses: (trunk: SwitchTrunk) => readonly string[]): Kept {
  return new Map([
    ...setup.devices.map((device) => [`fd-phone/${device.id}`, phoneFields(device)] as const),
    ...setup.trunks.map((trunk) => [`fd-trunk/${trunk.id}`, trunkFields(trunk, addresses(trunk))] as const),
    ...peerOf(setup).map((peer) => [`fd-trunk/${peer.id}`, { ...trunkFields(peer, addresses(peer)), context: 'from-switch' }] as const),
    ['fd-trunks/list', { trunks: setup.trunks.map(({ id }) => id).join(',') }] as const,
    ...[...setup.failsafes].map(([dialled, { number, trunks }]) => [`fd-failsafe/${dialled}`, { number, trunks: trunks?.join(',') ?? '' }] as const),
    ['fd-emergency/default', emergency(setup.emergency, setup.emergency.trunks)] as const,
    ...setup.devices.filter((device) => device.emergency !== undefined || device.emergencyTrunks !== undefined)
      .map((device) => [`fd-emergency/${device.id}`, emergency(device.emergency ?? { callerId: '', location: '' }, device.emergencyTrunks)] as const),
  ]);
}

function peerOf({ peer }: SwitchSetup): readonly SwitchTrunk[] {
  return peer === undefined ? [] : [peer];
}

function emergency({ callerId, location }: EmergencyIdentity, trunks: readonly string[] | undefined): Fields {
  return { callerid: callerId, location, trunks: trunks?.join(',') ?? '' };
}

/** The switch keeps what proves the password, and not the password (RFC 2617 section 3.2.2.2). */
function phoneFields({ id, password, callerId }: SwitchDevice): Fields {
  return { a1: createHash('md5').update(`${id}:${domain}:${password}`).digest('hex'), number: callerId.number, name: callerId.name };
}

function trunkFields({ host, port, transport, credentials, register, qualifySeconds, codecs, dtmf, srtp, nat }: SwitchTrunk, addresses: readonly string[]): Fields {
  return {
    host: isIPv6(host) ? `[${host}]` : host, port: String(port), transport, match: addresses.map(network).join(','),
    ...(credentials === undefined ? {} : { username: credentials.username, password: credentials.password, register: String(register) }),
    ping: qualifySeconds === 0 ? '' : String(Math.max(shortestPing, qualifySeconds)),
    codecs: codecs.map((codec) => codecNames[codec] ?? codec).join(','), dtmf: dtmfNames[dtmf],
    srtp: srtp ? 'true' : '', nat: nat ? '' : 'false',
  };
}

const codecNames: Readonly<Record<string, string>> = { ulaw: 'PCMU', alaw: 'PCMA', g722: 'G722', opus: 'OPUS', g729: 'G729' };
/** As the switch lists those that come by a module. */
const codecModules: Readonly<Record<string, { readonly name: string; readonly module: string }>> = { g722: { name: 'G.722', module: 'mod_spandsp' }, opus: { name: 'OPUS', module: 'mod_opus' } };
const dtmfNames: Readonly<Record<SwitchTrunk['dtmf'], string>> = { rfc4733: 'rfc2833', auto: 'rfc2833', info: 'info', inband: 'none' };

function network(address: string): string {
  return address.includes('/') ? address : `${address}/${isIPv6(address) ? 128 : 32}`;
}

function parted(name: string): readonly [string, string] {
  const at = name.indexOf('/');
  return [name.slice(0, at), name.slice(at + 1)];
}

function fieldsOf(text: string | undefined): Fields {
  return Object.fromEntries(new URLSearchParams(text ?? ''));
}

function isSame(known: Fields, fields: Fields): boolean {
  const given = Object.entries(fields).filter(([, value]) => value !== '');
  return given.every(([name, value]) => known[name] === value) && Object.keys(known).filter((name) => name !== 'none').length === given.length;
}
