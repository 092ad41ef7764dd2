/**
 * An Asterisk and a FreeSWITCH side by side, served by two controllers: calls come on either, phones are registered with either,
 * and each rings each. A switch or a controller dies, and all that has nothing to do with it goes on.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { firstKeyOf, openApi } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import { writePlan } from '../support/clinic-plan.ts';
import { cdrsIn, openLiveCalls } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import { startFreeSwitch, withoutFreeSwitch, type FreeSwitch } from '../support/freeswitch.ts';
import { connectFreeSwitch } from '../support/freeswitch-admin.ts';
import { startLinkProxy, type LinkProxy } from '../support/link-proxy.ts';
import type { SipCall } from '../support/sip-call.ts';
import { register, startCallee, startCaller, type CallerOptions, type Party, type Place } from '../support/sip-party.ts';
import { freeUdpPort, ownLoopbackAddress } from '../support/sipp.ts';
import { openSite, passwordOf, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { guess } from '../support/guesser.ts';
import { keptRecording } from '../support/kept-recording.ts';
import { toneShare } from '../support/tone.ts';
import { addEvidence, stays, until } from '../support/until.ts';

if (withoutFreeSwitch !== undefined) process.stderr.write(`Skipped: an Asterisk and a FreeSWITCH side by side. ${withoutFreeSwitch}.\n`);

const names = ['one', 'two'] as const;
type Name = (typeof names)[number];
const kinds = ['asterisk', 'freeswitch'] as const;
type Kind = (typeof kinds)[number];
const otherOf = (kind: Kind): Kind => (kind === 'asterisk' ? 'freeswitch' : 'asterisk');

/** 101 and 103 are registered with the Asterisk, 102 and 104 with the FreeSWITCH, 105 with neither. */
const extension: Readonly<Record<Kind, string>> = { asterisk: '101', freeswitch: '102' };
const second: Readonly<Record<Kind, string>> = { asterisk: '103', freeswitch: '104' };
const numberOf = (phone: string): string => `+1202555${phone.padStart(4, '0')}`;
const everybody = '+12025550199';
const beepHz = 700;
const machine = '+12025550198';
/** The phone is to press a key. */
const asking = (phone: string): string => `+1202556${phone.padStart(4, '0')}`;

