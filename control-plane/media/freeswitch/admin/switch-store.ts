/**
 * What the switch keeps for itself (mod_db), where its scripts find phones, trunks, failsafes and emergency settings with no
 * controller alive. Written and read by freeswitch/scripts/store.lua: the command `db` shows 256 letters of a value and
 * replaces one by removing it first.
 */
import { isIPv4 } from 'node:net';
import type { AddressBan } from '../../switch-admin.ts';
import type { EslClient } from '../esl/esl-client.ts';
import type { EslFailure, EslResult } from '../esl/esl-result.ts';

export type Esl = Pick<EslClient, 'api' | 'bgapi'>;

export type Fields = Readonly<Record<string, string>>;

/** All reject with a sentence. */
export interface SwitchStore {
  list(family: string): Promise<ReadonlyMap<string, Fields>>;
  /** Fields without a value are left out. */
  put(family: string, key: string, fields: Fields): Promise<void>;
  remove(family: string, key: string): Promise<void>;
  /** In place of the bans of this owner. */
  ban(owner: string, bans: readonly AddressBan[]): Promise<void>;
}

const order = 'store';

export function createSwitchStore(esl: Esl): SwitchStore {
  const ask = async (deed: string): Promise<string> => {
    const answer: EslResult = await esl.api('lua', { deed: { raw: `store.lua ${deed}` } }, { order });
    if (!answer.ok) throw new Error(`What the switch keeps cannot be read or written: ${whyNot(answer)}.`);
    return answer.text;
  };
  return {
    async list(family) {
      const lines = (await ask(`list ${family}`)).split('\n').filter((line) => line !== '');
      return new Map(lines.map((line): readonly [string, Fields] => {
        const [key = '', text = ''] = line.split(' ');
        return [key, readFields(text)];
      }));
    },
    put: async (family, key, fields) => void (await ask(`put ${family} ${encoded(key)} ${writtenFields(fields)}`)),
    remove: async (family, key) => void (await ask(`remove ${family} ${encoded(key)}`)),
    ban: async (owner, bans) => void (await ask(`ban ${encoded(owner)} ${bans.map(writtenBan).join(',') || 'nobody'}`)),
  };
}

function whyNot({ message, reply }: EslFailure): string {
  if (message.includes('Cannot execute script')) return 'it has no scripts/store.lua; give it the configuration of freeswitch/ anew';
  return reply === '' ? 'its scripts/store.lua is of an older version; give it the configuration of freeswitch/ anew' : message;
}

/** Of names that the configuration allows, nothing is encoded: the scripts compare keys as they are. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/['()!~]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function writtenFields(fields: Fields): string {
  return Object.entries(fields).filter(([, value]) => value !== '').map(([name, value]) => `${name}=${encoded(value)}`).join('&') || 'none=1';
}

/** The end in seconds since 1970. */
function writtenBan({ address, until }: AddressBan): string {
  const network = /^((?:[0-9a-f]{1,4}:){3}[0-9a-f]{1,4})::\/64$/.exec(address)?.[1];
  if (network === undefined && !isIPv4(address)) throw new Error(`“${address}” is neither an IPv4 address nor a network of IPv6 of 64 bits.`);
  return `${network?.replaceAll(':', '-') ?? address}=${Math.ceil(until / 1000)}`;
}

function readFields(text: string): Fields {
  return Object.fromEntries(text.split('&').map((field) => {
    const [name = '', value = ''] = field.split('=');
    return [name, decoded(value)];
  }));
}

/** What was noted of a caller may be no UTF-8. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
