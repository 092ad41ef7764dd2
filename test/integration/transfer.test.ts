/**
 * Transfers from desk phones on a live switch: a REFER is followed by the call, and its record tells both parts.
 */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rings } from '../support/behaviour.ts';
import { cdrsIn } from '../support/controller-data.ts';
import { openClinic, PROMPTS, type Clinic } from '../support/clinic.ts';
import type { SipCall } from '../support/sip-call.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { isRingback } from '../support/tone.ts';
import { stays, until } from '../support/until.ts';

const DESK = '+15550150';
const tones = { caller: 350, ann: 700, bob: 900 } as const;
let site: Site;
let clinic: Clinic;

const open = (): Promise<Clinic> => openClinic(site, {
  users: [{ id: 'ann', devices: [{ extension: '101' }] }, { id: 'bob', devices: [{ extension: '102' }] }, { id: 'eva', devices: [{ extension: '103' }] }, { id: 'dan', devices: [{ extension: '104' }] }, { id: 'kim', devices: [{ extension: '105' }] }],
  numbers: [{ e164: DESK, users: ['ann'], callConnect: 'off', voicemail: { greeting: { file: 'greeting.wav' } } }],
}, {}, { FRONTDESK_TRANSFERS: 'on' });

beforeAll(async () => {
  site = await openSite();
  clinic = await open();
}, SITE_START_MS);
afterEach(async () => {
  await site.afterTest();
  await clinic.expectNothingLeft();
});
afterAll(() => site.close());

const to = (extension: string): string => `sip:${extension}@${site.sip.host}`;
const hearsRinging = ({ call }: Caller): boolean => isRingback(call.audio()?.heard(200) ?? new Int16Array(0));
const talk = (one: SipCall, hears: number, other: SipCall, heard: number): Promise<unknown> =>
  until(() => one.hears(hears) && other.hears(heard), { describe: `${one.party} and ${other.party} hear each other` });

/** A patient talks with Ann, who wants Bob to have the call. */
const withAnn = async (): Promise<{ readonly caller: Caller; readonly ann: SipCall; readonly annsPhone: Party; readonly bobsPhone: Party }> => {
  const [annsPhone, bobsPhone] = await Promise.all([site.phone('101', rings({ sound: tones.ann })), site.phone('102', rings({ sound: tones.bob }))]);
  const caller = await clinic.call(DESK, { sound: tones.caller });
  const ann = await annsPhone.nextCall();
  await ann.answer();
  await talk(caller.call, tones.ann, ann, tones.caller);
  return { caller, ann, annsPhone, bobsPhone };
};

