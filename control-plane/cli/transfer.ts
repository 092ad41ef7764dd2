/**
 * Whole configurations in and out, over the API: `frontdesk import` takes a plan or an export, `frontdesk export` writes
 * one, `frontdesk backup` and `restore` add audio files and the records of calls. Contacts go beside the documents, as
 * CSV by account. Recordings are encrypted files of the data directory, and are backed up by copying them
 * (docs/operations.md).
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { StartError } from '../main.ts';
import { loadPlanFiles } from '../store/plan-files/load.ts';
import { formatProblems } from '../store/plan-files/problems.ts';
import { apiClient, itemsOf, type ApiClient } from './api-client.ts';
import { csvOf, disownContacts, fetchContacts, onlyHeader, sendContacts } from './contacts.ts';
import { say } from './say.ts';
import { argumentsOf, UsageError } from './usage-error.ts';

interface Document {
  readonly account: string;
  readonly kind: string;
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Imported {
  readonly created: number;
  readonly replaced: number;
  readonly deleted: number;
  readonly unchanged: number;
  readonly warnings: readonly string[];
}

/** An export says what it is; everything else is taken for a plan. */
const format = 'frontdesk/1';

interface Export {
  readonly documents: readonly Document[];
  /** CSV, by account; of those that have any. */
  readonly contacts: Readonly<Record<string, string>>;
}

/** Where the bytes of an audio file come from, by account and id. */
type AudioOf = (account: string, id: string) => Promise<Buffer>;

export async function importFile(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(args, { replace: { type: 'boolean', default: false } });
  const [file, surplus] = positionals;
  if (file === undefined || surplus !== undefined) throw new UsageError('Which file? For example: frontdesk import dialplans/riverside-dental.yaml');
  const client = apiClient();
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => { throw new StartError(`${file} cannot be read (${error.code ?? error.message}).`); });
  const exported = exportIn(text);
  if (exported !== undefined) {
    await sendAll(client, exported, () => Promise.reject(new StartError(`${file} has no audio: use frontdesk restore with a backup.`)), values.replace);
    return 0;
  }
  const loaded = await loadPlanFiles([file]);
  if (!loaded.ok) throw new StartError(formatProblems(loaded.problems));
  const [plan] = loaded.config.plans;
  if (plan === undefined) return 0;
  tell(await send(client, plan.objects.map(({ account, kind, id, body }) => ({ account, kind, id, body })), (_, id) => readFile(plan.audio.get(id) ?? ''), values.replace));
  return 0;
}

export async function exportFile(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(args, { account: { type: 'string' } });
  if (positionals.length > 0) throw new UsageError('frontdesk export [--account <id>] writes to standard output.');
  const client = apiClient();
  const all = await documents(client, values.account);
  process.stdout.write(exportText({ documents: all, contacts: await contactsOf(client, all) }));
  return 0;
}

export async function backup(args: readonly string[]): Promise<number> {
  const [folder, surplus] = argumentsOf(args, {}).positionals;
  if (folder === undefined || surplus !== undefined) throw new UsageError('Where to? For example: frontdesk backup /var/backups/frontdesk-monday');
  const client = apiClient();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0) throw new StartError(`${folder} is not empty: give a new folder.`);
  const all = await documents(client, undefined);
  await mkdir(join(folder, 'audio'), { mode: 0o700 });
  for (const { account, kind, id } of all) if (kind === 'audio') await writeFile(join(folder, 'audio', audioName(account, id)), await client.bytes(`/accounts/${account}/audio-files/${id}/content`), { mode: 0o600 });
  const contacts = Object.entries(await contactsOf(client, all));
  await mkdir(join(folder, 'contacts'), { mode: 0o700 });
  for (const [account, file] of contacts) await writeFile(join(folder, 'contacts', `${basename(account)}.csv`), file, { mode: 0o600 });
  const calls: string[] = [];
  for (const { account, kind } of all) if (kind === 'account') for await (const call of itemsOf<object>(client, `/accounts/${account}/calls`)) calls.push(`${JSON.stringify(call)}\n`);
  await writeFile(join(folder, 'calls.ndjson'), calls, { mode: 0o600 });
  // last: a folder with it is a whole backup
  await writeFile(join(folder, 'configuration.yaml'), exportText({ documents: all, contacts: {} }), { mode: 0o600, flush: true });
  say(`${folder}: ${all.length} objects, contacts of ${contacts.length} ${contacts.length === 1 ? 'account' : 'accounts'} and ${calls.length} records of calls. It holds passwords. Recordings are not in it: copy the folder “recordings” of the data directory, and keep its key.`);
  return 0;
}

