/** Q2: what an agent's code on a phone asks of the desks, and what is known of it afterwards. */
import { describe, expect, it } from 'vitest';
import { agentSetter } from '../../control-plane/phone-codes/agent-setting.ts';
import { newCall } from '../../control-plane/core/call/call.ts';
import type { Setting } from '../../control-plane/core/routing/plan.ts';
import { DesksAwayError } from '../../control-plane/runtime/desks/requests.ts';
import type { AuditEntry } from '../../control-plane/store/ports.ts';
import { offer } from '../core/support/given.ts';
import { planOfNight } from '../core/support/plans.ts';

const call = newCall({ ...offer, dialled: '*41*', phone: 'elm.301' }, planOfNight('closed'), 0);

function setter(away = false) {
  const asked: string[] = [];
  const audited: AuditEntry[] = [];
  const warned: unknown[] = [];
  const ask = async (text: string): Promise<void> => {
    if (away) throw new DesksAwayError();
    asked.push(text);
    await Promise.resolve();
  };
  const set = agentSetter({
    desks: () => ({
      chooseStatus: async (account, agent, status) => ask(`${account} ${agent} ${status}`), logIn: async (account, agent, devices) => ask(`${account} ${agent} in ${devices.join()}`), logOut: async (account, agent) => ask(`${account} ${agent} out`),
    }),
    audit: { write: async (entry) => { audited.push(entry); await Promise.resolve(); } },
    log: { debug: () => undefined, info: () => undefined, warn: (fields) => { warned.push(fields); }, error: () => undefined },
  });
  const does = async (action: Extract<Setting, { of: 'agent' }>['action']) => set(call, { of: 'agent', action, agent: 'noor', phone: '301' }, 'dialled by Mara');
  return { does, asked, audited, warned };
}

describe('An agent’s code', () => {
  it.each([['logIn', ['noor in 301', 'noor available'], 'log-in'], ['logOut', ['noor out'], 'log-out'], ['break', ['noor break'], 'status'], ['available', ['noor available'], 'status']] as const)('%s asks for %j, in the audit log with the phone for its actor', async (action, wanted, audit) => {
    const { does, asked, audited } = setter();
    expect(await does(action)).toEqual({ ok: true, why: 'dialled by Mara' });
    expect(asked).toEqual(wanted.map((one) => `${call.plan.account.id} ${one}`));
    expect(audited).toMatchObject([{ actor: 'phone elm.301', action: `agent.${audit}`, subject: `${call.plan.account.id}/agent/noor`, details: { call: call.id, dialled: '*41*', action } }]);
  });

  it('that no desk answers is told not to be done, and is in no audit log', async () => {
    const { does, audited, warned } = setter(true);
    expect(await does('break')).toMatchObject({ ok: false, why: expect.stringContaining('did not answer') });
    expect([audited, warned.length]).toEqual([[], 1]);
  });
});
