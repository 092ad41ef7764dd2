/** Where a route leads: receiving numbers, ring groups, menus, users, and what follows when nobody accepts. */
import { describe, expect, it } from 'vitest';
import { compile, warnings } from '../../control-plane/core/routing/compile.ts';
import type { Account, Menu, ReceivingNumber, RingGroup, TrackingNumber } from '../../control-plane/core/routing/config.ts';
import { explain } from '../../control-plane/core/routing/explain.ts';
import type { Plan, Step } from '../../control-plane/core/routing/plan.ts';
import type { NightSwitch } from '../../control-plane/core/routing/night.ts';
import type { Router } from '../../control-plane/core/routing/router.ts';
import type { Target } from '../../control-plane/core/routing/targets.ts';
import { textsToPrepare } from '../../control-plane/core/routing/whisper.ts';
import { schedule as scheduleDocument } from '../../control-plane/configuration/schedules.ts';
import { localTime } from '../../control-plane/hours/local-time.ts';
import { scheduleOf } from '../../control-plane/hours/schedules.ts';
import { callFrom, clinic, silent } from './routing-fixture.ts';

const trunks = ['t1'];
const byId = <T extends { readonly id: string }>(all: readonly T[]): ReadonlyMap<string, T> => new Map(all.map((one) => [one.id, one]));
const receiving = (id: string, last: string, change: Partial<ReceivingNumber> = {}): ReceivingNumber => ({ id, label: `At ${id}`, number: `+120255501${last}`, trunks, ...change });
const group = (pattern: RingGroup['pattern'], change: Partial<RingGroup> = {}): RingGroup => ({
  id: 'desk', name: 'Front desk', pattern, destinations: [{ target: { to: 'user', id: 'ben' } }, { target: { to: 'receiving-number', id: 'north' }, delayMs: 3000, ringMs: 12_000 }], ...change,
});
const menu = (change: Partial<Menu> = {}): Menu => ({ id: 'main', name: 'Main menu', prompt: { text: 'Press one.' }, options: { 1: { to: 'user', id: 'ana' } }, dialByExtension: false, tries: 3, waitMs: 5000, betweenKeysMs: 3000, ...change });

interface Has {
  readonly receiving?: readonly ReceivingNumber[];
  readonly groups?: readonly RingGroup[];
  readonly menus?: readonly Menu[];
}

function routed(route: Target, { receiving: numbers = [receiving('north', '40'), receiving('south', '41')], groups = [], menus = [] }: Has = {}, number: Partial<TrackingNumber> = {}): Account {
  return { ...clinic({ route, ...number }), receivingNumbers: byId(numbers), ringGroups: byId(groups), menus: byId(menus) };
}

const plan = (...given: Parameters<typeof routed>): Plan => compile(routed(...given), callFrom());
/** From the first step on, by no answer: what a caller meets whom nobody wants. */
function wayOf({ first, steps }: Plan): readonly string[] {
  const way: string[] = [];
  for (let id: string | undefined = first; id !== undefined && !way.includes(id);) {
    way.push(id);
    const step: Step | undefined = steps[id];
    id = step === undefined || step.kind === 'hang-up' || step.kind === 'supervise' ? undefined : step.kind === 'ring' ? step.on.noAnswer : step.kind === 'menu' ? step.on.noKey : step.kind === 'setting' ? step.on.set : step.kind === 'queue' ? step.on.maxWait : step.on.done;
  }
  return way;
}
function ringAt(of: Plan, id: string): Extract<Step, { kind: 'ring' }> {
  const step = of.steps[id];
  if (step?.kind !== 'ring') throw new Error(`${id} is no ring of ${Object.keys(of.steps).join(', ')}`);
  return step;
}
const numbersIn = (of: Plan, id: string): readonly string[] => ringAt(of, id).attempts.map(({ target }) => (target.kind === 'device' ? target.device : target.number));
const why = (of: Plan, subject: string): readonly string[] => of.reasons.filter((reason) => reason.subject === subject).map(({ taken, why: told }) => `${taken ? '+' : '-'} ${told}`);

