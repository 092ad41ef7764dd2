/**
 * The compiler and what explain tells of it, held against an oracle that knows the rules and none of the code: over random
 * clinics, and over every case of the two precedences that the features come from.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkTogether, parseDocument } from '../../control-plane/configuration/check.ts';
import { clinicsOf } from '../../control-plane/configuration/clinics.ts';
import type { Kind } from '../../control-plane/configuration/documents.ts';
import { keyText, type ConfigObject } from '../../control-plane/configuration/objects.ts';
import { compileFor } from '../../control-plane/core/routing/compile.ts';
import type { Account, Contact } from '../../control-plane/core/routing/config.ts';
import { explainedSteps, type ExplainedStep } from '../../control-plane/core/routing/explained-steps.ts';
import type { Plan } from '../../control-plane/core/routing/plan.ts';
import { drawOf } from '../../control-plane/core/routing/router.ts';
import { localTime } from '../../control-plane/hours/local-time.ts';
import { anyCall, anyClinic, dialled } from '../oracle/any-clinic.ts';
import type { PaperCall, PaperClinic, PaperSchedule } from '../oracle/clinic.ts';
import { whatHappens, type Happening, type Rung } from '../oracle/oracle.ts';
import { casesOf, companyFirst, ownerFirst } from '../oracle/tables.ts';

type Given = readonly [Kind, string, object];

/** As the API would take them; undefined where it would refuse them. */
function accountsOf(clinic: PaperClinic): readonly Account[] | undefined {
  const given: readonly Given[] = [
    ['account', 'clinic', { ...clinic.account, sipPrefix: '', outbound: { concurrentCalls: 1000 } }], ['trunk', 'carrier', { host: 'sip.carrier.example' }],
    ...Object.entries(clinic.users).map(([id, body]): Given => ['user', id, body]),
    ...clinic.devices.map(({ id, ...body }): Given => ['device', id, body]),
    ...Object.entries(clinic.receivingNumbers).map(([id, body]): Given => ['receiving-number', id, body]),
    ...Object.entries(clinic.ringGroups).map(([id, body]): Given => ['ring-group', id, body]),
    ...Object.entries(clinic.menus).map(([id, body]): Given => ['menu', id, body]),
    ...Object.entries(clinic.queues).map(([id, body]): Given => ['queue', id, body]),
    ...Object.entries(clinic.routers).map(([id, body]): Given => ['router', id, body]),
    ...(clinic.nightSwitch === undefined ? [] : [['night-switch', 'night', clinic.nightSwitch] as const]),
    ['number', 'main', clinic.number],
    ['schedule', 'day', { name: 'Day', timezone: clinic.schedule.timezone, week: [{ days: clinic.schedule.days, from: clinic.schedule.from, to: clinic.schedule.to }], closures: clinic.schedule.closed.map((from) => ({ name: 'Closed', from })) }],
  ];
  const objects = new Map(given.map(([kind, id, body]) => {
    const parsed = parseDocument(kind, body);
    if (!parsed.ok) throw new Error(`${kind} ${id}: ${JSON.stringify(parsed.problems)}`);
    const object = { account: 'clinic', kind, id, version: 1, createdAt: 0, updatedAt: 0, body: parsed.body } as ConfigObject;
    return [keyText(object), object] as const;
  }));
  return checkTogether(objects).length > 0 ? undefined : clinicsOf(objects.values(), (_account, id) => `file:${id}`).map(({ account }) => account);
}

/** Callers at other times draw other lots. */
const idOf = ({ caller, at }: Pick<PaperCall, 'caller' | 'at'>): string => `${caller} ${at}`;

function compiled(accounts: readonly Account[], contacts: PaperClinic['contacts'], { caller, at, place }: Omit<PaperCall, 'keys' | 'waits'>): Plan {
  const contact = (_: string, number: string): Contact | undefined => {
    const owner = contacts[number];
    return owner === undefined ? undefined : { name: 'Somebody', ...(owner === null ? {} : { owner }) };
  };
  return compileFor(accounts, { callId: idOf({ caller, at }), dialled, callerNumber: caller, callerName: '', at, localTime: (timezone) => localTime(timezone, at), placeOf: () => place, callsOut: () => 0, contact, whisperMedia: (text) => `file:${text}` });
}

const endings = { normal: 'served', 'no-answer': 'no answer', declined: 'declined' } as const;

