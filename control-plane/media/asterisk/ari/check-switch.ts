import type { AriAddress } from './ari-address.ts';

export type SwitchCheck =
  | { readonly ok: true; readonly version: string }
  | { readonly ok: false; readonly reason: 'unreachable' | 'unauthorized' | 'not-asterisk' | 'too-old'; readonly message: string };

/** The first release of each branch that takes requests on the websocket; branches above the last all do. */
const restOverWebSocket: Readonly<Record<number, number>> = { 20: 14, 21: 9, 22: 4 };

/**
 * Asks the switch for its version over plain HTTP, which every release answers, and which tells a wrong
 * password from a wrong address. Never throws.
 */
export async function checkSwitch(address: AriAddress, timeoutMs: number): Promise<SwitchCheck> {
  const where = `Asterisk at ${address.display}`;
  let status: number;
  let text: string;
  try {
    const response = await fetch(`${address.http}/asterisk/info?only=system`, {
      headers: { authorization: address.authorization }, redirect: 'error', signal: AbortSignal.timeout(timeoutMs),
    });
    status = response.status;
    text = await response.text();
  } catch (error) {
    return { ok: false, reason: 'unreachable', message: `${where} cannot be reached: ${connectError(error)}. Is it running, and is ASTERISK_URL right?` };
  }
  if (status === 401 || status === 403) {
    return { ok: false, reason: 'unauthorized', message: `${where} refuses the user name or password in ASTERISK_URL (see ari.conf).` };
  }
  const version = status === 200 ? versionIn(text) : undefined;
  if (version === undefined) {
    return { ok: false, reason: 'not-asterisk', message: `${address.display} answers ${status}, but not as Asterisk's REST interface does. Is ari.conf enabled, and is this the port of http.conf?` };
  }
  if (!hasRestOverWebSocket(version)) {
    return { ok: false, reason: 'too-old', message: `${where} is version ${version}. Frontdesk sends its requests over ARI's websocket, which needs Asterisk 20.14, 21.9, 22.4 or newer.` };
  }
  return { ok: true, version };
}

/** Whether a release takes REST requests on the websocket. A build named without numbers (GIT-…) is believed. */
export function hasRestOverWebSocket(version: string): boolean {
  const [, major, minor] = /(?:^|[^\d.])(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return true;
  const branch = Number(major);
  const first = restOverWebSocket[branch];
  return first === undefined ? branch > 22 : Number(minor) >= first;
}

function versionIn(text: string): string | undefined {
  try {
    const info = JSON.parse(text) as { system?: { version?: unknown } } | null;
    const version = info?.system?.version;
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}

/** `fetch` says only "fetch failed"; the reason is its cause. */
function connectError(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'it did not answer in time';
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error) return ('code' in cause && typeof cause.code === 'string' ? cause.code : cause.message);
  return 'the connection failed';
}
