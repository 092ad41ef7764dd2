/**
 * The connection between controller and switch is cut with a call in every phase, and comes back; Redis goes and comes
 * back; the controller is stopped politely. Calls are the switch's and the parties', so nothing of this ends one.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writePlan, type NumberInPlan } from '../support/clinic-plan.ts';
import { cdrsIn, openLiveCalls } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import { startLinkProxy, type LinkProxy } from '../support/link-proxy.ts';
import type { SipCall } from '../support/sip-call.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const sentence = 'This is a long sentence, which goes on and on, so that whoever hears it is still listening to it when the line is cut.';
const numbers = {
  announcing: { rings: ['101'], announcement: sentence },
  answersMeanwhile: { rings: ['102'] },
  declinesMeanwhile: { rings: ['103'], voicemail: { greeting: { sound: 'beep' }, silenceSeconds: 60 } },
  whispered: { rings: ['104'], whisper: sentence },
  pressesMeanwhile: { rings: ['105'], callConnect: 'every' },
  talking: { rings: ['106'] },
  hangsUpMeanwhile: { rings: ['107'] },
  callerLeavesMeanwhile: { rings: ['108'] },
  greeting: { voicemail: { greeting: { sound: 'demo-congrats' } } },
  recording: { voicemail: { greeting: { sound: 'beep' }, silenceSeconds: 60 } },
} satisfies Record<string, Omit<NumberInPlan, 'e164'>>;
type Name = keyof typeof numbers;
const names = Object.keys(numbers) as Name[];
const e164Of = (name: Name): string => `+120255505${String(names.indexOf(name)).padStart(2, '0')}`;

let site: Site;
let link: LinkProxy;
let redisLink: LinkProxy;
let controller: Controller;
let planFile: string;
let live: ReturnType<typeof openLiveCalls>;
let series = 0;
const phones = new Map<string, Party>();
const dataDir = (): string => join(site.folder, 'controller');
const start = (env: Record<string, string> = {}): Promise<Controller> => site.startController({ planFile, dataDir: dataDir(), env: { ...site.attachAt(link.url), REDIS_URL: redisLink.url, ...env } });

beforeAll(async () => {
  site = await openSite();
  link = await startLinkProxy(site.switchUrl);
  redisLink = await startLinkProxy(site.redisUrl);
  live = openLiveCalls(site.redisUrl);
  planFile = writePlan(site, { file: 'plan.yaml', trunks: ['carrier'], numbers: names.map((name) => ({ e164: e164Of(name), timeoutSeconds: 60, ...numbers[name] })) });
  controller = await start();
  await Promise.all(Object.values(numbers).flatMap((number: Omit<NumberInPlan, 'e164'>) => number.rings ?? []).map(async (extension) => phones.set(extension, await site.phone(extension))));
}, SITE_START_MS);

afterAll(async () => {
  live.close();
  await site.close();
  await Promise.all([link.close(), redisLink.close()]);
});

interface Readiness {
  readonly status: number;
  readonly reasons: readonly string[];
}
const readiness = async (): Promise<Readiness> => {
  const response = await fetch(`${controller.httpUrl}/readyz`);
  const { reasons } = (await response.json()) as { reasons: readonly string[] };
  return { status: response.status, reasons };
};
const isReady = async (): Promise<boolean> => (await readiness()).status === 200;

const fromOf = (name: Name): string => `+1303556${String(series * 100 + names.indexOf(name)).padStart(4, '0')}`;
const call = (name: Name): Promise<Caller> => site.call({ from: fromOf(name), to: e164Of(name), sound: 400 + 60 * names.indexOf(name) });
const at = (name: Name, extension: string): Promise<SipCall> => {
  const from = fromOf(name);
  return until(() => phones.get(extension)?.calls.findLast((one) => one.callerId().number === from), { describe: `${name}: a call reaches ${extension}`, within: 12_000 });
};
const talk = async (name: Name, extension: string, caller: Caller): Promise<void> => {
  const callee = await at(name, extension);
  const tones = { caller: 400 + 60 * names.indexOf(name), callee: 430 + 60 * names.indexOf(name) };
  await until(() => callee.state() === 'connected', { describe: `${name}: ${extension} is connected` });
  callee.play(tones.callee);
  await until(() => callee.hears(tones.caller) && caller.call.hears(tones.callee), { describe: `${name}: both hear each other`, within: 12_000 });
};
const phaseOf = async (name: Name): Promise<string | undefined> => (await live.read()).find((one) => one.offer.caller.number === fromOf(name))?.phase;
const isIn = (name: Name, phase: string): Promise<unknown> => until(async () => (await phaseOf(name)) === phase, { describe: `${name} is ${phase}`, within: 8_000 });

/** One call in every phase that lasts. */
const raise = async (): Promise<Record<Name, Caller>> => {
  series += 1;
  const [answersMeanwhile, declinesMeanwhile, pressesMeanwhile, talking, hangsUpMeanwhile, callerLeavesMeanwhile, greeting, recording] = await Promise.all([
    call('answersMeanwhile'), call('declinesMeanwhile'), call('pressesMeanwhile'), call('talking'), call('hangsUpMeanwhile'), call('callerLeavesMeanwhile'), call('greeting'), call('recording'),
  ]);
  for (const [name, extension] of [['talking', '106'], ['hangsUpMeanwhile', '107'], ['pressesMeanwhile', '105']] as const) await (await at(name, extension)).answer();
  for (const [name, extension] of [['answersMeanwhile', '102'], ['declinesMeanwhile', '103'], ['callerLeavesMeanwhile', '108']] as const) await (await at(name, extension)).ringing();
  await Promise.all([talk('talking', '106', talking), talk('hangsUpMeanwhile', '107', hangsUpMeanwhile), isIn('greeting', 'greeting'), isIn('recording', 'recording')]);
  const [announcing, whispered] = await Promise.all([call('announcing'), call('whispered')]);
  await (await at('whispered', '104')).answer();
  await Promise.all([isIn('announcing', 'announcing'), isIn('whispered', 'connecting')]);
  return { announcing, answersMeanwhile, declinesMeanwhile, whispered, pressesMeanwhile, talking, hangsUpMeanwhile, callerLeavesMeanwhile, greeting, recording };
};

