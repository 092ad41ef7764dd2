/** Objects of a configuration, as documents that are right. */
import { parseDocument } from '../../control-plane/configuration/check.ts';
import type { Kind } from '../../control-plane/configuration/documents.ts';
import type { ConfigObject } from '../../control-plane/configuration/objects.ts';

export type Given = readonly [Kind, string, object];

export function objectOf([kind, id, body]: Given): ConfigObject {
  const parsed = parseDocument(kind, body);
  if (!parsed.ok) throw new Error(`${kind} ${id}: ${JSON.stringify(parsed.problems)}`);
  return { account: 'elm', kind, id, version: 1, createdAt: 0, updatedAt: 0, body: parsed.body } as ConfigObject;
}
