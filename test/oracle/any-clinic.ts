/** Clinics at random, small and tangled: routes that share receiving numbers, groups and menus, phones that are named twice. */
import * as fc from 'fast-check';
import type { Asks, Goes, PaperCall, PaperClinic, PaperDevice, PaperGroup, PaperMenu, PaperPlace, PaperQuestion, PaperQueue, PaperReceivingNumber, PaperRouter, PaperSchedule, PaperShare } from './clinic.ts';

export const dialled = '+12025550110';
const users = ['ana', 'ben', 'cy', 'dee'] as const;
const callers = ['+12025550180', '+12025550181', '+12025550182', ''] as const;
const outside = ['+12025550150', '+12025550151', '+12025550152'] as const;
const receiving = ['north', 'south', 'west'] as const;
const groups = ['all', 'few'] as const;
const menus = ['main', 'sub'] as const;
const queues = ['desk', 'sales'] as const;
const routers = ['who', 'when'] as const;
const seconds = fc.constantFrom(5, 8, 20, 45);
const asks: fc.Arbitrary<Asks> = fc.constantFrom('off', 'external', 'every');

const optional = <T extends object>(needed: { readonly [P in keyof T]: fc.Arbitrary<T[P]> }, requiredKeys: readonly (keyof T)[]): fc.Arbitrary<T> => fc.record(needed, { requiredKeys: [...requiredKeys] }) as fc.Arbitrary<T>;

/** Every object, so that a route may lead anywhere; a circle that nobody chooses is refused where they are put together. */
const goes: fc.Arbitrary<Goes> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...receiving).map((id) => ({ to: 'receiving-number' as const, id })) },
  { weight: 2, arbitrary: fc.constantFrom(...groups).map((id) => ({ to: 'ring-group' as const, id })) },
  { weight: 2, arbitrary: fc.constantFrom(...menus).map((id) => ({ to: 'menu' as const, id })) },
  { weight: 2, arbitrary: fc.constantFrom(...queues).chain((id) => optional<Extract<Goes, { to: 'queue' }>>({ to: fc.constant('queue' as const), id: fc.constant(id), priority: fc.constantFrom(0, 7) }, ['to', 'id'])) },
  { weight: 4, arbitrary: fc.constantFrom(...routers).map((id) => ({ to: 'router' as const, id })) },
  { weight: 2, arbitrary: fc.constantFrom(...users).map((id) => ({ to: 'user' as const, id })) },
  { weight: 3, arbitrary: fc.constantFrom({ to: 'voicemail' as const }, { to: 'hang-up' as const }, { to: 'precedence' as const }, { to: 'message' as const, message: { text: 'We are closed.' } }) },
);

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

const queue: fc.Arbitrary<PaperQueue> = optional<PaperQueue>({
  name: fc.constant('Queue'), strategy: fc.constantFrom('ring-all', 'longest-idle', 'sticky'), agents: fc.subarray([...users], { minLength: 1 }).map((some) => some.map((user) => ({ user }))), priority: fc.constantFrom(0, 3),
  exit: fc.record({ key: fc.constantFrom('1', '2', '*'), target: goes }), callback: fc.record({ key: fc.constantFrom('3', '7') }), full: goes, empty: goes, maxWait: goes,
}, ['name', 'strategy', 'agents']);

const countries = ['US', 'CA', 'GB'] as const;
const regions = ['US-CA', 'US-NY', 'CA-ON'] as const;
const areaCodes = ['415', '212', '416'] as const;
const some = <T>(of: readonly T[]): fc.Arbitrary<readonly T[]> => fc.subarray([...of], { minLength: 1, maxLength: 2 });
const place: fc.Arbitrary<PaperPlace> = fc.tuple(
  fc.oneof(fc.record({ countries: some(countries) }), fc.record({ regions: some(regions) }), fc.record({ areaCodes: some(areaCodes) }), fc.record({ countries: some(countries), regions: some(regions) }), fc.record({ countries: some(countries), areaCodes: some(areaCodes) })), goes,
).map(([where, target]) => ({ ...where, target }));
/** Without what is for a place of one before: two are refused. */
const apart = (places: readonly PaperPlace[]): readonly PaperPlace[] => {
  const seen = new Set<string>();
  return places.filter(({ countries = [], regions = [], areaCodes = [] }) => {
    const all = [...(areaCodes.length === 0 ? countries : areaCodes), ...regions];
    const free = all.every((one) => !seen.has(one));
    if (free) for (const one of all) seen.add(one);
    return free;
  });
};
const instant = fc.constantFrom('2026-03-01T00:00:00Z', '2026-06-01T00:00:00Z', '2026-10-01T00:00:00Z');
const share = optional<PaperShare>({ weight: fc.integer({ min: 1, max: 5 }), from: instant, until: instant, schedule: fc.constant('day' as const), target: goes }, ['weight', 'target'])
  .filter(({ from = '', until = 'always' }) => from < until);
