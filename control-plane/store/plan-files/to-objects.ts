/** A checked plan document as objects of configuration: what an admin would have written over the API. */
import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import type { Doc, Kind } from '../../configuration/documents.ts';
import type { ConfigObject } from '../../configuration/objects.ts';
import { parseDocument } from '../../configuration/check.ts';
import { second, type Ms } from '../../core/time.ts';
import type { AudioSource, PlanDocument } from './schema.ts';
import { moreOf, sectionObjects } from './sections.ts';

export interface PlanObjects {
  readonly account: string;
  readonly objects: readonly ConfigObject[];
  /** Recordings that the plan names, by the id they have among the objects: `path` has no extension of its own when two rates lie there. */
  readonly audio: ReadonlyMap<string, string>;
}

/** `raw` is the file as it was read, for what is written as in the API; `dir` is where relative audio files are. */
export function toObjects(plan: PlanDocument, raw: unknown, dir: string): PlanObjects {
  const account = plan.account.id;
  const audio = new Map<string, string>();
  const objects: ConfigObject[] = [];
  const add = (kind: Kind, id: string, body: unknown): void => {
    const parsed = parseDocument(kind, JSON.parse(JSON.stringify(body)));
    // the plan was checked by the same rules: this is a fault of ours, and says which
    if (!parsed.ok) throw new Error(`${kind} ${id}: ${parsed.problems.map(({ path, message }) => `${path} ${message}`).join(' ')}`);
    objects.push({ account, kind, id, version: 1, createdAt: 0, updatedAt: 0, body: parsed.body } as ConfigObject);
  };
  const uploaded = (file: string): string => {
    const path = resolve(dir, file);
    const id = audioId(path);
    audio.set(id, path);
    return id;
  };
  const audioRef = (source: AudioSource | undefined): object | undefined => (source?.file === undefined ? source : { audio: uploaded(source.file) });

  const { id, ...own } = plan.account;
  add('account', id, { ...own, ...moreOf('account', plan.account, uploaded), ...(plan.emergency === undefined ? {} : { emergency: plan.emergency }) });
  for (const [i, { id: trunk, ...body }] of plan.trunks.entries()) add('trunk', trunk, { ...body, priority: (i + 1) * 10 });
  for (const user of plan.users) {
    add('user', user.id, { name: user.name, ...moreOf('user', user, uploaded) });
    for (const { extension, mobile = '', ringSeconds, ...device } of user.devices) {
      // of what is dialled, so that reordering a plan does not rename a device
      const deviceId = extension ?? `${user.id}-${mobile.slice(1)}`.slice(-32).replace(/^-/, '');
      add('device', deviceId, { user: user.id, ...device, ...(extension === undefined ? { mobile } : { extension }), ...inSeconds('ringSeconds', ringSeconds) });
    }
  }
  for (const number of plan.numbers) {
    const { timeoutSeconds, announcement, whisper, voicemail, ...body } = number;
    add('number', number.e164.slice(1), {
      ...body, ...inSeconds('timeoutSeconds', timeoutSeconds), announcement: audioRef(announcement), whisper: audioRef(whisper),
      voicemail: voicemail === undefined ? undefined : voicemailOf(voicemail, audioRef(voicemail.greeting)), ...moreOf('number', number, uploaded),
    });
  }
  for (const one of sectionObjects(raw, uploaded)) add(one.kind, one.id, one.body);
  for (const [audioFile, path] of audio) {
    add('audio', audioFile, { name: basename(path).slice(0, 60), durationMs: 0, sha256: createHash('sha256').update(path).digest('hex') } satisfies Doc<'audio'>);
  }
  return { account, objects, audio };
}

function audioId(path: string): string {
  const name = basename(path).toLowerCase().replace(/\.[a-z0-9]+$/, '').replaceAll(/[^a-z0-9]+/g, '-').replace(/^-/, '').slice(0, 20);
  return `${name === '' ? 'audio' : name}-${createHash('sha256').update(path).digest('hex').slice(0, 8)}`;
}

function voicemailOf(voicemail: NonNullable<PlanDocument['numbers'][number]['voicemail']>, greeting: object | undefined): object {
  if (voicemail.off !== undefined) return { enabled: false };
  return { greeting, ...inSeconds('maxSeconds', voicemail.maxSeconds), ...inSeconds('silenceSeconds', voicemail.silenceSeconds) };
}

function inSeconds(field: string, ms: Ms | undefined): object {
  return ms === undefined ? {} : { [field]: ms / second };
}