/** The same course, walked along what explain tells. */
function told(plan: Plan, { keys, waits }: Pick<PaperCall, 'keys' | 'waits'>): readonly Happening[] {
  const steps = explainedSteps(plan);
  const happened: Happening[] = [];
  let pressed = 0;
  for (let step = steps[0]; step !== undefined;) {
    const { next }: ExplainedStep = step;
    const after = (on: string): ExplainedStep | undefined => steps.find(({ id }) => id === next.find((one) => one.on === on)?.to);
    const inPlan = plan.steps[step.id];
    switch (inPlan?.kind) {
      case 'ring':
        happened.push(ringsOf(step));
        step = after('no answer');
        break;
      case 'menu': {
        happened.push({ asks: step.id.replace(/^menu\.|-\d+$/g, '') });
        const key = keys[pressed];
        pressed += 1;
        step = key === undefined ? after('no key') : next.some(({ on }) => on === `key ${key}`) ? after(`key ${key}`) : after('wrong keys');
        break;
      }
      case 'queue': {
        happened.push({ waits: step.queue?.id ?? '', priority: step.queue?.priority ?? 0 });
        const key = keys[pressed];
        const exit = waits === 'no room' ? undefined : next.find(({ on }) => key !== undefined && (on === `key ${key}` || on === `key ${key}, and again`));
        if (waits !== 'no room') pressed += 1;
        step = after(exit?.on ?? waits);
        break;
      }
      case 'announcement':
        happened.push({ hears: inPlan.media.map((media) => media.replace('file:', '')).join() });
        step = after('done');
        break;
      case 'voicemail':
        happened.push({ leaves: 'a message' });
        step = after('done');
        break;
      case 'hang-up':
        return [...happened, { ends: endings[inPlan.cause as keyof typeof endings] }];
      case 'setting':
      case 'supervise':
      case undefined:
        throw new Error(`${step.id} is no step of the plan of a number`);
    }
  }
  throw new Error('The plan leads nowhere');
}

function ringsOf({ pattern, legs }: ExplainedStep): Happening {
  const turns = [...new Set(legs.map(({ turn }) => turn))].toSorted((a, b) => a - b);
  return {
    rings: turns.map((turn) => legs.filter((leg) => leg.turn === turn).map((leg) => ({ phone: leg.extension ?? leg.number ?? '', seconds: leg.ringMs / 1000, after: leg.delayMs / 1000, key: leg.key !== null, shows: leg.shows.number }))),
    order: pattern === 'round-robin' ? 'any first' : pattern === 'least-connected' ? 'any order' : 'as listed',
  };
}

/** Which of the phones of one turn comes first makes no difference. */
const plain = (happenings: readonly Happening[]): readonly Happening[] =>
  happenings.map((one) => ('rings' in one ? { ...one, rings: one.rings.map((turn) => turn.toSorted(byPhone)) } : one));
const byPhone = (a: Rung, b: Rung): number => (a.phone < b.phone ? -1 : a.phone > b.phone ? 1 : a.seconds - b.seconds);

const always: PaperSchedule = { timezone: 'UTC', days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '24:00', closed: [] };

/** A key leads back to a group that has nobody, which was being passed over when the menu was made. */
const backToNobody: PaperClinic = {
  account: { name: 'The Clinic' }, users: { ana: { name: 'Ana' } }, devices: [], receivingNumbers: {}, queues: {}, routers: {}, schedule: always, contacts: {},
  ringGroups: { few: { name: 'Few', pattern: 'simultaneous', destinations: [{ target: { to: 'user', id: 'ana' } }], noAnswer: { to: 'menu', id: 'sub' } } },
  menus: { sub: { name: 'Sub', prompt: { text: 'Press a key.' }, options: { 1: { to: 'ring-group', id: 'few' } } } },
  number: { e164: dialled, name: 'Main', users: [], route: { to: 'ring-group', id: 'few' } },
};

/** By subject and reason of what the compiler says: what must have been among the clinics. */
const choices = [
  ['night switch', ''], ['hours', 'closed'], ['router', 'the caller’s area code'], ['router', 'the caller’s region'], ['router', 'the caller’s country'],
  ['router', 'rule'], ['router', 'share'], ['router', 'its default'],
] as const;

