/**
 * The addresses that a trunk's calls come from. A name is looked up here and not by the switch, which would keep one
 * address of several, and for ever (pjsip-objects.ts).
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { SwitchTrunk } from './switch-setup.ts';

const lookupWithinMs = 2000;

export interface CarrierAddresses {
  /** Each once. */
  readonly addresses: readonly string[];
  /** The host's name cannot be looked up now, so its addresses are not among these. */
  readonly hostUnknown: boolean;
}

export async function addressesOf({ host, match }: Pick<SwitchTrunk, 'host' | 'match'>): Promise<CarrierAddresses> {
  const own = isIP(host) === 0 ? await lookUp(host) : [host];
  return { addresses: [...new Set([...own, ...match])].toSorted(), hostUnknown: own.length === 0 };
}

async function lookUp(name: string): Promise<readonly string[]> {
  const found = lookup(name, { all: true }).then((all) => all.map(({ address }) => address), () => []);
  return Promise.race([found, delay(lookupWithinMs, [], { ref: false })]);
}
