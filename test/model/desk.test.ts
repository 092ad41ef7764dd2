/** Any queues, any callers and agents, any network between them: see desk-scene.ts for what varies and desk-invariants.ts for what holds. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeskCommand } from '../../control-plane/core/queue/commands.ts';
import type { OfferOutcome } from '../../control-plane/core/queue/desk.ts';
import type { DeskEvent } from '../../control-plane/core/queue/events.ts';
import { transition } from '../../control-plane/core/queue/transition.ts';
import { scene } from './desk-scene.ts';
import { runDesk, type Seen } from './desk-world.ts';

const runs = Number(process.env['MODEL_RUNS'] ?? 3000);
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);

/** By type, so that a new one does not compile until it is asked for here. */
const events = {
  QueuesConfigured: 0, CallJoined: 0, CallLeft: 0, CallbackRequested: 0, CallbackTried: 0, OfferAccepted: 0, OfferRejected: 0, OfferTimedOut: 0, OfferCanceled: 0, OfferCleared: 0, OfferConnected: 0, OfferBridgeFailed: 0,
  AgentReleased: 0, AgentStatusChosen: 0, AgentLoggedIn: 0, AgentReady: 0, AgentMeasured: 0, TimerFired: 0, Remembered: 0, Rebuilt: 0,
} satisfies Record<DeskEvent['type'], 0>;
const commands = { HoldPlace: 0, LeaveQueue: 0, OfferCall: 0, ConnectOffer: 0, WithdrawOffer: 0, TellPosition: 0, KeepStatus: 0, StartTimer: 0 } satisfies Record<DeskCommand['type'], 0>;
const outcomes = { accepted: 0, rejected: 0, 'timed-out': 0, canceled: 0, rescinded: 0 } satisfies Record<OfferOutcome, 0>;
const wanted = [...Object.keys(events), ...Object.keys(commands), ...Object.keys(outcomes).map((outcome) => `OfferEnded ${outcome}`), 'CallRequeued', 'CallbackHeld', 'CallLeft max-wait', 'CallLeft empty', 'CallLeft called-again', 'CallLeft unanswered'];
const leastSeen = 20;

describe('A desk', () => {
  it(`serves everybody in turn, whatever its messages go through (${runs} scenes)`, () => {
    const seen: Seen = new Map();
    console.log(`MODEL_SEED=${seed}`);
    fc.assert(fc.property(scene, (one) => runDesk(one, transition, seen)), { numRuns: runs, seed });
    console.log([...seen].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([what, times]) => `${what} ${times}`).join(', '));
    expect(wanted.filter((what) => (seen.get(what) ?? 0) < leastSeen)).toEqual([]);
  });
});