export async function restore(args: readonly string[]): Promise<number> {
  const [folder, surplus] = argumentsOf(args, {}).positionals;
  if (folder === undefined || surplus !== undefined) throw new UsageError('Which backup? For example: frontdesk restore /var/backups/frontdesk-monday');
  const text = await readFile(join(folder, 'configuration.yaml'), 'utf8').catch(() => { throw new StartError(`${folder} is not a whole backup: there is no configuration.yaml in it.`); });
  const all = exportIn(text);
  if (all === undefined) throw new StartError(`${join(folder, 'configuration.yaml')} is not an export of Frontdesk.`);
  const client = apiClient();
  const contacts: Record<string, string> = { ...all.contacts };
  for (const name of await readdir(join(folder, 'contacts')).catch(() => [])) contacts[basename(name, '.csv')] = await readFile(join(folder, 'contacts', name), 'utf8');
  await sendAll(client, { documents: all.documents, contacts }, (account, id) => readFile(join(folder, 'audio', audioName(account, id))), true);
  const calls = (await readFile(join(folder, 'calls.ndjson'), 'utf8')).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as object);
  for (let at = 0; at < calls.length; at += 500) await client.post('/call-records', { calls: calls.slice(at, at + 500) });
  say(`${calls.length} records of calls are back.`);
  return 0;
}

/** Documents, and then the contacts, whose owners are among them. */
async function sendAll(client: ApiClient, wanted: Export, audioOf: AudioOf, replace: boolean): Promise<void> {
  const accounts = [...new Set(wanted.documents.map(({ account }) => account))];
  if (replace) {
    const there = new Set((await documents(client, undefined)).map(({ account }) => account));
    const owners = (account: string): ReadonlySet<string> => new Set(wanted.documents.flatMap((one) => (one.account === account && one.kind === 'user' ? [one.id] : [])));
    for (const account of accounts) if (there.has(account)) await disownContacts(client, account, owners(account));
  }
  tell(await send(client, wanted.documents, audioOf, replace));
  for (const account of accounts) {
    const file = wanted.contacts[account] ?? (replace ? onlyHeader : undefined);
    if (file !== undefined) await sendContacts(client, account, file, replace);
  }
}

/** Accounts first, so that audio has somewhere to go; then audio, which routes name; then everything, in one change. */
async function send(client: ApiClient, wanted: readonly Document[], audioOf: AudioOf, replace: boolean): Promise<Imported> {
  const there = new Set((await documents(client, undefined)).map(({ account, kind, id }) => `${account}/${kind}/${id}`));
  const audio = wanted.filter(({ kind }) => kind === 'audio');
  const missing = audio.filter(({ account, id }) => !there.has(`${account}/audio/${id}`));
  const bare = wanted.filter(({ account, kind }) => kind === 'account' && !there.has(`${account}/account/${account}`) && missing.some((one) => one.account === account));
  if (bare.length > 0) await client.post('/documents', { documents: bare.map((account) => ({ ...account, body: { name: account.body['name'], ...('sipPrefix' in account.body ? { sipPrefix: account.body['sipPrefix'] } : {}) } })) });
  for (const { account, id, body } of missing) {
    const bytes = await audioOf(account, id);
    await client.upload(`/accounts/${account}/audio-files?id=${id}&name=${encodeURIComponent(String(body['name']))}`, isWav(bytes) ? 'audio/wav' : 'audio/mpeg', bytes);
  }
  const now = new Map((await documents(client, undefined)).map((document) => [`${document.account}/${document.kind}/${document.id}`, document]));
  // what was uploaded is described by the upload
  return client.post<Imported>('/documents', { documents: wanted.map((one) => (one.kind === 'audio' ? (now.get(`${one.account}/audio/${one.id}`) ?? one) : one)), replace });
}

async function documents(client: ApiClient, account: string | undefined): Promise<readonly Document[]> {
  return (await client.get<{ readonly documents: readonly Document[] }>(`/documents${account === undefined ? '' : `?account=${encodeURIComponent(account)}`}`)).documents;
}

async function contactsOf(client: ApiClient, all: readonly Document[]): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const { kind, id } of all) {
    const file = kind === 'account' ? await fetchContacts(client, id) : '';
    if (file !== '') files[id] = file;
  }
  return files;
}

function exportText({ documents: all, contacts }: Export): string {
  return stringify({ format, documents: all, ...(Object.keys(contacts).length === 0 ? {} : { contacts }) }, { lineWidth: 0 });
}

function exportIn(text: string): Export | undefined {
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== format) return undefined;
  const { documents: all = [], contacts = {} } = value as Partial<Export>;
  // of before contacts had a list of their own
  const old = Map.groupBy(all.filter(({ kind }) => kind === 'contact'), ({ account }) => account);
  const files = [...old].map(([account, some]) => [account, csvOf(some.map(({ body: { number, name, owner } }) => ({ number: textOf(number), name: textOf(name), owner: textOf(owner) })))]);
  return { documents: all.filter(({ kind }) => kind !== 'contact'), contacts: { ...Object.fromEntries(files), ...contacts } };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function audioName(account: string, id: string): string {
  return `${basename(account)}--${basename(id)}.wav`;
}

function isWav(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).toString('latin1') === 'RIFF';
}

function tell({ created, replaced, deleted, unchanged, warnings }: Imported): void {
  for (const warning of warnings) say(`warning: ${warning}`);
  say(`${created} created, ${replaced} replaced, ${deleted} deleted, ${unchanged} unchanged.`);
}
