/** A call with a plan small enough to read: one phone rings, then the caller is let go. */
import type { Offer } from '../../control-plane/core/call/events.ts';
import type { Plan } from '../../control-plane/core/routing/plan.ts';
import { seal } from '../../control-plane/core/routing/seal.ts';
import type { JournalRecord } from '../../control-plane/store/ports.ts';
import type { Log } from '../../control-plane/telemetry/log.ts';

export const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function offerOf(callId: string): Offer {
  return { callId, dialled: '+15551230000', origin: 'trunk', caller: { number: '+15559870001', name: 'Pat' }, orphan: false };
}

export const onePhonePlan: Plan = seal({
  account: { id: 'clinic', name: 'Clinic' },
  number: { e164: '+15551230000', label: 'Front desk' },
  first: 'ring',
  steps: {
    ring: {
      kind: 'ring',
      pattern: 'simultaneous',
      attempts: [{ user: 'ann', label: 'Ann', target: { kind: 'device', device: 'desk-1' }, ringMs: 15_000, callerId: { number: '+15559870001', name: 'Pat' }, whisper: [] }],
      ringMs: 15_000,
      taken: [],
      on: { noAnswer: 'over' },
    },
    over: { kind: 'hang-up', cause: 'no-answer' },
  },
  reasons: [],
  maxCallMs: 3_600_000,
});

export function openingOf(callId: string): JournalRecord {
  return { kind: 'opened', at: 1000, offer: offerOf(callId), plan: onePhonePlan, controller: 'test' };
}

export function stepAt(at: number): JournalRecord {
  return { kind: 'step', at, event: { type: 'CallOffered' }, commands: [], facts: [] };
}
