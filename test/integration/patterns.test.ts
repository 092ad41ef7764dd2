/**
 * Ring groups and receiving numbers, from their documents to phones that ring: through a real switch, and two
 * controllers where it matters who counts.
 */
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { answersAfter, busy, declines, rings } from '../support/behaviour.ts';
import { openClinic, PROMPTS, type Clinic, type ClinicPlan } from '../support/clinic.ts';
import { cdrsIn } from '../support/controller-data.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const [SEQUENTIAL, ROUND_ROBIN, LEAST, TOGETHER, DIRECT, EXTENSION, WHISPERED] = [0, 1, 2, 3, 4, 5, 6].map((i) => `+1555010${i}`) as [string, string, string, string, string, string, string];
const patterns = ['simultaneous', 'sequential', 'round-robin', 'least-connected'] as const;
const nobodyAt = (i: number): string => `+1555011${i}`;
let site: Site;
let clinic: Clinic;

const to = (...ids: readonly string[]) => ids.map((id) => ({ target: { to: 'user', id } }));
const receiving = { target: { to: 'receiving-number', id: 'practice' } };
const route = (id: string) => ({ route: { to: 'ring-group', id }, users: [], callConnect: 'off' as const });

const plan: ClinicPlan = {
  users: ['ann', 'bob', 'cat', 'dan'].map((id, i) => ({ id, devices: [{ extension: `10${i + 1}` }] })),
  receivingNumbers: [
    { id: 'practice', label: 'The practice', number: '+12025559998', callConnect: 'off' },
    { id: 'switchboard', label: 'The switchboard', number: '+12025559999', callConnect: 'off', dialExtension: { digits: '2w04', delaySeconds: 1 } },
  ],
  ringGroups: [
    { id: 'top-down', name: 'Top down', pattern: 'sequential', destinations: [...to('ann', 'bob', 'cat'), { ...to('dan')[0], ringSeconds: 1 }, receiving] },
    { id: 'turns', name: 'Turns', pattern: 'round-robin', destinations: to('ann', 'bob', 'cat') },
    { id: 'least', name: 'Least', pattern: 'least-connected', destinations: to('ann', 'bob', 'cat') },
    ...patterns.map((pattern) => ({ id: `nobody-${pattern}`, name: 'Nobody', pattern, destinations: [...to('ann', 'bob', 'cat'), { ...to('dan')[0], ringSeconds: 1 }] })),
    { id: 'together', name: 'Together', pattern: 'simultaneous', destinations: [...to('ann'), { ...to('bob')[0], delaySeconds: 1 }], ringSeconds: 5, noAnswer: { to: 'user', id: 'cat' } },
  ],
  numbers: [
    { e164: SEQUENTIAL, ...route('top-down') },
    { e164: ROUND_ROBIN, ...route('turns') },
    { e164: LEAST, ...route('least') },
    { e164: TOGETHER, ...route('together'), voicemail: 'off' },
    ...patterns.map((pattern, i) => ({ e164: nobodyAt(i), ...route(`nobody-${pattern}`), voicemail: 'off' as const })),
    { e164: DIRECT, users: ['ann'], callConnect: 'off' },
    { e164: EXTENSION, route: { to: 'receiving-number', id: 'switchboard' }, users: [], callConnect: 'off', whisper: { file: 'whisper.wav' } },
    { e164: WHISPERED, ...route('top-down'), whisper: { file: 'whisper.wav' } },
  ],
};

beforeAll(async () => {
  site = await openSite();
  clinic = await openClinic(site, plan);
}, SITE_START_MS);
afterEach(async () => {
  await site.afterTest();
  await clinic.expectNothingLeft();
});
afterAll(() => site.close());

const rung = ({ legs }: Cdr) => legs.map(({ user, label, disposition }) => `${user === '' ? label : user} ${disposition}`);
/** The switch has told that both are in the bridge: a hang-up before is no end of a talk. */
const talks = async (caller: Caller): Promise<void> => {
  await caller.call.connected();
  await until(async () => (await clinic.stateOf(caller)).phase === 'connected', { describe: 'they talk' });
};
/** When a phone's INVITE came, by SIPp's clock. */
const invitedAt = (call: { readonly messages: readonly { readonly at: number }[] } | undefined): number => call?.messages[0]?.at ?? 0;

