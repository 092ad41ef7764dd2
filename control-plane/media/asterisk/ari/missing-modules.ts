import type { AriClient } from './ari-client.ts';

export type MissingModules =
  | { readonly ok: true; readonly missing: readonly string[] }
  | { readonly ok: false; readonly message: string };

/** Those of `names` (`res_pjsip.so`, …) that are not running in the switch. A failed request is a failure, not an absence. */
export async function missingModules(client: AriClient, names: readonly string[]): Promise<MissingModules> {
  const modules = await client.request('asterisk.listModules');
  if (!modules.ok) return { ok: false, message: modules.message };
  const running = new Set(modules.body.filter(({ status }) => status === 'Running').map(({ name }) => name));
  return { ok: true, missing: names.filter((name) => !running.has(name)) };
}
