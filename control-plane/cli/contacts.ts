/** `frontdesk contacts import <file>` and `export`: the contacts of an account as a CSV file, over the API. */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { StartError } from '../main.ts';
import { apiClient, type ApiClient } from './api-client.ts';
import { say } from './say.ts';
import { argumentsOf, UsageError } from './usage-error.ts';

interface ImportedContacts {
  readonly created: number;
  readonly replaced: number;
  readonly deleted: number;
  readonly unchanged: number;
}

const type = 'text/csv';
export const onlyHeader = 'number,name\n';

export async function contacts(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(args, { account: { type: 'string', default: '' }, replace: { type: 'boolean', default: false }, spreadsheet: { type: 'boolean', default: false } });
  const [what, file, surplus] = positionals;
  if (values.account === '' || surplus !== undefined) throw new UsageError('Of which account? For example: frontdesk contacts import patients.csv --account riverside-dental');
  if (what === 'import') {
    if (file === undefined || values.spreadsheet) throw new UsageError('Which file? For example: frontdesk contacts import patients.csv --account riverside-dental [--replace]');
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => { throw new StartError(`${file} cannot be read (${error.code ?? error.message}).`); });
    await sendContacts(apiClient(), values.account, bytes, values.replace);
    return 0;
  }
  if (what !== 'export' || file !== undefined || values.replace) throw new UsageError('frontdesk contacts import <file> --account <id> [--replace], or frontdesk contacts export --account <id> [--spreadsheet], which writes to standard output.');
  process.stdout.write(await apiClient().bytes(`${pathOf(values.account)}/export${values.spreadsheet ? '?spreadsheet=yes' : ''}`));
  return 0;
}

/** All or nothing; says what was done. Rejects with StartError: a sentence, and a line per problem. */
export async function sendContacts(client: ApiClient, account: string, file: Buffer | string, replace: boolean): Promise<void> {
  const { created, replaced, deleted, unchanged } = await client.upload<ImportedContacts>(`${pathOf(account)}/import?mode=${replace ? 'replace' : 'add'}`, type, Buffer.from(file));
  if (created + replaced + deleted + unchanged > 0) say(`contacts of ${account}: ${created} created, ${replaced} replaced, ${deleted} deleted, ${unchanged} unchanged.`);
}

/** Empty when the account has none. */
export async function fetchContacts(client: ApiClient, account: string): Promise<string> {
  const file = (await client.bytes(`${pathOf(account)}/export`)).toString();
  return file.indexOf('\n') === file.length - 1 ? '' : file;
}

/** Takes their owner from contacts whose owner is none of these, so that others can be deleted. */
export async function disownContacts(client: ApiClient, account: string, owners: ReadonlySet<string>): Promise<void> {
  const rows: readonly Readonly<Record<string, string>>[] = parse(await fetchContacts(client, account), { columns: true });
  const left = rows.filter(({ owner = '' }) => owner !== '' && !owners.has(owner));
  if (left.length > 0) await sendContacts(client, account, csvOf(left.map(({ number = '', name = '' }) => ({ number, name, owner: '' }))), false);
}

/** Of contacts as an export had them that were documents like others. */
export function csvOf(all: readonly { readonly number: string; readonly name: string; readonly owner: string }[]): string {
  return ['number,name,owner\n', ...all.map(({ number, name, owner }) => `${number},"${name.replaceAll('"', '""')}",${owner}\n`)].join('');
}

function pathOf(account: string): string {
  return `/accounts/${encodeURIComponent(account)}/contacts`;
}
