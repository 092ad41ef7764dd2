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
import { weekdays } from '../../control-plane/core/routing/schedule.ts';
import { localTime } from '../../control-plane/hours/local-time.ts';
import { anyCall, anyClinic, dialled } from '../oracle/any-clinic.ts';
import { openHours, type PaperCall, type PaperClinic } from '../oracle/clinic.ts';
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
    ['number', 'main', clinic.number],
    ['schedule', 'day', { name: 'Day', timezone: 'UTC', week: [{ days: weekdays, from: `0${openHours.from}:00`, to: `${openHours.until}:00` }] }],
  ];
  const objects = new Map(given.map(([kind, id, body]) => {
    const parsed = parseDocument(kind, body);
    if (!parsed.ok) throw new Error(`${kind} ${id}: ${JSON.stringify(parsed.problems)}`);
    const object = { account: 'clinic', kind, id, version: 1, createdAt: 0, updatedAt: 0, body: parsed.body } as ConfigObject;
    return [keyText(object), object] as const;
  }));
  return checkTogether(objects).length > 0 ? undefined : clinicsOf(objects.values(), (_account, id) => `file:${id}`).map(({ account }) => account);
}

function compiled(accounts: readonly Account[], contacts: PaperClinic['contacts'], { caller, at }: Pick<PaperCall, 'caller' | 'at'>): Plan {
  const contact = (_: string, number: string): Contact | undefined => {
    const owner = contacts[number];
    return owner === undefined ? undefined : { name: 'Somebody', ...(owner === null ? {} : { owner }) };
  };
  return compileFor(accounts, { callId: 'call', dialled, callerNumber: caller, callerName: '', at, localTime: (timezone) => localTime(timezone, at), callsOut: () => 0, contact, whisperMedia: (text) => `file:${text}` });
}

const endings = { normal: 'message left', 'no-answer': 'no answer', declined: 'declined' } as const;

/** The same course, walked along what explain tells. */
function told(plan: Plan, keys: readonly string[]): readonly Happening[] {
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
      case undefined:
        throw new Error(`${step.id} is no step of the plan`);
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

/** A key leads back to a group that has nobody, which was being passed over when the menu was made. */
const backToNobody: PaperClinic = {
  account: { name: 'The Clinic' }, users: { ana: { name: 'Ana' } }, devices: [], receivingNumbers: {}, contacts: {},
  ringGroups: { few: { name: 'Few', pattern: 'simultaneous', destinations: [{ target: { to: 'user', id: 'ana' } }], noAnswer: { to: 'menu', id: 'sub' } } },
  menus: { sub: { name: 'Sub', prompt: { text: 'Press a key.' }, options: { 1: { to: 'ring-group', id: 'few' } } } },
  number: { e164: dialled, name: 'Main', users: [], route: { to: 'ring-group', id: 'few' } },
};

describe('the way of a call that nobody answers', () => {
  it('is the one that the rules give, whatever the clinic, the caller and the keys', () => {
    let judged = 0;
    const kinds = new Map<string, number>();
    fc.assert(fc.property(anyClinic, anyCall, (clinic, call) => {
      const accounts = accountsOf(clinic);
      fc.pre(accounts !== undefined);
      const wanted = plain(whatHappens(clinic, call));
      expect(plain(told(compiled(accounts, clinic.contacts, call), call.keys))).toEqual(wanted);
      judged += 1;
      for (const one of wanted) for (const kind of Object.keys(one)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }), { numRuns: 2000, examples: [[backToNobody, { caller: '', keys: ['1'], at: 0 }]] });
    // what was judged had some of everything in it
    expect(judged).toBe(2000);
    expect(Math.min(...['rings', 'asks', 'hears', 'leaves', 'ends'].map((kind) => kinds.get(kind) ?? 0))).toBeGreaterThan(100);
  });
});

const numbers = { company: '+12025550150', forward: '+12025550151', user: '+12025550152', owner: '+12025550153' } as const;
const paper = (change: Pick<PaperClinic, 'account' | 'users' | 'contacts'>, number: Partial<PaperClinic['number']>): PaperClinic => ({
  devices: [{ id: 'ana-1', user: 'ana', extension: '101' }], receivingNumbers: {}, ringGroups: {}, menus: {}, number: { e164: dialled, name: 'Main', users: [], ...number }, ...change,
});
/** Beside the phones of the number's own users. */
function takes(clinic: PaperClinic): string {
  const accounts = accountsOf(clinic);
  if (accounts === undefined) throw new Error('The clinic is refused');
  const [first] = told(compiled(accounts, clinic.contacts, { caller: '+12025550180', at: 0 }), []);
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
