/** What an admin may write of a contact. Its number is its id; the owner is a user of the same account. */
import { z } from 'zod';
import { e164, id, rule, words } from '../configuration/fields.ts';
import type { Contact, E164 } from '../core/routing/config.ts';

export const mostTags = 20;
export const mostFields = 30;
const fieldName = /^[A-Za-z][A-Za-z0-9_-]{0,31}$/;

/** In a file, tags are separated by semicolons. */
export const tag = z.string('must be text').regex(/^(?!\s)[^\p{Cc};]{1,40}(?<!\s)$/u, 'must be 1 to 40 characters on one line, without ; and without spaces around it.');
export const fieldValue = words(200);

export function isFieldName(name: string): boolean {
  return fieldName.test(name);
}

export const contactDocument = z.strictObject({
  number: e164,
  name: words(60),
  owner: id.optional().meta({ description: 'The user who looks after them.' }),
  tags: rule(z.array(tag, 'must be a list').max(mostTags, `takes at most ${mostTags} tags`), (tags) => new Set(tags).size === tags.length, 'has a tag twice', 'Name each once.').optional(),
  fields: rule(
    rule(z.record(z.string(), fieldValue, 'must be an object'), (fields) => Object.keys(fields).every(isFieldName), 'has a name that cannot be used', 'Begin it with a letter, and use letters, digits, _ and -, at most 32.'),
    (fields) => Object.keys(fields).length <= mostFields, `takes at most ${mostFields} fields`, 'Take some out.',
  ).optional().meta({ description: 'Whatever else is to be known of them, by name.' }),
});

export type ContactDocument = z.output<typeof contactDocument>;

/** As it is kept: what is empty is absent, so that the same contact is written the same. */
export function contactOf({ name, owner, tags = [], fields = {} }: Omit<ContactDocument, 'number'>): Contact {
  return {
    name,
    ...(owner === undefined ? {} : { owner }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(Object.keys(fields).length === 0 ? {} : { fields }),
  };
}

/** Whether it says the same, in whatever order the fields are. */
export function isSame(one: Contact, other: Contact): boolean {
  const [tags, others] = [one.tags ?? [], other.tags ?? []];
  const [fields, theirs] = [Object.entries(one.fields ?? {}), other.fields ?? {}];
  return one.name === other.name && one.owner === other.owner && tags.length === others.length && tags.every((tag, i) => tag === others[i])
    && fields.length === Object.keys(theirs).length && fields.every(([name, value]) => Object.hasOwn(theirs, name) && theirs[name] === value);
}

export function numbered(number: E164, { name, owner, tags, fields }: Contact): ContactDocument {
  return { number, name, ...(owner === undefined ? {} : { owner }), ...(tags === undefined ? {} : { tags: [...tags] }), ...(fields === undefined ? {} : { fields: { ...fields } }) };
}
