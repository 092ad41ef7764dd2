/**
 * Notices to people: an emergency call was made (47 CFR 9.16, Kari's Law), the failsafe was used. Each is one line
 * in the log and one in `notices.ndjson` of the data directory, which is what a mailer or pager reads.
 */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SwitchNote } from '../media/switch-setup.ts';
import type { Log } from '../telemetry/log.ts';

export interface Notice {
  readonly at: string;
  readonly kind: SwitchNote['kind'];
  readonly sentence: string;
  /** Who must know, by e-mail address. */
  readonly notify: readonly string[];
}

export interface Notices {
  /** Never rejects: a notice that cannot be kept is still in the log. */
  give(note: SwitchNote, notify: readonly string[], location: string): Promise<Notice>;
}

export function createNotices(dataDir: string, log: Log): Notices {
  return {
    async give(note, notify, location) {
      const notice: Notice = { at: new Date(note.at).toISOString(), kind: note.kind, sentence: sentenceOf(note, location), notify };
      log.error({ kind: notice.kind, noteAt: notice.at, notify }, notice.sentence);
      try {
        await appendFile(join(dataDir, 'notices.ndjson'), `${JSON.stringify(notice)}\n`, { mode: 0o600 });
      } catch (error) {
        log.error({ error: String(error) }, 'A notice could not be written to notices.ndjson');
      }
      return notice;
    },
  };
}

function sentenceOf(note: SwitchNote, location: string): string {
  if (note.kind === 'failsafe') {
    return `A call to ${note.dialled} found no controller and was sent to the failsafe ${note.trunk || '(none is set)'}: ${note.outcome}.`;
  }
  const how = note.outcome === 'ANSWER' ? `answered over ${note.trunk}` : `not answered (${note.outcome})`;
  return `Emergency call: ${note.dialled} was dialled from extension ${note.from} at ${location}; ${how}.`;
}
