export interface AriAddress {
  /** Base of the REST interface, without credentials. */
  readonly http: string;
  /** The same for the websocket. */
  readonly websocket: string;
  readonly authorization: string;
  /** For messages and logs: host and port, never the password. */
  readonly display: string;
}

export type AddressResult = { readonly ok: true; readonly address: AriAddress } | { readonly ok: false; readonly message: string };

/**
 * Splits `http(s)://user:password@host:port[/prefix]` (`prefix` as in http.conf). The credentials travel in a
 * header and appear in no address, so nothing that logs one can log them. A message never quotes the URL.
 */
export function parseAriUrl(text: string): AddressResult {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return { ok: false, message: 'The address of Asterisk must look like http://user:password@host:8088.' };
  }
  if (url.username === '' || url.password === '') {
    return { ok: false, message: `The address of Asterisk at ${url.host} lacks a user name or password (http://user:password@host:port, from ari.conf).` };
  }
  const path = `${url.pathname.replace(/\/+$/, '')}/ari`;
  const credentials = `${decode(url.username)}:${decode(url.password)}`;
  return {
    ok: true,
    address: {
      http: `${url.protocol}//${url.host}${path}`,
      websocket: `${url.protocol === 'https:' ? 'wss:' : 'ws:'}//${url.host}${path}`,
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      display: url.host,
    },
  };
}

/** A password with a bare `%` in it is not an encoding error of ours to die of. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
