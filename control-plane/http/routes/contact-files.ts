/** Contacts of an account as a file: all in, or all out. */
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { contactLine, headerLine, mostRows, readContactFile, type ReadFile } from '../../contacts/contact-file.ts';
import { id as idField } from '../../configuration/fields.ts';
import type { ApiDeps } from '../ports.ts';
import { HttpProblem, refused } from '../problem.ts';
import { route, type Route } from '../route.ts';
import { contactsPath, contactsTag } from './contacts.ts';

const ofAccount = z.strictObject({ account: idField });
const largestBytes = 32 * 1_048_576;
const type = 'text/csv';
/** Written without a pause. */
const linesAtOnce = 1000;
const counts = z.strictObject({ mode: z.enum(['add', 'replace']), created: z.int(), replaced: z.int(), deleted: z.int(), unchanged: z.int() }).meta({ id: 'ImportedContacts' });

/** Before the routes of one contact, whose ids are no words. */
export function contactFileRoutes({ contacts, configuration }: Pick<ApiDeps, 'contacts' | 'configuration'>): readonly Route[] {
  return [
    route({
      method: 'post', path: `${contactsPath}/import`, tag: contactsTag, summary: 'Import contacts from a file', role: 'account-admin', scope: 'account', status: 200,
      description: `CSV in UTF-8 with commas, at most 32 MB and ${mostRows.toLocaleString('en')} contacts, one a line. The first line is the header: \`number\` and \`name\`, and, where wanted, \`owner\` (the id of a user), \`tags\` (with semicolons between) and \`field.<name>\`, in any order. Numbers are E.164; one without its + is refused, since no country code is guessed.\n\nAll of the file is taken or nothing: a 422 names the lines that are wrong, the first hundred problems. With \`mode=add\` contacts that are not there are created, and of those that are each column of the file is written over, an empty value taking out what was there; columns that the file has not, and contacts that it has not, stay. With \`mode=replace\` the account has afterwards the contacts of the file, as they are there, and no others.\n\nA ' before = + - @ or another ' is a spreadsheet’s mark for text, and is taken off.`,
      params: ofAccount, query: z.strictObject({ mode: z.enum(['add', 'replace'], 'must be add or replace').default('add') }), raw: { types: [type], maxBytes: largestBytes },
      answer: { json: counts }, audit: 'contacts.import',
      handle: async ({ params: { account }, query: { mode }, body }) => {
        const read = await readContactFile(body as unknown as Uint8Array, (id) => configuration.get({ account, kind: 'user', id }) !== undefined);
        if (!read.ok) throw new HttpProblem(422, sentenceOf(read), { problems: read.problems });
        const result = await contacts.import(account, read.file, mode);
        if (!result.ok) throw result.reason === 'invalid' ? new HttpProblem(422, 'Nothing was imported.', { problems: result.problems }) : refused(result);
        const { created, replaced, deleted, unchanged } = result;
        return { status: 200, details: { mode, created, replaced, deleted, unchanged }, body: { mode, created, replaced, deleted, unchanged } };
      },
    }),
    route({
      method: 'get', path: `${contactsPath}/export`, tag: contactsTag, summary: 'Export contacts to a file', role: 'account-admin', scope: 'account', status: 200,
      description: 'The CSV that the import takes, in the order of the numbers. Values are given as they are. A spreadsheet takes one that begins with = + - or @ for a formula, numbers lose their + and names may do harm: for a spreadsheet ask with `spreadsheet=yes`, which puts a \' before each of them, as a mark for text; the import takes it off again.',
      params: ofAccount, query: z.strictObject({ spreadsheet: z.enum(['yes', 'no'], 'must be yes or no').default('no') }), answer: { types: [type] }, audit: 'contacts.export',
      handle: ({ params: { account }, query: { spreadsheet } }) => ({ send: (request, response) => sendFile(request, response, contacts, account, spreadsheet === 'yes') }),
    }),
  ];
}

function sentenceOf({ lines, problems, more }: Extract<ReadFile, { ok: false }>): string {
  const wrong = lines === 1 ? 'one line' : `${lines.toLocaleString('en')} lines`;
  return `Nothing was imported: ${wrong} cannot be accepted.${more === 0 ? '' : ` Named are the first ${problems.length} problems; there are ${more.toLocaleString('en')} more.`}`;
}

async function sendFile(request: Request, response: Response, contacts: Pick<ApiDeps['contacts'], 'numbers' | 'contactOf'>, account: string, forSpreadsheet: boolean): Promise<void> {
  response.set({ 'content-type': `${type}; charset=utf-8; header=present`, 'content-disposition': `attachment; filename="contacts-${account}.csv"` });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(linesOf(contacts, account, forSpreadsheet), response).catch((error: unknown) => {
    if (!response.destroyed) throw error;
  });
}

async function* linesOf(contacts: Pick<ApiDeps['contacts'], 'numbers' | 'contactOf'>, account: string, forSpreadsheet: boolean): AsyncGenerator<string> {
  const numbers = contacts.numbers(account);
  const names = new Set<string>();
  for (const [i, number] of numbers.entries()) {
    for (const name of Object.keys(contacts.contactOf(account, number)?.fields ?? {})) names.add(name);
    if (i % linesAtOnce === 0) await new Promise((resolve) => { setImmediate(resolve); });
  }
  const fields = [...names].sort();
  yield headerLine(fields);
  for (let from = 0; from < numbers.length; from += linesAtOnce) {
    await new Promise((resolve) => { setImmediate(resolve); });
    yield numbers.slice(from, from + linesAtOnce).map((number) => {
      const contact = contacts.contactOf(account, number);
      return contact === undefined ? '' : contactLine(contact, fields, forSpreadsheet);
    }).join('');
  }
}
