/**
 * The controller is killed with a call in every phase. While it is dead the phones go on living; it starts again, and
 * no caller has lost anything: with its journals, with those of its disk alone, and with none but the switch's marks.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CallPhase } from '../../control-plane/core/call/call.ts';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { writePlan } from '../support/clinic-plan.ts';
import { callOnDisk, cdrsIn, openLiveCalls } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import { openPhones, raiseScenes, scenePlan, sceneOfLegPhase, sceneOfPhase, type LegPhase, type Phones, type ReadPhases, type SceneName, type Scenes } from '../support/crash-scenes.ts';
import { startLinkProxy, type LinkProxy } from '../support/link-proxy.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

let site: Site;
let link: LinkProxy;
let phones: Phones;
let planFile: string;
let live: ReturnType<typeof openLiveCalls>;
let controller: Controller;
const dataDir = (): string => join(site.folder, 'controller');

const start = (): Promise<Controller> => site.startController({ planFile, dataDir: dataDir(), env: site.attachAt(link.url) });

const readPhases: ReadPhases = async () =>
  new Map((await live.read()).map((call) => [call.offer.caller.number, { id: call.id, phase: call.phase, legs: Object.values(call.legs).map((leg) => leg.phase), keys: call.phase === 'menu' ? call.digits : '' }]));

beforeAll(async () => {
  site = await openSite();
  link = await startLinkProxy(site.switchUrl);
  live = openLiveCalls(site.redisUrl);
  planFile = writePlan(site, { file: 'plan.yaml', ...scenePlan });
  controller = await start();
  phones = await openPhones(site);
}, SITE_START_MS);

// a test that failed with the link frozen leaves the next one a working site
afterEach(() => { link.thaw(); });

afterAll(async () => {
  live.close();
  await site.close();
  await link.close();
});

type Losing = 'nothing' | 'redis' | 'redis and disk';

/** What each record must say. `gone` calls had nothing left on the switch: without a journal nobody can know of them. */
interface Expected {
  readonly disposition: Cdr['disposition'];
  readonly by: Cdr['endedBy'] | 'anybody';
  readonly answeredBy?: string;
  readonly gone?: true;
  /** The switch had no mark of it yet: what is taken over is the whole of it. */
  readonly whole?: true;
  readonly voicemail?: true;
}
const expected = {
  announcing: { disposition: 'answered', by: 'caller', answeredBy: '101' },
  answersWhileDead: { disposition: 'answered', by: 'callee', answeredBy: '102' },
  answersLater: { disposition: 'answered', by: 'caller', answeredBy: '104' },
  // that it was declined, and not unheard, nobody was there to see
  declinesWhileDead: { disposition: 'no-answer', by: 'caller', voicemail: true },
  whispered: { disposition: 'answered', by: 'callee', answeredBy: '108' },
  pressesWhileDead: { disposition: 'answered', by: 'caller', answeredBy: '109' },
  talking: { disposition: 'answered', by: 'callee', answeredBy: '110' },
  // the switch lets go of both, and then nobody can tell who went first
  hangsUpWhileDead: { disposition: 'answered', by: 'anybody', answeredBy: '111', gone: true },
  callerLeavesWhileDead: { disposition: 'canceled', by: 'caller', gone: true },
  greeting: { disposition: 'no-answer', by: 'caller' },
  beeping: { disposition: 'no-answer', by: 'caller', voicemail: true },
  recording: { disposition: 'no-answer', by: 'caller', voicemail: true },
  walking: { disposition: 'answered', by: 'callee', answeredBy: '118' },
  extending: { disposition: 'answered', by: 'callee', answeredBy: 'switchboard' },
  ending: { disposition: 'no-answer', by: 'frontdesk', gone: true },
  offered: { disposition: 'answered', by: 'caller', answeredBy: '114', whole: true },
  ended: { disposition: 'answered', by: 'caller', answeredBy: '115', whole: true },
  menu: { disposition: 'answered', by: 'caller', answeredBy: '116' },
  byExtension: { disposition: 'answered', by: 'caller', answeredBy: '119' },
  midExtension: { disposition: 'answered', by: 'callee', answeredBy: '120' },
} satisfies Record<SceneName, Expected>;

const whileDead = async (scenes: Scenes): Promise<void> => {
  await Promise.all([
    (async () => { await (await scenes.answersWhileDead.at('102')).answer(); })(),
    (async () => { await (await scenes.declinesWhileDead.at('107')).reject('declined'); })(),
    (async () => { await (await scenes.pressesWhileDead.at('109')).press('1'); })(),
    (async () => { await (await scenes.hangsUpWhileDead.at('111')).hangUp(); })(),
    scenes.callerLeavesWhileDead.caller.call.hangUp(),
    scenes.talking.talk('110'),
  ]);
};