describe('A receiving number', () => {
  it('rings for its own time, then voicemail', () => {
    const made = plan({ to: 'receiving-number', id: 'north' }, { receiving: [receiving('north', '40', { ringMs: 15_000 })] });
    expect(wayOf(made)).toEqual(['receiving-number.north', 'voicemail', 'hang-up']);
    expect(ringAt(made, 'receiving-number.north')).toMatchObject({ ringMs: 15_000, attempts: [{ ringMs: 15_000, target: { number: '+12025550140' } }] });
  });

  it.each<readonly [string, Partial<ReceivingNumber>, Partial<TrackingNumber>, string]>([
    ['by its own rule, which is off', { callConnect: 'off' }, {}, '- it is off: whoever answers has the call'],
    ['by its own rule, where the number’s is off', { callConnect: 'every' }, { callConnect: 'off' }, '+ it asks every leg: 1 of 1 must press any key'],
    ['by the number’s, where it has none', {}, { callConnect: 'external' }, '+ it asks external legs: 1 of 1 must press any key'],
    ['by the number’s, which is off', {}, { callConnect: 'off' }, '- it is off: whoever answers has the call'],
  ])('says whether it is asked for a key: %s', (_, own, number, told) => {
    const made = plan({ to: 'receiving-number', id: 'north' }, { receiving: [receiving('north', '40', own)] }, number);
    expect(why(made, 'receiving-number.north, call connect')).toEqual([told]);
    expect(explain(made)).toContain('- At north: +12025550140 over t1,');
  });

  it('leads on over three targets when nobody answers', () => {
    const numbers = [receiving('north', '40', { noAnswer: { to: 'receiving-number', id: 'south' } }), receiving('south', '41', { noAnswer: { to: 'ring-group', id: 'desk' } })];
    expect(wayOf(plan({ to: 'receiving-number', id: 'north' }, { receiving: numbers, groups: [group('simultaneous', { noAnswer: { to: 'hang-up' } })] })))
      .toEqual(['receiving-number.north', 'receiving-number.south', 'ring-group.desk', 'hang-up']);
  });

  it('is whispered to with its own words only where the number has none', () => {
    const numbers = [receiving('north', '40', { callConnect: 'off', whisper: { text: 'A call for {practice}' } })];
    const heard = (number: Partial<TrackingNumber>) => ringAt(plan({ to: 'receiving-number', id: 'north' }, { receiving: numbers }, number), 'receiving-number.north').attempts[0]?.whisper;
    expect(heard({})).toEqual(['file:A call for Riverside Dental']);
    expect(heard({ whisper: 'The main line' })).toEqual(['file:The main line']);
    expect(heard({ whisperFile: 'file:recorded' })).toEqual(['file:recorded']);
  });

  it('has its extension dialled, and is asked for a key unless it says otherwise', () => {
    const numbers = [receiving('north', '40', { dialExtension: { digits: 'W12#', delayMs: 2000 } }), receiving('south', '41', { callConnect: 'off' })];
    expect(ringAt(plan({ to: 'receiving-number', id: 'north' }, { receiving: numbers }), 'receiving-number.north').attempts[0]).toMatchObject({ dialExtension: { digits: 'W12#', delayMs: 2000 }, screening: { key: 'any' } });
    expect(ringAt(plan({ to: 'receiving-number', id: 'south' }, { receiving: numbers }), 'receiving-number.south').attempts[0]).not.toHaveProperty('screening');
  });

  it('in a country that may not be called is passed over, and what follows it is followed', () => {
    const made = plan({ to: 'receiving-number', id: 'london' }, { receiving: [{ ...receiving('london', '40', { noAnswer: { to: 'user', id: 'ana' } }), number: '+442071838750' }] });
    expect(wayOf(made)).toEqual(['user.ana', 'voicemail', 'hang-up']);
    expect(why(made, 'receiving-number.london, outbound')).toEqual(['- At london: +442071838750 is in GB; calls are allowed to US.']);
  });
});

