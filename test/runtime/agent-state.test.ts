/** What conditions ask of an agent. */
import { expect, it } from 'vitest';
import { agentState } from '../../control-plane/phones/agent-state.ts';
import type { Registration } from '../../control-plane/http/ports.ts';
import { clinic } from '../core/routing-fixture.ts';

const clinics = [{ account: clinic() }];
const seen = (id: string, state: Registration['state']): Registration => ({ account: 'c1', kind: 'device', id, state, contact: null, userAgent: null, since: null, roundTripMs: null });

it.each([
  ['whose phone is there', 'ana', [seen('101', 'registered')], false, 'available'],
  ['whose phones have not been looked at yet', 'ana', [], false, 'available'],
  ['who is in a call', 'ana', [seen('101', 'registered')], true, 'busy'],
  ['whose phone is gone', 'ana', [seen('101', 'unregistered')], true, 'offline'],
  ['whose desk phone is gone, and who has a mobile', 'ben', [seen('102', 'unregistered')], false, 'available'],
  ['who has no phone', 'cy', [], false, 'offline'],
] as const)('one %s', (_, user, registrations, busy, state) => {
  expect(agentState({ clinics, registrations, busy: () => busy }, 'c1', user)).toBe(state);
});
