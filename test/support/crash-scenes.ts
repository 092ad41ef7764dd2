/**
 * One call in every phase a call can be in, all up at once: the state of a clinic at the moment its controller dies.
 * The phases are kept from moving on by freezing the link, so that short ones (a beep, an end that was asked for)
 * stand still too.
 */
import type { CallPhase, Leg } from '../../control-plane/core/call/call.ts';
import { busy, saysNothing } from './behaviour.ts';
import type { NumberInPlan, PlanOptions } from './clinic-plan.ts';
import type { LinkProxy } from './link-proxy.ts';
import type { SipCall } from './sip-call.ts';
import type { Party } from './sip-party.ts';
import type { Caller, Site } from './site.ts';
import { until } from './until.ts';

const long = 'This is a long sentence, which goes on and on, so that whoever hears it is still listening to it when the machine dies.';
const greeting = { greeting: { sound: 'demo-congrats' } } as const;
const shortGreeting = { greeting: { sound: 'vm-goodbye' }, silenceSeconds: 60 } as const;
const mobile = '+12025550350';
const switchboard = '+12025550351';
/** One after the other: 106 is busy, 117 rings when the controller dies, 118 is next. */
const inTurn = ['106', '117', '118'] as const;

const numbers = {
  announcing: { rings: ['101'], announcement: long },
  answersWhileDead: { rings: ['102', '103'] },
  answersLater: { rings: ['104', '105', '106'], ringSeconds: { 105: 4 } },
  declinesWhileDead: { rings: ['107'], voicemail: shortGreeting },
  whispered: { rings: ['108', mobile], whisper: long },
  pressesWhileDead: { rings: ['109'], callConnect: 'every', acceptKey: '1' },
  talking: { rings: ['110'] },
  hangsUpWhileDead: { rings: ['111'] },
  callerLeavesWhileDead: { rings: ['122'] },
  greeting: { voicemail: greeting },
  beeping: { voicemail: shortGreeting },
  recording: { voicemail: shortGreeting },
  walking: { route: { to: 'ring-group', id: 'in-turn' } },
  extending: { route: { to: 'receiving-number', id: 'switchboard' }, callConnect: 'off' },
  ending: { rings: ['113'], timeoutSeconds: 5, voicemail: 'off' },
  offered: { rings: ['114'] },
  ended: { rings: ['115'] },
  menu: { rings: ['116'], route: { to: 'menu', id: 'main' } },
  byExtension: { rings: ['119'], route: { to: 'menu', id: 'directory' } },
  midExtension: { rings: ['120'], route: { to: 'menu', id: 'directory' } },
} satisfies Readonly<Record<string, Omit<NumberInPlan, 'e164'>>>;

export type LegPhase = Leg['phase'];
export type SceneName = keyof typeof numbers;
export const sceneNames = Object.keys(numbers) as SceneName[];

/** Which scene shows which phase: a phase that is added to the type does not compile without one. `setting` and `ordering` are over in milliseconds; of the latter see patterns.test.ts. Who waits in a queue, and who supervises, is in a test of its own. */
export const sceneOfPhase = {
  offered: 'offered',
  announcing: 'announcing',
  menu: 'menu',
  ringing: 'answersLater',
  connecting: 'whispered',
  connected: 'talking',
  greeting: 'greeting',
  beeping: 'beeping',
  recording: 'recording',
  ending: 'ending',
  ended: 'ended',
} satisfies Record<Exclude<CallPhase, 'setting' | 'ordering' | 'queued' | 'supervising'>, SceneName>;

export const sceneOfLegPhase = {
  dialing: 'answersWhileDead',
  ringing: 'answersLater',
  extending: 'extending',
  screening: 'pressesWhileDead',
  accepted: 'whispered',
  bridged: 'talking',
  dismissed: 'whispered',
  ending: 'answersLater',
  ended: 'answersLater',
} satisfies Record<LegPhase, SceneName>;

const e164Of = (scene: SceneName): string => `+120255502${String(sceneNames.indexOf(scene)).padStart(2, '0')}`;