describe('A ring group', () => {
  it('rings all at once, each with its delay and no longer than the round', () => {
    const made = ringAt(plan({ to: 'ring-group', id: 'desk' }, { groups: [group('simultaneous', { ringMs: 10_000 })] }), 'ring-group.desk');
    expect(made).toMatchObject({ pattern: 'simultaneous', ringMs: 10_000 });
    expect(made.attempts.map(({ label, delayMs = 0, ringMs, destination }) => [label, delayMs, ringMs, destination])).toEqual([
      ['desk', 0, 10_000, 'user.ben'], ['mobile', 0, 10_000, 'user.ben'], ['At north', 3000, 10_000, 'receiving-number.north'],
    ]);
  });

  it('that stays as it was rings the phones that its users have now', () => {
    const before = routed({ to: 'ring-group', id: 'desk' }, { groups: [group('sequential')] });
    const after = { ...before, users: before.users.map((user) => ({ ...user, devices: user.devices.slice(0, 1) })) };
    expect([before, after].map((account) => ringAt(compile(account, callFrom()), 'ring-group.desk').attempts.map(({ label }) => label))).toEqual([['desk', 'mobile', 'At north'], ['desk', 'At north']]);
  });

  it.each(['sequential', 'round-robin', 'least-connected'] as const)('that is %s takes as long as its destinations do', (pattern) => {
    const made = ringAt(plan({ to: 'ring-group', id: 'desk' }, { groups: [group(pattern)] }), 'ring-group.desk');
    const [asked] = made.attempts.flatMap(({ screening }) => screening?.waitMs ?? []);
    // Of two destinations each with one that is asked for a key after its answer.
    expect([made.ringMs, made.group]).toEqual([20_000 + 3000 + 12_000 + 2 * (asked ?? 0), pattern === 'sequential' ? undefined : 'c1/desk']);
  });

  it.each([['simultaneous', ['desk', 'mobile']], ['sequential', ['desk', 'mobile', 'At north']]] as const)('that is %s rings over trunks as many at once as the account allows', (pattern, labels) => {
    const account = routed({ to: 'ring-group', id: 'desk' }, { groups: [group(pattern)] });
    const one = { ...account, outbound: { ...account.outbound, concurrentCalls: 1 } };
    expect(ringAt(compile(one, callFrom()), 'ring-group.desk').attempts.map(({ label }) => label)).toEqual(labels);
  });

  it('with no way out of its own takes that of its first destination that has one, also when all ring at once', () => {
    const numbers = [receiving('north', '40', { noAnswer: { to: 'receiving-number', id: 'south' } }), receiving('south', '41')];
    expect(wayOf(plan({ to: 'ring-group', id: 'desk' }, { receiving: numbers, groups: [group('simultaneous')] }))).toEqual(['ring-group.desk', 'receiving-number.south', 'voicemail', 'hang-up']);
    expect(wayOf(plan({ to: 'ring-group', id: 'desk' }, { receiving: numbers, groups: [group('simultaneous', { noAnswer: { to: 'voicemail' } })] }))).toEqual(['ring-group.desk', 'voicemail', 'hang-up']);
  });
});

describe('A user', () => {
  it('is rung device by device, then by their forwarding number, which is asked for a key whatever the number says', () => {
    const account = routed({ to: 'user', id: 'ben' }, {}, { callConnect: 'off' });
    const users = account.users.map((user) => (user.id === 'ben' ? { ...user, forward: { number: '+12025550150', trunks } } : user));
    const made = ringAt(compile({ ...account, users }, callFrom()), 'user.ben');
    expect(made.pattern).toBe('sequential');
    expect(made.attempts.map(({ label, destination, screening }) => [label, destination, screening !== undefined])).toEqual([['desk', '1 desk', false], ['mobile', '2 mobile', false], ['forward', '3 forward', true]]);
  });

  it('without a phone is passed over', () => {
    expect(wayOf(plan({ to: 'user', id: 'cy' }))).toEqual(['voicemail', 'hang-up']);
  });
});