const meanwhile = async (callers: Record<Name, Caller>): Promise<void> => {
  await Promise.all([
    (async () => { await (await at('answersMeanwhile', '102')).answer(); })(),
    (async () => { await (await at('declinesMeanwhile', '103')).reject('declined'); })(),
    (async () => { await (await at('pressesMeanwhile', '105')).press('1'); })(),
    (async () => { await (await at('hangsUpMeanwhile', '107')).hangUp(); })(),
    callers.callerLeavesMeanwhile.call.hangUp(),
    talk('talking', '106', callers.talking),
  ]);
};

const goOn = async (callers: Record<Name, Caller>): Promise<void> => {
  await Promise.all([
    (async () => {
      await (await at('announcing', '101')).answer();
      await talk('announcing', '101', callers.announcing);
    })(),
    talk('answersMeanwhile', '102', callers.answersMeanwhile),
    isIn('declinesMeanwhile', 'recording'),
    talk('whispered', '104', callers.whispered),
    (async () => {
      await (await at('pressesMeanwhile', '105')).press('1');
      await talk('pressesMeanwhile', '105', callers.pressesMeanwhile);
    })(),
    talk('talking', '106', callers.talking),
    callers.hangsUpMeanwhile.call.ended(),
    (async () => { await (await at('callerLeavesMeanwhile', '108')).ended(); })(),
    isIn('greeting', 'greeting'),
    isIn('recording', 'recording'),
  ]);
};

