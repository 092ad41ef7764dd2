/**
 * What is wrong with objects of configuration: fields of one (its schema), and what objects say of each other. Pure.
 * Every problem is found at once, and names the field and the way out.
 */
import type { z } from 'zod';
import { guardDestination, type OutboundRules } from '../core/routing/outbound-guard.ts';
import { outboundRulesOf } from './clinics.ts';
import { documents, type Doc, type Kind } from './documents.ts';
import { keyText, type ConfigObject, type ObjectKey } from './objects.ts';
import { loopFrom } from './loops.ts';
import { nightSwitchId } from './night.ts';
import { agentsIn } from './queues.ts';
import { routerReferences } from './routers.ts';
import { targetsIn, type TargetAt } from './targets-in.ts';

/** What is wrong with a document, each with the path of its field. */
export interface Problem {
  /** Of a body: `users[0]`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

export interface ObjectProblem extends Problem {
  readonly object: ObjectKey;
  /** The same of the other, where two cannot both be there. */
  readonly rival?: ObjectProblem;
}

export interface Reference {
  readonly kind: Kind;
  readonly id: string;
  readonly path: string;
}

export type Objects = ReadonlyMap<string, ConfigObject>;

const waysOut = {
  'not-a-number': 'Correct it.',
  premium: 'Give another number, or set outbound.premium of the account to true.',
  country: 'Give another number, or add the country to outbound.countries of the account.',
} as const;

const emergencyNumbers = ['911', '933', '112'];

/** The document with its defaults, or all that is wrong with it. */
export function parseDocument<K extends Kind>(kind: K, body: unknown): { readonly ok: true; readonly body: Doc<K> } | { readonly ok: false; readonly problems: readonly Problem[] } {
  const parsed = documents[kind].safeParse(body, { reportInput: true });
  if (parsed.success) return { ok: true, body: parsed.data as Doc<K> };
  return { ok: false, problems: problemsOf(parsed.error) };
}

/** What zod found, one problem per field, with the way out in the sentence. */
export function problemsOf(error: z.core.$ZodError): readonly Problem[] {
  return error.issues.flatMap((issue): readonly Problem[] => {
    const path = pathText(issue.path);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: pathText([...issue.path, key]), message: 'is not a known field. Remove it, or correct its name.' }));
    if (issue.code === 'invalid_key') return [{ path, message: issue.issues[0]?.message ?? 'is not a usable name.' }];
    if (issue.code === 'custom') {
      const wayOut: unknown = issue.params?.['wayOut'];
      return [{ path, message: `${issue.message}.${typeof wayOut === 'string' ? ` ${wayOut}` : ''}` }];
    }
    if (issue.code === 'invalid_type' && issue.input === undefined) return [{ path, message: 'is missing. Add it.' }];
    if (issue.code === 'invalid_type' && issue.expected === 'object' && issue.message.startsWith('Invalid input')) return [{ path, message: 'must be a group of fields, in braces.' }];
    return [{ path, message: /[.!]$/.test(issue.message) ? issue.message : `${issue.message}.` }];
  });
}

