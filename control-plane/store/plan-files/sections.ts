/**
 * Sections of a plan file that are written as the API's documents are: one list per kind, each with its id. Their scalars
 * arrive as text and become what the document's schema asks for; a message may be given as its text alone, or as
 * `file:` beside the plan.
 */
import type { z } from 'zod';
import { problemsOf } from '../../configuration/check.ts';
import { documents, type Kind } from '../../configuration/documents.ts';
import { id as idField } from '../../configuration/fields.ts';
import type { Finding, Path } from './problems.ts';

export const sections = { receivingNumbers: 'receiving-number', ringGroups: 'ring-group', menus: 'menu', queues: 'queue', schedules: 'schedule', routers: 'router' } as const satisfies Readonly<Record<string, Kind>>;
export type Section = keyof typeof sections;

export interface SectionObject {
  readonly kind: Kind;
  readonly id: string;
  readonly body: unknown;
  readonly path: Path;
}

/** A file that is named in place of an uploaded one, by the id it is to have. */
export type AudioId = (file: string) => string;

/** Fields beside those of schema.ts, written as in the API's document of the same kind. */
const more = {
  account: documents.account.pick({ precedence: true, company: true, recording: true, voicemail: true, blocked: true, night: true, agentCodes: true, agentLogin: true }),
  user: documents.user.pick({ email: true, pin: true, forward: true, recording: true, voicemail: true }),
  number: documents.number.pick({ user: true, route: true, hours: true, tags: true, noAnswer: true, forward: true, passCalledNumber: true, recording: true, recordingAnnouncement: true }),
} as const;
export const moreFields = { account: fieldsOf('account'), user: fieldsOf('user'), number: fieldsOf('number') };

function fieldsOf(kind: keyof typeof more): readonly string[] {
  return Object.keys(more[kind].shape);
}

/** The fields of `more` in one account, user or number, in their types. */
export function moreOf(kind: keyof typeof more, raw: unknown, audioId: AudioId): Readonly<Record<string, unknown>> {
  if (!isGroup(raw)) return {};
  const own = Object.fromEntries(Object.entries(raw).filter(([name]) => moreFields[kind].includes(name)));
  const partial: z.ZodType = more[kind].partial();
  const read = inItsTypes(partial, withAudio(own, audioId));
  // as written, and not with the defaults of what was not
  return isGroup(read) ? read : {};
}

/** Each object of these sections, its body in the document's own types as far as they can be read. */
export function sectionObjects(raw: unknown, audioId: AudioId): readonly SectionObject[] {
  if (!isGroup(raw)) return [];
  return (Object.entries(sections) as [Section, Kind][]).flatMap(([section, kind]) => {
    const list = raw[section];
    if (!Array.isArray(list)) return [];
    return list.map((one: unknown, i): SectionObject => {
      const { id, ...body } = isGroup(one) ? one : {};
      return { kind, id: typeof id === 'string' ? id : '', body: inItsTypes(documents[kind], withAudio(body, audioId)), path: [section, i] };
    });
  });
}

/** Whether a document is right does not depend on what its audio is called. */
const anyAudio: AudioId = () => 'audio';

/** What is wrong with each by itself. */
export function checkSections(raw: unknown): readonly Finding[] {
  if (!isGroup(raw)) return [];
  const lists = Object.keys(sections).filter((section) => section in raw && !Array.isArray(raw[section]));
  const partly = (kind: keyof typeof more, one: unknown, path: Path): readonly Finding[] => {
    const parsed = more[kind].partial().safeParse(moreOf(kind, one, anyAudio), { reportInput: true });
    return parsed.success ? [] : problemsOf(parsed.error).map(({ path: field, message }) => findingOf(path, field, message));
  };
  const each = (list: unknown, kind: keyof typeof more, name: string): readonly Finding[] => (Array.isArray(list) ? list.flatMap((one: unknown, i) => partly(kind, one, [name, i])) : []);
  return [
    ...lists.map((section): Finding => ({ path: [section], message: 'must be a list', wayOut: 'Begin each with a dash and its id.' })),
    ...partly('account', raw['account'], ['account']), ...each(raw['users'], 'user', 'users'), ...each(raw['numbers'], 'number', 'numbers'),
    ...sectionObjects(raw, anyAudio).flatMap(({ kind, id, body, path }) => {
      const parsed = documents[kind].safeParse(body, { reportInput: true });
      return [
        ...(idField.safeParse(id).success ? [] : [{ path: [...path, 'id'], message: id === '' ? 'is missing' : 'is not a usable id', wayOut: 'Use lower-case letters, digits and -, at most 32.' }]),
        ...(parsed.success ? [] : problemsOf(parsed.error).map(({ path: field, message }) => findingOf(path, field, message))),
      ];
    }),
  ];
}