describe('A menu', () => {
  it('leads where its keys say, one step for each target however many keys lead there', () => {
    const made = plan({ to: 'menu', id: 'main' }, { menus: [menu({ options: { 1: { to: 'user', id: 'ana' }, 2: { to: 'user', id: 'ana' }, 3: { to: 'voicemail' }, 0: { to: 'precedence' } } })] });
    expect(made.steps['menu.main']).toMatchObject({ kind: 'menu', prompt: ['file:Press one.'], options: { 0: 'ring', 1: 'user.ana', 2: 'user.ana', 3: 'voicemail' }, on: { noKey: 'voicemail', invalid: 'voicemail' } });
  });

  it.each<[string, Partial<Menu>]>([
    ['a key of it leads elsewhere', { options: { 1: { to: 'user', id: 'ben' } } }], ['it has another key', { options: { 2: { to: 'user', id: 'ana' } } }], ['it asks once', { tries: 1 }], ['extensions may be dialled', { dialByExtension: true }],
  ])('is another plan’s, by its hash, where %s', (_, change) => {
    const [one, other] = [menu(), menu(change)].map((asked) => plan({ to: 'menu', id: 'main' }, { menus: [asked] }).hash);
    expect(other).not.toBe(one);
  });

  it('may lead back to the menu before it by a key', () => {
    const menus = [menu({ options: { 1: { to: 'menu', id: 'more' } } }), menu({ id: 'more', options: { '*': { to: 'menu', id: 'main' } }, noKey: { to: 'hang-up' } })];
    const made = plan({ to: 'menu', id: 'main' }, { menus });
    expect(made.steps['menu.more']).toMatchObject({ options: { '*': 'menu.main' }, on: { noKey: 'hang-up', invalid: 'hang-up' } });
    expect([made.last, plan({ to: 'user', id: 'ana' }).last]).toEqual(['voicemail', undefined]);
  });

  it('knows which extensions can be dialled', () => {
    const made = plan({ to: 'menu', id: 'main' }, { menus: [menu({ dialByExtension: true })] });
    expect(made.steps['menu.main']).toMatchObject({ extensions: { firstDigits: '1', shortest: 3, longest: 3 } });
  });

  it('whose words are not spoken yet beeps, and says so', () => {
    const made = compile(routed({ to: 'menu', id: 'main' }, { menus: [menu()] }), callFrom(silent));
    expect(made.steps['menu.main']).toMatchObject({ prompt: ['tone:beep'], invalid: [] });
    expect(why(made, 'menu.main, prompt')).toEqual(['- its audio is not ready: the caller hears a beep']);
  });
});

describe('When nobody accepts', () => {
  it('the number’s no-answer routing follows once, and then voicemail', () => {
    const noAnswer: Target = { to: 'receiving-number', id: 'north' };
    expect(wayOf(compile(clinic({ noAnswer: { to: 'user', id: 'ben' } }), callFrom()))).toEqual(['ring', 'user.ben', 'voicemail', 'hang-up']);
    expect(wayOf(plan({ to: 'receiving-number', id: 'north' }, {}, { noAnswer }))).toEqual(['receiving-number.north', 'receiving-number.north-2', 'voicemail', 'hang-up']);
  });

  it('a message is played and the call ended', () => {
    const made = plan({ to: 'message', message: { text: 'We have moved.' } });
    expect([wayOf(made), made.steps['message'], made.steps['hang-up']]).toMatchObject([['message', 'hang-up'], { kind: 'announcement', media: ['file:We have moved.'] }, { cause: 'declined' }]);
  });

  it('a number without voicemail ends the call', () => {
    const account = routed({ to: 'receiving-number', id: 'north' });
    const bare = account.numbers.map(({ voicemail: _voicemail, ...number }) => number);
    expect(wayOf(compile({ ...account, numbers: bare }, callFrom()))).toEqual(['receiving-number.north', 'hang-up-no-answer']);
  });

  it('a target that is not there is passed over, and says so', () => {
    const made = plan({ to: 'menu', id: 'gone' });
    expect([wayOf(made), why(made, 'menu.gone')]).toEqual([['voicemail', 'hang-up'], ['- there is no menu “gone”']]);
  });
});

