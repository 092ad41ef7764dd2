/**
 * Where a webhook may be: on the public internet, by https. An address inside would let whoever may write a webhook post to
 * what only this machine can reach: Redis, the switch, a cloud's metadata. Reserved networks: IANA's registries of special
 * purpose addresses (RFC 6890).
 */
import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const reserved = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24],
  ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const) reserved.addSubnet(network, bits, 'ipv4');
/** Within what is global unicast: Teredo and other protocols', documentation, 6to4. */
for (const [network, bits] of [['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['3fff::', 20]] as const) reserved.addSubnet(network, bits, 'ipv6');
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** Of an IP address; no address at all is not public either. */
export function isPublic(address: string): boolean {
  switch (isIP(address)) {
    case 4: return !reserved.check(address, 'ipv4');
    case 6: return globalUnicast.check(address, 'ipv6') && !reserved.check(address, 'ipv6');
    default: return false;
  }
}

/** A connection to what must not be reached. */
export class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError';
}

/** Null, or a sentence: why nothing is sent there. What a name leads to is looked at when it is used. */
export function refusalOf(url: URL, allowPrivate: boolean): string | null {
  if (allowPrivate) return null;
  if (url.protocol !== 'https:') return 'must begin with https://: what is sent names callers. FRONTDESK_WEBHOOKS_PRIVATE=allow allows http.';
  const host = hostOf(url);
  const inside = isIP(host) === 0 ? /^(?:.*\.)?(?:localhost|local|internal|home\.arpa)\.?$/i.test(host) || !host.includes('.') : !isPublic(host);
  return inside ? `leads into a private network (${host}): give an address on the internet, or set FRONTDESK_WEBHOOKS_PRIVATE=allow.` : null;
}

/** Without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** Resolves a name for a connection, which is made to what was looked at here and to nothing else. One private address among several refuses all. */
export const publicOnly: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    const [first] = found ?? [];
    const refused = error === null ? found.find(({ address }) => !isPublic(address)) : undefined;
    if (error !== null) callback(error, '', 0);
    else if (first === undefined) callback(new RefusedAddressError(`${hostname} has no address`), '', 0);
    else if (refused !== undefined) callback(new RefusedAddressError(`${hostname} leads into a private network (${refused.address})`), '', 0);
    else if (options.all === true) callback(null, found);
    else callback(null, first.address, first.family);
  });
};
