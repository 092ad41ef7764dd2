/** Where routes lead, from documents to what routing reads. */
import type { Account, Menu, Message, ReceivingNumber, RingGroup, TrunkId } from '../core/routing/config.ts';
import { nightSettings } from '../core/routing/night.ts';
import type { Router } from '../core/routing/router.ts';
import type { Target } from '../core/routing/targets.ts';
import { second } from '../core/time.ts';
import type { AudioRef, Doc, TargetDoc } from './documents.ts';
import { nightSwitchOf } from './night.ts';
import type { ConfigObject } from './objects.ts';
import { optional } from './optional.ts';

type MessageOf = (ref: AudioRef | undefined) => Message | undefined;

export function targetOf(target: TargetDoc, media: MessageOf): Target {
  if (target.to === 'message') return { to: 'message', message: media(target.message) ?? {} };
  return target.to === 'queue' ? { to: 'queue', id: target.id, ...optional('priority', target.priority) } : target;
}

export function routerOf({ id, body }: ConfigObject<'router'>, media: MessageOf): Router<Target> {
  const common = { id, name: body.name, default: targetOf(body.default, media) };
  if (body.geo !== undefined) return { ...common, kind: 'geo', geo: body.geo.map(({ target, countries, regions, areaCodes }) => ({ target: targetOf(target, media), ...optional('countries', countries), ...optional('regions', regions), ...optional('areaCodes', areaCodes) })) };
  if (body.rules !== undefined) return { ...common, kind: 'rules', rules: body.rules.map(({ target, when, name }) => ({ target: targetOf(target, media), when, ...optional('name', name) })) };
  return {
    ...common, kind: 'weighted',
    weighted: (body.weighted ?? []).map(({ target, weight, from, until, schedule }) => ({ target: targetOf(target, media), weight, ...optional('from', epochOf(from)), ...optional('until', epochOf(until)), ...optional('schedule', schedule) })),
  };
}

export function nightOf(rules: Doc<'account'>['night'], set: ConfigObject<'night-switch'> | undefined, media: MessageOf): Account['night'] {
  if (rules === undefined && set === undefined) return undefined;
  const { codes: dialled = {}, users, closed, emergency } = rules ?? {};
  const codes = nightSettings.flatMap((setting) => (dialled[setting] === undefined ? [] : [{ code: dialled[setting], setting }]));
  return {
    ...optional('is', set === undefined ? undefined : nightSwitchOf(set)),
    ...optional('closed', optionalTarget(closed, media)), ...optional('emergency', optionalTarget(emergency, media)),
    ...optional('codes', codes.length === 0 ? undefined : codes), ...optional('users', users),
  };
}

export function receivingNumberOf({ id, body }: ConfigObject<'receiving-number'>, trunks: readonly TrunkId[], media: MessageOf): ReceivingNumber {
  const { dialExtension } = body;
  return {
    id, label: body.label, number: body.number, trunks,
    ...optional('dialExtension', dialExtension === undefined ? undefined : { digits: dialExtension.digits, delayMs: dialExtension.delaySeconds * second }),
    ...optional('whisper', media(body.whisper)),
    ...optional('taggingHours', body.taggingHours),
    ...optional('callConnect', body.callConnect),
    ...optional('ringMs', inMs(body.ringSeconds)),
    ...optional('noAnswer', optionalTarget(body.noAnswer, media)),
  };
}

export function ringGroupOf({ id, body }: ConfigObject<'ring-group'>, media: MessageOf): RingGroup {
  return {
    id, name: body.name, pattern: body.pattern,
    destinations: body.destinations.map(({ target, delaySeconds, ringSeconds }) => ({ target, ...optional('delayMs', inMs(delaySeconds)), ...optional('ringMs', inMs(ringSeconds)) })),
    ...optional('ringMs', inMs(body.ringSeconds)),
    ...optional('noAnswer', optionalTarget(body.noAnswer, media)),
  };
}

export function menuOf({ id, body }: ConfigObject<'menu'>, media: MessageOf): Menu {
  return {
    id, name: body.name, prompt: media(body.prompt) ?? {}, dialByExtension: body.dialByExtension, tries: body.tries,
    options: Object.fromEntries(Object.entries(body.options).map(([key, target]) => [key, targetOf(target, media)])),
    waitMs: body.waitSeconds * second, betweenKeysMs: body.betweenKeysSeconds * second,
    ...optional('invalidPrompt', media(body.invalidPrompt)),
    ...optional('noKey', optionalTarget(body.noKey, media)),
    ...optional('invalid', optionalTarget(body.invalid, media)),
  };
}

function optionalTarget(target: TargetDoc | undefined, media: MessageOf): Target | undefined {
  return target === undefined ? undefined : targetOf(target, media);
}

function epochOf(instant: string | undefined): number | undefined {
  return instant === undefined ? undefined : Date.parse(instant);
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * second;
}
