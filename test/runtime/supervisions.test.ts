/** Supervisions as they are asked for: of whom, by which phone, and with which of several controllers. The live ones are in test/integration. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClinicConfig } from '../../control-plane/configuration/clinics.ts';
import { newCall, type Call } from '../../control-plane/core/call/call.ts';
import type { CallEvent } from '../../control-plane/core/call/events.ts';
import type { CallFact } from '../../control-plane/core/call/facts.ts';
import { transition } from '../../control-plane/core/call/transition.ts';
import { emptyCdr } from '../../control-plane/core/cdr/cdr.ts';
import type { Plan } from '../../control-plane/core/routing/plan.ts';
import type { AskedSupervision } from '../../control-plane/http/ports.ts';
import type { SupervisorCall } from '../../control-plane/media/switch-admin.ts';
import type { CallObserver } from '../../control-plane/runtime/call-observers.ts';
import { StoreAwayError, type AuditEntry, type JournalRecord } from '../../control-plane/store/ports.ts';
import { deskLinks, type LinksOfAll } from '../../control-plane/store/memory-desks.ts';
import { makeSupervisions } from '../../control-plane/placed-calls/supervisions.ts';
import { inPhase } from '../core/support/phases.ts';
import type { Story } from '../core/support/given.ts';

beforeEach(() => { vi.useFakeTimers({ now: 1000 }); });
afterEach(() => { vi.useRealTimers(); });

const talking = (): Story => inPhase.connected();
const supervised = talking().call;
const account = supervised.plan.account.id;
const asked: AskedSupervision = { account, call: supervised.id, mode: 'listen', phone: '103', by: 'key1' };
const phones = ['101', '103', '104'].map((extension) => ({ extension, sipUser: extension, user: `user${extension}`, label: '', password: '' }));

/** As another controller's journal tells it. */
const journalOf = (story: Story): readonly JournalRecord[] => {
  const { offer, plan, startedAt } = story.call;
  return [{ kind: 'opened', at: startedAt, offer, plan, controller: 'other' }, ...story.events.map(({ event, at }): JournalRecord => ({ kind: 'step', at, event, commands: [], facts: [] }))];
};

function bench({ here = [supervised], elsewhere = {}, name = 'main', links = deskLinks() }: { readonly here?: readonly Call[]; readonly elsewhere?: Readonly<Record<string, readonly JournalRecord[]>>; readonly name?: string; readonly links?: LinksOfAll } = {}) {
  const calls = [...here];
  const rung: SupervisorCall[] = [];
  const asks: string[] = [];
  const entries: AuditEntry[] = [];
  const logged: string[] = [];
  let observer: CallObserver = {};
  let link: 'up' | 'down' = 'up';
  let answer: (() => Promise<'rings' | 'unknown'>) | undefined;
  let auditIsAway = false;
  const supervisions = makeSupervisions({
    instance: name, link: links.of(name), clinics: () => [{ account: { id: account }, phones } as unknown as ClinicConfig, { account: { id: 'other' }, phones: [{ extension: '200', sipUser: 'o.200' }] } as unknown as ClinicConfig],
    admin: {
      callSupervisor: (call) => {
        rung.push(call);
        return answer === undefined ? Promise.resolve('rings') : answer();
      },
      endSupervisor: (callId) => Promise.resolve(rung.some((one) => one.callId === callId) || callId in elsewhere),
      glimpse: () => Promise.resolve(['101', '103'].map((device) => ({ device, contacts: [{ address: '192.0.2.1', userAgent: '', expiresAt: 0, since: 0 }] }))),
    },
    controller: {
      calls: () => calls,
      health: () => ({ link, reconciled: true, calls: 0, commandsInFlight: 0, lease: null }),
      observe: (given) => {
        observer = given;
        return () => undefined;
      },
      call: (callId) => calls.find(({ id }) => id === callId),
      deliver: (callId, event) => {
        if (!calls.some(({ id }) => id === callId)) return false;
        return asks.push(`${callId} ${event.type === 'ModeAsked' ? event.mode : event.type === 'SupervisionTold' ? `heard ${event.mode}` : event.type}`) > 0;
      },
    },
    live: { read: (callId) => Promise.resolve(elsewhere[callId] ?? []) },
    audit: { write: (entry) => (auditIsAway ? Promise.reject(new StoreAwayError('away', false)) : Promise.resolve(void entries.push(entry))) },
    now: () => Date.now(),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (_, sentence) => { logged.push(sentence); } },
  });
  return {
    supervisions, calls, rung, asks, entries, logged, tell: (call: Call, fact: CallFact, at: number) => observer.onFact?.(call, fact, at), end: (call: Call) => observer.onCdr?.(emptyCdr(call.id, call.plan)),
    linkGoesDown: () => { link = 'down'; }, answers: (how: () => Promise<'rings' | 'unknown'>) => { answer = how; }, losesTheDatabase: () => { auditIsAway = true; },
  };
}