const goOn = async (scenes: Scenes, losing: Losing): Promise<void> => {
  const inPhase = (name: SceneName, phase: CallPhase): Promise<unknown> =>
    until(async () => (await readPhases()).get(scenes[name].from)?.phase === phase, { describe: `${name} is ${phase}`, within: 15_000 });
  const answers = async (name: SceneName, extension: string): Promise<void> => {
    await (await scenes[name].at(extension)).answer();
    await scenes[name].talk(extension);
  };
  const pressed = async (name: SceneName, extension: string): Promise<void> => {
    // asked again: the key of the dead time was heard by nobody
    const call = await scenes[name].at(extension);
    await call.press('1');
    await scenes[name].talk(extension);
  };
  await Promise.all([
    (async () => {
      await until(async () => (await scenes.announcing.at('101')).state() === 'ringing', { describe: 'after its announcement the call rings', within: 15_000 });
      await answers('announcing', '101');
    })(),
    scenes.answersWhileDead.talk('102'),
    answers('answersLater', '104'),
    inPhase('declinesWhileDead', 'recording'),
    scenes.whispered.talk('108', 15_000),
    pressed('pressesWhileDead', '109'),
    scenes.talking.talk('110'),
    scenes.hangsUpWhileDead.caller.call.ended(),
    (async () => { await (await scenes.callerLeavesWhileDead.at('122')).ended(); })(),
    inPhase('greeting', 'greeting'),
    inPhase('beeping', 'recording'),
    inPhase('recording', 'recording'),
    (async () => {
      await (await scenes.walking.at('117')).reject('declined');
      await answers('walking', '118');
    })(),
    // who knows nothing of it dials again, and waits for both rows of keys
    scenes.extending.talk('+12025550351', 25_000),
    scenes.ending.caller.call.ended(),
    answers('offered', '114'),
    (async () => {
      await scenes.menu.caller.call.press('1');
      await answers('menu', '116');
    })(),
    answers('byExtension', '119'),
    (async () => {
      // the switch has no mark of keys: whose journal is lost hears the prompt again, and dials again
      await scenes.midExtension.caller.call.press(losing === 'redis and disk' ? '120' : '0');
      await answers('midExtension', '120');
    })(),
  ]);
};

const endAll = async (scenes: Scenes): Promise<void> => {
  const names = Object.keys(expected) as SceneName[];
  await Promise.all(names.map(async (name) => {
    const { by, answeredBy }: Expected = expected[name];
    if (by === 'caller') await scenes[name].caller.call.hangUp();
    else if (by === 'callee' && answeredBy !== undefined) await (await scenes[name].at(answeredBy === 'switchboard' ? '+12025550351' : answeredBy)).hangUp();
    await scenes[name].caller.call.ended();
  }));
};

const checkRecords = async (scenes: Scenes, losing: Losing): Promise<void> => {
  const names = (Object.keys(expected) as SceneName[]).filter((name) => losing !== 'redis and disk' || !('gone' in expected[name]));
  const of = (name: SceneName): Cdr[] => cdrsIn(dataDir()).filter((cdr) => cdr.caller.number === scenes[name].from);
  await until(() => names.every((name) => of(name).length > 0), { describe: `every call has its record: ${names.filter((name) => of(name).length === 0).join(', ')}`, within: 8_000 });
  await site.expectNothingLeft();
  for (const name of names) {
    const want: Expected = expected[name];
    const found = of(name);
    const [cdr] = found;
    const answeredBy = cdr?.legs.find((leg) => leg.legId === cdr.answeredBy)?.label;
    expect({ name, records: found.length, disposition: cdr?.disposition, by: cdr?.voicemail === null && want.by !== 'anybody' ? cdr.endedBy : want.by, answeredBy, voicemail: cdr?.voicemail === null ? undefined : true, reconstructed: cdr?.reconstructed })
      .toEqual({ name, records: 1, disposition: want.disposition, by: want.by, answeredBy: want.answeredBy, voicemail: want.voicemail, reconstructed: losing === 'redis and disk' && want.whole !== true });
  }
};

describe('A controller is killed with a call in every phase, and starts again', { timeout: 90_000 }, () => {
  test.each<[Losing, number]>([['nothing', 1], ['redis', 2], ['redis and disk', 3]])('having lost %s', async (losing, series) => {
    const scenes = await raiseScenes({ site, phones, link, readPhases, series });
    const phases = await readPhases();
    // the journal of a call that has ended is closed; that of one on offer has not begun
    const seen = Object.entries(sceneOfPhase).map(([phase, scene]) => ({ scene, phase: phases.get(scenes[scene].from)?.phase ?? (phase === 'ended' || phase === 'offered' ? phase : 'unknown') }));
    expect(seen).toEqual(Object.entries(sceneOfPhase).map(([phase, scene]) => ({ scene, phase })));
    const legs = Object.entries(sceneOfLegPhase).filter(([phase, scene]) => phases.get(scenes[scene].from)?.legs.includes(phase as LegPhase) === true);
    expect(legs).toEqual(Object.entries(sceneOfLegPhase));
    expect(phases.get(scenes.midExtension.from)?.keys).toBe('12');

    // what the disk has not got is lost with Redis
    await until(async () => {
      const { id = '' } = phases.get(scenes.ending.from) ?? {};
      return (await callOnDisk(dataDir(), id))?.phase === 'ending';
    }, { describe: 'the disk knows of the last decision' });
    await controller.kill();
    link.thaw();
    const killedAt = performance.now();
    await whileDead(scenes);
    if (losing !== 'nothing') await site.redis.empty();
    if (losing === 'redis and disk') rmSync(join(dataDir(), 'journals'), { recursive: true });
    const startedAt = performance.now();
    controller = await start();
    const readyAt = performance.now();
    await goOn(scenes, losing);
    process.stdout.write(`having lost ${losing}: dead for ${Math.round(startedAt - killedAt)} ms, ready ${Math.round(readyAt - startedAt)} ms after its start, every call going on ${Math.round(performance.now() - startedAt)} ms after\n`);
    // who was busy before is not rung again
    expect(phones.all.get('106')?.calls.filter((call) => call.callerId().number === scenes.walking.from)).toHaveLength(1);
    await endAll(scenes);
    await checkRecords(scenes, losing);
    expect(controller.output()).not.toMatch(/could not be continued|replays differently/);
  });
});
