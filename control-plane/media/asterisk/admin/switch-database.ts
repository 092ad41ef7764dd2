/**
 * The switch's own database (AstDB), where its dialplan finds failsafes, trunks and emergency settings with no
 * controller alive. ARI neither reads nor writes it ("dangerous function": a write is answered 204 and dropped), so
 * each operation is a call to the dialplan context `fd-db`, which leaves its answer in a global variable.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AriClient } from '../ari/ari-client.ts';

export type Ari = Pick<AriClient, 'request'>;

/** One operation at a time. All reject with SwitchDatabaseError. */
export interface SwitchDatabase {
  /** Empty when there is no such entry. */
  read(family: string, key: string): Promise<string>;
  keys(family: string): Promise<readonly string[]>;
  /** Sets an entry, or removes it when `value` is empty; resolves when the switch has it. */
  write(family: string, key: string, value: string): Promise<void>;
  /** Of these AORs: where phones registered, and the one each trunk has. At most eight, so that the answer fits. */
  contacts(aors: readonly string[]): Promise<readonly SwitchContact[]>;
}

/** Of a registered phone or a trunk; fields as PJSIP_CONTACT of the dialplan gives them (docs.asterisk.org). */
export interface SwitchContact {
  readonly aor: string;
  readonly uri: string;
  readonly status: string;
  /** 0 or NaN: OPTIONS have not been answered. */
  readonly roundTripUs: number;
  /** Epoch seconds; 0 of a trunk. */
  readonly expiresAt: number;
  readonly userAgent: string;
}

export class SwitchDatabaseError extends Error {
  override readonly name = 'SwitchDatabaseError';
}

const askEveryMs = 5;
const answerWithinMs = 3000;

export function createSwitchDatabase(ari: Ari): SwitchDatabase {
  const ask = randomBytes(6).toString('hex');
  let seq = 0;
  let busy: Promise<unknown> = Promise.resolve();

  async function answerOf(seqNow: number): Promise<string> {
    const until = performance.now() + answerWithinMs;
    while (performance.now() < until) {
      const result = await ari.request('asterisk.getGlobalVar', { variable: `FD_ANSWER_${ask}` });
      if (!result.ok) throw new SwitchDatabaseError(`The switch's database cannot be asked: ${result.message}`);
      if (result.body.value.startsWith(`${seqNow}:`)) return result.body.value.slice(`${seqNow}:`.length);
      await delay(askEveryMs);
    }
    throw new SwitchDatabaseError("The switch's database does not answer: its dialplan must have the context fd-db of asterisk/extensions.conf.");
  }

  async function operate(operation: string, family: string, key: string, value: string): Promise<string> {
    seq += 1;
    const result = await ari.request('channels.originate', {
      endpoint: `Local/${operation}@fd-db/n`,
      // Where the near end would go once the far end answered, which it never does.
      context: 'fd-db',
      extension: 'none',
      priority: 1,
      timeout: 5,
      variables: { FD_ASK: ask, FD_SEQ: String(seq), FD_FAMILY: family, FD_KEY: key, FD_VALUE: value },
    });
    if (!result.ok) throw new SwitchDatabaseError(`The switch's database cannot be asked: ${result.message}`);
    return answerOf(seq);
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = busy.then(work, work);
    busy = turn.catch(() => undefined);
    return turn;
  }

  return {
    read: (family, key) => inTurn(() => operate('get', family, key, '')),
    keys: (family) => inTurn(async () => (await operate('keys', family, '', '')).split(',').filter((key) => key !== '')),
    write: (family, key, value) => inTurn(async () => {
      const stored = await operate(value === '' ? 'delete' : 'put', family, key, value);
      if (stored !== value) throw new SwitchDatabaseError(`The switch stored something else under ${family}/${key} than it was given.`);
    }),
    contacts: (aors) => inTurn(async () => {
      const answer = await operate('contacts', '', aors.join('&'), '');
      return answer.split('|').slice(1).map(readContact);
    }),
  };
}

/** Six fields with a comma between; the URI and the user agent are URI-encoded. */
function readContact(text: string): SwitchContact {
  const [aor = '', uri = '', status = '', roundTrip, expires, userAgent = ''] = text.split(',');
  return { aor, uri: decoded(uri), status, roundTripUs: Number(roundTrip), expiresAt: Number(expires), userAgent: decoded(userAgent) };
}

/** What a phone says of itself may be cut or no UTF-8. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
