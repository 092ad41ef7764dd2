/**
 * Requests whose answer grows with what the switch has go over plain HTTP. Asterisk builds a websocket message on the
 * stack of a thread (`ast_websocket_write`), which is half a megabyte: a list of 600 channels ends the process, and every
 * call with it (22.10.1).
 */
import type { AriAddress } from './ari-address.ts';
import { classifyStatus, type AriOperationId, type AriResult } from './ari-result.ts';
import { ariOperations } from './ari-types.generated.ts';

const lists: ReadonlySet<AriOperationId> = new Set<AriOperationId>(['applications.list', 'bridges.list', 'channels.list', 'endpoints.list', 'endpoints.listByTech']);

export const isList = (operation: AriOperationId): boolean => lists.has(operation);

/** Never rejects. `params` are parts of the path. */
export async function askForList(address: AriAddress, operation: AriOperationId, params: Readonly<Record<string, unknown>>, options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<AriResult<unknown>> {
  const { method, path } = ariOperations[operation];
  const uri = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
  const timeout = AbortSignal.timeout(options.timeoutMs);
  try {
    const response = await fetch(`${address.http}/${uri}`, { method, headers: { authorization: address.authorization }, redirect: 'error', signal: AbortSignal.any([timeout, options.signal]) });
    if (response.ok) return { ok: true, status: response.status, body: await response.json() };
    await response.body?.cancel();
    const message = `${operation}: ${response.status} ${response.statusText}`;
    return { ok: false, error: classifyStatus(response.status, message), status: response.status, message, sent: true };
  } catch (error) {
    if (timeout.aborted) return { ok: false, error: 'timeout', message: `${operation} was not answered within ${options.timeoutMs} ms.`, sent: true };
    return { ok: false, error: 'unreachable', message: `${operation}: ${error instanceof Error ? error.message : String(error)}`, sent: true };
  }
}
