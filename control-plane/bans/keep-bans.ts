/**
 * Bans addresses that guess SIP passwords, and lifts the bans again (docs/decisions/0013-guessed-passwords.md). Asks
 * the switch who has logged in, a moment later; no call waits for it.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hour, minute, type EpochMs, type Ms } from '../core/time.ts';
import type { SipBan, SipBans } from '../http/ports.ts';
import type { SwitchDriver, SwitchLogin } from '../media/switch-admin.ts';
import type { Notices } from '../notify/notices.ts';
import type { Log } from '../telemetry/log.ts';
import { bannedOf, contains } from './addresses.ts';
import { countFailures } from './failures.ts';

export interface BanLimits {
  /** Wrong passwords from one address within `withinMs`. */
  readonly failures: number;
  readonly withinMs: Ms;
  readonly banMs: Ms;
  /** Each SIP packet is held against every ban: of more the oldest is lifted. */
  readonly most: number;
  readonly lookEveryMs: Ms;
}

interface Keeping {
  readonly dataDir: string;
  /** Addresses and networks that are never banned. */
  readonly never: readonly string[];
  readonly driver: Pick<SwitchDriver, 'connects' | 'health'> & { readonly admin: Pick<SwitchDriver['admin'], 'logins' | 'ban' | 'registrations' | 'trunkAddresses'> };
  readonly notices: Pick<Notices, 'give'>;
  readonly log: Log;
  readonly limits?: Partial<BanLimits>;
  readonly now?: () => EpochMs;
}

export interface KeptBans extends SipBans {
  /** What is wrong now, a sentence; null when nothing is. */
  problem(): string | null;
  /** The configuration is another: a trunk may be at an address that is banned. */
  changed(): void;
  stop(): Promise<void>;
}

const defaultLimits: BanLimits = { failures: 10, withinMs: 10 * minute, banMs: hour, most: 500, lookEveryMs: 500 };
/** A phone that proved its password from an address speaks for it this long: it may be off for the holidays. */
const knownMs: Ms = 30 * 24 * hour;
const rememberEveryMs: Ms = hour;
const toldEveryMs: Ms = hour;
/** Who comes through a proxy of this machine, browser phones above all, is at its own address. */
const thisMachine = ['127.0.0.1', '::1'];

const stateSchema = z.object({
  bans: z.array(z.object({ address: z.string(), since: z.number(), until: z.number(), failures: z.number(), endpoint: z.string() })),
  known: z.record(z.string(), z.number()),
});