const expected = {
  announcing: 'answered', answersMeanwhile: 'answered', declinesMeanwhile: 'no-answer', whispered: 'answered', pressesMeanwhile: 'answered', talking: 'answered',
  hangsUpMeanwhile: 'answered', callerLeavesMeanwhile: 'canceled', greeting: 'no-answer', recording: 'no-answer',
} satisfies Record<Name, string>;

const endAndCheck = async (callers: Record<Name, Caller>): Promise<void> => {
  await Promise.all(names.map((name) => callers[name].call.hangUp()));
  const dispositions = (): unknown => Object.fromEntries(names.map((name) => [name, cdrsIn(dataDir()).filter((cdr) => cdr.caller.number === fromOf(name)).map((cdr) => cdr.disposition).join()]));
  await until(() => JSON.stringify(dispositions()) === JSON.stringify(expected), { describe: 'each call has one record', within: 5_000 }).catch(() => undefined);
  expect(dispositions()).toEqual(expected);
  await site.expectNothingLeft();
};

describe('With a call in every phase', { timeout: 60_000 }, () => {
  test('the link to the switch is cut and comes back: every call goes on', async () => {
    const callers = await raise();
    link.cut();
    await until(async () => !(await isReady()), { describe: 'readiness fails' });
    expect((await readiness()).reasons.join(' ')).toContain('link to the switch is down');
    await meanwhile(callers);
    link.mend();
    const mendedAt = performance.now();
    await until(isReady, { describe: 'readiness is back', within: 8_000 });
    process.stdout.write(`with the link mended the controller was ready after ${Math.round(performance.now() - mendedAt)} ms\n`);
    await goOn(callers);
    await endAndCheck(callers);
    expect(controller.output()).not.toMatch(/could not be continued|replays differently/);
  });

  test('the controller is stopped: calls stay on the switch, and the next start takes them over', async () => {
    const callers = await raise();
    await controller.stop();
    expect(controller.alive()).toBe(false);
    await meanwhile(callers);
    controller = await start();
    await goOn(callers);
    await endAndCheck(callers);
    expect(controller.output()).not.toMatch(/could not be continued|replays differently/);
  });

  test('Redis goes away: calls go on, new ones come, readiness says so; and it comes back', async () => {
    series += 1;
    const talking = await call('talking');
    await (await at('talking', '106')).answer();
    await talk('talking', '106', talking);
    redisLink.cut();
    await until(async () => (await readiness()).reasons.some((reason) => reason.includes('Redis is away')), { describe: 'readiness says that Redis is away' });
    expect(await isReady()).toBe(true);
    const fresh = await call('answersMeanwhile');
    await (await at('answersMeanwhile', '102')).answer();
    await talk('answersMeanwhile', '102', fresh);
    await talk('talking', '106', talking);
    expect(await phaseOf('answersMeanwhile')).toBeUndefined();
    redisLink.mend();
    await until(async () => (await readiness()).reasons.length === 0, { describe: 'readiness has nothing to say', within: 10_000 });
    await isIn('answersMeanwhile', 'connected');
    await Promise.all([fresh.call.hangUp(), talking.call.hangUp()]);
    await until(() => cdrsIn(dataDir()).filter((cdr) => [fromOf('talking'), fromOf('answersMeanwhile')].includes(cdr.caller.number)).length === 2, { describe: 'both have their record' });
    await site.expectNothingLeft();
  });

  test('a controller that finds no Redis at its start takes calls all the same', async () => {
    series += 1;
    await controller.stop();
    controller = await start({ REDIS_URL: 'redis://127.0.0.1:9' });
    expect((await readiness()).reasons.join(' ')).toContain('Redis is away');
    const fresh = await call('answersMeanwhile');
    await (await at('answersMeanwhile', '102')).answer();
    await talk('answersMeanwhile', '102', fresh);
    await fresh.call.hangUp();
    await until(() => cdrsIn(dataDir()).filter((cdr) => cdr.caller.number === fromOf('answersMeanwhile')).length === 1, { describe: 'it has its record' });
    await site.expectNothingLeft();
  });
});
