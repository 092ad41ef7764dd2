/** What stays when a writer leaves it out: what is made here, passwords of phones, secrets of webhooks and SIP prefixes of accounts; and users' PINs, which nobody is shown. */
import type { Draft } from './configuration.ts';
import type { Objects } from './check.ts';
import type { Doc, Kind } from './documents.ts';
import type { ConfigObject } from './objects.ts';
import { newSecret } from './secret.ts';
import { freePrefix, prefixOf } from './sip-prefix.ts';
import { newWebhookSecret } from './webhooks.ts';

const staying = ['password', 'secret', 'sipPrefix', 'pin'] as const;

/** A document with what stays of the object that is there, where it does not say otherwise. */
export function withMade<T extends object>(document: T, there: object): T {
  const made = staying.flatMap((field) => (field in document || !(field in there) ? [] : [[field, (there as Readonly<Record<string, unknown>>)[field]] as const]));
  return made.length === 0 ? document : { ...document, ...Object.fromEntries(made) };
}

/** For the writes of one change, one after the other. */
export type Complete = <K extends Kind>(kind: K, body: Doc<K>, id: string, there: ConfigObject | undefined) => Doc<K>;

export function completing(before: Objects, drafts: readonly Draft[]): Complete {
  let prefixes: Map<string, string> | undefined;
  return <K extends Kind>(kind: K, body: Doc<K>, id: string, there: ConfigObject | undefined): Doc<K> => {
    switch (kind) {
      case 'trunk': return trunk(body as Doc<'trunk'>, there) as Doc<K>;
      case 'webhook': return webhook(body as Doc<'webhook'>, there) as Doc<K>;
      case 'device': return device(body as Doc<'device'>, there) as Doc<K>;
      case 'user': return there?.kind === 'user' ? withMade(body, there.body) : body;
      case 'account':
        prefixes ??= prefixesAfter(before, drafts);
        return account(body as Doc<'account'>, id, there, prefixes) as Doc<K>;
      case 'number':
      case 'receiving-number':
      case 'ring-group':
      case 'menu':
      case 'queue':
      case 'router':
      case 'schedule':
      case 'night-switch':
      case 'audio':
      default: return body;
    }
  };
}

/** A carrier's password belongs to its user name. */
function trunk(body: Doc<'trunk'>, there: ConfigObject | undefined): Doc<'trunk'> {
  const kept = there?.kind === 'trunk' && there.body.username === body.username ? there.body.password : undefined;
  return body.password !== undefined || body.username === undefined || kept === undefined ? body : { ...body, password: kept };
}

function device(body: Doc<'device'>, there: ConfigObject | undefined): Doc<'device'> {
  if (body.extension === undefined || body.password !== undefined) return body;
  return { ...body, password: (there?.kind === 'device' ? there.body.password : undefined) ?? newSecret() };
}

function webhook(body: Doc<'webhook'>, there: ConfigObject | undefined): Doc<'webhook'> {
  if (body.secret !== undefined) return body;
  return { ...body, secret: (there?.kind === 'webhook' ? there.body.secret : undefined) ?? newWebhookSecret() };
}

function account(body: Doc<'account'>, id: string, there: ConfigObject | undefined, prefixes: Map<string, string>): Doc<'account'> {
  if (there !== undefined) return withMade(body, there.body);
  if (body.sipPrefix !== undefined) return body;
  const sipPrefix = freePrefix(id, new Set(prefixes.values()));
  prefixes.set(id, sipPrefix);
  return { ...body, sipPrefix };
}

/** By account, those that these drafts leave or ask for. */
function prefixesAfter(before: Objects, drafts: readonly Draft[]): Map<string, string> {
  const prefixes = new Map<string, string>();
  for (const object of before.values()) if (object.kind === 'account') prefixes.set(object.id, prefixOf(object));
  for (const { kind, id, body } of drafts) {
    if (kind !== 'account') continue;
    if (body === null) prefixes.delete(id);
    else if (typeof body === 'object' && 'sipPrefix' in body && typeof body.sipPrefix === 'string') prefixes.set(id, body.sipPrefix);
  }
  return prefixes;
}