export function pathText(path: readonly PropertyKey[]): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`)).join('');
}

/** The objects of its own account that a document names. */
export function referencesOf(object: ConfigObject): readonly Reference[] {
  switch (object.kind) {
    case 'account':
      return [
        ...(object.body.emergency?.trunks ?? []).map((id, i): Reference => ({ kind: 'trunk', id, path: `emergency.trunks[${i}]` })),
        ...(object.body.night?.users ?? []).map((id, i): Reference => ({ kind: 'user', id, path: `night.users[${i}]` })),
        ...audioIn(object.body.blocked?.message?.audio, 'blocked.message.audio'),
        ...audioIn(object.body.voicemail?.greeting?.audio, 'voicemail.greeting.audio'),
        ...targetsIn(object).flatMap(referenceOf),
      ];
    case 'device':
      return [{ kind: 'user', id: object.body.user, path: 'user' }];
    case 'number':
      return [
        ...object.body.users.map((id, i): Reference => ({ kind: 'user', id, path: `users[${i}]` })),
        ...(object.body.user === undefined ? [] : [{ kind: 'user', id: object.body.user, path: 'user' } as const]),
        ...(object.body.hours === undefined ? [] : [{ kind: 'schedule', id: object.body.hours.schedule, path: 'hours.schedule' } as const]),
        ...targetsIn(object).flatMap(referenceOf),
        ...audioIn(object.body.announcement?.audio, 'announcement.audio'),
        ...audioIn(object.body.whisper?.audio, 'whisper.audio'),
        ...audioIn(object.body.voicemail.greeting?.audio, 'voicemail.greeting.audio'),
        ...audioIn(object.body.recordingAnnouncement?.audio, 'recordingAnnouncement.audio'),
      ];
    case 'receiving-number':
      return [
        ...(object.body.taggingHours === undefined ? [] : [{ kind: 'schedule', id: object.body.taggingHours, path: 'taggingHours' } as const]),
        ...audioIn(object.body.whisper?.audio, 'whisper.audio'), ...targetsIn(object).flatMap(referenceOf),
      ];
    case 'ring-group':
      return [...object.body.destinations.map(({ target: { to, id } }, i): Reference => ({ kind: to, id, path: `destinations[${i}].target` })), ...targetsIn(object).flatMap(referenceOf)];
    case 'menu':
      return [...audioIn(object.body.prompt.audio, 'prompt.audio'), ...audioIn(object.body.invalidPrompt?.audio, 'invalidPrompt.audio'), ...targetsIn(object).flatMap(referenceOf)];
    case 'queue':
      return [
        ...agentsIn(object.body).map(({ user, path }): Reference => ({ kind: 'user', id: user, path: pathText(path) })),
        ...audioIn(object.body.greeting?.audio, 'greeting.audio'), ...audioIn(object.body.music?.audio, 'music.audio'),
        ...(object.body.messages?.say ?? []).flatMap(({ audio }, i) => audioIn(audio, `messages.say[${i}].audio`)),
        ...audioIn(object.body.whisper?.audio, 'whisper.audio'), ...targetsIn(object).flatMap(referenceOf),
      ];
    case 'router':
      return [...routerReferences(object.body).map(({ kind, id, path }): Reference => ({ kind, id, path: pathText(path) })), ...targetsIn(object).flatMap(referenceOf)];
    case 'user':
      return audioIn(object.body.voicemail?.greeting?.audio, 'voicemail.greeting.audio');
    case 'trunk':
    case 'schedule':
    case 'night-switch':
    case 'audio':
    case 'webhook':
      return [];
  }
}

function referenceOf({ target, path }: TargetAt): readonly Reference[] {
  if (target.to === 'message') return audioIn(target.message.audio, `${path}.message.audio`);
  return 'id' in target ? [{ kind: target.to, id: target.id, path }] : [];
}

function audioIn(id: string | undefined, path: string): readonly Reference[] {
  return id === undefined ? [] : [{ kind: 'audio', id, path }];
}

/** Numbers outside this system that a route, or the switch itself, may call. */
function outside(object: ConfigObject): readonly { readonly number: string; readonly path: string }[] {
  const found = ((): readonly (readonly [string, string | undefined])[] => {
    switch (object.kind) {
      case 'account': return [['failsafe', object.body.failsafe], ['company', object.body.company]];
      case 'user': return [['forward', object.body.forward]];
      case 'device': return [['mobile', object.body.mobile]];
      case 'number': return [['failsafe', object.body.failsafe], ['forward', object.body.forward]];
      case 'receiving-number': return [['number', object.body.number]];
      case 'ring-group':
      case 'menu':
      case 'queue':
      case 'router':
      case 'night-switch':
      case 'trunk':
      case 'schedule':
      case 'audio':
      case 'webhook': return [];
    }
  })();
  return found.flatMap(([path, number]) => (number === undefined ? [] : [{ number, path }]));
}

/** What may be there once: in the whole system, or by its key in an account. `names` is whom the account shares names on the switch with. */
function unique(object: ConfigObject, names: string): readonly { readonly key: string; readonly path: string; readonly what: string }[] {
  switch (object.kind) {
    case 'number': return [{ key: `number ${object.body.e164}`, path: 'e164', what: object.body.e164 }];
    // phones and trunks alike are endpoints of the switch
    case 'device': return object.body.extension === undefined ? [] : [{ key: `endpoint ${names} ${object.body.extension}`, path: 'extension', what: `Extension ${object.body.extension}` }];
    case 'trunk': return [{ key: `endpoint ${names} ${object.id}`, path: 'id', what: `The trunk id ${object.id}` }];
    case 'account': {
      const { sipPrefix } = object.body;
      return sipPrefix === undefined ? [] : [{ key: `prefix ${sipPrefix}`, path: 'sipPrefix', what: sipPrefix === '' ? 'The empty prefix' : `The prefix ${sipPrefix}` }];
    }
    case 'receiving-number': return [{ key: `receiving ${object.account} ${object.body.number}`, path: 'number', what: `A receiving number ${object.body.number}` }];
    case 'user': return object.body.pin === undefined || object.body.pin === '' ? [] : [{ key: `pin ${object.account} ${object.body.pin}`, path: 'pin', what: 'This PIN' }];
    case 'ring-group':
    case 'menu':
    case 'queue':
    case 'router':
    case 'night-switch':
    case 'schedule':
    case 'audio':
    case 'webhook': return [];
  }
}

/** Prefixes are unique, so the account alone; those made before there were prefixes have bare names together. */
function namesOf(account: ConfigObject | undefined): string {
  return account?.kind === 'account' && account.body.sipPrefix !== undefined ? account.id : '';
}

/** What objects say of each other that cannot be: each problem with the object that says it. */
export function checkTogether(objects: Objects): readonly ObjectProblem[] {
  const problems: ObjectProblem[] = [];
  const own = new Set<string>();
  const withTrunk = new Set<string>();
  const outbound = new Map<string, OutboundRules>();
  const seen = new Map<string, ObjectProblem>();
  for (const object of objects.values()) {
    if (object.kind === 'account' && object.body.sipPrefix === undefined) seen.set('prefix ', { object: keyOf(object), path: 'sipPrefix', message: 'is missing: others have none either. Choose one.' });
    if (object.kind === 'number') own.add(object.body.e164);
    if (object.kind === 'trunk') withTrunk.add(object.account);
    if (object.kind === 'account') outbound.set(object.account, outboundRulesOf(object.body));
  }
  for (const object of objects.values()) {
    const say = (path: string, message: string): void => { problems.push({ object: keyOf(object), path, message }); };
    const account = objects.get(keyText({ account: object.account, kind: 'account', id: object.account }));
    if (account === undefined) say('', 'belongs to no account. Create the account first.');
    for (const { kind, id, path } of referencesOf(object)) {
      if (!objects.has(keyText({ account: object.account, kind, id }))) say(path, `there is no ${kind} “${id}”. Create it first, or correct the id.`);
    }
    for (const { number, path } of outside(object)) {
      if (own.has(number)) say(path, `${number} is a number of this system: the call would come straight back. Give a number outside of it.`);
      const rules = outbound.get(object.account);
      const decision = rules === undefined ? undefined : guardDestination(number, rules);
      if (decision?.allowed === false) say(path, `${decision.detail} ${waysOut[decision.reason]}`);
      if (!withTrunk.has(object.account)) say(path, `${number} can only be reached over a trunk, and the account has none. Create a trunk first.`);
    }
    for (const { key, path, what } of unique(object, namesOf(account))) {
      const rival = seen.get(key);
      const problem = { object: keyOf(object), path, message: `${what} is in use already. Choose another.` };
      if (rival === undefined) seen.set(key, problem);
      else problems.push({ ...problem, rival });
    }
    const loop = loopFrom(object, objects);
    if (loop !== undefined) say(loop.path, loop.message);
    if (object.kind === 'night-switch' && object.id !== nightSwitchId) say('id', `must be “${nightSwitchId}”: there is one of an account. Change that one.`);
    if (object.kind === 'account') {
      const nightCodes = Object.entries(object.body.night?.codes ?? {}).map(([mode, code = '']) => ({ code, path: `night.codes.${mode}` }));
      const agentCodes = Object.entries(object.body.agentCodes ?? {}).map(([action, code = '']) => ({ code, path: `agentCodes.${action}` }));
      for (const { code, path } of [...nightCodes, ...agentCodes]) {
        if (emergencyNumbers.includes(code.slice(1))) say(path, `${code} is an emergency number behind a star: who is in need may press both. Use another code.`);
      }
      for (const { code, path } of agentCodes) {
        const other = nightCodes.find((one) => one.code === code);
        if (other !== undefined) say(path, `${code} is ${other.path} already. Use another code.`);
      }
    }
    if (object.kind === 'device' && emergencyNumbers.includes(object.body.extension ?? '')) say('extension', `${object.body.extension} is an emergency number. Use another extension.`);
  }
  return problems;
}

function keyOf({ account, kind, id }: ConfigObject): ObjectKey {
  return { account, kind, id };
}
