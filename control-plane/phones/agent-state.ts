/** Whether a user can take a call: none of their phones is there, one of them is in a call, or they are free. */
import type { ClinicConfig } from '../configuration/clinics.ts';
import type { AgentState } from '../core/routing/conditions.ts';
import type { Registration } from '../http/ports.ts';

interface Known {
  readonly clinics: readonly Pick<ClinicConfig, 'account'>[];
  /** As last seen; empty before the first look, when every desk phone is taken to be there. */
  readonly registrations: readonly Registration[];
  readonly busy: (account: string, user: string) => boolean;
}

export function agentState({ clinics, registrations, busy }: Known, account: string, user: string): AgentState {
  const found = clinics.find((clinic) => clinic.account.id === account);
  const devices = found?.account.users.find(({ id }) => id === user)?.devices ?? [];
  const there = devices.some(({ target }) => {
    if (target.kind === 'external') return true;
    const seen = registrations.find((one) => one.account === account && one.kind === 'device' && one.id === target.device);
    return seen === undefined || seen.state === 'registered';
  });
  if (!there) return 'offline';
  return busy(account, user) ? 'busy' : 'available';
}