/** Rejects never. */
export async function keepBans({ dataDir, never, driver, notices, log, limits = {}, now = Date.now }: Keeping): Promise<KeptBans> {
  const { failures: limit, withinMs, banMs, most, lookEveryMs } = { ...defaultLimits, ...limits };
  const file = join(dataDir, 'bans.json');
  const kept = await readState(file);
  const bans = new Map(kept.bans.map((ban) => [ban.address, ban]));
  /** When a phone last proved its password from there. */
  const known = new Map(Object.entries(kept.known));
  const failures = countFailures(limit, withinMs);
  /** Over the limit, with the endpoint tried last; judged at the end of a look. */
  const suspects = new Map<string, string>();
  const toldAt = new Map<string, EpochMs>();
  let unsaved = false;
  let unpushed = true;
  let pushedAt = -1;
  let recheck = true;
  let problem: string | null = null;
  let busy: Promise<void> = Promise.resolve();

  const take = ({ kind, address, endpoint }: SwitchLogin): void => {
    const banned = bannedOf(address);
    if (banned === undefined) return;
    const at = now();
    if (kind === 'proven') {
      if (at - (known.get(banned) ?? -Infinity) < rememberEveryMs) return;
      known.set(banned, at);
      unsaved = true;
    } else if (failures.count(banned, at) && !bans.has(banned)) suspects.set(banned, endpoint);
  };

  /** Why it is not banned; undefined when it is. Rejects when the switch cannot be asked. */
  const sparedBy = (banned: string, trunks: readonly string[], phones: readonly string[]): string | undefined => {
    if (contains(thisMachine, banned)) return 'it is this machine';
    if (contains(never, banned)) return 'FRONTDESK_NEVER_BAN names it';
    if (contains(trunks, banned)) return 'a trunk is there';
    if (phones.includes(banned)) return 'a phone is registered from there';
    return now() - (known.get(banned) ?? -Infinity) < knownMs ? 'a phone has logged in from there' : undefined;
  };
  const lift = ({ address, since }: SipBan, why: string): void => {
    bans.delete(address);
    failures.forget(address);
    [unsaved, unpushed] = [true, true];
    log.info({ address, since: new Date(since).toISOString() }, `An address is no longer banned: ${why}`);
  };
  const push = async (): Promise<void> => {
    if (!unpushed) return;
    await driver.admin.ban([...bans.values()]);
    unpushed = false;
  };
  /** The sentence to be told of it; none of what was told lately. */
  const judged = (address: string, endpoint: string, spared: string | undefined): string | undefined => {
    const at = now();
    const guesses = `${failures.of(address, at)} wrong SIP passwords came from ${address} within ${withinMs / minute} minutes, the last for ${endpoint === '<unknown>' ? 'a phone that does not exist' : endpoint}`;
    if (spared !== undefined) {
      if (at - (toldAt.get(address) ?? -Infinity) < toldEveryMs) return undefined;
      toldAt.set(address, at);
      return `${guesses}. It is not banned: ${spared}.`;
    }
    const oldest = bans.size < most ? undefined : [...bans.values()].toSorted((a, b) => a.since - b.since)[0];
    if (oldest !== undefined) lift(oldest, `no more than ${most} are banned at once`);
    bans.set(address, { address, since: at, until: at + banMs, failures: failures.of(address, at), endpoint });
    [unsaved, unpushed] = [true, true];
    return `${guesses}. It is banned until ${new Date(at + banMs).toISOString()}.`;
  };
  const judge = async (): Promise<readonly string[]> => {
    if (suspects.size === 0) return [];
    const trunks = await driver.admin.trunkAddresses();
    const phones = (await driver.admin.registrations()).flatMap(({ contacts }) => contacts.map(({ address }) => bannedOf(hostOf(address)) ?? ''));
    const sentences: string[] = [];
    for (const [address, endpoint] of suspects) {
      const sentence = judged(address, endpoint, sparedBy(address, trunks, phones));
      failures.forget(address);
      if (sentence !== undefined) sentences.push(sentence);
    }
    suspects.clear();
    return sentences;
  };
  const look = async (): Promise<void> => {
    const { logins, problem: missing } = await driver.admin.logins();
    for (const login of logins) take(login);
    if (driver.health().link === 'up') await bringUpToDate();
    if (missing !== null) throw new Error(missing);
  };
  const bringUpToDate = async (): Promise<void> => {
    // a switch that was restarted may have forgotten them
    unpushed ||= pushedAt !== driver.connects();
    pushedAt = driver.connects();
    for (const ban of [...bans.values()].filter(({ until }) => until <= now())) lift(ban, 'its time is over');
    if (recheck) {
      const trunks = bans.size === 0 ? [] : await driver.admin.trunkAddresses();
      for (const ban of bans.values()) {
        const spared = sparedBy(ban.address, trunks, []);
        if (spared !== undefined) lift(ban, spared);
      }
      recheck = false;
    }
    const sentences = await judge();
    try {
      await push();
    } finally {
      for (const sentence of sentences) await notices.give({ at: new Date(now()).toISOString(), kind: 'guesses', notify: [], sentence });
    }
  };
  const save = async (): Promise<void> => {
    if (!unsaved) return;
    unsaved = false;
    for (const [address, at] of known) if (now() - at > knownMs) known.delete(address);
    for (const [address, at] of toldAt) if (now() - at > toldEveryMs) toldAt.delete(address);
    await writeFile(`${file}.new`, JSON.stringify({ bans: [...bans.values()], known: Object.fromEntries(known) }), { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  const told = (error: unknown): void => {
    const sentence = `Guesses of SIP passwords are not noticed, or not banned: ${error instanceof Error ? error.message : String(error)}`;
    if (problem === null) log.error({}, sentence);
    problem = sentence;
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = busy.then(work);
    busy = done.then(() => undefined, () => undefined);
    return done;
  };
  let looking = false;
  const next = (): void => {
    if (looking) return;
    looking = true;
    void inTurn(() => look().then(() => { problem = null; }, told).then(save).catch(told)).finally(() => { looking = false; });
  };
  next();
  const timer = setInterval(next, lookEveryMs);
  return {
    list: () => [...bans.values()],
    lift: (address) => inTurn(async () => {
      const ban = bans.get(address) ?? bans.get(`${address}/64`);
      if (ban === undefined) return false;
      lift(ban, 'it was lifted');
      await save();
      await push();
      return true;
    }),
    problem: () => problem,
    changed: () => { recheck = true; },
    async stop() {
      clearInterval(timer);
      await busy;
    },
  };
}

/** Of `host:port`, IPv6 in brackets. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

async function readState(file: string): Promise<z.output<typeof stateSchema>> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return { bans: [], known: {} };
  }
}
