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

it('a lease that lapses while it is asked whose calls are whose gives none of them away', async () => {
  const clock = createVirtualClock();
  const own = sharedOwners({ now: () => clock.now(), leaseMs }).of('one');
  let asked = 0;
  const owned = createOwnedCalls({
    ownership: {
      ...own,
      // Redis stands still, and comes to the question when the lease is over.
      claim: async (token, calls) => {
        asked += 1;
        if (asked === 1) await own.leave(token);
        return own.claim(token, calls);
      },
    },
    controller: 'one', clock, log: silent, metrics: createMetrics(), registry: { all: () => [], get: () => undefined }, usable: () => true,
    look: async () => undefined, letGo: () => undefined, onReplaced: () => undefined,
  });
  await owned.lease?.start();
  own.begin('a');
  expect([...(await owned.claim([{ callId: 'a', believed: 'one' }])).mine]).toEqual(['a']);
  owned.stopAsking();
  await owned.lease?.stop();
});
