/** Where routes lead, from documents to what routing reads. */
import type { Menu, Message, ReceivingNumber, RingGroup, TrunkId } from '../core/routing/config.ts';
import type { Target } from '../core/routing/targets.ts';
import { second } from '../core/time.ts';
import type { AudioRef, TargetDoc } from './documents.ts';
import type { ConfigObject } from './objects.ts';
import { optional } from './optional.ts';

type MessageOf = (ref: AudioRef | undefined) => Message | undefined;

export function targetOf(target: TargetDoc, media: MessageOf): Target {
  return target.to === 'message' ? { to: 'message', message: media(target.message) ?? {} } : target;
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

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * second;
}