describe('the way of a call that nobody answers', () => {
  it('is the one that the rules give, whatever the clinic, the caller and the keys', () => {
    let judged = 0;
    const kinds = new Map<string, number>();
    fc.assert(fc.property(anyClinic, anyCall, (clinic, call) => {
      const accounts = accountsOf(clinic);
      fc.pre(accounts !== undefined);
      const wanted = plain(whatHappens(clinic, call, (router) => drawOf(idOf(call), router)));
      const plan = compiled(accounts, clinic.contacts, call);
      expect(plain(told(plan, call))).toEqual(wanted);
      judged += 1;
      for (const { subject, taken, why } of plan.reasons) if (taken) for (const choice of choices) if (subject.startsWith(choice[0]) && why.startsWith(choice[1])) kinds.set(choice.join(), (kinds.get(choice.join()) ?? 0) + 1);
      for (const one of wanted) for (const kind of Object.keys(one)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }), { numRuns: 1000, examples: [[backToNobody, { caller: '', keys: ['1'], waits: 'no room', at: 0, place: {} }]] });
    // what was judged had some of everything in it; the rarest is expected some thirty times, and chance is to fail nobody
    expect(judged).toBe(1000);
    expect(choices.filter((choice) => (kinds.get(choice.join()) ?? 0) < 5)).toEqual([]);
    expect(Math.min(...['rings', 'asks', 'waits', 'hears', 'leaves', 'ends'].map((kind) => kinds.get(kind) ?? 0))).toBeGreaterThan(100);
  });
});

const numbers = { company: '+12025550150', forward: '+12025550151', user: '+12025550152', owner: '+12025550153' } as const;
const paper = (change: Pick<PaperClinic, 'account' | 'users' | 'contacts'>, number: Partial<PaperClinic['number']>): PaperClinic => ({
  devices: [{ id: 'ana-1', user: 'ana', extension: '101' }], receivingNumbers: {}, ringGroups: {}, menus: {}, queues: {}, routers: {}, schedule: always, number: { e164: dialled, name: 'Main', users: [], ...number }, ...change,
});
/** Beside the phones of the number's own users. */
function takes(clinic: PaperClinic): string {
  const accounts = accountsOf(clinic);
  if (accounts === undefined) throw new Error('The clinic is refused');
  const [first] = told(compiled(accounts, clinic.contacts, { caller: '+12025550180', at: 0, place: {} }), { keys: [], waits: 'no room' });
  const phones = first !== undefined && 'rings' in first ? first.rings.flat().map(({ phone }) => phone) : [];
  const outside = phones.filter((phone) => phone !== '101').map((phone) => Object.entries(numbers).find(([, number]) => number === phone)?.[0] ?? phone);
  return outside.length === 0 ? 'inside' : outside.join();
}

describe('the precedence', () => {
  it.each(casesOf(companyFirst))('company-first: company $company, forward $forward, user’s forward $usersForward: $takes', ({ company, forward, usersForward, takes: wanted }) => {
    const clinic = paper(
      { account: { name: 'The Clinic', ...(company === 'yes' ? { company: numbers.company } : {}) }, users: { ana: { name: 'Ana', ...(usersForward === 'yes' ? { forward: numbers.user } : {}) } }, contacts: {} },
      { users: ['ana'], ...(forward === 'yes' ? { forward: numbers.forward } : {}) },
    );
    for (const precedence of [{}, { precedence: 'company-first' as const }]) expect(takes({ ...clinic, account: { ...clinic.account, ...precedence } })).toBe(wanted);
  });

  it.each(casesOf(ownerFirst))('owner-first: number’s user $numberHasUser, caller’s owner $callerHasOwner, forward $forward, company $company: $takes', ({ numberHasUser, callerHasOwner, forward, company, takes: wanted }) => {
    const clinic = paper(
      {
        account: { name: 'The Clinic', precedence: 'owner-first', ...(company === 'yes' ? { company: numbers.company } : {}) }, users: { ana: { name: 'Ana' }, ben: { name: 'Ben', forward: numbers.owner } },
        contacts: { '+12025550180': callerHasOwner === 'yes' ? 'ben' : null },
      },
      { users: numberHasUser === 'yes' ? ['ana'] : [], ...(forward === 'yes' ? { forward: numbers.forward } : {}) },
    );
    expect(takes(clinic)).toBe(wanted);
  });

  it('has a line for every case of both', () => {
    const cells = [casesOf(companyFirst), casesOf(ownerFirst)].map((cases) => cases.map((line) => Object.entries(line).filter(([name]) => name !== 'takes').map(([name, cell]) => `${name} ${cell}`).toSorted().join()));
    expect(cells.map((lines) => new Set(lines).size)).toEqual([8, 16]);
  });
});
