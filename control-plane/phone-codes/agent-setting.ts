/** An agent as a code on a phone sets it (Q2): as over the API, with the phone for its actor. */
import type { Setting } from '../core/routing/plan.ts';
import type { SettingChanger } from '../runtime/controller.ts';
import { DesksAwayError } from '../runtime/desks/requests.ts';
import type { Desks } from '../runtime/desks/desks.ts';
import type { AuditStore } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';

export interface AgentSettingParts {
  readonly desks: () => Pick<Desks, 'chooseStatus' | 'logIn' | 'logOut'>;
  readonly audit: Pick<AuditStore, 'write'>;
  readonly log: Log;
}

type OfAgent = Extract<Setting, { of: 'agent' }>;

const auditActions: Readonly<Record<OfAgent['action'], string>> = { logIn: 'agent.log-in', logOut: 'agent.log-out', break: 'agent.status', available: 'agent.status' };

/** Asked again, it is the same. */
export function agentSetter({ desks, audit, log }: AgentSettingParts): SettingChanger<OfAgent> {
  return async ({ id: call, offer, plan: { account: { id: account } } }, setting, note) => {
    const { agent, action } = setting;
    try {
      await carryOut(desks(), account, setting);
    } catch (error) {
      if (!(error instanceof DesksAwayError)) throw error;
      log.warn({ call, account, agent, action, why: error.message }, 'What an agent’s code asks for was not done');
      return { ok: false, why: error.message };
    }
    const entry = { at: Date.now(), actor: `phone ${offer.phone ?? offer.caller.number}`, account, action: auditActions[action], subject: `${account}/agent/${agent}`, outcome: 'ok', address: '', details: { call, dialled: offer.dialled, action, note } } as const;
    await audit.write(entry).catch((error: unknown) => { log.error({ entry, error: String(error) }, 'An entry of the audit log could not be written'); });
    return { ok: true, why: note };
  };
}

async function carryOut(desks: ReturnType<AgentSettingParts['desks']>, account: string, { agent, action, phone }: OfAgent): Promise<void> {
  switch (action) {
    case 'logIn':
      await desks.logIn(account, agent, [phone]);
      await desks.chooseStatus(account, agent, 'available');
      return;
    case 'logOut':
      await desks.logOut(account, agent);
      return;
    case 'break':
    case 'available':
      await desks.chooseStatus(account, agent, action);
  }
}
