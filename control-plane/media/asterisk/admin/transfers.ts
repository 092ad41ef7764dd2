/**
 * Whether phones may ask for transfers. A REFER goes to the controller by the channel's own setting
 * (PJSIP_TRANSFER_HANDLING), which this dialplan gives to phones that call and the driver to those that are called; where
 * an endpoint allows REFER without it, the switch would move channels by itself.
 *
 * Asterisk before 20.21, 22.11 and 23.5 dies of a REFER with `Refer-Sub: false` that is to go to a controller
 * (asterisk#2021; seen on 22.10.1): one such phone ends every call. There nobody may, unless it is wanted in knowledge of that.
 */
import type { Transfers } from '../../switch-admin.ts';
import type { TransfersSetting } from '../../switch-setup.ts';
import type { Ari } from './switch-database.ts';

/** FD_DIALPLAN of asterisk/extensions.conf. */
const dialplanWithTransfers = 4;
/** By branch, the first release that survives. */
const survives: Readonly<Record<number, number>> = { 20: 21, 22: 11, 23: 5 };

/** Rejects with a sentence when the switch cannot be asked. */
export async function transfersOn(ari: Ari, setting: TransfersSetting): Promise<Transfers> {
  if (setting === 'off') return { allowed: false, why: 'transfers are turned off' };
  const [dialplan, info] = await Promise.all([ari.request('asterisk.getGlobalVar', { variable: 'FD_DIALPLAN' }), ari.request('asterisk.getInfo', { only: ['system'] })]);
  if (!dialplan.ok && dialplan.error !== 'gone') throw new Error(`The switch does not say which dialplan it has: ${dialplan.message}`);
  if (!info.ok) throw new Error(`The switch does not say which version it is: ${info.message}`);
  if (!dialplan.ok || !(Number(dialplan.body.value) >= dialplanWithTransfers)) return { allowed: false, why: 'the dialplan of the switch is older than they are: load asterisk/extensions.conf anew' };
  const version = info.body.system?.version ?? '';
  if (setting === 'on' || survivesRefer(version)) return { allowed: true };
  return { allowed: false, why: `Asterisk ${version} dies of certain transfers (asterisk#2021). From 20.21, 22.11 and 23.5 on it does not; FRONTDESK_TRANSFERS=on allows them all the same` };
}

/** A build named without numbers (GIT-…) is believed. */
export function survivesRefer(version: string): boolean {
  const [, major, minor] = /(?:^|[^\d.])(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return true;
  const first = survives[Number(major)];
  return first === undefined ? Number(major) > 23 : Number(minor) >= first;
}
