/** What several switches that are one (compose-drivers.ts) do beside calls: all know the same by themselves. */
import { callIdOf, type CallId } from '../../core/ids.ts';
import type { BesideAnother, SwitchAdmin, SwitchDriver } from '../switch-admin.ts';
import type { DeviceRegistration, SwitchSetup, SwitchTrunk, TrunkHealth, TrunkState } from '../switch-setup.ts';
import type { Side, SideBySide } from './compose-drivers.ts';

export interface AdminSide extends Side<SwitchDriver & { readonly admin: BesideAnother }> {
  /** Of a trunk's `switch`. */
  readonly kind: NonNullable<SwitchTrunk['switch']>;
  /** The other switch, as a trunk of this one. */
  readonly peer: SwitchTrunk;
}

/** By the name of the switch, what was provisioned there. */
type Provisioned = Readonly<Record<string, object | null>>;

/** What people want to know first. */
const worstFirst: readonly TrunkState[] = ['rejected', 'unreachable', 'reachable', 'registered', 'unknown'];

/** A registering trunk that does not say where registers with the first. Beside the rest: calls to ourselves, on each. */
export function composeAdmins(sides: readonly AdminSide[], { homes, isUp }: Pick<SideBySide<AdminSide>, 'homes' | 'isUp'>): SwitchAdmin & { readonly each: readonly { readonly name: string; readonly admin: Pick<SwitchAdmin, 'callOurselves'> }[] } {
  /** Of a switch that is away nothing new is concluded. */
  const registered = new Map<AdminSide, readonly DeviceRegistration[]>();
  let current: SwitchSetup | undefined;

  const theseUp = (): readonly AdminSide[] => sides.filter(isUp);
  const anyUp = (): AdminSide => {
    const [side] = theseUp();
    if (side === undefined) throw new Error('There is no link to a switch.');
    return side;
  };
  const registersAt = (trunk: SwitchTrunk): AdminSide['kind'] | undefined => (trunk.register ? (trunk.switch ?? sides[0]?.kind) : undefined);
  const setupFor = ({ kind, peer }: AdminSide, setup: SwitchSetup): SwitchSetup => ({
    ...setup, peer,
    trunks: setup.trunks.map((trunk) => ({ ...trunk, register: registersAt(trunk) === kind })),
  });
  /** It is known where the call is before anything is heard of it. */
  const at = (side: AdminSide, callId: CallId): SwitchAdmin => {
    homes.learn(callId, side);
    return side.driver.admin;
  };
  const devices = async (how: 'registrations' | 'glimpse'): Promise<readonly DeviceRegistration[]> => {
    await Promise.all(theseUp().map(async (side) => {
      try {
        registered.set(side, await side.driver.admin[how]());
      } catch (error) {
        if (isUp(side)) throw error;
      }
    }));
    const found = [...registered.values()].flat();
    return (current?.devices ?? []).map(({ id: device }) => ({ device, contacts: found.filter((one) => one.device === device).flatMap(({ contacts }) => contacts).toSorted((a, b) => b.since - a.since) }));
  };
  const isRegistered = (side: AdminSide, phone: string): boolean => registered.get(side)?.some(({ device, contacts }) => device === phone && contacts.length > 0) === true;

  return {
    each: sides.map((side) => ({ name: side.name, admin: { callOurselves: (callId) => at(side, callId).callOurselves(callId) } })),

    async provision(setup, before, extent) {
      current = setup;
      const known = (before ?? {}) as Provisioned;
      const now = await Promise.all(sides.map(async (side): Promise<readonly [string, object | null]> => {
        const { name, driver } = side;
        const past = known[name] ?? null;
        if (!isUp(side)) return [name, past];
        try {
          return [name, await driver.admin.provision(setupFor(side, setup), past, extent)];
        } catch (error) {
          // When it is back it is told everything anew.
          if (!isUp(side)) return [name, past];
          throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
        }
      }));
      return Object.fromEntries(now);
    },
    async transfers(setting) {
      const answers = await Promise.all(theseUp().map(async ({ name, driver }) => ({ name, answer: await driver.admin.transfers(setting) })));
      const not = answers.flatMap(({ name, answer }) => (answer.allowed ? [] : [`on ${name}, ${answer.why}`]));
      return not.length === 0 ? { allowed: true } : { allowed: false, why: not.join('; ') };
    },
    async trunkHealth() {
      const seen = await Promise.all(theseUp().map(async ({ kind, driver }) => ({ kind, health: await driver.admin.trunkHealth() })));
      return (current?.trunks ?? []).map((trunk): TrunkHealth => {
        const registers = registersAt(trunk);
        const found = seen.filter(({ kind }) => registers === undefined || kind === registers).flatMap(({ health }) => health.filter((one) => one.trunk === trunk.id));
        return found.toSorted((a, b) => worstFirst.indexOf(a.state) - worstFirst.indexOf(b.state))[0] ?? { trunk: trunk.id, state: 'unknown', since: Date.now(), roundTripMs: null };
      });
    },
    trunkAddresses: async () => [...new Set([...sides.flatMap(({ peer }) => peer.host), ...(await Promise.all(sides.map(({ driver }) => driver.admin.trunkAddresses()))).flat()])],
    async logins() {
      const each = await Promise.all(sides.map(async ({ name, driver }) => ({ name, ...(await driver.admin.logins()) })));
      const problems = each.flatMap(({ name, problem }) => (problem === null ? [] : [`${name}: ${problem}`]));
      return { logins: each.flatMap(({ logins }) => logins), problem: problems.length === 0 ? null : problems.join('; ') };
    },
    /** One that is away is told when it is back. */
    async ban(bans) {
      const told = await Promise.allSettled(theseUp().map((side) => side.driver.admin.ban(bans).catch((error: unknown) => {
        if (isUp(side)) throw new Error(`${side.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      })));
      for (const one of told) if (one.status === 'rejected') throw one.reason;
    },
    registrations: () => devices('registrations'),
    glimpse: () => devices('glimpse'),
    async takeNotes(keep) {
      for (const { driver } of theseUp()) await driver.admin.takeNotes(keep);
    },

    callOurselves: async (callId) => at(anyUp(), callId).callOurselves(callId),
    beginCallback: async (call) => at(anyUp(), call.callId).beginCallback(call),
    callAsTest: async (call) => at(anyUp(), call.callId).callAsTest(call),
    async endTest(callId) {
      await homes.of(callId)?.driver.admin.endTest(callId);
    },
    packetsOf: async (legId) => (await homes.of(callIdOf(legId))?.driver.admin.packetsOf(legId)) ?? null,
    async callSupervisor(call) {
      const side = homes.of(callIdOf(call.besides)) ?? anyUp();
      return at(side, call.callId).callSupervisor(side.over === undefined || isRegistered(side, call.phone) ? call : { ...call, over: side.over });
    },
    async endSupervisor(callId) {
      const home = homes.of(callId);
      const ended = await Promise.all((home === undefined ? theseUp() : [home]).map(({ driver }) => driver.admin.endSupervisor(callId)));
      return ended.some(Boolean);
    },
  };
}
