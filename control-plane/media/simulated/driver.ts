/** The simulated switch behind the one driver interface. */
import { callIdOf } from '../../core/ids.ts';
import type { CommandError } from '../../core/call/events.ts';
import { SwitchRefusedError, type CommandResult, type MediaDriver, type SwitchSnapshot } from '../media-driver.ts';
import type { Seat } from './controllers.ts';
import type { SwitchLeg } from './parts.ts';
import { endUndialled, perform, type Maker } from './perform.ts';
import type { Works } from './works.ts';

/** How long a driver waits for a reply that never comes. */
const deadlineMs = 4000;

const failed = (error: CommandError, mayHaveReachedCarrier: boolean): CommandResult => ({
  ok: false, error, mayHaveReachedCarrier, detail: `simulated: ${error}`,
});

export function createDriver(works: Works, instance: string): MediaDriver {
  let seat: Seat | null = null;
  let replaced = false;

  return {
    start(handlers) {
      if (!works.controllers.reachable(instance)) return Promise.reject(new SwitchRefusedError('The simulated switch cannot be reached.'));
      seat = works.controllers.connect(instance, {
        onOffer: (offer) => handlers.onOffer(offer),
        onLegEvent: (callId, event) => handlers.onLegEvent(callId, event),
        onLink(state, reason) {
          if (state === 'replaced') replaced = true;
          handlers.onLink(state, reason);
        },
      });
      return Promise.resolve();
    },
    accept(newCalls) {
      if (seat !== null) seat.accepting = newCalls;
    },
    execute(command) {
      const originate = command.type === 'OriginateLeg';
      const link = seat?.link;
      if (link === null || link === undefined) return Promise.resolve(failed('unreachable', false));
      const maker: Maker = { instance, linked: link.up, dialled: false };
      return link.request<CommandResult>((reply) => {
        const failure = works.chance.failure(command);
        if (failure === null) {
          perform(works, maker, command, reply);
          return;
        }
        if (failure.carriedOut) perform(works, maker, command, () => {});
        const answer = failed(failure.error, originate && failure.error === 'timeout');
        if (failure.error === 'timeout') works.clock.setTimer(works.clock.now() + deadlineMs, () => reply(answer));
        else reply(answer);
      }, () => failed('unreachable', maker.dialled));
    },
    async snapshot(only) {
      const link = seat?.link;
      const seen = await link?.request<SwitchSnapshot | null>((reply) => {
        reply(look(works));
        endUndialled(works, ({ owner }) => owner === instance);
      }, () => null);
      if (seen === null || seen === undefined) throw new Error('The link to the switch is down.');
      return only === undefined ? seen : { calls: seen.calls.filter(({ callId }) => only.has(callId)) };
    },
    async adopt(callId) {
      const link = seat?.link;
      const done = await link?.request<boolean>((reply) => {
        for (const leg of works.legs.values()) if ((leg.takenBy ?? leg.callId) === callId) Object.assign(leg, { callId, owner: instance });
        endUndialled(works, (leg) => leg.callId === callId);
        reply(true);
      }, () => false);
      if (done !== true) throw new Error('The link to the switch is down.');
    },
    health: () => ({ link: linkState(), inFlight: seat?.link?.inFlight() ?? 0, version: 'simulated' }),
    stop() {
      if (seat !== null) works.controllers.disconnect(instance, seat);
      seat = null;
      return Promise.resolve();
    },
  };

  function linkState(): 'up' | 'down' | 'replaced' {
    if (replaced) return 'replaced';
    return seat?.link?.up() === true ? 'up' : 'down';
  }
}

/** The truth at this moment. Calls that no controller has claimed yet are the dialplan's, and not in it. */
function look(works: Works): SwitchSnapshot {
  const byCall = new Map<string, SwitchLeg[]>();
  for (const leg of works.legs.values()) {
    const callId = leg.takenBy ?? leg.callId;
    if (leg.owner !== null) byCall.set(callId, [...(byCall.get(callId) ?? []), leg]);
  }
  const alone = [...works.bridges.keys(), ...works.recordings.keys()].map(callIdOf).filter((callId) => !byCall.has(callId));
  for (const callId of alone) byCall.set(callId, []);
  return {
    calls: [...byCall].map(([callId, legs]) => {
      // Once the caller has transferred who they had called, that one's leg has the call's mark.
      const caller = legs.find((leg) => leg.id !== callId && leg.callMark !== null) ?? legs.find((leg) => leg.id === callId);
      return {
        callId,
        owner: (caller ?? legs[0])?.owner ?? null,
        dialled: caller?.dialled ?? '',
        origin: caller?.origin ?? 'trunk',
        ...(caller?.id !== callId || caller.phone === null ? {} : { phone: caller.phone }),
        caller: caller === undefined ? null : { ...(caller.id === callId ? {} : { legId: caller.id }), answered: caller.state === 'answered', number: caller.number, name: caller.name, mark: caller.callMark },
        legs: legs.filter((leg) => leg !== caller).map((leg) => ({
          legId: leg.id, state: leg.state === 'created' ? 'dialing' : leg.state, createdAt: leg.createdAt, mark: leg.legMark,
        })),
        bridges: [...works.bridges.values()].filter((bridge) => callIdOf(bridge.id) === callId).map((bridge) => ({ bridgeId: bridge.id, legIds: [...bridge.legIds] })),
        recordings: [...works.recordings.keys()].filter((id) => callIdOf(id) === callId),
      };
    }),
  };
}