test('By every pattern, many calls at once: one who is busy, declines, is not there or does not answer is rung once, and the call goes on', async () => {
  const desks = [await site.phone('101', busy), await site.phone('102', declines), await site.phone('104')];
  const callers = await Promise.all([...patterns.keys(), ...patterns.keys()].map((i) => clinic.call(nobodyAt(i))));
  await Promise.all(callers.map(({ call }) => call.ended(8_000)));
  const cdrs = await Promise.all(callers.map((caller) => clinic.cdrOf(caller)));
  expect(cdrs.map((cdr) => [rung(cdr).toSorted((a, b) => (a < b ? -1 : 1)), cdr.disposition])).toEqual(callers.map(() => [['ann busy', 'bob declined', 'cat unreachable', 'dan no-answer'], 'no-answer']));
  expect(desks.map(({ calls }) => calls.length)).toEqual(desks.map(() => callers.length));
});

describe('A group that is rung top-down', () => {
  test('goes from one who is busy to one who declines, one who is not there and one who does not answer, to a number that answers', async () => {
    await site.phone('101', busy);
    await site.phone('102', declines);
    const dan = await site.phone('104');
    const mobile = await site.carrier();
    const caller = await clinic.call(SEQUENTIAL);
    const unheard = await dan.nextCall();
    expect(mobile.calls).toHaveLength(0);
    const cell = await mobile.nextCall();
    expect(invitedAt(cell) - invitedAt(unheard)).toBeGreaterThan(950);
    expect(caller.call.state()).toBe('ringing');
    await unheard.ended();
    await cell.answer();
    await talks(caller);
    await caller.call.hangUp();
    const cdr = await clinic.cdrOf(caller);
    expect(rung(cdr)).toEqual(['ann busy', 'bob declined', 'cat unreachable', 'dan no-answer', 'The practice answered']);
    expect(cdr.orders).toEqual([{ step: 'ring-group.top-down', order: ['user.ann', 'user.bob', 'user.cat', 'user.dan', 'receiving-number.practice'], why: 'as listed' }]);
  });

  test('rings on when the one who answered hangs up in the whisper', async () => {
    const [desk, other] = [await site.phone('101'), await site.phone('102')];
    const caller = await clinic.call(WHISPERED);
    const ann = await desk.nextCall();
    await ann.answer();
    await until(() => ann.hears(PROMPTS.whisper), { describe: 'the callee hears the whisper' });
    expect(other.calls).toHaveLength(0);
    await ann.hangUp();
    const bob = await other.nextCall();
    await bob.answer();
    await talks(caller);
    await caller.call.hangUp();
    expect(rung(await clinic.cdrOf(caller))).toEqual(['ann declined', 'bob answered']);
  });
});

describe('A group that takes turns', () => {
  test('takes them evenly over many calls at once and two controllers, and walks on from who is busy', async () => {
    const dataDir = join(site.folder, 'second');
    const second = await site.startController({ planFile: join(site.folder, 'clinic', 'plan.yaml'), dataDir, instance: 'second' });
    await Promise.all([site.phone('101', answersAfter(20)), site.phone('102', busy), site.phone('103', answersAfter(20))]);
    const callers: Caller[] = [];
    for (let i = 0; i < 5; i++) callers.push(...await Promise.all(Array.from({ length: 6 }, () => clinic.call(ROUND_ROBIN))));
    await until(async () => (await site.redis.journals()).filter((journal) => journal.some((record) => record.includes('"LegConnected"'))).length === callers.length, { describe: 'all talk', within: 15_000 });
    await Promise.all(callers.map(({ call }) => call.hangUp()));
    const cdrs = (): readonly Cdr[] => [clinic.dataDir, dataDir].flatMap(cdrsIn).filter(({ dialled }) => dialled.endsWith(ROUND_ROBIN.slice(1)));
    await until(() => cdrs().length === callers.length, { describe: 'every call has its record' });
    const first = cdrs().map(({ legs: [leg] }) => leg?.user);
    expect(['ann', 'bob', 'cat'].map((user) => first.filter((one) => one === user).length)).toEqual([10, 10, 10]);
    expect(new Set(cdrs().flatMap(({ orders }) => orders.map(({ why }) => why))).size).toBe(30);
    expect(cdrs().filter(({ legs: [leg] }) => leg?.user === 'bob').map(rung)).toEqual(Array.from({ length: 10 }, () => ['bob busy', 'cat answered']));
    await second.stop();
  });

  test('asks again when its controller was killed while it asked whose turn it is, and rings one', async () => {
    const desks = await Promise.all(['101', '102', '103'].map((extension) => site.phone(extension, answersAfter(20))));
    const redis = new Redis(site.redisUrl);
    let askedAgain = false;
    try {
      // it asks for no longer than 150 ms: on a busy machine the kill may come too late
      for (let tries = 1; tries <= 3 && !askedAgain; tries += 1) {
        await redis.client('PAUSE', 10_000, 'WRITE');
        const caller = await clinic.call(ROUND_ROBIN);
        await until(() => caller.call.state() === 'ringing', { describe: 'the caller hears ringing', everyMs: 2 });
        await clinic.controller.kill();
        await redis.client('UNPAUSE');
        clinic = await openClinic(site, plan);
        await talks(caller);
        await caller.call.hangUp();
        expect(rung(await clinic.cdrOf(caller))).toEqual([expect.stringMatching(/ answered$/)]);
        expect(desks.reduce((sum, { calls }) => sum + calls.length, 0)).toBe(tries);
        askedAgain = (await clinic.journalOf(caller)).some((record) => record.kind === 'step' && record.event.type === 'CallAdopted' && record.commands.some(({ type }) => type === 'OrderDestinations'));
      }
    } finally {
      redis.disconnect();
    }
    expect(askedAgain).toBe(true);
  }, 40_000);
});