export const scenePlan: Omit<PlanOptions, 'file'> = {
  trunks: ['carrier'],
  numbers: sceneNames.map((scene) => ({ e164: e164Of(scene), timeoutSeconds: 60, ...numbers[scene] })),
  others: inTurn,
  ringGroups: [{ id: 'in-turn', name: 'In turn', pattern: 'sequential', destinations: inTurn.map((device) => ({ target: { to: 'user', id: `u${device}` }, ringSeconds: 60 })) }],
  menus: [
    { id: 'main', name: 'Main menu', prompt: long, options: { 1: { to: 'user', id: 'u116' } }, waitSeconds: 60 },
    { id: 'directory', name: 'Directory', prompt: long, options: {}, dialByExtension: true, waitSeconds: 60, betweenKeysSeconds: 10 },
  ],
  // longer than the others need to be raised
  receivingNumbers: [{ id: 'switchboard', label: 'switchboard', number: switchboard, callConnect: 'off', dialExtension: { digits: 'WWWW1', delaySeconds: 4 } }],
};

export interface Scene {
  readonly name: SceneName;
  readonly from: string;
  readonly caller: Caller;
  /** The call of this scene at a phone, once it rings there. */
  at(extension: string): Promise<SipCall>;
  /** Each hears the other, by tones that no other scene uses. */
  talk(extension: string, within?: number): Promise<void>;
}

export interface Phones {
  readonly all: ReadonlyMap<string, Party>;
}

/** All phones of the plan, registered; a mobile and a switchboard behind the carrier. */
export const openPhones = async (site: Site): Promise<Phones> => {
  const extensions = [...new Set([...scenePlan.numbers.flatMap(({ rings = [] }) => rings), ...inTurn])].filter((device) => device !== mobile);
  const all = new Map(await Promise.all(extensions.map(async (extension): Promise<readonly [string, Party]> => [extension, await site.phone(extension, extension === '103' ? saysNothing : extension === '106' ? busy : undefined)])));
  const carrier = await site.carrier();
  for (const number of [mobile, switchboard]) all.set(number, carrier);
  return { all };
};

/** `series` makes callers' numbers of their own, so that records of several runs are told apart. */
export const openScene = async (site: Site, phones: Phones, series: number, name: SceneName): Promise<Scene> => {
  const index = sceneNames.indexOf(name);
  const from = `+1303555${String(series * 100 + index).padStart(4, '0')}`;
  const tones = { caller: 400 + 60 * index, phone: 430 + 60 * index };
  const caller = await site.call({ from, to: e164Of(name), sound: tones.caller });
  const at = (extension: string): Promise<SipCall> =>
    until(() => phones.all.get(extension)?.calls.findLast((call) => call.callerId().number === from), { describe: `${name}: a call reaches ${extension}`, within: 8_000 });
  return {
    name, from, caller, at,
    talk: async (extension, within = 8_000) => {
      const call = await at(extension);
      await until(() => call.state() === 'connected', { describe: `${name}: ${extension} is connected`, within });
      call.play(tones.phone);
      await until(() => call.hears(tones.caller) && caller.call.hears(tones.phone), { describe: `${name}: ${extension} and the caller hear each other`, within });
    },
  };
};

/** What the journals say: the phase of each scene's call, and of its legs; the keys of a menu's present try. */
export type ReadPhases = () => Promise<ReadonlyMap<string, { readonly id: string; readonly phase: CallPhase; readonly legs: readonly LegPhase[]; readonly keys: string }>>;

export type Scenes = Readonly<Record<SceneName, Scene>>;

export interface Stage {
  readonly site: Site;
  readonly phones: Phones;
  readonly link: LinkProxy;
  readonly readPhases: ReadPhases;
  readonly series: number;
}

