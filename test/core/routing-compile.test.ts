import { describe, expect, it } from 'vitest';
import { compile, compileFor, warnings } from '../../control-plane/core/routing/compile.ts';
import type { Account, TrackingNumber, User } from '../../control-plane/core/routing/config.ts';
import type { Plan, RingStep } from '../../control-plane/core/routing/plan.ts';
import { callFrom, clinic, mainNumber, silent } from './routing-fixture.ts';

function ringOf(plan: Plan): RingStep {
  const step = plan.steps['ring'];
  if (step?.kind !== 'ring') throw new Error('the plan rings nobody');
  return step;
}

function why(plan: Plan, subject: string): string | undefined {
  return plan.reasons.find((reason) => reason.subject === subject)?.why;
}

const plan = (change: Partial<TrackingNumber> = {}, facts = callFrom()) => compile(clinic(change), facts);

const ringing = (ringMs: number, callConnect: 'off' | 'external' = 'off') => {
  const account = clinic({ ringMs, callConnect });
  return warnings(account, account.numbers[0] ?? mainNumber);
};

const asked = (callConnect: 'off' | 'external' | 'every') => ringOf(plan({ callConnect })).attempts.map((a) => a.screening?.key);

describe('the number that was dialled', () => {
  it.each(['+12025550110', '12025550110'])('is found whether the carrier sends it as %s', (dialled) => {
    expect(compileFor([clinic()], callFrom({ dialled })).number.e164).toBe('+12025550110');
  });

  it.each(['+12025550111', '2025550110', '', '+'])('is nobody’s when it is “%s”: hung up as unallocated', (dialled) => {
    const unknown = compileFor([clinic()], callFrom({ dialled }));
    expect(unknown.steps).toEqual({ 'hang-up': { kind: 'hang-up', cause: 'unallocated' } });
    expect(unknown.first).toBe('hang-up');
    expect(unknown.reasons).toEqual([{ subject: 'hang-up', taken: true, why: 'no number of this system was dialled' }]);
  });

  it('is looked for in every account', () => {
    const other: Account = { id: 'c2', name: 'Harbor', users: [], outbound: clinic().outbound, numbers: [{ ...mainNumber, e164: '+15105550140' }] };
    expect(compileFor([clinic(), other], callFrom({ dialled: '15105550140' })).account.id).toBe('c2');
  });
});

describe('the order of steps', () => {
  it('is announcement, ring, voicemail, hang-up', () => {
    const full = plan({ announcementText: 'Hello' });
    expect(full.first).toBe('announcement');
    expect(full.steps['announcement']).toEqual({ kind: 'announcement', media: ['file:Hello'], on: { done: 'ring' } });
    expect(ringOf(full).on).toEqual({ noAnswer: 'voicemail' });
    expect(full.steps['voicemail']).toMatchObject({ on: { done: 'hang-up' }, greeting: ['sound:vm-intro'] });
    expect(full.steps['hang-up']).toEqual({ kind: 'hang-up', cause: 'normal' });
  });

  it('rings the users’ devices and then takes a message when nothing is configured', () => {
    const plain = plan();
    expect([plain.first, ringOf(plain).attempts.length, ringOf(plain).on.noAnswer]).toEqual(['ring', 3, 'voicemail']);
  });

  it.each([[[]], [['cy']], [['nobody']]])('goes straight to voicemail when users %j have no device', (users) => {
    expect(plan({ users }).first).toBe('voicemail');
  });

  it('goes on without an announcement whose audio is not ready', () => {
    const quiet = plan({ announcementText: 'Hello' }, callFrom(silent));
    expect([quiet.first, why(quiet, 'announcement')]).toEqual(['ring', 'the audio of the announcement is not ready']);
  });

  it('keeps the standard greeting while the clinic’s own is not ready', () => {
    const quiet = plan({ voicemail: { greeting: { text: 'Hi' }, maxMs: 1, silenceMs: 1 } }, callFrom(silent));
    expect(quiet.steps['voicemail']).toMatchObject({ greeting: ['sound:vm-intro'] });
    expect(why(quiet, 'greeting')).toContain('not ready');
  });

  it('has only steps that exist, and a reason for each', () => {
    for (const change of [{}, { announcementText: 'Hello' }, { ringMs: 3000 }, { users: [] }]) {
      const one = plan(change);
      const named = [one.first, ...Object.values(one.steps).flatMap((step) => ('on' in step ? Object.values(step.on) : []))];
      expect(new Set(named)).toEqual(new Set(Object.keys(one.steps)));
      for (const id of named) expect(one.reasons).toContainEqual(expect.objectContaining({ subject: id, taken: true }));
    }
  });
});

