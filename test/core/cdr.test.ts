import { expect, test } from 'vitest';
import { emptyCdr, foldCdr } from '../../control-plane/core/cdr/cdr.ts';
import { everyPart, inPhase } from './support/phases.ts';

test('answered means bridged to a person, not picked up for a prompt', () => {
  const announcing = inPhase.announcing();
  expect(announcing.cdr.pickedUpAt).toBe(announcing.now);
  expect(announcing.cdr.answeredAt).toBeNull();
  expect(inPhase.connected().cdr.answeredAt).not.toBeNull();
});

test('each device that was tried has its row', () => {
  expect(inPhase.ended().cdr.legs.map((leg) => [leg.label, leg.trunk, leg.disposition])).toEqual([['desk 1', null, 'canceled'], ['mobile', 't1', 'canceled']]);
});

test('a leg on hold when it ends was held until then', () => {
  const call = inPhase.connected();
  call.when({ type: 'LegHeld', legId: call.legId(1) }).after(3000).legEnds(1);
  expect(call.cdr.heldMs).toBe(3000);
});

test('a leg whose dialling was not seen gets its row', () => {
  const cdr = foldCdr(emptyCdr('c7', everyPart), { type: 'LegRang', legId: 'c7--l9' }, 5);
  expect(cdr.legs).toMatchObject([{ legId: 'c7--l9', rangAt: 5 }]);
});

test('a recording that failed is no message', () => {
  const call = inPhase.recording();
  const recordingId = call.call.recording ?? '';
  call.when({ type: 'RecordingStarted', recordingId });
  expect(call.cdr.voicemail).toEqual({ recordingId, durationMs: null });
  expect(call.when({ type: 'RecordingFailed', recordingId }).cdr.voicemail).toBeNull();
});

test('a call that was heard names by whom, in which mode and when, however often it is told', () => {
  const call = inPhase.connected();
  const told = (mode: 'listen' | 'coach' | null, supervision = 'fdsupervision-1.main') => call.when({ type: 'SupervisionTold', supervision, by: 'key1', mode });
  const from = call.now;
  told(null);
  expect(call.cdr.supervisedBy).toEqual([]);
  told('listen');
  call.after(1000);
  told('listen');
  told('coach', 'fdsupervision-2.main');
  call.after(1000);
  told('coach');
  call.after(1000);
  told(null);
  told(null);
  const over = call.after(1000).callerHangsUp().allEnds().now;
  expect(call.cdr.supervisedBy).toEqual([
    { supervision: 'fdsupervision-2.main', by: 'key1', periods: [{ mode: 'coach', from: from + 1000, to: over }] },
    { supervision: 'fdsupervision-1.main', by: 'key1', periods: [{ mode: 'listen', from, to: from + 2000 }, { mode: 'coach', from: from + 2000, to: from + 3000 }] },
  ]);
});