/** The supervisor has answered, and hears. */
const answered = (plan: Plan, callId: string): Call => {
  let call = newCall({ callId, dialled: '#0001', origin: 'phone', phone: '103', caller: { number: '103', name: 'Supervisor' }, orphan: false }, plan, 1000);
  for (const event of [{ type: 'CallOffered' }, { type: 'LegAnswered', legId: `${callId}--l2` }, { type: 'LegBridged', legId: `${callId}--l2`, bridgeId: `${callId}--b1` }] as const) call = transition(call, event, { now: 2000 }).call;
  return call;
};

/** Who is heard. */
const legOf = async (more: Partial<AskedSupervision>, options = {}): Promise<string | undefined> => {
  const begun = await bench(options).supervisions.begin({ ...asked, ...more });
  return begun.ok ? begun.supervision.leg : undefined;
};

/** One that has been answered, and hears. */
const going = async (options: Parameters<typeof bench>[0] = {}) => {
  const one = bench(options);
  await one.supervisions.begin(asked);
  const callId = one.rung[0]?.callId ?? '';
  const call = answered(one.supervisions.planOf(callId) as Plan, callId);
  one.calls.push(call);
  return { ...one, callId, call };
};

describe('A supervision that is asked for', () => {
  it('rings the phone, and only the call that it makes is led into it', async () => {
    const { supervisions, rung } = bench();
    const begun = await supervisions.begin(asked);
    expect(begun).toMatchObject({ ok: true, supervision: { call: supervised.id, leg: `${supervised.id}--l2`, mode: 'listen', phone: '103', by: 'key1', state: 'ringing' } });
    expect(rung).toMatchObject([{ phone: '103', extension: '103', shown: { name: 'Supervision: listen' } }]);
    const callId = rung[0]?.callId ?? '';
    expect(callId).toMatch(/^fdsupervision-[0-9a-f]{12}\.main$/);
    expect(supervisions.planOf(callId)?.steps).toEqual({ supervise: { kind: 'supervise', callId: supervised.id, legId: `${supervised.id}--l2`, mode: 'listen', by: 'key1' } });
    expect(supervisions.planOf('fdsupervision-000000000000.main')).toBeUndefined();
    expect([supervisions.list(account).length, supervisions.list(null).length, supervisions.list('other').length]).toEqual([1, 1, 0]);
    expect(await supervisions.change(account, callId, 'coach')).toMatchObject({ ok: false, why: 'busy' });
  });

  it('is of the party that is named, by leg or by user; of a call of another controller, too', async () => {
    expect(await legOf({ leg: supervised.id })).toBe(supervised.id);
    expect(await legOf({ agent: 'u1' })).toBe(`${supervised.id}--l2`);
    const internal: Call = { ...supervised, offer: { ...supervised.offer, origin: 'phone', phone: '104' } };
    expect(await legOf({ agent: 'user104' }, { here: [internal] })).toBe(supervised.id);
    expect(await legOf({}, { here: [], elsewhere: { [supervised.id]: journalOf(talking()) } })).toBe(`${supervised.id}--l2`);
  });

  it.each([
    ['a call that nobody has', { call: 'c0' }, { why: 'wrong', field: 'call' }],
    ['another account’s call', { account: 'other', phone: '200' }, { why: 'wrong', field: 'call' }],
    ['a party that is not in the call', { leg: 'c7--l9' }, { why: 'wrong', field: 'leg' }],
    ['a user who is not in the call', { agent: 'nobody' }, { why: 'wrong', field: 'agent' }],
    ['another account’s phone', { phone: '200' }, { why: 'wrong', field: 'phone' }],
    ['a phone that is not registered', { phone: '104' }, { why: 'busy', sentence: 'Phone 104 is not registered, so it cannot be rung.' }],
  ] as const)('is refused for %s, and rings nothing', async (_, more, refusal) => {
    const { supervisions, rung } = bench();
    expect(await supervisions.begin({ ...asked, ...more })).toMatchObject({ ok: false, ...refusal });
    expect([rung, supervisions.list(null)]).toEqual([[], []]);
  });

  it.each(['offered', 'announcing', 'menu', 'queued', 'setting', 'ordering', 'ringing', 'connecting', 'supervising', 'greeting', 'beeping', 'recording', 'ending'] as const)('is refused while the call is %s, and says what it is doing', async (phase) => {
    const { call } = inPhase[phase]();
    expect(await bench({ here: [call] }).supervisions.begin(asked)).toMatchObject({ ok: false, why: 'busy', sentence: expect.stringMatching(/^The call [a-z ]+: only one in which two talk can be supervised\.$/) });
  });

  it('is refused for a phone that is in the call, while the switch is away, and on a switch that cannot', async () => {
    const inIt: Call = { ...supervised, offer: { ...supervised.offer, phone: '103' } };
    expect(await bench({ here: [inIt] }).supervisions.begin(asked)).toMatchObject({ why: 'busy', sentence: 'Phone 103 is in this call itself: name another.' });
    const away = bench();
    away.linkGoesDown();
    expect(await away.supervisions.begin(asked)).toMatchObject({ why: 'away' });
    const old = bench();
    old.answers(() => Promise.resolve('unknown'));
    expect(await old.supervisions.begin(asked)).toMatchObject({ why: 'away', sentence: expect.stringContaining('load asterisk/extensions.conf anew') });
    old.answers(() => Promise.reject(new Error('The switch does not ring phone 103: no.')));
    expect(await old.supervisions.begin(asked)).toMatchObject({ why: 'away', sentence: 'The switch does not ring phone 103: no.' });
    expect(old.supervisions.list(null)).toEqual([]);
  });

  it('rings nothing while the audit log cannot be written', async () => {
    const { supervisions, rung, losesTheDatabase } = bench();
    losesTheDatabase();
    await expect(supervisions.begin(asked)).rejects.toThrow(StoreAwayError);
    expect([rung, supervisions.list(null)]).toEqual([[], []]);
  });

  it('is forgotten when nobody answers', async () => {
    const { supervisions, rung } = bench();
    await supervisions.begin(asked);
    vi.advanceTimersByTime(60_000);
    expect([supervisions.list(null), supervisions.planOf(rung[0]?.callId ?? '')]).toEqual([[], undefined]);
  });
});

