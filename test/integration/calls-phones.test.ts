/**
 * What phones do by themselves in a call, what they show of the caller, and what no caller may do to others.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { answersAfter, rings } from '../support/behaviour.ts';
import { openClinic, type Clinic } from '../support/clinic.ts';
import { fuzzBudget } from '../support/fuzz.ts';
import { readinessOf } from '../support/api.ts';
import { openRawCaller, type RawCall } from '../support/raw-caller.ts';
import type { Identity } from '../support/sip-message.ts';
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
  }, {}, { FRONTDESK_TRANSFERS: 'off' });
}, SITE_START_MS);
afterEach(async () => {
  await site.afterTest();
  await clinic.expectNothingLeft();
});
afterAll(() => site.close());

/** Of the INVITE that it began with. */
const headersOf = (call: SipCall): readonly string[] => [...(call.messages.find(({ method }) => method === 'INVITE')?.headers.keys() ?? [])];

const bytesOf = (longest: number) => fc.uint8Array({ maxLength: longest }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const hostileText = fc.array(fc.oneof(
  bytesOf(12),
  fc.constantFrom('"', '\\', '<', '>', ';', ',', ':', '@', '%', 'sip:', '\r\n X-Smuggled: yes', '\r\nX-Smuggled: yes', '%0d%0aX-Smuggled: yes', '\\r\\n', '\u0000', '${SHELL(id)}', '${EXTEN}', '\u00c3\u00a9', '\u00ff', '\u00ed\u00a0\u0080', '=?utf-8?q?=0d=0a?=', 'Ada Lovelace', '\u00e2\u0080\u00ae'),
  fc.constantFrom('n', '"', '\u00c3').map((one) => one.repeat(600)),
), { maxLength: 6 }).map((parts) => parts.join(''));
/** What ends a header would only make another INVITE of it, which is tried in the name above. */
const oneLine = hostileText.map((text) => text.replace(/[\r\n]/g, ' ').replaceAll('\0', ' '));
const user = oneLine.map((text) => text.replace(/[^A-Za-z0-9+._~-]/g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`).slice(0, 300));
const quoted = oneLine.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`);
const address = fc.tuple(
  fc.oneof({ weight: 12, arbitrary: quoted }, { weight: 1, arbitrary: oneLine }, { weight: 1, arbitrary: hostileText }),
  fc.oneof({ weight: 1, arbitrary: fc.constant('+15556660001') }, { weight: 2, arbitrary: user }, { weight: 0.2 * 5, arbitrary: fc.constant('') }),
).map(([name, number]) => `${name} <sip:${number}@carrier.example>`);
const hostileCall: fc.Arbitrary<RawCall> = fc.record({ from: address, to: fc.oneof(fc.constant(`<sip:${BOTH}@clinic.example>`), address), userAgent: oneLine, more: fc.array(address.map((value) => `P-Asserted-Identity: ${value}`), { maxLength: 1 }) });

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

  test('that asks for a transfer by REFER where transfers are off is refused, as a carrier is, and the call is as it was', async () => {
    const { caller, ann } = await talk();
    for (const asks of [ann, caller.call]) {
      expect(await asks.transfer(`sip:102@${site.sip.host}`)).toBe(site.onFreeSwitch ? 202 : 603);
      await until(() => !site.onFreeSwitch || asks.transferStatus() === 403, { describe: `${asks.party} is told no` });
      // FreeSWITCH has parted them, and connects them again
      await until(() => stays(() => caller.call.hears(700) && ann.hears(350), { describe: 'both go on hearing each other', forMs: 400 }).then(() => true, (error: unknown) => {
        if (!site.onFreeSwitch) throw error;
        return false;
      }), { describe: 'both go on hearing each other' });
    }
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
    // a quoted string across lines: the switch drops it as no SIP, or says so
    ['CR LF in a display name', 'ignored', { name: 'Eve\r\nX-Smuggled: yes\r\nX-Rest: ' }],
    ['CR LF and a space in a display name', 'ignored', { name: 'Eve\r\n X-Smuggled: yes' }],
    ['quotes, commas and dialplan in a name', 'answered', { name: '\\",${SHELL(id)},=(x)&\'' }],
  ])('with %s harms no other call', async (_, fate, hostile) => {
    const { caller, ann } = await talk();
    const other = await site.phone('102', answersAfter(20));
    const mobile = await site.carrier();
    const eve = await site.call({ from: '+15556660000', to: BOTH, hangUpAfterMs: 200, giveUpAfterMs: 2_000, ...hostile });
    if (fate === 'answered' || site.onFreeSwitch) await eve.call.ended(6_000);
    else await until(() => eve.call.messages.filter(({ direction }) => direction === 'sent').length > 1, { describe: 'Eve tries again' });
    expect(eve.call.status()).toBe(fate === 'answered' ? 200 : site.onFreeSwitch ? 400 : undefined);
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

  test('whose number and name are no UTF-8 reaches the phone, on a switch that was restarted too', async () => {
    await site.needsOwnSwitch();
    const odd = { to: `<sip:${DESK}@clinic.example>`, userAgent: '\u00ff', more: [] };
    const shownFor = async (from: string): Promise<Identity> => {
      const desk = await site.phone('101');
      const eve = await openRawCaller(site.trunkAddress('carrier').host, site.sip);
      try {
        const ring = desk.nextCall();
        expect(await eve.call(DESK, { ...odd, from }, ring)).toBe('rang');
        return (await ring).callerId();
      } finally {
        await eve.close();
        await desk.stop();
      }
    };
    expect(await shownFor('"Ren\u00e9" <sip:+1555%ff%fe1@carrier.example>')).toEqual({ name: 'Ren', number: '+15551' });
    expect(await shownFor('"Ren\u00c3\u00a9e" <sip:+15552@carrier.example>')).toEqual({ name: 'Ren\u00c3\u00a9e', number: '+15552' });
    await site.restart();
    await until(async () => (await readinessOf(clinic.controller)).status === 200, { describe: 'the switch is back', within: 20_000 });
    // its trunk is out of its own database now: Asterisk's dialplan reads the name, and reads nothing out of Latin-1
    expect(await shownFor('"Ren\u00e9" <sip:+15553@carrier.example>')).toEqual({ name: site.onFreeSwitch ? 'Ren' : '', number: '+15553' });
    expect(await shownFor('"Ren\u00c3\u00a9e" <sip:+15554@carrier.example>')).toEqual({ name: 'Ren\u00c3\u00a9e', number: '+15554' });
  });

  test('with any bytes in From, To, User-Agent and P-Asserted-Identity harms no other call, and nothing of them becomes a header', async () => {
    const { seed } = fuzzBudget('Hostile INVITEs', 0);
    const { caller, ann } = await talk();
    const [desk, mobile] = [await site.phone('102', rings()), await site.carrier(rings())];
    const plain = await clinic.call(BOTH);
    const [toDesk, toMobile] = await Promise.all([desk.nextCall(), mobile.nextCall()]);
    await plain.call.hangUp();
    await plain.call.ended();
    const usual = new Set([...headersOf(toDesk), ...headersOf(toMobile)]);

    const eve = await openRawCaller(site.trunkAddress('carrier').host, site.sip);
    const fates: string[] = [];
    const until5s = performance.now() + 5_000;
    const hostile = fc.sample(hostileCall, { seed, numRuns: 2_000 }).values();
    const place = async (): Promise<void> => {
      for (const call of hostile) {
        if (performance.now() > until5s) return;
        // FreeSWITCH takes a call with a NUL in it, but nothing with one that would end it
        fates.push(await eve.call(BOTH, site.onFreeSwitch ? { ...call, from: call.from.replaceAll('\0', ' '), to: call.to.replaceAll('\0', ' ') } : call));
      }
    };
    try {
      await Promise.all(Array.from({ length: 8 }, place));
    } finally {
      await eve.close();
    }
    expect(['rang', site.onFreeSwitch ? 'refused' : 'dropped'].filter((fate) => !fates.includes(fate))).toEqual([]);
    await until(() => [...desk.calls, ...mobile.calls].every((call) => call.state() === 'ended'), { describe: 'every phone Eve reached is released' });

    expect(clinic.controller.alive()).toBe(true);
    expect(caller.call.hears(700) && ann.hears(350)).toBe(true);
    const reached = [...desk.calls, ...mobile.calls];
    expect(reached.length).toBeGreaterThan(4);
    expect(reached.flatMap((call) => [...headersOf(call)]).filter((name) => !usual.has(name))).toEqual([]);
    for (const call of reached) expect(call.messages.find(({ method }) => method === 'INVITE')?.startLine).toMatch(/^INVITE sip:[^\s@<>"]+@[0-9.:]+(;[a-z=]+)* SIP\/2\.0$/);

    await caller.call.hangUp();
    await ann.ended();
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered' });
    const cdrs = readdirSync(join(clinic.dataDir, 'cdrs')).flatMap((file) => new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(join(clinic.dataDir, 'cdrs', file))).trim().split('\n')).map((line) => JSON.parse(line) as Cdr);
    expect(cdrs.length).toBeGreaterThan(fates.filter((fate) => fate === 'rang').length);
    expect(cdrs.filter(({ caller: { number, name } }) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(number + name) || !`${number}${name}`.isWellFormed() || Array.from(number).length > 40 || Array.from(name).length > 80)).toEqual([]);
  });
});
