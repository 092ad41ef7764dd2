/** M6: a code on a phone changes the configuration as a request does, and tells the truth of it. */
import { describe, expect, it } from 'vitest';
import { newCall } from '../../control-plane/core/call/call.ts';
import type { Draft, WriteResult } from '../../control-plane/configuration/configuration.ts';
import { nightSwitchSetter } from '../../control-plane/phone-codes/set-night-switch.ts';
import { StoreAwayError, type AuditEntry } from '../../control-plane/store/ports.ts';
import { offer } from '../core/support/given.ts';
import { planOfNight } from '../core/support/plans.ts';

const call = newCall({ ...offer, dialled: '*28', phone: 'elm.301' }, planOfNight('closed'), 0);
const asked = { of: 'night-switch', to: 'closed' } as const;
const object = (version: number) => ({ account: 'c1', kind: 'night-switch', id: 'night', version, createdAt: 0, updatedAt: 0, body: { mode: 'open' } }) as const;
const done: WriteResult = { ok: true, revision: 2, objects: [], changes: [], warnings: [] };
const refused = (reason: Extract<WriteResult, { ok: false }>['reason']): WriteResult => ({ ok: false, reason, problems: [{ path: 'mode', message: 'is wrong.' }] });

/** Answers one write after the other; `versions` are what is there at each. */
function setterWith(versions: readonly (number | undefined)[], ...answers: readonly (() => WriteResult)[]) {
  const writes: { readonly drafts: readonly Draft[]; readonly actor: string }[] = [];
  const audited: AuditEntry[] = [];
  const warned: unknown[] = [];
  const set = nightSwitchSetter({
    configuration: {
      get: (() => { const version = versions[writes.length]; return version === undefined ? undefined : object(version); }) as never,
      write: async (drafts, actor) => {
        const answer = answers[writes.length] ?? answers.at(-1);
        writes.push({ drafts, actor });
        return Promise.resolve(answer?.() ?? done);
      },
    },
    audit: { write: async (entry) => { audited.push(entry); await Promise.resolve(); } },
    log: { debug: () => undefined, info: () => undefined, warn: (fields) => { warned.push(fields); }, error: () => undefined },
  });
  return { set: () => set(call, asked, 'dialled by Mara'), writes, audited, warned };
}

describe('The night switch, set by a phone', () => {
  it('is a change with the phone for its actor, in the audit log with the call', async () => {
    const { set, writes, audited } = setterWith([undefined]);
    expect(await set()).toEqual({ ok: true, why: 'dialled by Mara' });
    expect(writes).toEqual([{ drafts: [{ account: 'c1', kind: 'night-switch', id: 'night', version: null, body: { mode: 'closed', note: 'dialled by Mara' } }], actor: 'phone elm.301' }]);
    expect(audited).toMatchObject([{ actor: 'phone elm.301', account: 'c1', action: 'night-switch.create', subject: 'c1/night-switch/night', outcome: 'ok', details: { call: 'c7', dialled: '*28', setting: 'closed' } }]);
  });

  it.each(['stale', 'exists', 'missing'] as const)('that somebody else has set meanwhile (%s) is set on that', async (reason) => {
    const { set, writes, audited } = setterWith([1, 2], () => refused(reason), () => done);
    expect(await set()).toMatchObject({ ok: true });
    expect(writes.map(({ drafts }) => drafts[0]?.version)).toEqual([1, 2]);
    expect(audited.map(({ action }) => action)).toEqual(['night-switch.update']);
  });

  it('does not try for ever', async () => {
    const { set, writes } = setterWith([], () => refused('stale'));
    expect(await set()).toEqual({ ok: false, why: 'others set it at the same time' });
    expect(writes).toHaveLength(5);
  });

  it.each<readonly [string, string, () => WriteResult]>([
    ['the database is away', 'No route.', () => { throw new StoreAwayError('No route.', false); }],
    ['the database did not say', 'it is not known whether it was: No answer.', () => { throw new StoreAwayError('No answer.', true); }],
    ['it does not fit what is configured', 'mode is wrong.', () => refused('invalid')],
  ])('is not set where %s, with the reason, and nothing is audited', async (_, why, answer) => {
    const { set, audited, warned } = setterWith([], answer);
    expect(await set()).toEqual({ ok: false, why });
    expect([audited, warned]).toMatchObject([[], [{ call: 'c7', why }]]);
  });
});
