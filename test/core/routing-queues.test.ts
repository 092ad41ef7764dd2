/** Q1 to Q5: where a queue leads, what is heard in it, and how an agent is rung for an offer. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../control-plane/core/routing/compile.ts';
import type { Account, Queue, TrackingNumber } from '../../control-plane/core/routing/config.ts';
import { drawingOf } from '../../control-plane/core/routing/drawing.ts';
import { explain } from '../../control-plane/core/routing/explain.ts';
import { explainedSteps } from '../../control-plane/core/routing/explained-steps.ts';
import { offerRing, type OfferToRing } from '../../control-plane/core/routing/offer-ring.ts';
import type { Plan, QueueStep } from '../../control-plane/core/routing/plan.ts';
import { positionMedia, positionTexts } from '../../control-plane/core/routing/queue-position.ts';
import { deskQueuesOf } from '../../control-plane/core/routing/queue-step.ts';
import type { Target } from '../../control-plane/core/routing/targets.ts';
import { textsToPrepare } from '../../control-plane/core/routing/whisper.ts';
import { callFrom, clinic, queue, silent } from './routing-fixture.ts';

function having(queues: readonly Queue[], number: Partial<TrackingNumber> = {}): Account {
  return { ...clinic({ route: { to: 'queue', id: 'desk' }, ...number }), queues: new Map(queues.map((one) => [one.id, one])) };
}
function stepAt({ steps }: Plan, id = 'queue.desk'): QueueStep {
  const step = steps[id];
  if (step?.kind !== 'queue') throw new Error(`${id} is no queue of ${Object.keys(steps).join(', ')}`);
  return step;
}
const whyOf = ({ reasons }: Plan, subject: string): readonly string[] => reasons.filter((one) => one.subject === subject).map(({ taken, why }) => `${taken ? '+' : '-'} ${why}`);
const recorded = (rule: 'yes' | 'no'): Plan => {
  const account = having([queue()], { recordingAnnouncement: { text: 'This call is recorded.' } });
  return compile({ ...account, users: account.users.map((user) => (user.id === 'ben' ? { ...user, recording: rule } : user)) }, callFrom());
};
const music = { holdMusic: 'file:ours' } as const;

describe('A route to a queue', () => {
  it('waits there, and goes the number’s no-answer way whatever ends the wait', () => {
    const plan = compile(having([queue()], { noAnswer: { to: 'user', id: 'ben' } }), callFrom(music));
    expect([plan.first, plan.last]).toEqual(['queue.desk', undefined]);
    expect(stepAt(plan)).toMatchObject({ kind: 'queue', queue: 'desk', priority: 0, sticky: false, greeting: [], music: ['file:ours'], on: { exitKey: 'user.ben', full: 'user.ben', empty: 'user.ben', maxWait: 'user.ben', closed: 'user.ben' } });
    expect(stepAt(compile(having([queue()]), callFrom())).on.maxWait).toBe('voicemail');
  });

  it('leaves by each way out to where the queue says', () => {
    const targets: Partial<Queue> = { full: { to: 'hang-up' }, empty: { to: 'user', id: 'ben' }, maxWait: { to: 'queue', id: 'more' }, closed: { to: 'voicemail' }, exit: { key: '1', target: { to: 'precedence' } } };
    const plan = compile(having([queue(targets), queue({ id: 'more' })]), callFrom());
    expect(stepAt(plan)).toMatchObject({ exitKey: '1', on: { exitKey: 'ring', full: 'hang-up-2', empty: 'user.ben', maxWait: 'queue.more', closed: 'voicemail' } });
    // by the key a caller may come in circles
    expect(plan.last).toBe('voicemail');
  });

  it('says what is ready of its greeting, messages and music, and ours instead of what is not', () => {
    const said: Partial<Queue> = { greeting: { text: 'Welcome.' }, music: { text: 'La la.' }, messages: { everyMs: 45_000, say: [{ text: 'Hold on.' }, { media: 'file:ad' }] } };
    expect(stepAt(compile(having([queue(said)]), callFrom(music)))).toMatchObject({ greeting: ['file:Welcome.'], music: ['file:La la.'], messages: { everyMs: 45_000, media: [['file:Hold on.'], ['file:ad']] } });
    const mute = compile(having([queue(said)]), callFrom({ ...silent, ...music }));
    expect(stepAt(mute)).toMatchObject({ greeting: [], music: ['file:ours'], messages: { media: [['file:ad']] } });
    expect([whyOf(mute, 'queue.desk, greeting'), whyOf(mute, 'queue.desk, message 1')]).toEqual([['- its audio is not ready'], ['- its audio is not ready']]);
  });

  it('has the queue’s priority, or that of the way by which a caller comes', () => {
    const menu = { id: 'm', name: 'M', prompt: { text: 'Press one.' }, options: { 1: { to: 'queue', id: 'desk' }, 2: { to: 'queue', id: 'desk', priority: 9 }, 3: { to: 'queue', id: 'desk', priority: 9 } }, dialByExtension: false, tries: 1, waitMs: 5000, betweenKeysMs: 3000 } as const;
    const plan = compile({ ...having([queue({ priority: 2 })], { route: { to: 'menu', id: 'm' } }), menus: new Map([['m', menu]]) }, callFrom());
    expect(plan.steps['menu.m']).toMatchObject({ options: { 1: 'queue.desk', 2: 'queue.desk-2', 3: 'queue.desk-2' } });
    expect([stepAt(plan).priority, stepAt(plan, 'queue.desk-2').priority]).toEqual([2, 9]);
  });

  it('tells who is asked, and how', () => {
    const plan = compile(having([queue()]), callFrom());
    expect(whyOf(plan, 'queue.desk')).toEqual(['+ Front desk: who has been idle longest (longest-idle)']);
    expect(stepAt(plan).shown).toEqual({ name: 'Front desk', strategy: 'longest-idle', fallback: null, tiers: [{ afterMs: 0, agents: ['ana'], of: 1 }, { afterMs: 30_000, agents: ['ben'], of: 1 }] });
    expect(explainedSteps(plan)[0]).toMatchObject({ kind: 'queue', queue: { id: 'desk', priority: 0, strategy: 'longest-idle', tiers: [{ agents: ['ana'] }, { agents: ['ben'] }] }, next: expect.arrayContaining([{ on: 'waited too long', to: 'voicemail' }]) });
    expect(explain(plan)).toContain('agents are asked by longest-idle:\n       - ana\n       - after 30 s ben\n');
    expect(drawingOf(plan).boxes.find(({ kind }) => kind === 'queue')?.lines).toEqual(['Queue', 'queue.desk', 'Front desk', 'by longest-idle', 'ana', 'after 30 s ben']);
    const sticky = compile(having([queue({}, { strategy: 'sticky', fallback: 'weighted' })]), callFrom());
    expect([stepAt(sticky).sticky, whyOf(sticky, 'queue.desk')]).toEqual([true, ['+ Front desk: who had the caller last, for 15 s (sticky), then agents by their share (weighted)']]);
    expect(explain(sticky)).toContain('agents are asked by sticky, then weighted:');
  });

  it('names twenty agents of a tier, and how many there are', () => {
    const many = Array.from({ length: 25 }, (_, i) => ({ agent: `u${i}`, share: 1 }));
    const plan = compile(having([queue({}, { tiers: [{ agents: many, delayMs: 0 }] })]), callFrom());
    expect(stepAt(plan).shown?.tiers).toMatchObject([{ agents: expect.objectContaining({ length: 20 }), of: 25 }]);
    expect(explain(plan)).toContain('u19 and 5 more agents');
  });

  it('that is not there is passed over', () => {
    const plan = compile(having([]), callFrom());
    expect([plan.first, whyOf(plan, 'queue.desk')]).toEqual(['voicemail', ['- there is no queue “desk”']]);
  });

  it('has callers told that they are recorded where an agent’s calls may be', () => {
    expect(recorded('yes').steps['announcement']).toMatchObject({ media: ['file:This call is recorded.'], announcesRecording: true, on: { done: 'queue.desk' } });
    expect(recorded('no').first).toBe('queue.desk');
  });
});

describe('What is spoken beforehand', () => {
  it('is what the queue says, positions where it tells them, and the question of call connect', () => {
    const said: Partial<Queue> = { greeting: { text: 'Welcome.' }, messages: { everyMs: 45_000, say: [{ text: 'Hold on.' }] }, whisper: { text: 'From {number}, {callerNumber}' }, callConnect: 'every' };
    const texts = textsToPrepare(having([queue(said)]));
    expect(texts).toEqual(expect.arrayContaining(['Welcome.', 'Hold on.', 'From Main line,', 'Press any key to take this call.', 'This call was taken by someone else.']));
    expect(texts.filter((text) => positionTexts.includes(text))).toEqual([]);
    expect(textsToPrepare(having([queue({}, { announce: { firstMs: 1000, everyMs: 60_000 } })]))).toEqual(expect.arrayContaining([...positionTexts]));
  });

  it('is the same of a queue that another overflows into', () => {
    expect(textsToPrepare(having([queue({ maxWait: { to: 'queue', id: 'more' } }), queue({ id: 'more', greeting: { text: 'Still there?' } })]))).toContain('Still there?');
  });
});

const told = (position: number, minutes: number | null): readonly string[] => positionMedia(position, minutes === null ? null : minutes * 60_000, (text) => `file:${text}`);

describe('A position', () => {
  it.each<readonly [number, number | null, readonly string[]]>([
    [1, null, ['file:You are number 1 in line.']], [30, 0, ['file:You are number 30 in line.', 'file:The wait is about one minute.']], [31, 4, ['file:There are more than 30 callers in line.', 'file:The wait is about 5 minutes.']],
    [2, 15, ['file:You are number 2 in line.', 'file:The wait is about 15 minutes.']], [2, 15.1, ['file:You are number 2 in line.', 'file:The wait is about 20 minutes.']],
    [2, 59, ['file:You are number 2 in line.', 'file:The wait is about 60 minutes.']], [2, 60, ['file:You are number 2 in line.', 'file:The wait is more than an hour.']],
  ])('%i with a wait of %s minutes is told', (position, minutes, media) => {
    expect(told(position, minutes)).toEqual(media);
  });

  it('is told by texts that were prepared, whatever it is, and not at all where they are not', () => {
    const prepared = new Set(positionTexts);
    for (let position = 1; position <= 40; position += 1) {
      for (let minutes = 0; minutes <= 60; minutes += 0.5) expect(positionMedia(position, minutes * 60_000, (text) => (prepared.has(text) ? `file:${text}` : undefined))).toHaveLength(2);
    }
    expect(positionMedia(3, 60_000, () => undefined)).toEqual([]);
  });
});

const offer = (change: Partial<OfferToRing> = {}): OfferToRing => ({ queue: 'desk', agent: 'ben', devices: ['102', 'ben-1'], ringMs: 15_000, step: 'queue.desk', ...change });
const attempt = (own: Partial<Queue>, number: Partial<TrackingNumber> = {}) => offerRing(having([queue(own)], number), offer({ devices: ['102'] }), callFrom())?.attempts[0];

describe('An offer', () => {
  it('rings all devices of the agent at once, no longer than it is out, and leads back to the queue', () => {
    const ring = offerRing(having([queue()]), offer(), callFrom());
    expect(ring).toMatchObject({ kind: 'ring', pattern: 'simultaneous', ringMs: 15_000, taken: ['file:This call was taken by someone else.'], on: { noAnswer: 'queue.desk' } });
    expect(ring?.attempts.map(({ user, label, ringMs, callerId, screening }) => [user, label, ringMs, callerId.number, screening !== undefined])).toEqual([
      ['ben', 'desk', 15_000, '+13125550177', false], ['ben', 'mobile', 15_000, '+13125550177', true],
    ]);
  });

  it('rings a phone that is another’s for the agent who is logged in on it, by the agent’s own rules', () => {
    const account = having([queue()], { recording: 'yes' });
    const ring = offerRing({ ...account, users: account.users.map((user) => (user.id === 'ana' ? { ...user, recording: 'never' } : user)) }, offer({ devices: ['101'] }), callFrom());
    expect(ring?.attempts).toMatchObject([{ user: 'ben', target: { kind: 'device', device: '101' }, recording: { announced: false } }]);
  });

  it('whispers and asks for a key as the queue says, else as the number', () => {
    expect(attempt({}, { whisper: 'The main line' })).toMatchObject({ whisper: ['file:The main line'] });
    expect(attempt({ whisper: { text: 'Sales, for {practice}' } }, { whisper: 'The main line' })).toMatchObject({ whisper: ['file:Sales, for Riverside Dental'] });
    expect(attempt({ whisper: { media: 'file:recorded' } }, { whisper: 'The main line' })).toMatchObject({ whisper: ['file:recorded'] });
    expect(attempt({ callConnect: 'every' }, { acceptKey: '5' })).toMatchObject({ screening: { key: '5' }, whisper: [] });
    expect(attempt({}, { callConnect: 'every' })).toMatchObject({ screening: { key: 'any' } });
    expect(attempt({ callConnect: 'off' }, { callConnect: 'every' })).not.toHaveProperty('screening');
  });

  it('shows the number that was dialled where the number says so', () => {
    expect(offerRing(having([queue()], { passCalledNumber: true }), offer(), callFrom())?.attempts[0]?.callerId).toEqual({ number: '+12025550110', name: 'Jo Ray' });
  });

  it.each<readonly [string, Partial<OfferToRing>]>([['on no device', { devices: [] }], ['on devices that are gone', { devices: ['199'] }], ['of an agent who is gone', { agent: 'dee' }]])('%s rings nothing', (_, change) => {
    expect(offerRing(having([queue()]), offer(change), callFrom())).toBeNull();
  });

  it('on a mobile that may not be called now rings nothing', () => {
    const account = having([queue()]);
    expect(offerRing({ ...account, outbound: { ...account.outbound, concurrentCalls: 1 } }, offer({ devices: ['ben-1'] }), callFrom({ callsOut: () => 1 }))).toBeNull();
  });

  it('is rung though queue and number are no more', () => {
    expect(offerRing({ ...clinic(), numbers: [] }, offer({ devices: ['102'] }), callFrom())?.attempts).toMatchObject([{ target: { device: '102' }, whisper: [] }]);
  });
});

it('The desk has all queues of the account', () => {
  expect([deskQueuesOf(having([queue(), queue({ id: 'more' })])).map(({ id }) => id), deskQueuesOf(clinic())]).toEqual([['desk', 'more'], []]);
});

it('A target that leads on from a queue is followed for phones and words alike', () => {
  const on: Target = { to: 'message', message: { text: 'Nobody is here.' } };
  expect(textsToPrepare(having([queue({ empty: on })]))).toContain('Nobody is here.');
});
