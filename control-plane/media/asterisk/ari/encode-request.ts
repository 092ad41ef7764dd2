import { ariOperations } from './ari-types.generated.ts';
import type { AriOperationId, AriParams } from './ari-result.ts';

/**
 * Asterisk closes the whole websocket (1009) on a frame above 64 KB, and with it every call's commands,
 * so one request that is too long is refused here instead.
 */
const maxFrameBytes = 60_000;

export type Encoded = { readonly ok: true; readonly frame: string } | { readonly ok: false; readonly message: string };

/**
 * The frame for a request. All parameters that are not in the path go into a JSON body: Asterisk reads them
 * there for every method, a value needs no escaping, and the items of a list may contain commas, which split
 * them in a query string.
 */
export function encodeRequest<O extends AriOperationId>(requestId: string, operation: O, params: AriParams<O>): Encoded {
  const { method, path, wholeBody } = ariOperations[operation];
  const rest = new Map<string, unknown>(Object.entries(params));
  let missing: string | undefined;
  const uri = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest.get(name);
    rest.delete(name);
    // An empty segment would be a different path: DELETE channels/ is not DELETE channels/x.
    if (typeof value !== 'string' || value === '') missing = name;
    return typeof value === 'string' ? encodeURIComponent(value.toWellFormed()) : '';
  });
  if (missing !== undefined) return { ok: false, message: `${operation} needs ${missing}.` };
  const body = wholeBody === undefined ? (rest.size === 0 ? undefined : Object.fromEntries(rest)) : rest.get(wholeBody);
  const frame = JSON.stringify({
    type: 'RESTRequest', request_id: requestId, method, uri,
    ...(body === undefined ? {} : { content_type: 'application/json', message_body: JSON.stringify(body) }),
  });
  if (frame.length > maxFrameBytes / 3 && Buffer.byteLength(frame) > maxFrameBytes) {
    return { ok: false, message: `${operation} is longer than the ${maxFrameBytes} bytes that one request to the switch may have.` };
  }
  return { ok: true, frame };
}
