/**
 * The switch's own database (AstDB), where it finds failsafes, trunks and emergency settings with no controller
 * alive. ARI reads it (`DB`, `DB_KEYS`) but writes nothing to it: `POST asterisk/variable` answers 204 and stores
 * nothing (a "dangerous function"). So a write is a call to the dialplan context `fd-db` with the value as a
 * variable, and is believed when it can be read back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { AriClient } from '../ari/ari-client.ts';

export type Ari = Pick<AriClient, 'request'>;

const readBackEveryMs = 20;
const readBackTries = 100;

export class SwitchDatabaseError extends Error {
  override readonly name = 'SwitchDatabaseError';
}

async function read(ari: Ari, expression: string): Promise<string> {
  const result = await ari.request('asterisk.getGlobalVar', { variable: expression });
  if (!result.ok) throw new SwitchDatabaseError(`The switch's database cannot be read: ${result.message}`);
  return result.body.value;
}

/** Empty when there is no such entry. */
export function readEntry(ari: Ari, family: string, key: string): Promise<string> {
  return read(ari, `DB(${family}/${key})`);
}

export async function listKeys(ari: Ari, family: string): Promise<readonly string[]> {
  const keys = await read(ari, `DB_KEYS(${family})`);
  return keys === '' ? [] : keys.split(',');
}

/** Sets an entry, or removes it when `value` is empty; resolves when the switch has it. */
export async function writeEntry(ari: Ari, family: string, key: string, value: string): Promise<void> {
  if ((await readEntry(ari, family, key)) === value) return;
  const doing = value === '' ? 'delete' : 'put';
  const result = await ari.request('channels.originate', {
    endpoint: `Local/${doing}@fd-db/n`,
    context: 'fd-db',
    extension: doing,
    priority: 1,
    timeout: 5,
    variables: { FD_FAMILY: family, FD_KEY: key, FD_VALUE: value },
  });
  if (!result.ok) throw new SwitchDatabaseError(`The switch's database cannot be written: ${result.message}`);
  for (let i = 0; i < readBackTries; i++) {
    if ((await readEntry(ari, family, key)) === value) return;
    await delay(readBackEveryMs);
  }
  throw new SwitchDatabaseError(`The switch did not store ${family}/${key}: its dialplan must have the context fd-db (asterisk/extensions.conf).`);
}
