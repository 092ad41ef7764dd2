import type { Command } from './command-queue.ts';
import type { EslResult } from './esl-result.ts';

export type SwitchCheck =
  | { readonly ok: true; readonly version: string; readonly coreUuid: string }
  | { readonly ok: false; readonly reason: 'too-old' | 'not-freeswitch' | 'unreachable'; readonly why: string };

/** Asks an authenticated connection what it is connected to. Never throws. */
export async function checkSwitch(ask: (command: Command) => Promise<EslResult>): Promise<SwitchCheck> {
  const [version, core] = await Promise.all(['version', 'global_getvar core_uuid'].map(async (api) => ask({ what: api, text: `api ${api}\n\n`, answeredBy: 'api' })));
  if (version === undefined || core === undefined || (!version.ok && version.reply === undefined)) {
    return { ok: false, reason: 'unreachable', why: 'it does not answer commands' };
  }
  // FreeSWITCH Version 1.10.12-release+git~20240802T210227Z~a88d069d6f~64bit (git a88d069 …)
  const [, name] = /^FreeSWITCH Version (\S+)/.exec(version.ok ? version.text : '') ?? [];
  if (name === undefined) return { ok: false, reason: 'not-freeswitch', why: 'it does not say its version as FreeSWITCH does: is mod_commands loaded?' };
  if (!isSupported(name)) return { ok: false, reason: 'too-old', why: `it is version ${name}, and Frontdesk needs FreeSWITCH 1.10 or newer` };
  const coreUuid = core.ok ? core.text : '';
  return coreUuid === '' ? { ok: false, reason: 'not-freeswitch', why: 'it does not say its Core-UUID' } : { ok: true, version: name, coreUuid };
}

/** 1.10 is the first release with what the driver uses. A build named without numbers is believed. */
export function isSupported(version: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return true;
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 10);
}
