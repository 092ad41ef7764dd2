/** What of an address is banned, and whether an address is one of many. */
import { BlockList, isIP, isIPv6 } from 'node:net';

/** An IPv4 address itself; of an IPv6 address its network of 64 bits, of which one house has all (RFC 6177). Undefined of what is no address. */
export function bannedOf(address: string): string | undefined {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  if (isIP(plain) === 0) return undefined;
  return isIPv6(plain) ? `${hextets(plain).slice(0, 4).join(':')}::/64` : plain;
}

/** `networks`: addresses, and networks as `address/bits`. */
export function contains(networks: readonly string[], banned: string): boolean {
  const [address = ''] = banned.split('/');
  const version = isIP(address);
  if (version === 0) return false;
  const list = new BlockList();
  for (const network of networks) {
    const [base = '', bits] = network.split('/');
    // IPv4 is a part of ::/64 to BlockList, so versions are kept apart
    if (isIP(base) !== version) continue;
    // an address of IPv6 speaks for its whole network, since that is what would be banned
    if (version === 4) list.addSubnet(base, Math.min(Number(bits ?? 32), 32), 'ipv4');
    else list.addSubnet(base, Math.min(Number(bits ?? 64), 64), 'ipv6');
  }
  return list.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

/** All eight groups, without leading zeros. */
function hextets(address: string): readonly string[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const [first, last] = [groups(head), groups(tail ?? '')];
  return tail === undefined ? first : [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last];
}

function groups(text: string): readonly string[] {
  return text.split(':').filter((group) => group !== '').map((group) => Number.parseInt(group, 16).toString(16));
}
