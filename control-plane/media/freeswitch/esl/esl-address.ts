export interface EslAddress {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  /** For messages and logs: host and port, never the password. */
  readonly display: string;
}

export type AddressResult = { readonly ok: true; readonly address: EslAddress } | { readonly ok: false; readonly message: string };

const shape = 'freeswitch://:password@host:8021';

/**
 * Reads `freeswitch://:password@host[:port]`: the password and port of event_socket.conf.xml, which knows no user. What
 * a URL cannot hold as it is may be percent-encoded. A message never quotes the URL.
 */
export function parseEslUrl(text: string): AddressResult {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'freeswitch:' || url.hostname === '') {
    return { ok: false, message: `The address of FreeSWITCH must look like ${shape}.` };
  }
  if (url.username !== '') {
    return { ok: false, message: `The address of FreeSWITCH at ${url.host} names a user, and its event socket knows none: leave the part before the colon empty (${shape}).` };
  }
  const password = decode(url.password);
  if (password === '') {
    return { ok: false, message: `The address of FreeSWITCH at ${url.host} lacks a password (${shape}, from event_socket.conf.xml).` };
  }
  if (/[\r\n\0]/.test(password)) {
    return { ok: false, message: `The password in the address of FreeSWITCH at ${url.host} holds a line break, which no password of event_socket.conf.xml can.` };
  }
  const port = url.port === '' ? 8021 : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { ok: true, address: { host, port, password, display: `${url.hostname}:${port}` } };
}

/** A password with a bare `%` in it is not an encoding error of ours to die of. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