describe('the incoming call timeout', () => {
  it('under 5 s rings nobody and takes a message', () => {
    expect(plan({ ringMs: 4999 }).first).toBe('voicemail');
    expect(why(plan({ ringMs: 3000 }), 'ring')).toBe('3 s is too short to answer: under 5 s no phone is rung');
    expect(plan({ ringMs: 5000 }).first).toBe('ring');
  });

  it('under 5 s without voicemail hangs up as not answered', () => {
    const { voicemail: _, ...without } = mainNumber;
    const short = compile({ ...clinic(), numbers: [{ ...without, ringMs: 3000 }] }, callFrom());
    expect(short.steps[short.first]).toEqual({ kind: 'hang-up', cause: 'no-answer' });
    expect(why(short, 'voicemail')).toBe('the number has voicemail turned off');
  });

  it('bounds a device that would ring longer, and a device may ring shorter', () => {
    const base = clinic();
    const users = base.users.map((user): User => ({ ...user, devices: user.devices.map((d) => ({ ...d, ringMs: d.label === 'mobile' ? 18_000 : 90_000 })) }));
    expect(ringOf(compile({ ...base, users }, callFrom())).attempts.map((a) => a.ringMs)).toEqual([30_000, 30_000, 18_000]);
  });

  it.each([5000, 14_000])('warns that an external phone rings too short at %i ms', (ms) => {
    expect(ringing(ms)).toEqual([expect.stringContaining('Ben, mobile')]);
    expect(ringing(ms)[0]).toContain('too short');
  });
  it.each([15_000, 20_000, 4000])('does not warn at %i ms', (ms) => expect(ringing(ms)).toEqual([]));
  it('warns that a mobile’s own voicemail may take the call above 20 s, unless call connect asks for a key', () => {
    expect(ringing(21_000)[0]).toContain('its own voicemail');
    expect(ringing(21_000, 'external')).toEqual([]);
  });
});

describe('who is rung', () => {
  it('sees the caller’s number and name', () => {
    for (const attempt of ringOf(plan()).attempts) expect(attempt.callerId).toEqual({ number: '+13125550177', name: 'Jo Ray' });
  });

  it('is at most seven users', () => {
    const users = Array.from({ length: 8 }, (_, i): User => ({ id: `u${i}`, name: `U${i}`, devices: [{ id: `20${i}`, label: 'desk', target: { kind: 'device', device: `20${i}` } }] }));
    const account = { ...clinic({ users: users.map((user) => user.id) }), users };
    const eight = compile(account, callFrom());
    expect(ringOf(eight).attempts.map((a) => a.user)).toEqual(['u0', 'u1', 'u2', 'u3', 'u4', 'u5', 'u6']);
    expect(why(eight, 'user u7')).toBe('a number rings at most 7 users');
  });
});

describe('call connect', () => {
  it('asks nobody, external legs only, or everybody', () => {
    expect(asked('off')).toEqual([undefined, undefined, undefined]);
    expect(asked('external')).toEqual([undefined, undefined, 'any']);
    expect(asked('every')).toEqual(['any', 'any', 'any']);
  });

  it('plays the whisper within the question to those it asks, and before the bridge to the others', () => {
    const [desk, , mobile] = ringOf(plan({ whisper: 'For {practice}.' })).attempts;
    expect(desk).toMatchObject({ whisper: ['file:For Riverside Dental.'] });
    expect(desk?.screening).toBeUndefined();
    expect(mobile).toMatchObject({ whisper: [], screening: { prompt: ['file:For Riverside Dental.', 'file:Press any key to take this call.'] } });
  });

  it('still asks, by a tone, while no audio is ready', () => {
    const mobile = ringOf(plan({ whisper: 'For {practice}.', acceptKey: '1' }, callFrom(silent))).attempts[2];
    expect(mobile?.screening).toMatchObject({ key: '1', prompt: ['tone:accept'] });
  });
});

describe('a plan’s hash', () => {
  it('is the same for all calls that go the same way, whoever calls and whatever anybody hears', () => {
    const other = callFrom({ callId: 'another', callerNumber: '+13125550178', callerName: '', callsOut: () => 1 });
    expect(new Set([plan(), plan({}, other), plan({}, callFrom(silent)), plan({ whisper: 'For {practice}.' })].map(({ hash }) => hash)).size).toBe(1);
  });

  it.each<[string, Partial<TrackingNumber>]>([
    ['was to another number', { e164: '+12025550111' }], ['rings for another time', { ringMs: 29_000 }], ['rings others', { users: ['ana'] }], ['rings others in another order', { users: ['ben', 'ana'] }],
    ['asks everybody for a key', { callConnect: 'every' }], ['asks for one key', { acceptKey: '1' }], ['is recorded', { recording: 'yes' }], ['begins with an announcement', { announcementText: 'Hello' }],
    ['leads elsewhere when nobody answers', { noAnswer: { to: 'hang-up' } }], ['lets less be said after the tone', { voicemail: { maxMs: 60_000, silenceMs: 10_000 } }], ['has a tag', { tags: ['spring'] }],
  ])('is another where the call %s', (_, change) => {
    expect(plan(change, callFrom({ dialled: change.e164 ?? mainNumber.e164 })).hash).not.toBe(plan().hash);
  });
});

it('a plan is plain data', () => {
  expect(JSON.parse(JSON.stringify(plan()))).toEqual(plan());
});
