/**
 * Several switches as one: each call stays on the switch it came on, and every command goes to the one that has the call.
 * One that is away takes nothing from the others: its calls are held by the controller until it is back, and it is tried
 * again all the time. Semantics and limits: docs/decisions/0030-both-switches.md.
 */
import { callIdOf, type CallId, type LegId } from '../../core/ids.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import { sipName } from '../../core/routing/sip-name.ts';
import { second, type Ms } from '../../core/time.ts';
import { SwitchRefusedError, type CommandResult, type LinkState, type MediaDriver, type MediaHandlers, type SwitchSnapshot } from '../media-driver.ts';
import { createHomes, type Homes } from './homes.ts';

export interface Side<Driver extends MediaDriver = MediaDriver> {
  /** As people know it. */
  readonly name: string;
  readonly driver: Driver;
  /** See homes.ts. */
  readonly names: (callId: CallId) => boolean;
  /** The trunk by which it reaches phones that are registered with the other. Absent: it does not. */
  readonly over?: string;
}

export interface SideBySide<S extends Side> extends MediaDriver {
  readonly homes: Homes<S>;
  isUp(side: S): boolean;
  /** Of each that is away, a sentence. */
  problems(): readonly string[];
}

interface SideBySideOptions<S> {
  readonly log: { warn(fields: Record<string, unknown>, message: string): void };
  /** Until one that could not be reached at the start, or did not say what calls it has, is tried again. */
  readonly againMs?: Ms;
  /** The link to one has come, or is lost, or could not be made. */
  readonly onSide?: (side: S, state: LinkState) => void;
}

type Originate = Extract<MediaCommand, { type: 'OriginateLeg' }>;

const notYet = 'it has not been reached yet';
const noLink: CommandResult = { ok: false, error: 'unreachable', mayHaveReachedCarrier: false, detail: 'There is no link to a switch.' };

