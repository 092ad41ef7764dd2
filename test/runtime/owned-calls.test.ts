/** Calls of a controller that is gone, taken while the store is not well. */
import { expect, it } from 'vitest';
import { leaseMs } from '../../control-plane/runtime/lease.ts';
import { createOwnedCalls } from '../../control-plane/runtime/owned-calls.ts';
import type { Scope } from '../../control-plane/runtime/reconcile.ts';
import { sharedOwners } from '../../control-plane/store/memory-ownership.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { silent } from './sample-call.ts';

it('what was taken is looked after, though the store fails before the rest is', async () => {
  const clock = createVirtualClock();
  const shared = sharedOwners({ now: () => clock.now(), leaseMs });
  const dead = shared.of('dead');
  await dead.renew(null);
  for (const callId of ['a', 'b']) dead.begin(callId);
  const own = shared.of('one');
  let takes = 0;
  const looked: Scope[] = [];
  const owned = createOwnedCalls({
    ownership: {
      ...own,
      take: async (token, from) => {
        takes += 1;
        if (takes === 2) throw new Error('The store is away.');
        return own.take(token, from, 1);
      },
    },
    controller: 'one', clock, log: silent, metrics: createMetrics(), registry: { all: () => [], get: () => undefined }, usable: () => true,
    look: async (scope) => { looked.push(scope); }, letGo: () => undefined, onReplaced: () => undefined,
  });
  await owned.lease?.start();
  await clock.pass(6 * leaseMs);
  const taken = looked.filter((scope) => typeof scope !== 'string');
  expect(taken.flatMap((scope) => [...scope])).toEqual(['a', 'b']);
  owned.stopAsking();
  await owned.lease?.stop();
});