/** Files that these sections and fields name, each where it does. */
export function filesNamed(raw: unknown): readonly { readonly value: string; readonly path: Path }[] {
  if (!isGroup(raw)) return [];
  const own = (list: unknown, kind: keyof typeof more, name: string): readonly (readonly [unknown, Path])[] => (Array.isArray(list) ? list.flatMap((one: unknown, i) => (isGroup(one) ? moreFields[kind].map((field) => [one[field], [name, i, field]] as const) : [])) : []);
  const account = raw['account'];
  const roots: readonly (readonly [unknown, Path])[] = [
    ...Object.keys(sections).map((section) => [raw[section], [section]] as const),
    ...(isGroup(account) ? moreFields.account.map((field) => [account[field], ['account', field]] as const) : []),
    ...own(raw['users'], 'user', 'users'), ...own(raw['numbers'], 'number', 'numbers'),
  ];
  return roots.flatMap(([value, path]) => filesIn(value, path));
}

function filesIn(value: unknown, path: Path): readonly { readonly value: string; readonly path: Path }[] {
  if (Array.isArray(value)) return value.flatMap((one: unknown, i) => filesIn(one, [...path, i]));
  if (!isGroup(value)) return [];
  const { file } = value;
  if (typeof file === 'string' && Object.keys(value).length === 1) return [{ value: file, path: [...path, 'file'] }];
  return Object.entries(value).flatMap(([key, one]) => filesIn(one, [...path, key]));
}

/** A problem of a document as one of the file: its last sentence is the way out. */
export function findingOf(path: Path, field: string, message: string): Finding {
  const [, what = message, wayOut = 'See the API’s documentation for how it is written.'] = /^(.*?)\. (.*)$/.exec(message) ?? [undefined, message.replace(/\.$/, '')];
  return { path: [...path, ...fieldPath(field)], message: what, wayOut };
}

function fieldPath(field: string): Path {
  return [...field.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name = '']) => (index === undefined ? name : Number(index)));
}

/** Where in the file an object is. */
export function placeOf(raw: unknown, { kind, id }: { readonly kind: Kind; readonly id: string }): Path {
  if (!isGroup(raw)) return [];
  const section = kind === 'user' ? 'users' : kind === 'trunk' ? 'trunks' : kind === 'number' ? 'numbers' : Object.entries(sections).find(([, of]) => of === kind)?.[0];
  const list = section === undefined ? undefined : raw[section];
  if (section === undefined || !Array.isArray(list)) return ['account'];
  const i = list.findIndex((one: unknown) => isGroup(one) && (kind === 'number' ? one['e164'] === `+${id}` : one['id'] === id));
  return [section, ...(i < 0 ? [] : [i])];
}

/** Text where the schema wants a number, a truth value or a message: as far as it says one. */
function inItsTypes(schema: z.ZodType, body: unknown): unknown {
  let current = body;
  // a choice tells what it wants inside only once its outer fields are right
  for (let pass = 0; pass < 4; pass += 1) {
    const parsed = schema.safeParse(current, { reportInput: true });
    if (parsed.success) return current;
    const before = JSON.stringify(current);
    for (const { issue, path } of flat(parsed.error.issues, [])) {
      if (issue.code === 'invalid_type') current = changed(current, path, (value) => inType(value, issue.expected));
      else if (issue.code === 'custom') current = better(schema, current, path, parsed.error.issues.length);
    }
    if (JSON.stringify(current) === before) return current;
  }
  return current;
}

/** A rule of its own does not say which type it wants: a number or a truth value, where one is right. */
function better(schema: z.ZodType, body: unknown, path: readonly PropertyKey[], problems: number): unknown {
  const read = changed(body, path, (value) => inType(inType(value, 'number'), 'boolean'));
  const parsed = schema.safeParse(read);
  return parsed.success || parsed.error.issues.length < problems ? read : body;
}

function inType(value: unknown, expected: string): unknown {
  if (typeof value !== 'string') return value;
  if ((expected === 'number' || expected === 'int') && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  if (expected === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return expected === 'object' ? { text: value } : value;
}

function flat(issues: readonly z.core.$ZodIssue[], at: readonly PropertyKey[]): readonly { readonly issue: z.core.$ZodIssue; readonly path: readonly PropertyKey[] }[] {
  return issues.flatMap((issue) => {
    const path = [...at, ...issue.path];
    return issue.code === 'invalid_union' ? issue.errors.flatMap((inner) => flat(inner, path)) : [{ issue, path }];
  });
}

function changed(value: unknown, path: readonly PropertyKey[], change: (value: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  if (Array.isArray(value)) return value.map((one: unknown, i) => (i === key ? changed(one, rest, change) : one));
  return isGroup(value) && typeof key === 'string' && Object.hasOwn(value, key) ? { ...value, [key]: changed(value[key], rest, change) } : value;
}

function withAudio(value: unknown, audioId: AudioId): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => withAudio(one, audioId));
  if (!isGroup(value)) return value;
  const { file } = value;
  if (typeof file === 'string' && Object.keys(value).length === 1) return { audio: audioId(file) };
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withAudio(one, audioId)]));
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
