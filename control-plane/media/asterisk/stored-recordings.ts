/**
 * What the switch has recorded, fetched over ARI's plain HTTP (`recordings/stored/…/file` is binary, which requests on
 * the websocket are not): it works for a switch on another machine too.
 */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parseAriUrl } from './ari/ari-address.ts';
import { SwitchRefusedError } from '../media-driver.ts';
import type { StoredRecordings } from '../switch-admin.ts';

const answerWithinMs = 10_000;
/** Of a file of hours. */
const fileWithinMs = 300_000;

export function storedRecordings(url: string): StoredRecordings {
  const parsed = parseAriUrl(url);
  if (!parsed.ok) throw new SwitchRefusedError(parsed.message);
  const { http, authorization } = parsed.address;
  const ask = async (method: string, path: string, withinMs: number): Promise<Response> => {
    const response = await fetch(`${http}/recordings/stored${path}`, { method, headers: { authorization }, redirect: 'error', signal: AbortSignal.timeout(withinMs) });
    if (response.ok || response.status === 404) return response;
    await response.body?.cancel();
    throw new Error(`The switch answers ${response.status} to ${method} of its recordings.`);
  };
  return {
    list: async () => {
      const names = (await (await ask('GET', '', answerWithinMs)).json()) as readonly { readonly name: string }[];
      return names.map(({ name }) => name);
    },
    fetch: async (name, file) => {
      const response = await ask('GET', `/${encodeURIComponent(name)}/file`, fileWithinMs);
      if (response.status === 404 || response.body === null) return false;
      await pipeline(response.body, createWriteStream(file, { mode: 0o600 }));
      return true;
    },
    remove: async (name) => {
      const response = await ask('DELETE', `/${encodeURIComponent(name)}`, answerWithinMs);
      await response.body?.cancel();
    },
  };
}