describe('A group of the least connected', () => {
  test('skips who talks, prefers who is not even rung, and then who has been idle for longest', async () => {
    const [desk, other, third] = [await site.phone('101'), await site.phone('102'), await site.phone('103')];
    const direct = await clinic.call(DIRECT);
    await (await desk.nextCall()).answer();
    await talks(direct);
    const [one, two] = [await clinic.call(LEAST), await clinic.call(LEAST)];
    const calls = await Promise.all([other.nextCall(), third.nextCall()]);
    expect(desk.calls).toHaveLength(1);
    for (const call of calls) await call.answer();
    await Promise.all([one, two].map(talks));
    for (const caller of [direct, one, two]) await caller.call.hangUp();
    const reasons = (await Promise.all([one, two].map((caller) => clinic.cdrOf(caller)))).map(({ orders: [order] }) => order?.why ?? '');
    expect(reasons.every((why) => why.includes('busy, so skipped: user.ann'))).toBe(true);
    const idle = await clinic.call(LEAST);
    const ann = await desk.nextCall();
    await ann.answer();
    await talks(idle);
    await idle.call.hangUp();
    expect((await clinic.cdrOf(idle)).orders).toMatchObject([{ order: ['user.ann', 'user.bob', 'user.cat'], why: expect.stringContaining('of equals the longest idle first') }]);
  });
});

describe('A group that rings at once', () => {
  test('rings one later than the others, nobody after its time, and then follows its no-answer routing', async () => {
    const [desk, other, third] = [await site.phone('101', busy), await site.phone('102'), await site.phone('103')];
    const caller = await clinic.call(TOGETHER);
    const [ann, bob] = [await desk.nextCall(), await other.nextCall()];
    expect(invitedAt(bob) - invitedAt(ann)).toBeGreaterThan(950);
    const cat = await third.nextCall(8_000);
    expect(bob.state()).toBe('ended');
    expect(invitedAt(cat) - invitedAt(ann)).toBeGreaterThan(4_950);
    await cat.answer();
    await talks(caller);
    await caller.call.hangUp();
    expect(rung(await clinic.cdrOf(caller))).toEqual(['ann busy', 'bob no-answer', 'cat answered']);
  });
});

describe('An extension behind a switchboard', () => {
  test('is dialled by keys after the delay, with its pause; then comes the whisper, then the caller', async () => {
    const mobile = await site.carrier(rings());
    const caller = await clinic.call(EXTENSION);
    const cell = await mobile.nextCall();
    await cell.answer();
    const answered = performance.now();
    await until(() => cell.hears(PROMPTS.whisper), { describe: 'whoever answers there hears the whisper', within: 8_000 });
    expect(caller.call.state()).toBe('ringing');
    const keys = cell.audio()?.keys ?? [];
    expect(keys.map(({ key }) => key).join('')).toBe('204');
    const [two = 0, zero = 0, four = 0] = keys.map(({ at }) => at - answered);
    expect(two).toBeGreaterThan(900);
    expect(zero - two).toBeGreaterThan(650);
    expect(four).toBeGreaterThan(zero);
    await talks(caller);
    caller.call.play(350);
    await until(() => cell.hears(350), { describe: 'they hear each other' });
    await caller.call.hangUp();
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered' });
    expect(await clinic.factsOf(caller)).toContainEqual(expect.objectContaining({ type: 'ExtensionDialed', digits: '2w04' }));
  });
});