describe('A supervision that goes on', () => {
  it('is shown once, in the mode that it has, and changed and ended by its id in its account alone', async () => {
    const { supervisions, callId, asks } = await going();
    expect(supervisions.list(account)).toMatchObject([{ id: callId, state: 'on', since: 2000, mode: 'listen', phone: '103' }]);
    expect(await supervisions.change('other', callId, 'barge')).toBeNull();
    expect(await supervisions.change(account, callId, 'barge')).toMatchObject({ ok: true });
    expect(asks).toEqual([`${callId} barge`]);
    expect(await supervisions.end('other', callId)).toEqual({ ok: true, ended: false });
    expect(await supervisions.end(account, callId)).toEqual({ ok: true, ended: true });
    expect(await supervisions.end(account, supervised.id)).toEqual({ ok: true, ended: false });
  });

  it('of another controller is listed by each, changed by way of it, and ended from here', async () => {
    const links = deskLinks();
    const there = await going({ name: 'other', links });
    const here = bench({ here: [], links });
    const { callId } = there;
    await vi.advanceTimersByTimeAsync(1000);
    expect(here.supervisions.list(account)).toEqual(there.supervisions.list(account));
    expect([here.supervisions.list(account).length, here.supervisions.list('other').length]).toEqual([1, 0]);
    expect(await here.supervisions.change(account, callId, 'coach')).toMatchObject({ ok: true, supervision: { id: callId } });
    expect(there.asks).toContain(`${callId} coach`);
    expect([await here.supervisions.change('other', callId, 'coach'), await here.supervisions.end('other', callId)]).toEqual([null, { ok: true, ended: false }]);
    here.rung.push(...there.rung);
    expect(await here.supervisions.end(account, callId)).toEqual({ ok: true, ended: true });
  });

  it('that rings with another controller is ended from here, and is nobody’s then', async () => {
    const links = deskLinks();
    const [there, here] = [bench({ name: 'other', links }), bench({ here: [], links })];
    await there.supervisions.begin(asked);
    await vi.advanceTimersByTimeAsync(0);
    const [{ id } = { id: '' }] = here.supervisions.list(account);
    expect(await here.supervisions.change(account, id, 'coach')).toMatchObject({ ok: false, why: 'busy', sentence: 'The phone 103 has not been answered: end this supervision, and begin another.' });
    here.rung.push(...there.rung);
    expect(await here.supervisions.end(account, id)).toEqual({ ok: true, ended: true });
    await vi.advanceTimersByTimeAsync(1000);
    expect([there.supervisions.list(null), here.supervisions.list(null), there.supervisions.planOf(id)]).toEqual([[], [], undefined]);
  });

  it('of a controller that is heard of no more is forgotten, and one that does not answer is not waited for long', async () => {
    const links = deskLinks();
    const there = await going({ name: 'other', links });
    const here = bench({ here: [], links });
    await vi.advanceTimersByTimeAsync(1000);
    links.away();
    const changed = here.supervisions.change(account, there.callId, 'coach');
    await vi.advanceTimersByTimeAsync(2000);
    expect(await changed).toMatchObject({ ok: false, why: 'away', sentence: expect.stringMatching(/^The controller that has this supervision does not answer/) });
    expect(here.supervisions.list(account)).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([here.supervisions.list(account), await here.supervisions.change(account, there.callId, 'coach')]).toEqual([[], null]);
  });

  it('of which only the journal is known is on its way, and can be ended', async () => {
    const { call, callId } = await going();
    const { offer, plan, startedAt } = call;
    const opened: JournalRecord = { kind: 'opened', at: startedAt, offer, plan, controller: 'other' };
    const { supervisions } = bench({ elsewhere: { [callId]: [opened, { kind: 'step', at: 1000, event: { type: 'CallOffered' }, commands: [], facts: [] }] } });
    expect(await supervisions.change(account, callId, 'coach')).toMatchObject({ ok: false, why: 'busy', sentence: expect.stringMatching(/^This supervision is on its way/) });
    expect(await supervisions.end(account, callId)).toEqual({ ok: true, ended: true });
    expect(await supervisions.change('other', callId, 'coach')).toBeNull();
  });

  it('is told to the call that is heard, once for each mode and at its end, whichever controller has that', async () => {
    const links = deskLinks();
    const there = await going({ here: [], elsewhere: { [supervised.id]: journalOf(talking()) }, name: 'other', links });
    const here = bench({ links });
    await vi.advanceTimersByTimeAsync(3000);
    expect([here.asks, there.asks]).toEqual([[`${supervised.id} heard listen`], []]);
    const { call, callId } = there;
    const coached = [{ type: 'ModeAsked', mode: 'coach' }, { type: 'LegAnswered', legId: `${callId}--l3` }].reduce((now, event) => transition(now, event as CallEvent, { now: 3000 }).call, call);
    there.calls.splice(0, 1, coached);
    await vi.advanceTimersByTimeAsync(1000);
    there.calls.length = 0;
    await vi.advanceTimersByTimeAsync(1000);
    expect(here.asks).toEqual(['listen', 'coach', null].map((mode) => `${supervised.id} heard ${mode}`));
  });

  it('is in the audit log from its beginning to its end, with whose key asked for it', async () => {
    const { call, entries, tell, end, logged, losesTheDatabase } = await going();
    const legId = `${call.id}--l2`;
    tell(call, { type: 'Supervising', legId, mode: 'listen' }, 2000);
    tell(call, { type: 'Supervising', legId, mode: 'barge' }, 5000);
    tell(call, { type: 'CallEnded', cause: 'normal', disposition: 'answered', by: 'caller' }, 9000);
    tell(supervised, { type: 'CallEnded', cause: 'normal', disposition: 'answered', by: 'caller' }, 9000);
    await vi.advanceTimersByTimeAsync(0);
    expect(entries.map(({ action, at, actor, details }) => [action, at, actor, details['mode'] ?? details['began'], details['call']])).toEqual([
      ['supervision.rung', 1000, 'key1', 'listen', supervised.id],
      ['supervision.began', 2000, 'key1', 'listen', supervised.id], ['supervision.changed', 5000, 'key1', 'barge', supervised.id], ['supervision.ended', 9000, 'key1', 2000, supervised.id],
    ]);
    losesTheDatabase();
    tell(call, { type: 'CallEnded', cause: 'normal', disposition: 'answered', by: 'caller' }, 9000);
    end(call);
    await vi.advanceTimersByTimeAsync(0);
    expect(logged).toEqual(['An entry of the audit log could not be written']);
  });
});

