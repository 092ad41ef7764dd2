/**
 * Notices to people: an emergency call (47 CFR 9.16, Kari's Law: the front desk is told), a use of the failsafe, a
 * voice message, a phone or trunk that is gone or back, guesses of SIP passwords and of agents' PINs, calls that are not served. Each is a
 * line in the log and one in `notices.ndjson` of the data directory, and goes by e-mail to those the plan
 * names. What the mail server does not take waits in `notices-unsent.json`, over restarts too, until it does.
 */
import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SwitchNote } from '../media/switch-setup.ts';
import type { Log } from '../telemetry/log.ts';
import type { Mailer } from './mail.ts';

export interface Notice {
  readonly at: string;
  readonly kind: SwitchNote['kind'] | 'voicemail' | 'gone' | 'back' | 'guesses' | 'pins' | 'trouble' | 'well';
  readonly sentence: string;
  /** The call it is about. */
  readonly call?: string;
  /** Who must know, by e-mail address. */
  readonly notify: readonly string[];
}

export interface Notices {
  /** Resolves when the notice is kept, not when it is sent. Never rejects: it is in the log at the least. */
  give(notice: Notice): Promise<void>;
  /** Sends what waits; never rejects. */
  send(): Promise<void>;
  /** Notices not sent yet. */
  unsent(): number;
}

/** More than this is an outage of the mail server that nobody looks at; the file has every notice all the same. */
const mostUnsent = 1000;

/** Without a mailer notices are logged and kept. */
export async function openNotices(dataDir: string, log: Log, mailer: Mailer | undefined): Promise<Notices> {
  const unsentFile = join(dataDir, 'notices-unsent.json');
  let unsent = await readUnsent(unsentFile);
  let sending: Promise<void> | undefined;

  const keep = async (what: string, write: () => Promise<void>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      log.error({ error: String(error) }, `${what} could not be written; the notice is in this log`);
    }
  };
  const saveUnsent = (): Promise<void> => keep('notices-unsent.json', async () => {
    await writeFile(`${unsentFile}.new`, JSON.stringify(unsent), { mode: 0o600 });
    await rename(`${unsentFile}.new`, unsentFile);
  });
  const sendAll = async (): Promise<void> => {
    for (const notice of unsent) {
      try {
        await mailer?.send(notice.notify, subjects[notice.kind], `${notice.at}\n\n${notice.sentence}\n`);
      } catch (error) {
        log.error({ error: String(error), waiting: unsent.length }, 'A notice could not be sent by e-mail; tried again until it is');
        return;
      }
      unsent = unsent.filter((other) => other !== notice);
      await saveUnsent();
    }
  };

  return {
    async give(notice) {
      const { kind, at, call, notify, sentence } = notice;
      log[levels[kind]]({ kind, noteAt: at, notify, ...(call === undefined ? {} : { call }) }, sentence);
      await keep('notices.ndjson', () => appendFile(join(dataDir, 'notices.ndjson'), `${JSON.stringify(notice)}\n`, { mode: 0o600 }));
      if (mailer === undefined || notify.length === 0) return;
      unsent = [...unsent, notice].slice(-mostUnsent);
      await saveUnsent();
    },
    send() {
      sending ??= sendAll().finally(() => { sending = undefined; });
      return sending;
    },
    unsent: () => unsent.length,
  };
}

const subjects: Readonly<Record<Notice['kind'], string>> = {
  emergency: 'Emergency call', failsafe: 'A call went to the failsafe', voicemail: 'A new voice message', gone: 'A phone or trunk is gone', back: 'A phone or trunk is back',
  guesses: 'SIP passwords are guessed', pins: 'PINs of agents are guessed', trouble: 'Calls may not be taken', well: 'Calls are taken again',
};
const levels = { emergency: 'error', failsafe: 'error', voicemail: 'info', gone: 'warn', back: 'info', guesses: 'warn', pins: 'warn', trouble: 'error', well: 'info' } as const satisfies Readonly<Record<Notice['kind'], keyof Log>>;

/** What the switch noted while alone, as a notice. `location` is where the phone stands, empty where nobody knows. */
export function noticeOf(note: SwitchNote, notify: readonly string[], location: string): Notice {
  return { at: new Date(note.at).toISOString(), kind: note.kind, sentence: sentenceOf(note, location), notify, ...(note.call === undefined || note.call === '' ? {} : { call: note.call }) };
}

function sentenceOf(note: SwitchNote, location: string): string {
  if (note.kind === 'failsafe') {
    return `A call to ${note.dialled} found no controller and was sent to the failsafe ${note.trunk || '(none is set)'}: ${note.outcome}.`;
  }
  const call = `Emergency call: ${note.dialled} was dialled from extension ${note.from}${location === '' ? '' : ` at ${location}`}`;
  if (note.outcome === 'STARTED') return `${call}; it is under way.`;
  return note.outcome === 'ANSWER' ? `${call}; it was answered over ${note.trunk}.` : `${call}; it was not answered (${note.outcome}).`;
}

async function readUnsent(file: string): Promise<readonly Notice[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as readonly Notice[];
  } catch {
    return [];
  }
}
