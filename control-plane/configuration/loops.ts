/**
 * Routes that would lead a call in a circle with nobody choosing it: a receiving number whose no-answer routing comes back
 * to it. A menu that leads back by a key is no loop: the caller presses it (and a call has a limit of steps all the same).
 * A number's own no-answer routing is followed once on a call, so a number is on no circle.
 */
import type { Objects, Problem } from './check.ts';
import type { TargetDoc } from './documents.ts';
import { keyText, type ConfigObject } from './objects.ts';
import { targetsIn } from './targets-in.ts';

interface Edge {
  readonly to: ConfigObject;
  readonly when: string;
  readonly path: string;
}

/** The circle that this object is on, if it is on one, spelled out at the field that leads into it. */
export function loopFrom(object: ConfigObject, objects: Objects): Problem | undefined {
  const home = keyText(object);
  const seen = new Set<string>();
  const wayHome = (from: ConfigObject): string | undefined => {
    if (keyText(from) === home) return nameOf(from);
    if (seen.has(keyText(from))) return undefined;
    seen.add(keyText(from));
    for (const { to, when } of edgesOf(objects, from)) {
      const way = wayHome(to);
      if (way !== undefined) return `${nameOf(from)}, ${when} → ${way}`;
    }
    return undefined;
  };
  for (const { to, when, path } of edgesOf(objects, object)) {
    const way = wayHome(to);
    if (way !== undefined) return { path, message: `leads in a circle: ${nameOf(object)}, ${when} → ${way}. Let one of them lead elsewhere.` };
  }
  return undefined;
}

function edgesOf(objects: Objects, object: ConfigObject): readonly Edge[] {
  const edges = targetsIn(object).filter(({ chosen }) => !chosen).flatMap(({ target, when, path }) => edgeTo(objects, object, target, when, path));
  if (object.kind !== 'ring-group' || object.body.noAnswer !== undefined) return edges;
  // without one of its own, that of its first destination that has one
  for (const [i, { target }] of object.body.destinations.entries()) {
    const destination = objectAt(objects, object.account, target);
    if (destination?.kind === 'receiving-number' && destination.body.noAnswer !== undefined) return edgeTo(objects, object, destination.body.noAnswer, `no answer at ${nameOf(destination)}`, `destinations[${i}]`);
  }
  return edges;
}

function edgeTo(objects: Objects, { account }: ConfigObject, target: TargetDoc, when: string, path: string): readonly Edge[] {
  const to = objectAt(objects, account, target);
  return to === undefined ? [] : [{ to, when, path }];
}

function objectAt(objects: Objects, account: string, target: TargetDoc): ConfigObject | undefined {
  return 'id' in target ? objects.get(keyText({ account, kind: target.to, id: target.id })) : undefined;
}

function nameOf({ kind, id }: ConfigObject): string {
  return `${kind} “${id}”`;
}