describe('A phone that transfers a patient without waiting', () => {
  test('is told yes and let go; the patient hears ringing, then who answers, and the record has both', async () => {
    const { caller, ann, bobsPhone } = await withAnn();
    await ann.hold();
    expect(await ann.transfer(to('102'))).toBe(202);
    const bob = await bobsPhone.nextCall();
    await ann.ended();
    expect([ann.transferStatus(), ann.endedBy()]).toEqual([200, 'switch']);
    expect(bob.callerId()).toMatchObject({ number: caller.call.callerId().number });
    await until(() => hearsRinging(caller), { describe: 'the patient hears ringing' });
    await bob.answer();
    await talk(caller.call, tones.bob, bob, tones.caller);
    await stays(() => caller.call.hears(tones.bob) && bob.hears(tones.caller), { describe: 'they go on hearing each other', forMs: 2_500 });
    await bob.hangUp();
    await caller.call.ended();
    const cdr = await clinic.cdrOf(caller);
    expect(cdr).toMatchObject({ disposition: 'answered', endedBy: 'callee', transfers: [{ kind: 'blind', by: cdr.legs[0]?.legId, to: '102', outcome: 'answered', why: null }] });
    expect(cdr.legs.map(({ user, disposition, cause }) => [user, disposition, cause])).toEqual([['ann', 'answered', 'transferred'], ['bob', 'answered', 'normal']]);
    expect((await clinic.factsOf(caller)).map(({ type }) => type)).toEqual(expect.arrayContaining(['TransferStarted', 'TransferEnded']));
  });

  test('is rung again when nobody takes the call, and after that the patient leaves a message', async () => {
    const { caller, ann, annsPhone, bobsPhone } = await withAnn();
    await ann.transfer(to('102'));
    await (await bobsPhone.nextCall()).reject('busy');
    const again = await annsPhone.nextCall();
    expect(again.callerId()).toMatchObject({ number: caller.call.callerId().number });
    await until(() => hearsRinging(caller), { describe: 'the patient hears ringing' });
    await again.answer();
    await talk(caller.call, tones.ann, again, tones.caller);

    await again.transfer(to('102'));
    await (await bobsPhone.nextCall()).reject('declined');
    await (await annsPhone.nextCall()).reject('busy');
    await until(() => caller.call.hears(PROMPTS.greeting), { describe: 'the patient hears the greeting of the voicemail' });
    await caller.call.hangUp();
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered', transfers: [{ outcome: 'returned' }, { outcome: 'no-answer' }] });
  });

  test('to an extension that nobody has is told no, and they talk on', async () => {
    const { caller, ann } = await withAnn();
    expect(await ann.transfer(to('199'))).toBe(202);
    await until(() => ann.transferStatus() === (site.onFreeSwitch ? 403 : 603), { describe: 'the phone is told no' });
    await stays(() => caller.call.hears(tones.ann) && ann.hears(tones.caller), { describe: 'both go on hearing each other', forMs: 500 });
    // a carrier has no say in it, which FreeSWITCH says later
    expect(await caller.call.transfer(to('102'))).toBe(site.onFreeSwitch ? 202 : 603);
    await until(() => !site.onFreeSwitch || caller.call.transferStatus() === 403, { describe: 'the carrier is told no' });
    await talk(caller.call, tones.ann, ann, tones.caller);
    await caller.call.hangUp();
    await ann.ended();
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered', endedBy: 'caller', transfers: [{ to: '199', outcome: 'refused', why: 'there is no extension 199' }] });
  });

  test('and hangs up before it is told yes drops nobody', async () => {
    const { caller, ann, bobsPhone } = await withAnn();
    // as if the controller had much to do
    process.kill(clinic.controller.pid, 'SIGSTOP');
    try {
      expect(await ann.transfer(to('102'))).toBe(202);
      await ann.hangUp();
    } finally {
      process.kill(clinic.controller.pid, 'SIGCONT');
    }
    const bob = await bobsPhone.nextCall();
    await stays(() => caller.call.state() === 'connected', { describe: 'the patient stays', forMs: 2_500 });
    await until(() => hearsRinging(caller), { describe: 'the patient hears ringing' });
    await bob.answer();
    await talk(caller.call, tones.bob, bob, tones.caller);
    await caller.call.hangUp();
    await bob.ended();
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered', transfers: [{ outcome: 'answered' }] });
  });

  test('whose controller is killed while the extension rings: the ringing goes on, and the call is answered', async () => {
    const { caller, ann, bobsPhone } = await withAnn();
    await ann.transfer(to('102'));
    const bob = await bobsPhone.nextCall();
    await until(async () => (await clinic.stateOf(caller)).phase === 'ringing', { describe: 'the extension rings by the journal' });
    await clinic.controller.kill();
    clinic = await open();
    await until(() => hearsRinging(caller), { describe: 'the patient hears ringing' });
    await bob.answer();
    await talk(caller.call, tones.bob, bob, tones.caller);
    await caller.call.hangUp();
    await bob.ended();
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered', reconstructed: false, transfers: [{ to: '102', outcome: 'answered' }] });
  });
});