const { question } = fc.letrec<{ question: PaperQuestion }>((tie) => ({
  question: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.constantFrom(...callers.slice(0, 3)).map((is) => ({ field: 'caller.number' as const, is })), fc.boolean().map((is) => ({ field: 'caller.anonymous' as const, is })),
    some(areaCodes).map((oneOf) => ({ field: 'caller.areaCode' as const, oneOf })),
    fc.constantFrom('open' as const, 'closed' as const).map((is) => ({ field: 'schedule.day' as const, is })), fc.constantFrom('normal' as const, 'closed' as const, 'emergency' as const).map((is) => ({ field: 'mode' as const, is })),
    tie('question').map((not) => ({ not })),
    fc.array(tie('question'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
    fc.array(tie('question'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
  ),
}));
const list = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> => fc.array(of, { minLength: 1, maxLength: 4 });
const router: fc.Arbitrary<PaperRouter> = fc.tuple(
  fc.oneof(fc.record({ geo: list(place).map(apart) }), fc.record({ rules: list(fc.record({ when: question, target: goes })) }), fc.record({ weighted: list(share) })), goes,
).map(([rules, otherwise]) => ({ name: 'Router', ...rules, default: otherwise }));

const clock = fc.constantFrom('00:00', '06:30', '08:00', '12:00', '17:30', '22:00');
const schedule: fc.Arbitrary<PaperSchedule> = fc.record({
  timezone: fc.constantFrom('UTC', 'America/New_York', 'Australia/Lord_Howe'), days: fc.subarray(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const, { minLength: 1 }), from: clock, to: clock,
  closed: fc.uniqueArray(fc.integer({ min: 0, max: 364 }).map((day) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10)), { maxLength: 60 }),
}).filter(({ from, to }) => from !== to);

const byId = <T>(ids: readonly string[], one: (i: number) => fc.Arbitrary<T>): fc.Arbitrary<Readonly<Record<string, T>>> => fc.tuple(...ids.map((_, i) => one(i))).map((all) => Object.fromEntries(ids.map((id, i) => [id, all[i] as T])));
const entries = ['company', 'number-forward', 'number-user', 'contact-owner'] as const;

export const anyClinic: fc.Arbitrary<PaperClinic> = optional<PaperClinic>({
  account: optional<PaperClinic['account']>({
    name: fc.constant('The Clinic'),
    precedence: fc.oneof(fc.constantFrom('company-first' as const, 'owner-first' as const), fc.shuffledSubarray([...entries], { minLength: 1 })),
    company: fc.constantFrom(...outside),
    night: optional<NonNullable<PaperClinic['account']['night']>>({ closed: goes, emergency: goes }, []),
    blocked: optional<NonNullable<PaperClinic['account']['blocked']>>({
      numbers: fc.subarray(callers.slice(1, 3)), anonymous: fc.boolean(), action: fc.constantFrom('reject', 'voicemail', 'message'), message: fc.constant({ text: 'You cannot be connected.' }),
    }, ['numbers', 'anonymous', 'action']),
  }, ['name']),
  users: byId(users, () => optional<{ name: string; forward: string }>({ name: fc.constant('Somebody'), forward: fc.constantFrom(...outside) }, ['name'])),
  devices,
  receivingNumbers: byId(receiving, receivingNumber),
  ringGroups: byId(groups, () => group),
  menus: byId(menus, () => menu),
  queues: byId(queues, () => queue),
  routers: byId(routers, () => router),
  schedule,
  nightSwitch: optional<NonNullable<PaperClinic['nightSwitch']>>({ mode: fc.constantFrom('open', 'closed', 'emergency'), until: fc.constantFrom('2026-03-01T00:00:00Z', '2026-10-01T00:00:00Z') }, ['mode']),
  number: optional<PaperClinic['number']>({
    e164: fc.constant(dialled), name: fc.constant('Main'), users: fc.subarray([...users]), user: fc.constantFrom(...users), timeoutSeconds: fc.constantFrom(4, 5, 15, 30), callConnect: asks,
    forward: fc.constantFrom(...outside), route: goes, noAnswer: goes, hours: fc.record({ schedule: fc.constant('day' as const), closed: goes }), voicemail: fc.record({ enabled: fc.boolean() }), passCalledNumber: fc.boolean(),
  }, ['e164', 'name', 'users']),
  contacts: fc.dictionary(fc.constantFrom(...callers.slice(0, 3)), fc.option(fc.constantFrom(...users), { nil: null })),
}, ['account', 'users', 'devices', 'receivingNumbers', 'ringGroups', 'menus', 'queues', 'routers', 'schedule', 'number', 'contacts']);

export const anyCall: fc.Arbitrary<PaperCall> = fc.record({
  caller: fc.constantFrom(...callers), keys: fc.array(fc.constantFrom('1', '2', '3', '*', '7'), { maxLength: 4 }), waits: fc.constantFrom('no room', 'nobody there', 'waited too long'), at: fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) }),
  place: optional<PaperCall['place']>({ country: fc.constantFrom(...countries), region: fc.constantFrom(...regions), areaCode: fc.constantFrom(...areaCodes) }, []),
});
