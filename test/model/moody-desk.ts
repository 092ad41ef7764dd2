/**
 * A desk as a call may meet it at its worst: it answers late, twice or not at all, offers to several at once, takes back
 * what it has offered, and sends on whom it likes. What a desk should do is another model's matter (desk.test.ts).
 */
import type { CallId } from '../../control-plane/core/ids.ts';
import type { DeskMessage } from '../../control-plane/core/call/commands.ts';
import type { DeskWord } from '../../control-plane/core/call/events.ts';
import type { RingStep } from '../../control-plane/core/routing/plan.ts';
import type { Chance } from '../../control-plane/media/simulated/chance.ts';
import type { Clock } from '../../control-plane/runtime/clock.ts';

export interface MoodyDesk {
  hears(callId: CallId, message: DeskMessage): void;
}

interface Visit {
  readonly n: number;
  readonly open: Set<string>;
  offered: number;
  over: boolean;
}

/** `rings` of agent `i`; `say` reaches nobody while no controller has the call. */
export function moodyDesk({ clock, chance, agents, patienceMs, lost, rings, say }: {
  readonly clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly chance: Chance;
  readonly agents: number;
  readonly patienceMs: number;
  /** Per cent of what is said, either way. */
  readonly lost: number;
  readonly rings: (agent: number) => RingStep | null;
  readonly say: (callId: CallId, word: DeskWord) => void;
}): MoodyDesk {
  const visits = new Map<CallId, Visit>();
  let given = 0;

  const later = (ms: number, act: () => void): void => void clock.setTimer(clock.now() + 1 + chance.pick(ms), act);
  const says = (callId: CallId, word: DeskWord): void => {
    const times = chance.pick(100) < lost ? chance.pick(2) * 2 : 1;
    for (let i = 0; i < times; i++) later(120, () => { say(callId, word); });
  };
  const offer = (callId: CallId, visit: Visit): void => {
    if (visit.over) return;
    visit.offered += 1;
    if (visit.offered > 2 * agents) {
      visit.over = true;
      says(callId, { type: 'LeaveQueue', callId, visit: visit.n, queue: 'front', why: 'empty' });
      return;
    }
    const agent = visit.offered % agents;
    const offerId = `${callId}--o1.${++given}`;
    visit.open.add(offerId);
    const ring = chance.pick(15) === 0 ? null : rings(agent);
    says(callId, { type: 'OfferCall', offerId, callId, visit: visit.n, queue: 'front', agent: `u${agent}`, devices: [], ringMs: 8000, callback: null, ring });
    if (chance.pick(8) === 0) later(6000, () => { withdraw(callId, visit, offerId); });
    if (chance.pick(5) === 0) later(3000, () => { offer(callId, visit); });
  };
  const offerSoon = (callId: CallId, visit: Visit): void => { later(1500, () => { offer(callId, visit); }); };
  const withdraw = (callId: CallId, visit: Visit, offerId: string): void => {
    if (visit.open.delete(offerId)) offerSoon(callId, visit);
    says(callId, { type: 'WithdrawOffer', offerId, callId, why: chance.pick(2) === 0 ? 'taken' : 'agent-left' });
  };
  const joined = (callId: CallId, n: number): void => {
    const known = visits.get(callId);
    if (known === undefined || known.n < n) {
      const visit: Visit = { n, open: new Set(), offered: 0, over: false };
      visits.set(callId, visit);
      offerSoon(callId, visit);
      if (chance.pick(3) === 0) later(4000, () => { says(callId, { type: 'TellPosition', callId, visit: n, position: 1, estimatedWaitMs: null, media: ['sound:position'] }); });
      clock.setTimer(clock.now() + patienceMs, () => {
        visit.over = true;
        says(callId, { type: 'LeaveQueue', callId, visit: n, queue: 'front', why: 'max-wait' });
      });
    } else if (known.over) {
      says(callId, { type: 'LeaveQueue', callId, visit: n, queue: 'front', why: 'max-wait' });
      return;
    }
    says(callId, { type: 'HoldPlace', callId, visit: n, queue: 'front', enteredAt: clock.now(), position: 1 });
  };

  return {
    hears: (callId, message) => {
      if (chance.pick(100) < lost) return;
      if (message.type === 'CallJoined') {
        joined(callId, message.place.visit);
        return;
      }
      const visit = visits.get(callId);
      if (visit === undefined) return;
      switch (message.type) {
        case 'CallLeft':
        case 'CallbackRequested':
        case 'CallbackTried':
          visit.over = true;
          return;
        case 'OfferAccepted': {
          const mood = chance.pick(100);
          if (mood < 70) says(callId, { type: 'ConnectOffer', offerId: message.offerId, callId, agent: 'u0' });
          else if (mood < 85) withdraw(callId, visit, message.offerId);
          return;
        }
        case 'OfferConnected':
        case 'AgentReleased':
          visit.over = true;
          return;
        case 'OfferCleared':
          return;
        case 'OfferRejected':
        case 'OfferTimedOut':
        case 'OfferCanceled':
        case 'OfferBridgeFailed':
          if (('left' in message && message.left) || ('lost' in message && message.lost === 'caller')) visit.over = true;
          else if (visit.open.delete(message.offerId)) offerSoon(callId, visit);
      }
    },
  };
}