describe('A phone that asks a colleague first', () => {
  test('and hands over the patient: the two talk, both of its calls end, and each call has its record', async () => {
    const { caller, ann, bobsPhone } = await withAnn();
    await ann.hold();
    const asking = await site.callFromPhone('101', { to: '102', sound: tones.ann });
    const bob = await bobsPhone.nextCall();
    await bob.answer();
    await talk(asking.call, tones.bob, bob, tones.ann);
    expect(await ann.transfer(to('102'), asking.call)).toBe(202);
    await Promise.all([ann.ended(), asking.call.ended()]);
    expect(ann.transferStatus()).toBe(200);
    await talk(caller.call, tones.bob, bob, tones.caller);
    await stays(() => caller.call.hears(tones.bob) && bob.hears(tones.caller), { describe: 'they go on hearing each other', forMs: 2_500 });
    await caller.call.hangUp();
    await bob.ended();
    const [cdr, consultation] = [await clinic.cdrOf(caller), await clinic.cdrOf(asking)];
    expect(cdr).toMatchObject({ disposition: 'answered', endedBy: 'caller', continuedAs: null, transfers: [{ kind: 'attended', by: cdr.legs[0]?.legId, to: '102', consultation: consultation.callId, outcome: 'answered', why: null }] });
    expect(cdr.legs.map(({ user, disposition, cause }) => [user, disposition, cause])).toEqual([['ann', 'answered', 'transferred'], ['bob', 'answered', 'normal']]);
    expect(consultation).toMatchObject({ origin: 'phone', dialled: '102', disposition: 'answered', endedBy: 'caller', continuedAs: cdr.callId, transfers: [], legs: [{ user: 'bob', cause: 'transferred' }] });
  });

  test('and hands over the patient to who has called it, while the controller is killed', async () => {
    const { caller, ann, annsPhone } = await withAnn();
    await site.phone('104');
    const dan = await site.callFromPhone('104', { to: '101', sound: tones.bob });
    const second = await annsPhone.nextCall();
    await second.answer();
    await talk(dan.call, tones.ann, second, tones.bob);
    expect(await ann.transfer(to('104'), second)).toBe(202);
    await talk(caller.call, tones.bob, dan.call, tones.caller);
    await clinic.controller.kill();
    clinic = await open();
    await Promise.all([ann.ended(), second.ended()]);
    await stays(() => caller.call.hears(tones.bob) && dan.call.hears(tones.caller), { describe: 'they go on hearing each other', forMs: 1_000 });
    await dan.call.hangUp();
    await caller.call.ended();
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered', endedBy: 'callee', transfers: [{ kind: 'attended', to: '104', outcome: 'answered' }] });
    expect((await clinic.cdrOf(dan)).disposition).toBe('answered');
  });

  test('in a call of another controller, hands over the patient all the same', async () => {
    const { caller, ann, bobsPhone } = await withAnn();
    const dataDir = join(site.folder, 'two');
    const two = await site.startController({ instance: 'two', planFile: join(site.folder, 'clinic', 'plan.yaml'), dataDir, env: { FRONTDESK_TRANSFERS: 'on' } });
    // so that the other one takes the second call
    process.kill(clinic.controller.pid, 'SIGSTOP');
    const asking = await site.callFromPhone('101', { to: '102', sound: tones.ann });
    const bob = await bobsPhone.nextCall().finally(() => process.kill(clinic.controller.pid, 'SIGCONT'));
    await bob.answer();
    await talk(asking.call, tones.bob, bob, tones.ann);
    expect(await ann.transfer(to('102'), asking.call)).toBe(202);
    await Promise.all([ann.ended(), asking.call.ended()]);
    await talk(caller.call, tones.bob, bob, tones.caller);
    const consultation = await until(() => cdrsIn(dataDir)[0], { describe: 'the other controller has written its record' });
    await two.stop();
    await stays(() => caller.call.hears(tones.bob) && bob.hears(tones.caller), { describe: 'they go on hearing each other', forMs: 500 });
    await bob.hangUp();
    await caller.call.ended();
    const cdr = await clinic.cdrOf(caller);
    expect(cdr).toMatchObject({ disposition: 'answered', endedBy: 'callee', transfers: [{ kind: 'attended', consultation: consultation.callId, outcome: 'answered' }] });
    expect(consultation).toMatchObject({ dialled: '102', continuedAs: cdr.callId });
  });

  test('and does not wait for an answer has the extension rung for the patient', async () => {
    const { caller, ann, bobsPhone } = await withAnn();
    const asking = await site.callFromPhone('101', { to: '102', sound: tones.ann });
    await asking.call.ringing();
    const first = await bobsPhone.nextCall();
    expect(await ann.transfer(to('102'), asking.call)).toBe(202);
    const bob = await bobsPhone.nextCall();
    await ann.ended();
    await asking.call.hangUp();
    await first.ended();
    await bob.answer();
    await talk(caller.call, tones.bob, bob, tones.caller);
    await caller.call.hangUp();
    await bob.ended();
    expect(await clinic.cdrOf(caller)).toMatchObject({ transfers: [{ kind: 'blind', to: '102', outcome: 'answered' }] });
  });
});

test('A phone that called another transfers it: the two who are left talk, and a third is shown who is on the line', async () => {
  const [bobsPhone, evasPhone] = await Promise.all([site.phone('102', rings({ sound: tones.bob })), site.phone('103', rings({ sound: 520 }))]);
  await site.phone('105');
  const caller = await site.callFromPhone('105', { to: '102', sound: tones.ann });
  const bob = await bobsPhone.nextCall();
  await bob.answer();
  await talk(caller.call, tones.bob, bob, tones.ann);
  expect(await caller.call.transfer(to('103'))).toBe(202);
  const eva = await evasPhone.nextCall();
  await caller.call.ended();
  expect(caller.call.transferStatus()).toBe(200);
  expect(eva.callerId()).toMatchObject({ number: '102' });
  await until(() => isRingback(bob.audio()?.heard(200) ?? new Int16Array(0)), { describe: 'who was called hears ringing' });
  await eva.answer();
  await talk(bob, 520, eva, tones.bob);
  await stays(() => bob.hears(520) && eva.hears(tones.bob), { describe: 'they go on hearing each other', forMs: 500 });
  await bob.hangUp();
  await eva.ended();
  const cdr = await clinic.cdrOf(caller);
  expect(cdr).toMatchObject({ origin: 'phone', dialled: '102', disposition: 'answered', transfers: [{ by: cdr.callId, to: '103', outcome: 'answered' }] });
  expect(cdr.legs.map(({ user, endedAt }) => [user, endedAt !== null])).toEqual([['bob', true], ['eva', true]]);
});