/** Brings every call to its phase and leaves the link frozen. */
export const raiseScenes = async (stage: Stage): Promise<Scenes> => {
  const { site, phones, link, readPhases, series } = stage;
  const open = (name: SceneName): Promise<Scene> => openScene(site, phones, series, name);
  const inPhase = (scene: Scene, phase: CallPhase): Promise<unknown> =>
    until(async () => (await readPhases()).get(scene.from)?.phase === phase, { describe: `${scene.name} is ${phase}`, within: 12_000, everyMs: 5 });

  const ended = await open('ended');
  await (await ended.at('115')).answer();
  await inPhase(ended, 'connected');
  await ended.caller.call.hangUp();

  const [answersWhileDead, declinesWhileDead, pressesWhileDead, talking, hangsUpWhileDead, callerLeavesWhileDead, greetingScene, recording, walking, menu, byExtension, midExtension] = await Promise.all([
    open('answersWhileDead'), open('declinesWhileDead'), open('pressesWhileDead'), open('talking'), open('hangsUpWhileDead'), open('callerLeavesWhileDead'), open('greeting'), open('recording'), open('walking'), open('menu'), open('byExtension'), open('midExtension'),
  ]);
  await Promise.all([
    (async () => { await (await answersWhileDead.at('102')).ringing(); })(),
    (async () => { await (await declinesWhileDead.at('107')).ringing(); })(),
    (async () => { await (await callerLeavesWhileDead.at('122')).ringing(); })(),
    (async () => { await (await walking.at('117')).ringing(); })(),
    (async () => { await (await pressesWhileDead.at('109')).answer(); })(),
    (async () => {
      await (await talking.at('110')).answer();
      await talking.talk('110');
    })(),
    (async () => {
      await (await hangsUpWhileDead.at('111')).answer();
      await hangsUpWhileDead.talk('111');
    })(),
    inPhase(greetingScene, 'greeting'),
    inPhase(recording, 'recording'),
    inPhase(menu, 'menu'),
    inPhase(midExtension, 'menu'),
    (async () => {
      await inPhase(byExtension, 'menu');
      await byExtension.caller.call.connected();
      await byExtension.caller.call.press('119');
      await (await byExtension.at('119')).ringing();
    })(),
  ]);

  // What moves by itself comes last. A leg is to end 4 s, a call 5 s after it is dialled: by then nobody hears of it.
  const [whispered, extending] = [await open('whispered'), await open('extending')];
  await (await extending.at(switchboard)).answer();
  const [desk, away] = await Promise.all([whispered.at('108'), whispered.at(mobile)]);
  await away.answer();
  const [answersLater, ending, announcing] = await Promise.all([open('answersLater'), open('ending'), open('announcing')]);
  const beeping = await open('beeping');
  await midExtension.caller.call.press('12');
  await until(async () => (await readPhases()).get(midExtension.from)?.keys === '12', { describe: 'an extension is half dialled', everyMs: 5 });
  await Promise.all([(await answersLater.at('104')).ringing(), (await ending.at('113')).ringing(), inPhase(announcing, 'announcing')]);
  await desk.answer();
  await inPhase(beeping, 'beeping');
  link.freeze();

  const before = new Set((await site.switch.channels()).map(({ id }) => id));
  const offered = await open('offered');
  await claimForDead(site, before);
  const scenes = { announcing, answersWhileDead, answersLater, declinesWhileDead, whispered, pressesWhileDead, talking, hangsUpWhileDead, callerLeavesWhileDead, greeting: greetingScene, beeping, recording, walking, extending, ending, offered, ended, menu, byExtension, midExtension };
  await inPhase(ending, 'ending');
  await until(async () => (await readPhases()).get(answersLater.from)?.legs.includes('ending'), { describe: 'a leg is being hung up' });
  return scenes;
};

/** The controller's claim, as if it had died between that and hearing of its success. */
const claimForDead = async (site: Site, before: ReadonlySet<string>): Promise<void> => {
  await until(async () => {
    const channel = (await site.switch.channels()).find(({ id }) => !before.has(id));
    return channel !== undefined && site.switch.claim(channel.id, 'main');
  }, { describe: 'the new call is claimed', everyMs: 5 });
};
