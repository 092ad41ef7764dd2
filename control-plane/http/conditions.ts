/** Conditional requests, RFC 9110 §13, on versions of objects: `"3"`. */
import type { ConfigObject } from '../configuration/objects.ts';
import { HttpProblem } from './problem.ts';

export function etagOf({ version }: Pick<ConfigObject, 'version'>): string {
  return `"${version}"`;
}

/** Throws a 412 when If-Match names other versions. Weak tags never match (§13.1.1). */
export function checkIfMatch(ifMatch: string | undefined, object: Pick<ConfigObject, 'version'>): void {
  if (ifMatch === '*' || tags(ifMatch).includes(etagOf(object))) return;
  throw new HttpProblem(412, `It is version ${object.version} by now: get it again, and apply your change to that.`, { headers: { etag: etagOf(object) } });
}

/** Whether If-None-Match names this tag: the client has it already. Compared weakly (§13.1.2). */
export function noneMatch(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch === '*' || tags(ifNoneMatch).some((tag) => tag.replace(/^W\//, '') === etag);
}

function tags(header: string | undefined): readonly string[] {
  return (header ?? '').split(',').map((tag) => tag.trim()).filter((tag) => tag !== '');
}