it('announces the recording at the start when any phone of the route is recorded', () => {
  const made = plan({ to: 'menu', id: 'main' }, { menus: [menu()] }, { recording: 'force', recordingAnnouncement: { text: 'Recorded.' } });
  expect(made.steps['announcement']).toMatchObject({ media: ['file:Recorded.'], announcesRecording: true, on: { done: 'menu.main' } });
  expect(numbersIn(made, 'user.ana')).toEqual(['101']);
});

it('has everything spoken beforehand that a call may come to', () => {
  const numbers = [receiving('north', '40', { whisper: { text: 'For {practice}, by {caller}' } })];
  const account = routed({ to: 'menu', id: 'main' }, { receiving: numbers, menus: [menu({ options: { 1: { to: 'receiving-number', id: 'north' }, 2: { to: 'message', message: { text: 'Bye.' } } } })] });
  expect(textsToPrepare(account)).toEqual(expect.arrayContaining(['Press one.', 'That is not one of the choices.', 'Bye.', 'For Riverside Dental, by', 'Press any key to take this call.', 'This call was taken by someone else.']));
});

it('warns of a mobile that rings too long without a key, wherever the route leads to it', () => {
  const account = routed({ to: 'receiving-number', id: 'north' }, { receiving: [receiving('north', '40', { callConnect: 'off', ringMs: 40_000 })] });
  expect(warnings(account, account.numbers[0] as TrackingNumber)).toEqual(['At north, rings 40 s without call connect: its own voicemail may take the call; turn call connect on, or ring 15 to 20 s.']);
});

const at = (instant: string) => callFrom({ at: Date.parse(instant), localTime: (timezone) => localTime(timezone, Date.parse(instant)) });

describe('While its schedule is closed', () => {
  const office = { id: 'office', document: { name: 'Office', week: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '17:00' }], closures: [{ name: 'Moving day', from: '2026-11-25' }] } } as const;
  const schedules = new Map([[office.id, scheduleOf(office.id, scheduleDocument.parse(office.document), 'America/New_York', 2026)]]);
  const account = (number: Partial<TrackingNumber> = {}): Account => ({ ...routed({ to: 'user', id: 'ana' }, { receiving: [receiving('north', '40', { taggingHours: 'office' })] }, { hours: { schedule: 'office', closed: { to: 'receiving-number', id: 'north' } }, ...number }), schedules });

  it.each([
    ['2026-11-23T15:00:00Z', 'user.ana', '- open: Monday 08:00 to 17:00; it is Monday 10:00 there'],
    ['2026-11-23T22:00:00Z', 'receiving-number.north', '+ closed: Monday is open 08:00 to 17:00; it is Monday 17:00 there'],
    ['2026-11-25T15:00:00Z', 'receiving-number.north', '+ closed: Moving day; it is Wednesday 10:00 there'],
  ])('at %s a call goes to %s', (instant, first, reason) => {
    const made = compile(account(), at(instant));
    expect([made.first, why(made, 'hours')]).toEqual([first, [reason]]);
  });

  it('calls are taken where the schedule is not there', () => {
    expect(compile(account({ hours: { schedule: 'gone', closed: { to: 'hang-up' } } }), at('2026-11-23T22:00:00Z')).first).toBe('user.ana');
  });

  it('a receiving number tags the call by its hours, and the number by its own tags', () => {
    const made = compile(account({ tags: ['flyer'] }), at('2026-11-25T15:00:00Z'));
    expect([ringAt(made, 'receiving-number.north').attempts[0]?.tags, made.tags]).toEqual([['holiday'], ['flyer']]);
  });
});