export function composeDrivers<S extends Side>(sides: readonly S[], { log, againMs = 2 * second, onSide }: SideBySideOptions<S>): SideBySide<S> {
  const homes = createHomes(sides);
  const links = new Map<S, { readonly state: LinkState; readonly why: string }>();
  /** Linked, and not saying what calls they have: these are out of reach, as those of one that is away. Why it is so. */
  const mute = new Map<S, string>();
  const timers = new Set<NodeJS.Timeout>();
  /** Being made; true where it was hung up meanwhile. */
  const making = new Map<LegId, boolean>();
  let handlers: MediaHandlers | undefined;

  const isUp = (side: S): boolean => links.get(side)?.state === 'up';
  const notUp = (): readonly S[] => sides.filter((side) => !isUp(side));
  const amongThese = (away: readonly S[]) => (callId: CallId): boolean => {
    const home = homes.of(callId);
    return home === undefined || away.includes(home);
  };
  const link = (): LinkState => ([...links.values()].some(({ state }) => state === 'replaced') ? 'replaced' : sides.some(isUp) ? 'up' : 'down');

  function onLink(side: S, state: LinkState, why: string): void {
    links.set(side, { state, why });
    mute.delete(side);
    onSide?.(side, state);
    tellLink(side, why);
  }

  function tellLink(side: S, why: string): void {
    const [now, away] = [link(), notUp()];
    if (now !== 'up' || away.length === 0) handlers?.onLink(now, `${side.name}: ${why}`);
    else handlers?.onLink(now, away.map((one) => `${one.name}: ${links.get(one)?.why ?? notYet}`).join(', '), amongThese(away));
  }

  async function startSide(side: S): Promise<void> {
    await side.driver.start({
      onOffer(offer) {
        homes.learn(offer.callId, side);
        handlers?.onOffer(offer);
      },
      onLegEvent(callId, event) {
        homes.learn(callId, side);
        handlers?.onLegEvent(callId, event);
      },
      onLink: (state, why) => { onLink(side, state, why); },
    });
  }

  function later(act: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, againMs);
    timers.add(timer);
  }

  function startLater(side: S): void {
    later(() => {
      void startSide(side).then(
        () => (handlers === undefined ? side.driver.stop() : undefined),
        (error: unknown) => {
          if (handlers === undefined) return;
          links.set(side, { state: 'down', why: textOf(error) });
          startLater(side);
        },
      );
    });
  }

  /** Undefined where it cannot say what calls it has. */
  async function snapshotOf(side: S, only: ReadonlySet<CallId> | undefined): Promise<SwitchSnapshot | undefined> {
    const before = links.get(side);
    if (!isUp(side) || mute.has(side)) return undefined;
    try {
      return await side.driver.snapshot(only);
    } catch (error) {
      // A link that was lost meanwhile has been told of, or will be told of when it is back.
      if (links.get(side) !== before || handlers === undefined) return undefined;
      const why = textOf(error);
      log.warn({ switch: side.name, why }, 'One of the switches does not say what calls it has: those stay as they are until it does, and calls on the other go on; it is asked again all the time. See its log, and if it goes on so, restart it');
      mute.set(side, why);
      askLater(side);
      return undefined;
    }
  }

  /** Until it says what calls it has: all of them, so that who asks next is not refused. */
  function askLater(side: S): void {
    const link = links.get(side);
    const isStill = (): boolean => handlers !== undefined && links.get(side) === link && mute.has(side);
    later(() => {
      if (!isStill()) return;
      side.driver.snapshot().then(
        () => {
          if (!isStill()) return;
          mute.delete(side);
          tellLink(side, 'it says again what calls it has');
        },
        (error: unknown) => {
          if (!isStill()) return;
          mute.set(side, textOf(error));
          askLater(side);
        },
      );
    });
  }

  async function originate(side: S, command: Originate): Promise<CommandResult> {
    const { legId, target } = command;
    if (making.has(legId)) return { ok: false, error: 'rejected', mayHaveReachedCarrier: false, detail: 'The id of the leg is in use.' };
    making.set(legId, false);
    const result = await side.driver.execute(command);
    const hungUp = making.get(legId) === true;
    making.delete(legId);
    // It is not registered here: the other switch rings it, or says that it is not there either.
    if (result.ok || result.error !== 'rejected' || result.mayHaveReachedCarrier || hungUp || target.kind !== 'device' || side.over === undefined) return result;
    return side.driver.execute({ ...command, target: { kind: 'external', number: sipName(target.sipPrefix, target.device), trunks: [side.over] }, trunk: side.over });
  }

  return {
    homes,
    isUp,
    problems: () => [
      ...notUp().map((side) => `${side.name} is away, and tried again all the time; calls on it are as they were, and new ones go to its failsafe: ${links.get(side)?.why ?? notYet}`),
      ...[...mute].map(([{ name }, why]) => `${name} does not say what calls it has, and is asked again all the time; calls that it had are as they were: ${why}`),
    ],
    async start(given) {
      handlers = given;
      const started = await Promise.allSettled(sides.map(startSide));
      const refused = started.flatMap((one, i) => (one.status === 'rejected' ? [{ side: sides[i], why: textOf(one.reason) }] : []));
      if (refused.length === sides.length) throw new SwitchRefusedError(refused.map(({ why }) => why).join(' '));
      for (const { side, why } of refused) {
        if (side === undefined) continue;
        log.warn({ switch: side.name, why }, 'One of the switches cannot be used; it is tried again, and calls on the other are served');
        links.set(side, { state: 'down', why });
        onSide?.(side, 'down');
        startLater(side);
      }
    },
    accept(newCalls) { for (const { driver } of sides) driver.accept(newCalls); },
    async execute(command) {
      const side = homes.of(callIdOf(subjectOf(command))) ?? sides.find(isUp);
      if (side === undefined) return noLink;
      if (command.type === 'TakeLeg' && homes.of(command.callId) !== side) return { ok: false, error: 'rejected', mayHaveReachedCarrier: false, detail: 'The leg is on another switch than the call.' };
      if (command.type === 'OriginateLeg') return originate(side, command);
      if (command.type === 'HangUpLeg' && making.has(command.legId)) making.set(command.legId, true);
      return side.driver.execute(command);
    },
    async snapshot(only) {
      // One that has none of these calls need not answer.
      const mayHave = (side: S): boolean => only === undefined || [...only].some((callId) => (homes.of(callId) ?? side) === side);
      const seen = await Promise.all(sides.map(async (side) => (isUp(side) && !mayHave(side) ? { calls: [] } : snapshotOf(side, only))));
      const away = sides.filter((_, i) => seen[i] === undefined);
      if (away.length === sides.length) throw new Error([...mute.values()][0] ?? 'There is no link to a switch.');
      for (const [i, side] of sides.entries()) for (const { callId } of seen[i]?.calls ?? []) homes.learn(callId, side);
      return { calls: seen.flatMap((one) => one?.calls ?? []), ...(away.length === 0 ? {} : { isAway: amongThese(away) }) };
    },
    async adopt(callId, snapshot) {
      await homes.of(callId)?.driver.adopt(callId, snapshot);
    },
    health: () => {
      const all = sides.map(({ driver }) => driver.health());
      return { link: link(), inFlight: all.reduce((sum, { inFlight }) => sum + inFlight, 0), version: all.map(({ version }) => version || 'none').join(' and ') };
    },
    async stop() {
      handlers = undefined;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all(sides.map(({ driver }) => driver.stop()));
    },
  };
}

/** What of a call it is about. */
function subjectOf(command: MediaCommand): string {
  if ('legId' in command) return command.legId;
  if ('promptId' in command) return command.promptId;
  return 'bridgeId' in command ? command.bridgeId : command.recordingId;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
