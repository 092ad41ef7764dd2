/**
 * What phones do by themselves in a call, what they show of the caller, and what no caller may do to others.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answersAfter, rings } from '../support/behaviour.ts';
import { openClinic, type Clinic } from '../support/clinic.ts';
import type { SipCall } from '../support/sip-call.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { stays, until } from '../support/until.ts';

const DESK = '+15550130';
const BOTH = '+15550131';
const MOBILE = '+12025559999';
let site: Site;
let clinic: Clinic;

beforeAll(async () => {
  site = await openSite();
  clinic = await openClinic(site, {
    users: [{ id: 'ann', devices: [{ extension: '101' }] }, { id: 'bob', devices: [{ extension: '102' }, { mobile: MOBILE }] }],
    numbers: [
      { e164: DESK, users: ['ann'], callConnect: 'off' },
      { e164: BOTH, users: ['bob'], callConnect: 'off' },
    ],
  });
}, SITE_START_MS);
afterEach(async () => {
  await site.afterTest();
  await clinic.expectNothingLeft();
});
afterAll(() => site.close());

/** A call that talks: the caller at 350 Hz, the phone at 700. */
const talk = async (): Promise<{ readonly caller: Caller; readonly ann: SipCall }> => {
  const desk = await site.phone('101', rings({ sound: 700 }));
  const caller = await clinic.call(DESK, { sound: 350 });
  const ann = await desk.nextCall();
  await ann.answer();
  await until(() => caller.call.hears(700) && ann.hears(350), { describe: 'both hear each other' });
  return { caller, ann };
};

describe('A phone', () => {
  test('that holds and resumes is heard again, and the record says how long it held', async () => {
    const { caller, ann } = await talk();
    const began = performance.now();
    await ann.hold();
    await until(() => !caller.call.hears(700), { describe: 'the held caller does not hear the phone' });
    await stays(() => caller.call.state() === 'connected' && ann.state() === 'connected', { describe: 'the held call lives', forMs: 800 });
    await ann.resume();
    const heldMs = performance.now() - began;
    await until(() => caller.call.hears(700) && ann.hears(350), { describe: 'both hear each other again' });
    await ann.hold();
    await until(() => !caller.call.hears(700), { describe: 'the caller is held once more' });
    await ann.resume();
    await until(() => caller.call.hears(700), { describe: 'the caller hears the phone again' });
    await caller.call.hangUp();
    await ann.ended();
    const cdr = await clinic.cdrOf(caller);
    expect(cdr).toMatchObject({ disposition: 'answered', endedBy: 'caller' });
    expect(cdr.heldMs).toBeGreaterThan(800);
    expect(cdr.heldMs).toBeLessThan(heldMs + 2_500);
    const facts = (await clinic.factsOf(caller)).filter(({ type }) => type === 'LegHeld' || type === 'LegUnheld');
    expect(facts.map(({ type }) => type)).toEqual(['LegHeld', 'LegUnheld', 'LegHeld', 'LegUnheld']);
  });

  test('that hangs up while it holds ends the call, held to its end', async () => {
    const { caller, ann } = await talk();
    await ann.hold();
    await until(async () => (await clinic.stateOf(caller)).timers['max-call'] !== undefined && Object.values((await clinic.stateOf(caller)).legs).some(({ held }) => held), { describe: 'the leg is held' });
    await ann.hangUp();
    await caller.call.ended();
    const cdr = await clinic.cdrOf(caller);
    expect(cdr).toMatchObject({ disposition: 'answered', endedBy: 'callee' });
    expect(cdr.heldMs).toBeGreaterThan(0);
  });

  test('that asks for a transfer by REFER is refused with 603, and the call is as it was', async () => {
    const { caller, ann } = await talk();
    expect(await ann.transfer(`sip:102@${site.asterisk.sipHost}`)).toBe(603);
    expect(await caller.call.transfer(`sip:102@${site.asterisk.sipHost}`)).toBe(603);
    await stays(() => caller.call.hears(700) && ann.hears(350), { describe: 'both go on hearing each other', forMs: 400 });
    await ann.hangUp();
    await caller.call.ended();
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered', endedBy: 'callee', heldMs: 0 });
  });
});

describe('Caller ID', () => {
  test('is the caller’s number and name, on a desk phone and over the trunk', async () => {
    const [desk, mobile] = [await site.phone('102'), await site.carrier()];
    const caller = await clinic.call(BOTH, { from: '+12065550199', name: 'Ada Lovelace' });
    const [bob, cell] = await Promise.all([desk.nextCall(), mobile.nextCall()]);
    expect([bob.callerId(), cell.callerId()]).toEqual([{ name: 'Ada Lovelace', number: '+12065550199' }, { name: 'Ada Lovelace', number: '+12065550199' }]);
    expect(cell.assertedId()).toEqual({ name: 'Ada Lovelace', number: '+12065550199' });
    expect(cell.header('to')).toContain(MOBILE);
    await cell.answer();
    await caller.call.connected();
    await caller.call.hangUp();
    expect(await clinic.cdrOf(caller)).toMatchObject({ caller: { number: '+12065550199', name: 'Ada Lovelace' }, dialled: BOTH, origin: 'trunk' });
  });

  test('of a call with a number and no name is the number', async () => {
    const desk = await site.phone('101');
    const caller = await clinic.call(DESK, { from: '+12065550198' });
    expect((await desk.nextCall()).callerId()).toMatchObject({ number: '+12065550198' });
    await caller.call.hangUp();
  });
});

describe('A hostile caller', () => {
  test.each([
    ['Latin-1 bytes', 'answered', { name: 'Ren\u00e9 \u00ff\u0080' }],
    ['a header of 4 KB', 'answered', { headers: [`X-Long: ${'x'.repeat(4_096)}`] }],
    ['a name of 4 KB', 'answered', { name: 'n'.repeat(4_096) }],
    // a quoted string across lines: the switch drops it as no SIP
    ['CR LF in a display name', 'ignored', { name: 'Eve\r\nX-Smuggled: yes\r\nX-Rest: ' }],
    ['CR LF and a space in a display name', 'ignored', { name: 'Eve\r\n X-Smuggled: yes' }],
    ['quotes, commas and dialplan in a name', 'answered', { name: '\\",${SHELL(id)},=(x)&\'' }],
  ])('with %s harms no other call', async (_, fate, hostile) => {
    const { caller, ann } = await talk();
    const other = await site.phone('102', answersAfter(20));
    const mobile = await site.carrier();
    const eve = await site.call({ from: '+15556660000', to: BOTH, hangUpAfterMs: 200, giveUpAfterMs: 2_000, ...hostile });
    if (fate === 'answered') await eve.call.ended(6_000);
    else await until(() => eve.call.messages.filter(({ direction }) => direction === 'sent').length > 1, { describe: 'Eve tries again' });
    expect(eve.call.status()).toBe(fate === 'answered' ? 200 : undefined);
    await until(() => other.calls.every((call) => call.state() === 'ended'), { describe: 'every phone Eve reached is released' });
    for (const rung of [...other.calls, ...mobile.calls]) expect(rung.header('x-smuggled')).toBeUndefined();

    expect(clinic.controller.alive()).toBe(true);
    expect(caller.call.hears(700) && ann.hears(350)).toBe(true);
    const next = await clinic.call(BOTH, { hangUpAfterMs: 1_000 });
    await next.call.ended(6_000);
    expect(await clinic.cdrOf(next)).toMatchObject({ disposition: 'answered' });
    await caller.call.hangUp();
    await ann.ended();
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered' });
  });
});
