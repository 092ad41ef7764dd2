import { expect, it } from 'vitest';
import type { MediaCommand } from '../../control-plane/core/call/commands.ts';
import { createExecutor } from '../../control-plane/runtime/executor.ts';
import { createRegistry } from '../../control-plane/runtime/registry.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { silent } from './sample-call.ts';

function onSwitch(maxInFlight = 100, onStranger?: (callId: string) => void): { sent: MediaCommand[]; failed: string[]; executor: ReturnType<typeof createExecutor>; registry: ReturnType<typeof createRegistry>; metrics: ReturnType<typeof createMetrics> } {
  const sent: MediaCommand[] = [];
  const failed: string[] = [];
  const metrics = createMetrics();
  const executor = createExecutor({ maySend: () => true,
    driver: { execute: (command) => { sent.push(command); return new Promise(() => {}); } },
    clock: createVirtualClock(), onFailed: (_, event) => failed.push(event.error) > 0, log: silent, metrics, maxInFlight,
  });
  return { sent, failed, executor, metrics, registry: createRegistry({ executor, log: silent, metrics, ...(onStranger === undefined ? {} : { onStranger }) }) };
}

it('A ringing leg of no call is hung up, once', () => {
  const { sent, registry } = onSwitch();
  registry.route('c1', { type: 'LegRinging', legId: 'c1--l1' });
  registry.route('c1', { type: 'LegAnswered', legId: 'c1--l1' });
  expect(sent).toEqual([{ type: 'HangUpLeg', legId: 'c1--l1', cause: 'canceled' }]);
});

it('Where there are other controllers a leg of no call is not hung up: it is asked, once a call, whose it is', () => {
  const asked: string[] = [];
  const { sent, registry } = onSwitch(100, (callId) => asked.push(callId));
  registry.route('c1', { type: 'LegRinging', legId: 'c1--l1' });
  registry.route('c1', { type: 'LegAnswered', legId: 'c1--l1' });
  registry.letGo('c2');
  registry.route('c2', { type: 'LegAnswered', legId: 'c2--l1' });
  expect(asked).toEqual(['c1']);
  expect(sent).toEqual([]);
});

it('A leg of a call that has ended here is hung up, other controllers or none', () => {
  const asked: string[] = [];
  const { sent, registry } = onSwitch(100, (callId) => asked.push(callId));
  registry.remove('c1');
  registry.route('c1', { type: 'LegRinging', legId: 'c1--l2' });
  expect(asked).toEqual([]);
  expect(sent).toEqual([{ type: 'HangUpLeg', legId: 'c1--l2', cause: 'canceled' }]);
});

it('A caller is never hung up for being unknown', () => {
  const { sent, registry, metrics } = onSwitch();
  registry.route('c1', { type: 'LegDigit', legId: 'c1', digit: '1' });
  expect(sent).toEqual([]);
  expect(metrics.get('events_unknown_call_total')).toBe(1);
});

it('The last events of a call that has ended are no stranger’s', () => {
  const { sent, registry, metrics } = onSwitch();
  registry.remove('c1');
  registry.route('c1', { type: 'LegEnded', legId: 'c1--l1', cause: 'normal' });
  expect(sent).toEqual([]);
  expect(metrics.get('events_unknown_call_total')).toBe(0);
});

it('While calls are being found again, events of unknown ones wait', () => {
  const { sent, registry } = onSwitch();
  registry.keepUnknown();
  registry.route('c1', { type: 'LegRinging', legId: 'c1--l1' });
  registry.route('c2', { type: 'LegRinging', legId: 'c2--l1' });
  expect(registry.takeKept('c1')).toHaveLength(1);
  expect(sent).toEqual([]);
  registry.settle();
  expect(sent).toEqual([{ type: 'HangUpLeg', legId: 'c2--l1', cause: 'canceled' }]);
});

it('A switch that answers no more gets no endless queue: commands beyond the bound fail', async () => {
  const { sent, failed, executor } = onSwitch(2);
  for (let i = 0; i < 5; i++) executor.submit('c1', { type: 'AnswerLeg', legId: 'c1' });
  await Promise.resolve();
  expect(sent).toHaveLength(2);
  expect(failed).toEqual(['unreachable', 'unreachable', 'unreachable']);
});

it('The end of a bridge is asked for again when the switch refuses it, until it obeys or a minute has passed', async () => {
  const clock = createVirtualClock();
  let refusals = 0;
  let asked = 0;
  const failed: string[] = [];
  const executor = createExecutor({ maySend: () => true,
    driver: { execute: () => { asked++; return Promise.resolve(asked > refusals ? { ok: true } : { ok: false, error: 'rejected', mayHaveReachedCarrier: false, detail: '' }); } },
    clock, onFailed: (_, event) => failed.push(event.error) > 0, log: silent, metrics: createMetrics(),
  });
  const end = async (times: number): Promise<number> => {
    refusals = times;
    asked = 0;
    executor.submit('c1', { type: 'DestroyBridge', bridgeId: 'c1--b1' });
    for (let second = 0; second < 60; second++) {
      await clock.pass(1000);
    }
    return asked;
  };
  expect(await end(2)).toBe(3);
  expect(failed).toEqual([]);
  expect(await end(100)).toBe(6);
  expect(failed).toEqual(['rejected']);
});
