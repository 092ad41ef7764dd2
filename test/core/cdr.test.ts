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
