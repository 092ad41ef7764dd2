import type { Ari } from './switch-database.ts';

/** Whether the switch runs a dialplan that has this (FD_DIALPLAN of asterisk/extensions.conf); yes when it cannot be asked. */
export async function hasDialplan(ari: Ari, version: number): Promise<boolean> {
  const dialplan = await ari.request('asterisk.getGlobalVar', { variable: 'FD_DIALPLAN' });
  return !dialplan.ok || Number(dialplan.body.value) >= version;
}
