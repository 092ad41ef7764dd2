/** Clinics at random, small and tangled: routes that share receiving numbers, groups and menus, phones that are named twice. */
import * as fc from 'fast-check';
import type { Asks, Goes, PaperCall, PaperClinic, PaperDevice, PaperGroup, PaperMenu, PaperReceivingNumber } from './clinic.ts';

export const dialled = '+12025550110';
const users = ['ana', 'ben', 'cy', 'dee'] as const;
const callers = ['+12025550180', '+12025550181', '+12025550182', ''] as const;
const outside = ['+12025550150', '+12025550151', '+12025550152'] as const;
const receiving = ['north', 'south', 'west'] as const;
const groups = ['all', 'few'] as const;
const menus = ['main', 'sub'] as const;
const seconds = fc.constantFrom(5, 8, 20, 45);
const asks: fc.Arbitrary<Asks> = fc.constantFrom('off', 'external', 'every');

/** Every object, so that a route may lead anywhere; a circle that nobody chooses is refused where they are put together. */
const goes: fc.Arbitrary<Goes> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...receiving).map((id) => ({ to: 'receiving-number' as const, id })) },
  { weight: 2, arbitrary: fc.constantFrom(...groups).map((id) => ({ to: 'ring-group' as const, id })) },
  { weight: 2, arbitrary: fc.constantFrom(...menus).map((id) => ({ to: 'menu' as const, id })) },
  { weight: 2, arbitrary: fc.constantFrom(...users).map((id) => ({ to: 'user' as const, id })) },
  { weight: 3, arbitrary: fc.constantFrom({ to: 'voicemail' as const }, { to: 'hang-up' as const }, { to: 'precedence' as const }, { to: 'message' as const, message: { text: 'We are closed.' } }) },
);

const optional = <T extends object>(needed: { readonly [P in keyof T]: fc.Arbitrary<T[P]> }, requiredKeys: readonly (keyof T)[]): fc.Arbitrary<T> => fc.record(needed, { requiredKeys: [...requiredKeys] }) as fc.Arbitrary<T>;

const device = (user: string, n: number): fc.Arbitrary<PaperDevice> => fc.tuple(fc.boolean(), optional<{ ringSeconds: number; preference: number }>({ ringSeconds: seconds, preference: fc.constantFrom(10, 50, 90) }, [])).map(([isMobile, more]) => {
  const last = users.indexOf(user as (typeof users)[number]) * 3 + n;
  return { id: `${user}-${n}`, user, ...(isMobile ? { mobile: `+1202555${1200 + last}` } : { extension: `${101 + last}` }), ...more };
});
const devices: fc.Arbitrary<readonly PaperDevice[]> = fc.tuple(...users.map((user) => fc.nat(3).chain((count) => fc.tuple(...Array.from({ length: count }, (_, n) => device(user, n)))))).map((lists) => lists.flat());

const receivingNumber = (i: number): fc.Arbitrary<PaperReceivingNumber> => optional<PaperReceivingNumber>(
  { number: fc.constant(`+120255513${10 + i}`), label: fc.constant(receiving[i] ?? ''), ringSeconds: fc.constantFrom(3, 5, 15, 40), callConnect: asks, noAnswer: goes }, ['number', 'label'],
);
const destination = fc.oneof(fc.constantFrom(...receiving).map((id) => ({ to: 'receiving-number' as const, id })), fc.constantFrom(...users).map((id) => ({ to: 'user' as const, id })));
const group: fc.Arbitrary<PaperGroup> = optional<PaperGroup>({
  name: fc.constant('Group'), pattern: fc.constantFrom('simultaneous', 'round-robin', 'sequential', 'least-connected'),
  destinations: fc.uniqueArray(optional<PaperGroup['destinations'][number]>({ target: destination, delaySeconds: fc.constantFrom(0, 2, 6), ringSeconds: seconds }, ['target']), { minLength: 1, maxLength: 4, selector: ({ target }) => `${target.to} ${target.id}` }),
  ringSeconds: fc.constantFrom(4, 5, 20, 45), noAnswer: goes,
}, ['name', 'pattern', 'destinations']);
const menu: fc.Arbitrary<PaperMenu> = optional<PaperMenu>({
  name: fc.constant('Menu'), prompt: fc.constant({ text: 'Press a key.' }), options: fc.dictionary(fc.constantFrom('1', '2', '3', '*'), goes, { minKeys: 1, maxKeys: 4 }), noKey: goes, invalid: goes,
}, ['name', 'prompt', 'options']);

const byId = <T>(ids: readonly string[], one: (i: number) => fc.Arbitrary<T>): fc.Arbitrary<Readonly<Record<string, T>>> => fc.tuple(...ids.map((_, i) => one(i))).map((all) => Object.fromEntries(ids.map((id, i) => [id, all[i] as T])));
const entries = ['company', 'number-forward', 'number-user', 'contact-owner'] as const;

export const anyClinic: fc.Arbitrary<PaperClinic> = fc.record({
  account: optional<PaperClinic['account']>({
    name: fc.constant('The Clinic'),
    precedence: fc.oneof(fc.constantFrom('company-first' as const, 'owner-first' as const), fc.shuffledSubarray([...entries], { minLength: 1 })),
    company: fc.constantFrom(...outside),
    blocked: optional<NonNullable<PaperClinic['account']['blocked']>>({
      numbers: fc.subarray(callers.slice(1, 3)), anonymous: fc.boolean(), action: fc.constantFrom('reject', 'voicemail', 'message'), message: fc.constant({ text: 'You cannot be connected.' }),
    }, ['numbers', 'anonymous', 'action']),
  }, ['name']),
  users: byId(users, () => optional<{ name: string; forward: string }>({ name: fc.constant('Somebody'), forward: fc.constantFrom(...outside) }, ['name'])),
  devices,
  receivingNumbers: byId(receiving, receivingNumber),
  ringGroups: byId(groups, () => group),
  menus: byId(menus, () => menu),
  number: optional<PaperClinic['number']>({
    e164: fc.constant(dialled), name: fc.constant('Main'), users: fc.subarray([...users]), user: fc.constantFrom(...users), timeoutSeconds: fc.constantFrom(4, 5, 15, 30), callConnect: asks,
    forward: fc.constantFrom(...outside), route: goes, noAnswer: goes, hours: fc.record({ schedule: fc.constant('day' as const), closed: goes }), voicemail: fc.record({ enabled: fc.boolean() }), passCalledNumber: fc.boolean(),
  }, ['e164', 'name', 'users']),
  contacts: fc.dictionary(fc.constantFrom(...callers.slice(0, 3)), fc.option(fc.constantFrom(...users), { nil: null })),
});

export const anyCall: fc.Arbitrary<PaperCall> = fc.record({
  caller: fc.constantFrom(...callers), keys: fc.array(fc.constantFrom('1', '2', '3', '*', '7'), { maxLength: 4 }), at: fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) }),
});
