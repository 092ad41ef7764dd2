/** Contacts: list, get, create, replace, patch, delete as the other objects; their id is their number. */
import { z } from 'zod';
import { contactDocument, contactOf, numbered, type ContactDocument } from '../../contacts/document.ts';
import type { KeptContact } from '../../contacts/contact-book.ts';
import { e164, id as idField } from '../../configuration/fields.ts';
import { contactSchema, pageOf, pageQuery, readOnlyFields } from '../answers.ts';
import { checkIfMatch, etagOf, noneMatch } from '../conditions.ts';
import { mergePatch } from '../merge-patch.ts';
import { cursorAfter, placeOfCursor } from '../pages.ts';
import type { ApiDeps } from '../ports.ts';
import { checked, HttpProblem, notFound, refused } from '../problem.ts';
import { nothing, route, type ApiRequest, type Reply, type Route } from '../route.ts';
import { partial } from './objects.ts';

export const contactsTag = 'Contacts';
export const contactsPath = '/accounts/{account}/contacts';

const one = `${contactsPath}/{id}`;
const ofAccount = z.strictObject({ account: idField });
const ofOne = z.strictObject({ account: idField, id: e164 });
/** Where the path says the number, the body need not. */
const replacement = z.strictObject({ ...contactDocument.shape, number: e164.optional() });
const filter = z.string().max(100).optional();

export function contactRoutes({ contacts }: Pick<ApiDeps, 'contacts'>): readonly Route[] {
  const found = ({ account, id }: z.output<typeof ofOne>): KeptContact => {
    const contact = contacts.contactOf(account, id);
    if (contact === undefined) throw notFound();
    return contact;
  };
  const save = async ({ account: own }: ApiRequest<unknown, unknown, unknown>, { number, ...body }: ContactDocument, version: number | null): Promise<Reply> => {
    const account = own ?? '';
    const result = await contacts.write({ account, number, version, body: contactOf(body) });
    if (!result.ok) throw refused(result);
    const written = contacts.contactOf(account, number);
    if (written === undefined) throw new HttpProblem(412, 'It has been changed by somebody else since.');
    const headers = { etag: etagOf(written), ...(version === null ? { location: `/api/v1/accounts/${account}/contacts/${encodeURIComponent(number)}` } : {}) };
    return { status: version === null ? 201 : 200, headers, subject: subjectOf(account, number), details: beforeOf(result.before), body: contactAnswer(account, written) };
  };
  const saveOver = (request: ApiRequest<z.output<typeof ofOne>, unknown, unknown>, body: z.output<typeof replacement>, there: KeptContact): Promise<Reply> => {
    const { id } = request.params;
    if (body.number !== undefined && body.number !== id) throw new HttpProblem(422, 'The body cannot be accepted.', { problems: [{ path: 'number', message: 'is another than in the path, and a contact’s number is its id. Create another contact, and delete this one.' }] });
    return save(request, { ...body, number: id }, there.version);
  };
  const written = { json: contactSchema } as const;
  return [
    route({
      method: 'get', path: contactsPath, tag: contactsTag, summary: 'List contacts', description: 'In the order of their numbers.', role: 'read-only', scope: 'account', status: 200,
      params: ofAccount,
      query: z.strictObject({ ...pageQuery, q: filter.meta({ description: 'Words or digits anywhere in the name or the number.' }), number: filter, name: filter, owner: filter, tag: filter }),
      answer: { json: pageOf(contactSchema) },
      handle: async ({ params: { account }, query: { limit, cursor, ...wanted } }) => {
        const { items, more } = await contacts.list(account, wanted, { after: placeOfCursor(cursor), limit });
        const last = items.at(-1);
        return { status: 200, body: { items: items.map((contact) => contactAnswer(account, contact)), next: more && last !== undefined ? cursorAfter(last.number) : null } };
      },
    }),
    route({
      method: 'post', path: contactsPath, tag: contactsTag, summary: 'Create a contact', description: 'Its number is its id.', role: 'account-admin', scope: 'account', status: 201,
      params: ofAccount, query: nothing, body: contactDocument, answer: written, audit: 'contact.create',
      handle: (request) => save(request, request.body, null),
    }),
    route({
      method: 'get', path: one, tag: contactsTag, summary: 'Get a contact', role: 'read-only', scope: 'account', status: 200,
      params: ofOne, query: nothing, answer: written,
      handle: ({ params, header }) => {
        const contact = found(params);
        const headers = { etag: etagOf(contact) };
        return noneMatch(header('if-none-match'), headers.etag) ? { status: 304, headers } : { status: 200, headers, body: contactAnswer(params.account, contact) };
      },
    }),
    route({
      method: 'put', path: one, tag: contactsTag, summary: 'Replace a contact', role: 'account-admin', scope: 'account', status: 200, ifMatch: true,
      params: ofOne, query: nothing, body: replacement, readOnly: readOnlyFields, answer: written, audit: 'contact.update',
      handle: (request) => {
        const there = found(request.params);
        checkIfMatch(request.header('if-match'), there);
        return saveOver(request, request.body, there);
      },
    }),
    route({
      method: 'patch', path: one, tag: contactsTag, summary: 'Change fields of a contact', role: 'account-admin', scope: 'account', status: 200, ifMatch: true,
      description: 'JSON merge patch, RFC 7396: null takes a field out.',
      params: ofOne, query: nothing, body: z.record(z.string(), z.unknown(), 'must be an object'), documented: partial(replacement), readOnly: readOnlyFields, answer: written, audit: 'contact.update',
      handle: (request) => {
        const there = found(request.params);
        checkIfMatch(request.header('if-match'), there);
        return saveOver(request, checked(replacement, mergePatch(numbered(there.number, there), request.body), 422, 'body'), there);
      },
    }),
    route({
      method: 'delete', path: one, tag: contactsTag, summary: 'Delete a contact', role: 'account-admin', scope: 'account', status: 204, ifMatch: true,
      params: ofOne, query: nothing, answer: null, audit: 'contact.delete',
      handle: async ({ params: { account, id }, header }) => {
        const there = found({ account, id });
        checkIfMatch(header('if-match'), there);
        const result = await contacts.write({ account, number: id, version: there.version, body: null });
        if (!result.ok) throw refused(result);
        return { status: 204, subject: subjectOf(account, id), details: beforeOf(result.before) };
      },
    }),
  ];
}

function contactAnswer(account: string, contact: KeptContact): Record<string, unknown> {
  const { number, version, createdAt, updatedAt } = contact;
  return { id: number, account, version, createdAt, updatedAt, ...numbered(number, contact) };
}

function subjectOf(account: string, number: string): string {
  return `${account}/contact/${number}`;
}

/** Contacts have no history of their own: what one was is told by the audit log. */
function beforeOf(before: KeptContact | undefined): Readonly<Record<string, unknown>> {
  return before === undefined ? {} : { before: numbered(before.number, before) };
}
