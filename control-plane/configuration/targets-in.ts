/** The targets that a document names. */
import type { TargetDoc } from './documents.ts';
import type { ConfigObject } from './objects.ts';
import { routerTargets } from './routers.ts';

export interface TargetAt {
  readonly target: TargetDoc;
  readonly path: string;
  /** When the call goes there, in words. */
  readonly when: string;
  /** The caller chooses it, by a key: a call goes nowhere for ever by itself. */
  readonly chosen: boolean;
}

/** In the order in which a call would come to them. */
export function targetsIn(object: ConfigObject): readonly TargetAt[] {
  switch (object.kind) {
    case 'number':
      return [...at(object.body.route, 'route', 'its route'), ...at(object.body.hours?.closed, 'hours.closed', 'closed'), ...at(object.body.noAnswer, 'noAnswer', 'no answer')];
    case 'receiving-number':
    case 'ring-group':
      return at(object.body.noAnswer, 'noAnswer', 'no answer');
    case 'menu':
      return [
        ...Object.entries(object.body.options).map(([key, target]): TargetAt => ({ target, path: `options.${key}`, when: `key ${key}`, chosen: true })),
        ...at(object.body.noKey, 'noKey', 'no key'), ...at(object.body.invalid, 'invalid', 'keys that lead nowhere'),
      ];
    case 'queue':
      return [
        ...(object.body.exit === undefined ? [] : [{ target: object.body.exit.target, path: 'exit.target', when: `key ${object.body.exit.key}`, chosen: true }]),
        ...at(object.body.full, 'full', 'full'), ...at(object.body.empty, 'empty', 'nobody there'), ...at(object.body.maxWait, 'maxWait', 'waited too long'), ...at(object.body.closed, 'closed', 'deleted'),
      ];
    case 'router':
      return routerTargets(object.body).map((one) => ({ ...one, chosen: false }));
    case 'account':
      return [...at(object.body.night?.closed, 'night.closed', 'the night switch'), ...at(object.body.night?.emergency, 'night.emergency', 'the night switch')];
    case 'user':
    case 'device':
    case 'trunk':
    case 'schedule':
    case 'night-switch':
    case 'audio':
    case 'webhook':
      return [];
  }
}

function at(target: TargetDoc | undefined, path: string, when: string): readonly TargetAt[] {
  return target === undefined ? [] : [{ target, path, when, chosen: false }];
}