const toUser = (id: string): Target => ({ to: 'user', id });
const callerIn = (region: string, tags: readonly string[] = []) => callFrom({ placeOf: () => ({ country: 'US', region }), contact: () => ({ name: 'Jo Ray', tags }) });

describe('A router', () => {
  const routers = new Map<string, Router<Target>>([
    ['where', { kind: 'geo', id: 'where', name: 'Where', geo: [{ regions: ['US-IL'], target: toUser('ana') }], default: { to: 'router', id: 'who' } }],
    ['who', { kind: 'rules', id: 'who', name: 'Who', rules: [{ name: 'regulars', when: { field: 'contact.tags', has: 'regular' }, target: toUser('ben') }], default: { to: 'voicemail' } }],
    ['round', { kind: 'rules', id: 'round', name: 'Round', rules: [], default: { to: 'router', id: 'round' } }],
  ]);
  const account = (id: string): Account => ({ ...routed({ to: 'router', id }), routers });

  it('leaves the way that was taken in the plan, and why', () => {
    const made = compile(account('where'), callerIn('US-IL'));
    expect([made.first, why(made, 'router.where')]).toEqual(['user.ana', ['+ the caller’s region is US-IL']]);
  });

  it('may lead to another', () => {
    const made = compile(account('where'), callerIn('US-CA', ['regular']));
    expect([made.first, why(made, 'router.who')]).toEqual(['user.ben', [expect.stringMatching(/^\+ regulars: /)]]);
    expect(compile(account('where'), callerIn('US-CA')).first).toBe('voicemail');
  });

  it.each([['where', 1], ['who', 0]])('“%s” asks %i times where the caller is', (id, times) => {
    let asked = 0;
    compile(account(id), callFrom({ placeOf: () => { asked += 1; return { country: 'US', region: 'US-IL' }; } }));
    expect(asked).toBe(times);
  });

  it('is come back to by a key of the menu that it leads to', () => {
    const menus = new Map([['main', menu({ options: { 9: { to: 'router', id: 'back' } } })]]);
    const back: Router<Target> = { kind: 'rules', id: 'back', name: 'Back', rules: [], default: { to: 'menu', id: 'main' } };
    const made = compile({ ...routed({ to: 'router', id: 'back' }), menus, routers: new Map([['back', back]]) }, callFrom());
    expect([made.first, made.steps['menu.main']]).toMatchObject(['menu.main', { options: { 9: 'menu.main' } }]);
  });

  it('that leads back to itself, or is not there, is passed over', () => {
    expect([compile(account('round'), callFrom()).first, why(compile(account('round'), callFrom()), 'router.round')]).toEqual(['voicemail', ['+ its default', '- it leads back to itself']]);
    expect(why(compile(account('gone'), callFrom()), 'router.gone')).toEqual(['- there is no router “gone”']);
  });
});

const switched = (is: NightSwitch | undefined): Account => ({ ...routed({ to: 'user', id: 'ana' }), night: { ...(is === undefined ? {} : { is }), closed: { to: 'voicemail' }, emergency: { to: 'receiving-number', id: 'north' } } });
const setTo = (setting: NightSwitch['setting'], until?: number): NightSwitch => ({ setting, by: 'the front desk', since: 0, ...(until === undefined ? {} : { until }) });

describe('The night switch', () => {

  it.each([
    ['never set', undefined, 'user.ana'], ['open', setTo('open'), 'user.ana'], ['closed', setTo('closed'), 'voicemail'], ['emergency', setTo('emergency'), 'receiving-number.north'],
    ['closed until a time that is over', setTo('closed', 1000), 'user.ana'],
  ])('%s', (_, is, first) => {
    expect(compile(switched(is), callFrom()).first).toBe(first);
  });
});