describe.skipIf(withoutFreeSwitch !== undefined)('An Asterisk and a FreeSWITCH side by side', () => {
  let site: Site;
  let freeswitch: FreeSwitch;
  /** Of the controllers to each. */
  let links: Readonly<Record<Kind, LinkProxy>>;
  let redis: Redis;
  let live: ReturnType<typeof openLiveCalls>;
  let planFile: string;
  let controllers: Record<Name, Controller>;
  let phones: Readonly<Record<string, Party>>;
  const parties = new Set<Party>();
  let places = 0;
  let callers = 0;

  const onFreeSwitch = async (host: string): Promise<Place> => {
    const folder = join(site.folder, `freeswitch-${(places += 1)}`);
    mkdirSync(folder);
    return { program: site.sipp, folder, local: { host, port: await freeUdpPort(host) }, remote: { host: freeswitch.sipHost, port: freeswitch.sipPort } };
  };
  const dial = async (from: Place, options: CallerOptions): Promise<Caller> => {
    const party = await startCaller(from, options);
    parties.add(party);
    return Object.assign(party, { call: await party.nextCall() });
  };
  /** From the carrier, to the switch. */
  const call = async (kind: Kind, options: CallerOptions): Promise<Caller> => (kind === 'asterisk' ? site.call(options) : dial(await onFreeSwitch(site.trunkAddress('carrier').host), options));
  const start = (name: Name): Promise<Controller> => {
    mkdirSync(join(site.folder, `logs-${name}`), { recursive: true });
    return site.startController({
      planFile, instance: name, dataDir: join(site.folder, name), freeswitchUrl: links.freeswitch.url,
      env: { ASTERISK_URL: links.asterisk.url, FRONTDESK_SECURITY_LOG: site.asterisk.securityLog, FRONTDESK_ASTERISK_SIP: `${site.sip.host}:${site.sip.port}`, FRONTDESK_FREESWITCH_SIP: `${freeswitch.sipHost}:${freeswitch.sipPort}` },
    });
  };
  const cdrs = (): readonly Cdr[] => names.flatMap((name) => cdrsIn(join(site.folder, name)));
  const recordOf = (from: string): Promise<Cdr> => until(() => cdrs().find(({ caller }) => caller.number === from), { describe: `the record of ${from}`, within: 10_000 });
  const killed = new Set<Kind>();
  const kill = (kind: Kind): void => {
    killed.add(kind);
    if (kind === 'asterisk') site.killSwitch();
    else process.kill(freeswitch.pid, 'SIGKILL');
  };
  const restart = async (kind: Kind): Promise<void> => {
    killed.delete(kind);
    await (kind === 'asterisk' ? site.restart() : freeswitch.restart());
  };
  /** One asks the other by OPTIONS, and calls it when it answers. */
  const reaches = (kind: Kind): Promise<unknown> => until(async () => (kind === 'asterisk' ? /fd-freeswitch\S*\s.*Avail/.test(await site.asterisk.cli('pjsip show contacts')) : (await freeswitch.ask('sofia xmlstatus gateway fd-asterisk')).includes('<status>UP</status>')), { describe: `the ${kind} reaches the other`, within: 15_000 });
  const isAway = (kind: Kind, away: boolean): Promise<unknown> => until(async () => (await Promise.all(names.map(reasons))).every((text) => text.includes(`${kind === 'asterisk' ? 'Asterisk' : 'FreeSWITCH'} is away`) === away), { describe: `the ${kind} ${away ? 'is away' : 'is back'}, both controllers say`, within: 20_000 });
  const isMute = (mute: boolean): Promise<unknown> => until(async () => (await Promise.all(names.map(reasons))).every((text) => text.includes('Asterisk does not say') === mute), { describe: `both controllers say that the Asterisk is ${mute ? 'mute' : 'not mute'}`, within: 10_000 });
  const reasons = async (name: Name): Promise<string> => ((await (await fetch(`${controllers[name].httpUrl}/readyz`)).json()) as { readonly reasons: readonly string[] }).reasons.join(' ');

  interface Talk {
    readonly from: string;
    readonly caller: Caller;
    readonly callee: SipCall;
    readonly tone: number;
    readonly phone: string;
  }
  const toneOf: Readonly<Record<string, number>> = { 101: 500, 102: 620, 103: 740, 104: 860 };
  const heard = ({ caller, callee, tone, phone }: Talk): boolean => caller.call.hears(toneOf[phone] ?? 0) && callee.hears(tone);

  /** A call that comes on one switch, and a phone that rings for it, registered with either. */
  const ring = async (on: Kind, phone: string, to = numberOf(phone)): Promise<Talk> => {
    callers += 1;
    const from = `+1303555${String(callers).padStart(4, '0')}`;
    const tone = 1000 + 40 * callers;
    const caller = await call(on, { from, to, sound: tone });
    return { from, caller, tone, phone, callee: await rung(phone, from) };
  };
  const rung = async (phone: string, from: string): Promise<SipCall> => {
    const callee = await until(() => phones[phone]?.calls.find((one) => one.callerId().number === from), { describe: `phone ${phone} is rung with ${from}`, within: 8_000 });
    await callee.ringing();
    return callee;
  };
  const answers = async (one: Talk): Promise<Talk> => {
    await one.callee.answer();
    await until(() => heard(one), { describe: `${one.from} and ${one.phone} hear each other`, within: 10_000 });
    return one;
  };
  const talk = async (on: Kind, phone: string): Promise<Talk> => answers(await ring(on, phone));
  const ends = async ({ from, caller, callee }: Talk): Promise<void> => {
    await callee.hangUp();
    await caller.call.ended();
    expect(await recordOf(from)).toMatchObject({ disposition: 'answered', endedBy: 'callee' });
  };

  const isHeld = async (): Promise<boolean> => (await live.read()).some(({ legs }) => Object.values(legs).some(({ held }) => held));

  const registerAt = async (phone: string, kind: Kind, behaviour = rings({ sound: toneOf[phone] ?? 0 })): Promise<Party> => {
    const place = kind === 'freeswitch' ? await onFreeSwitch(ownLoopbackAddress()) : { ...(await onFreeSwitch(ownLoopbackAddress())), remote: site.sip };
    await register(place, phone, passwordOf(phone), 3600);
    return startCallee(place, `phone ${phone}`, phone, behaviour);
  };

  beforeAll(async () => {
    [site, freeswitch] = await Promise.all([openSite({ switch: 'asterisk' }), startFreeSwitch()]);
    links = { asterisk: await startLinkProxy(site.switchUrl), freeswitch: await startLinkProxy(freeswitch.url) };
    redis = new Redis(site.redisUrl);
    redis.on('error', () => undefined);
    live = openLiveCalls(site.redisUrl);
    addEvidence(() => Promise.all(kinds.map(async (kind) => `${kind}: ${JSON.stringify(await (kind === 'asterisk' ? site.switch : connectFreeSwitch(freeswitch)).channels())}`)).then((all) => all.join('\n')));
    planFile = writePlan(site, {
      file: 'plan.yaml', trunks: ['carrier'],
      numbers: [...['101', '102', '103', '104'].map((phone) => ({ e164: numberOf(phone), rings: [phone], timeoutSeconds: 30 })), ...['101', '102'].map((phone) => ({ e164: asking(phone), rings: [phone], timeoutSeconds: 30, callConnect: 'every' as const })),
        { e164: everybody, rings: ['105', '101', '102'], timeoutSeconds: 30 }, { e164: machine, voicemail: { greeting: 'Please leave a message.' } }],
    });
    controllers = { one: await start('one'), two: await start('two') };
    phones = { 101: await registerAt('101', 'asterisk'), 102: await registerAt('102', 'freeswitch'), 103: await registerAt('103', 'asterisk'), 104: await registerAt('104', 'freeswitch') };
  }, SITE_START_MS);
  afterEach(async () => {
    await Promise.all([...killed].map(restart));
    const left = await until(async () => (await connectFreeSwitch(freeswitch).channels()).length === 0, { describe: 'nothing of any call is left on the FreeSWITCH' }).then(() => undefined, (error: unknown) => error);
    await Promise.all([...parties].map((party) => party.stop()));
    parties.clear();
    if (left !== undefined) await connectFreeSwitch(freeswitch).clear();
    await site.afterTest();
    if (left !== undefined) throw left;
  }, 60_000);
  afterAll(async () => {
    redis?.disconnect();
    live?.close();
    await Promise.all(Object.values(phones ?? {}).map((party) => party.stop()));
    await site?.close();
    await freeswitch?.stop();
    await Promise.all(Object.values(links ?? {}).map((link) => link.close()));
  });

  test('A call on each rings the phone that is registered with it, and the two hear each other', async () => {
    const talks = await Promise.all(kinds.map((kind) => talk(kind, extension[kind])));
    expect(talks.map(({ callee }) => callee.state())).toEqual(['connected', 'connected']);
    await Promise.all(talks.map(ends));
  }, 40_000);

  test('A call on each rings the phone that is registered with the other, and the two hear each other', async () => {
    const talks = await Promise.all(kinds.map((kind) => talk(kind, extension[otherOf(kind)])));
    expect(talks.map(({ callee }) => callee.state())).toEqual(['connected', 'connected']);
    await Promise.all(talks.map(ends));
  }, 40_000);

  test.each([['near', 'far'], ['far', 'near']] as const)('All phones of a number ring, wherever they are registered; the %s one answers, and the other is told so', async (answering, other) => {
    for (const kind of kinds) {
      callers += 1;
      const from = `+1303555${String(callers).padStart(4, '0')}`;
      const caller = await call(kind, { from, to: everybody, sound: 1000 });
      const [near, far] = await Promise.all([rung(extension[kind], from), rung(extension[otherOf(kind)], from)]);
      const both = { near, far };
      await both[answering].answer();
      await until(() => both[answering].hears(1000), { describe: 'they talk', within: 8_000 });
      await both[other].ended();
      expect(both[other].wasAnsweredElsewhere()).toBe(true);
      await caller.call.hangUp();
      await both[answering].ended();
      expect(await recordOf(from)).toMatchObject({ disposition: 'answered', endedBy: 'caller' });
    }
  }, 60_000);

  test.each(kinds)('A phone that the call on the %s reaches over the other is busy, and keys that it presses are heard', async (kind) => {
    const { from, caller, callee, tone } = await ring(kind, extension[otherOf(kind)], asking(extension[otherOf(kind)]));
    await callee.answer();
    await until(async () => {
      await callee.press('1');
      return callee.hears(tone);
    }, { describe: 'its key is taken, and it hears the caller', within: 10_000, everyMs: 700 });
    await caller.call.hangUp();
    await callee.ended();
    await recordOf(from);
    const again = await ring(kind, extension[otherOf(kind)]);
    await again.callee.reject('busy');
    // its voicemail
    await again.caller.call.connected();
    await again.caller.call.hangUp();
    expect((await recordOf(again.from)).legs).toMatchObject([{ cause: 'busy' }]);
  }, 60_000);

  test('By the way between the switches nobody gets out, and nobody else gets in', async () => {
    for (const [host, remote] of [[freeswitch.sipHost, site.sip], [site.sip.host, { host: freeswitch.sipHost, port: freeswitch.sipPort }]] as const) {
      for (const to of ['911', '+12025550399', '105', 'carrier', 'fd-asterisk', 'h', 'T', everybody]) {
        const caller = await dial({ ...(await onFreeSwitch(host)), remote }, { from: '+13035550666', to });
        await caller.call.ended();
        expect([to, caller.call.messages.findLast(({ direction }) => direction === 'received')?.status ?? 0]).toEqual([to, expect.toSatisfy((status: number) => status >= 400)]);
      }
    }
    const stranger = await dial({ ...(await onFreeSwitch(ownLoopbackAddress())), remote: site.sip }, { from: '+13035550666', to: '102' });
    await until(() => stranger.call.messages.some(({ status }) => status === 401 || status === 407), { describe: 'a stranger is asked for a password' });
  }, 60_000);

  test('What is spoken is heard on both, and a message is brought from each', async () => {
    for (const kind of kinds) {
      callers += 1;
      const from = `+1303555${String(callers).padStart(4, '0')}`;
      const caller = await call(kind, { from, to: machine, sound: 1300 });
      await caller.call.connected();
      await until(() => !caller.call.hearsNothing(), { describe: 'what is spoken is heard' });
      await until(() => toneShare(caller.call.audio()?.heard(100) ?? new Int16Array(0), beepHz) > 0.9, { describe: 'the beep', within: 15_000 });
      await stays(() => caller.call.state() === 'connected', { describe: 'a message is left', forMs: 1_500 });
      await caller.call.hangUp();
      const { voicemail } = await recordOf(from);
      const dataDir = join(site.folder, cdrsIn(join(site.folder, 'one')).some(({ caller: who }) => who.number === from) ? 'one' : 'two');
      expect((await keptRecording(dataDir, voicemail?.recordingId ?? '')).byteLength).toBeGreaterThan(8_000);
    }
  }, 60_000);

  test('A phone that is registered with one calls a phone that is registered with the other', async () => {
    const caller = await dial({ ...(await onFreeSwitch(ownLoopbackAddress())), remote: site.sip }, { from: '103', to: '104', password: passwordOf('103'), sound: 1500 });
    const callee = await until(() => phones['104']?.calls.find((one) => one.callerId().number === '103'), { describe: 'phone 104 is rung', within: 8_000 });
    await callee.ringing();
    await callee.answer();
    await until(() => caller.call.hears(860) && callee.hears(1500), { describe: 'they hear each other', within: 10_000 });
    expect(callee.callerId()).toMatchObject({ number: '103' });
    await caller.call.hangUp();
    await callee.ended();
  }, 40_000);

  test.each(kinds)('A call on the %s is heard by a supervisor whose phone is registered with the other', async (kind) => {
    const one = await talk(kind, extension[kind]);
    const [callId] = Object.keys(await redis.hgetall('fd:owners'));
    const phone = second[otherOf(kind)];
    const api = openApi(() => controllers.two.httpUrl, firstKeyOf(controllers.two));
    expect((await api.ask('POST', '/accounts/clinic/supervisions', { call: callId, mode: 'coach', phone })).json).toMatchObject({ state: 'ringing' });
    const supervisor = await until(() => phones[phone]?.calls.findLast((each) => each.state() === 'ringing'), { describe: 'the supervisor’s phone rings', within: 8_000 });
    await supervisor.answer();
    await until(() => supervisor.hears(one.tone) && supervisor.hears(toneOf[one.phone] ?? 0), { describe: 'the supervisor hears both', within: 8_000 });
    await until(() => one.callee.hears(toneOf[phone] ?? 0), { describe: 'the agent hears the supervisor', within: 8_000 });
    await supervisor.hangUp();
    await ends(one);
  }, 60_000);

  test('Passwords that are guessed count on either, and who is banned is so on both', async () => {
    const stranger = ownLoopbackAddress();
    const at = { asterisk: site.sip, freeswitch: { host: freeswitch.sipHost, port: freeswitch.sipPort } };
    const guesses = (kind: Kind, password: string, times = 1): Promise<readonly number[]> => guess({ remote: at[kind], from: stranger, user: '105', password, times });
    await guesses('asterisk', 'guessed-wrong-1', 5);
    expect(await guesses('freeswitch', passwordOf('101'), 5)).toEqual([403, 403, 403, 403, 403]);
    const apis = names.map((name) => openApi(() => controllers[name].httpUrl, firstKeyOf(controllers[name])));
    for (const api of apis) await until(async () => (await api.get<{ items: readonly { readonly address: string; readonly failures: number }[] }>('/sip-bans')).items.some(({ address, failures }) => address === stranger && failures === 10), { describe: 'it is banned' });
    for (const kind of kinds) await until(async () => (await guesses(kind, passwordOf('105')))[0] === 403, { describe: `the ${kind} knows of it` });
    for (const api of apis) await api.write('DELETE', `/sip-bans/${stranger}`);
    for (const kind of kinds) expect(await guesses(kind, passwordOf('105'))).toEqual([200]);
  }, 40_000);

  test('A controller is killed, and the other has its calls on both switches', async () => {
    const talks = await Promise.all(kinds.flatMap((kind) => [talk(kind, extension[kind]), talk(kind, second[otherOf(kind)])]));
    expect(Object.keys(await redis.hgetall('fd:owners'))).toHaveLength(4);
    await controllers.one.kill();
    await until(async () => Object.values(await redis.hgetall('fd:owners')).every((owner) => owner === 'two'), { describe: 'the other has all calls', within: 4_000 });
    await stays(() => talks.every(({ caller, callee }) => caller.call.state() === 'connected' && callee.state() === 'connected'), { describe: 'who talks goes on talking', forMs: 500 });
    await Promise.all(talks.map(ends));
    controllers.one = await start('one');
  }, 60_000);

  test.each(kinds)('The %s is killed: the other’s calls go on and learn that its phones are dead, phones are not left with its calls; back, it serves again', async (dead) => {
    const living = otherOf(dead);
    const [kept, lost, cut, left] = await Promise.all([talk(living, extension[living]), talk(dead, extension[dead]), talk(living, extension[dead]), talk(dead, extension[living])]);
    const [goesOn, ringsOn] = await Promise.all([ring(living, second[dead]), ring(dead, second[living])]);
    const killedAt = Date.now();
    kill(dead);
    await isAway(dead, true);
    await cut.caller.call.ended(15_000);
    expect(await recordOf(cut.from)).toMatchObject({ disposition: 'answered', endedBy: 'callee' });
    await Promise.all([left.callee.ended(15_000), ringsOn.callee.ended(15_000)]);
    // its voicemail, long before the phone has rung for its time
    await goesOn.caller.call.connected(15_000);
    expect(Date.now() - killedAt).toBeLessThan(25_000);
    await goesOn.caller.call.hangUp();
    // Which of the two depends on what comes back of a CANCEL to nobody.
    expect((await recordOf(goesOn.from)).legs).toMatchObject([{ cause: expect.stringMatching(/^(?:out-of-order|temporary-failure)$/) as string }]);
    await ends(await talk(living, second[living]));
    await stays(() => heard(kept), { describe: 'they go on talking', forMs: 500 });
    await ends(kept);
    expect(cdrs().some(({ caller }) => [lost.from, left.from, ringsOn.from].includes(caller.number))).toBe(false);
    await restart(dead);
    await isAway(dead, false);
    for (const { from } of [lost, left, ringsOn]) expect((await recordOf(from)).endedAt).not.toBeNull();
    await Promise.all([lost.caller.call.hangUp(), lost.callee.hangUp(), cut.callee.hangUp(), left.caller.call.hangUp()]);
    await ends(await talk(dead, second[dead]));
    await reaches(living);
    await ends(await talk(living, second[dead]));
  }, 120_000);

  test('A switch is killed and back at once: the other’s calls learn that its phones are dead', async () => {
    const cut = await talk('asterisk', '104');
    kill('freeswitch');
    await restart('freeswitch');
    await cut.caller.call.ended(20_000);
    expect(await recordOf(cut.from)).toMatchObject({ disposition: 'answered', endedBy: 'callee' });
    await cut.callee.hangUp();
    await isAway('freeswitch', false);
    await reaches('asterisk');
  }, 60_000);

  test.each(kinds)('The controllers’ link to the %s is cut: all who talk and ring over the two go on', async (away) => {
    const living = otherOf(away);
    const [talks, rung] = [await Promise.all([talk(living, extension[away]), talk(away, extension[living])]), await Promise.all([ring(living, second[away]), ring(away, second[living])])];
    const held = await talk(living, extension[away]);
    await held.callee.hold();
    links[away].cut();
    await isAway(away, true);
    const goOn = (): boolean => talks.every(heard) && rung.every(({ callee }) => callee.state() === 'ringing') && held.caller.call.state() === 'connected' && held.callee.state() === 'connected';
    // longer than one switch takes to see that the other is dead
    await stays(goOn, { describe: 'they go on', forMs: 9_000 });
    links[away].mend();
    await isAway(away, false);
    expect(goOn(), 'when the link is back').toBe(true);
    await Promise.all(rung.map(answers));
    await Promise.all([...talks, ...rung].map(ends));
    await held.callee.resume();
    await until(() => heard(held), { describe: 'who was held is heard again' });
    await ends(held);
  }, 90_000);

  test('An Asterisk that does not say what calls it has keeps nothing of the FreeSWITCH: calls there go on, its own are as they were until it does', async () => {
    const [kept, left] = await Promise.all([talk('freeswitch', extension.freeswitch), talk('asterisk', extension.asterisk)]);
    await site.asterisk.cli('module unload res_ari_bridges.so');
    try {
      // so that both are asked
      links.freeswitch.cut();
      await isAway('freeswitch', true);
      links.freeswitch.mend();
      await isAway('freeswitch', false);
      await isMute(true);
      await ends(kept);
      await ends(await talk('freeswitch', second.freeswitch));
      await Promise.all([left.caller.call.hangUp(), left.callee.hangUp()]);
      await stays(() => !cdrs().some(({ caller }) => caller.number === left.from), { describe: 'nobody concludes how its call has ended', forMs: 1_000 });
    } finally {
      links.freeswitch.mend();
      await site.asterisk.cli('module load res_ari_bridges.so');
    }
    await isMute(false);
    expect(await recordOf(left.from)).toMatchObject({ disposition: 'answered' });
    await ends(await talk('asterisk', second.asterisk));
  }, 60_000);

  test.each(kinds)('A phone that a call on the %s reaches over the other holds it, and the call knows', async (kind) => {
    const one = await talk(kind, extension[otherOf(kind)]);
    for (let times = 0; times < 2; times += 1) {
      await one.callee.hold();
      await until(isHeld, { describe: 'it is held' });
      await until(() => !one.caller.call.hears(toneOf[one.phone] ?? 0), { describe: 'the held caller does not hear the phone' });
      await one.callee.resume();
      await until(async () => !(await isHeld()), { describe: 'it is held no more' });
      await until(() => heard(one), { describe: 'they hear each other again' });
    }
    await one.callee.hold();
    await until(isHeld, { describe: 'it is held once more' });
    await ends(one);
    expect((await recordOf(one.from)).heldMs).toBeGreaterThan(0);
  }, 60_000);
});
