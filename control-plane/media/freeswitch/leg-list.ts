import { callIdOf, type CallId, type LegId } from '../../core/ids.ts';
import { second } from '../../core/time.ts';
import type { EslClient } from './esl/esl-client.ts';
import type { EslResult } from './esl/esl-result.ts';
import { claimList, legList } from './variables.ts';

/** Before the leg is made, so that none is ever missed. Goes with the leg (`api_hangup_hook`). */
export function listLeg(esl: EslClient, legId: LegId, callId: CallId): Promise<EslResult> {
  return esl.api('hash', { entry: `insert/${legList}/${legId}/${callId}@${Math.floor(Date.now() / second)}` }, { order: callIdOf(legId) });
}

/** Of one that the switch never made. */
export function unlistLeg(esl: EslClient, legId: LegId): Promise<EslResult> {
  return esl.api('hash', { entry: `delete/${legList}/${legId}` }, { order: callIdOf(legId) });
}

/** Of a caller who has gone. */
export function unclaim(esl: EslClient, callId: CallId): Promise<EslResult> {
  return esl.api('hash', { entry: `delete/${claimList}/${callId}` }, { order: callId });
}

/** What is listed for so long and not there has not been made, and will not be. */
const unmadeMs = 600 * second;

export interface ListedLegs {
  /** By caller's leg, the controller that has claimed it. */
  readonly claims: ReadonlyMap<LegId, string>;
  /** By leg, the call it is of. */
  readonly calls: ReadonlyMap<LegId, CallId>;
  /** Legs that another controller may be about to have made. */
  readonly fresh: ReadonlySet<LegId>;
}

/** One that is being offered is nobody's, and is not listed. Throws when the switch does not answer. */
export async function listedLegs(esl: EslClient): Promise<ListedLegs> {
  const [claimed, listed] = await Promise.all([entriesOf(esl, claimList), entriesOf(esl, legList)]);
  const claims = new Map(claimed.filter(([, by]) => by !== 'nobody'));
  const called = listed.map(([id, written]) => {
    const [callId = '', at] = written.split('@');
    return { id, callId, isFresh: Date.now() - Number(at) * second < unmadeMs };
  });
  return {
    claims,
    calls: new Map([...[...claims.keys()].map((id) => [id, id] as const), ...called.map(({ id, callId }) => [id, callId] as const)]),
    fresh: new Set(called.filter(({ isFresh }) => isFresh).map(({ id }) => id)),
  };
}

async function entriesOf(esl: EslClient, list: string): Promise<readonly (readonly [id: string, value: string])[]> {
  const dumped = await esl.api('hash_dump', { what: 'db', list });
  // What it says of a list with nothing in it.
  if (!dumped.ok && dumped.reply === 'no reply') return [];
  if (!dumped.ok) throw new Error(dumped.message);
  return dumped.text.split('\n').flatMap((line) => {
    const [, key, value] = line.split('/');
    return key === undefined || value === undefined || !key.startsWith(`${list}_`) ? [] : [[key.slice(list.length + 1), value] as const];
  });
}
