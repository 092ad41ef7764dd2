/**
 * Whether a number is ready for patients (N12): a checklist over its configuration and over what is there now, each
 * point with the way out. Pure: everything it judges is given.
 */
import type { AgentRecord } from '../core/queue/desk.ts';
import { warnings } from '../core/routing/compile.ts';
import type { Message, Queue, TrackingNumber } from '../core/routing/config.ts';
import { indexOf } from '../core/routing/index-of.ts';
import { keysThatWait } from '../core/routing/menu-keys.ts';
import { reachOf } from '../core/routing/reach.ts';
import { recordingDecision } from '../core/routing/recording.ts';
import { count, seconds } from '../core/routing/words.ts';
import type { EpochMs } from '../core/time.ts';
import type { ClinicConfig } from './clinics.ts';

export const readinessItems = ['name', 'route', 'timeout', 'greeting', 'failsafe', 'emergency', 'trunk', 'phones', 'agents', 'recording', 'voice', 'test-call'] as const;

export interface ReadinessPoint {
  readonly item: (typeof readinessItems)[number];
  /** missing: calls fail by it, or people come to harm. warning: it may not be what you want. */
  readonly state: 'done' | 'missing' | 'warning';
  readonly detail: string;
  /** Null of what is done. */
  readonly wayOut: string | null;
}

export interface ReadinessFacts {
  readonly clinic: ClinicConfig;
  readonly number: TrackingNumber;
  /** N13; absent where the number says nothing. */
  readonly voice: boolean | undefined;
  /** When the number was changed last. */
  readonly changedAt: EpochMs;
  /** Of the account's phones, by extension, and its trunks; a sentence when the switch cannot be asked. */
  readonly seen: readonly { readonly kind: 'device' | 'trunk'; readonly id: string; readonly state: string }[] | string;
  /** What the account's desk knows of agents; a sentence when it cannot be asked. */
  readonly agents: readonly Pick<AgentRecord, 'id' | 'status' | 'devices'>[] | string;
  /** Whether a text has been spoken. */
  readonly isSpoken: (text: string) => boolean;
  readonly lastTest: { readonly at: EpochMs; readonly answered: boolean | null; readonly sentence: string } | null;
}

type Verdict = readonly [ReadinessPoint['state'], string, string?];

export function readinessOf(facts: ReadinessFacts): readonly ReadinessPoint[] {
  return readinessItems.map((item) => {
    const [state, detail, wayOut = null] = judge[item](facts);
    return { item, state, detail, wayOut };
  });
}

const judge: Readonly<Record<ReadinessPoint['item'], (facts: ReadinessFacts) => Verdict>> = {
  name: ({ number }) => (/\p{L}/u.test(number.label)
    ? ['done', `It is called “${number.label}”.`]
    : ['warning', `Its name is “${number.label}”, which tells nobody what it is for.`, 'Give it a name such as Front desk.']),

  route: ({ clinic, number }) => {
    const { phones, menus, queues, messages } = reachOf(clinic.account, number);
    const by = [...(menus.length === 0 ? [] : [count(menus.length, 'menu')]), ...(queues.length === 0 ? [] : [count(queues.length, 'queue')])].join(' and ');
    const waits = menus.flatMap((menu) => keysThatWait(menu, indexOf(clinic.account).extensions.keys()));
    if (phones.length > 0 && waits.length > 0) return ['warning', waits.join(' '), 'Change options or dialByExtension of the menu.'];
    if (phones.length > 0) return ['done', `Its calls may ring ${count(phones.length, 'phone')}${by === '' ? '' : `, by ${by}`}.`];
    const wayOut = 'Give it users with devices, a forwarding number or a route.';
    if (messages.length > 0) return ['warning', 'Its calls ring nobody: callers hear a message.', wayOut];
    return number.voicemail === undefined ? ['missing', 'Its calls ring nobody, and voicemail is off: every caller is hung up.', wayOut] : ['warning', 'Its calls ring nobody: every caller goes to voicemail.', wayOut];
  },

  timeout: ({ clinic, number }) => {
    const [first, ...more] = warnings(clinic.account, number);
    return first === undefined ? ['done', `It rings for ${seconds(number.ringMs)}.`] : ['warning', [first, ...more].join(' '), 'Change timeoutSeconds of the number, or what the sentence names.'];
  },

  greeting: ({ clinic, number, isSpoken }) => {
    if (number.voicemail === undefined) return ['done', 'Voicemail is off, so nobody is greeted.'];
    const greeting = number.voicemail.greeting ?? clinic.account.greeting;
    if (greeting === undefined) return ['missing', 'Voicemail has no greeting: callers hear the switch’s own.', 'Give voicemail.greeting of the number, or of the account.'];
    return isReady(greeting, isSpoken) ? ['done', number.voicemail.greeting === undefined ? 'Callers hear the business’s greeting.' : 'It has a greeting of its own.'] : notSpoken('greeting');
  },

  failsafe: ({ clinic, number }) => {
    const failsafe = clinic.failsafe.get(number.e164);
    return failsafe === undefined
      ? ['missing', 'When Frontdesk is not there, its callers hear an apology.', 'Give failsafe of the number, or of the account: a number outside this system.']
      : ['done', `When Frontdesk is not there, the switch rings ${failsafe}.`];
  },

  emergency: ({ clinic }) => {
    if (clinic.emergency !== null) return ['done', `Emergency calls go out over ${clinic.emergency.trunks.join(', then ')}, as from ${clinic.emergency.location}.`];
    if (clinic.phones.length === 0) return ['done', 'The account has no phones that could make an emergency call.'];
    return ['missing', '911 from the account’s phones reaches nobody.', 'Give emergency of the account: location, address, callerId and trunks.'];
  },

  trunk: ({ clinic, seen }) => {
    if (clinic.trunks.length === 0) return ['missing', 'The account has no trunk: no carrier brings it calls.', 'Create a trunk.'];
    if (typeof seen === 'string') return ['warning', seen, 'Look at /readyz.'];
    const states = clinic.trunks.map(({ id }) => ({ id, state: seen.find((one) => one.kind === 'trunk' && one.id === id)?.state ?? 'unknown' }));
    const told = states.map(({ id, state }) => `${id} is ${state === 'unknown' ? 'not asked' : state}`).join(', ');
    const bad = states.filter(({ state }) => !['registered', 'reachable', 'unknown'].includes(state));
    if (bad.length === states.length) return ['missing', `No trunk works: ${told}.`, 'Check host, user name and password of the trunk, and its carrier.'];
    if (bad.length > 0) return ['warning', `${told}.`, 'Check the ones that do not work.'];
    const unasked = states.filter(({ state }) => state === 'unknown').map(({ id }) => id);
    return unasked.length === 0 ? ['done', `${told}.`] : ['warning', `Whether ${unasked.join(' and ')} can be reached is not known.`, 'Set qualifySeconds of the trunk, and it is asked.'];
  },

  phones: ({ clinic, number, seen }) => {
    const extensions = [...new Set(reachOf(clinic.account, number).phones.flatMap(({ target }) => (target.kind === 'device' ? [target.device] : [])))];
    if (extensions.length === 0) return ['done', 'It rings no desk phone.'];
    if (typeof seen === 'string') return ['warning', seen, 'Look at /readyz.'];
    const away = extensions.filter((extension) => seen.find((one) => one.kind === 'device' && one.id === extension)?.state !== 'registered');
    if (away.length === 0) return ['done', `${count(extensions.length, 'desk phone')} registered: ${extensions.join(', ')}.`];
    return [away.length === extensions.length ? 'missing' : 'warning', `Not registered: ${away.join(', ')}.`, 'Log the phone in with the credentials of its device.'];
  },

  agents: ({ clinic: { account }, number, agents }) => {
    const { queues } = reachOf(account, number);
    if (queues.length === 0) return ['done', 'It leads to no queue.'];
    if (typeof agents === 'string') return ['warning', agents, 'Look at /readyz.'];
    const there = agents.filter(({ status, devices }) => status !== 'offline' && devices.length > 0).map(({ id }) => id);
    const empty = queues.filter((queue) => !agentsOf(queue).some((id) => there.includes(id)));
    const idle = [...indexOf(account).users.values()].filter(({ id }) => there.includes(id) && ![...(account.queues?.values() ?? [])].some((queue) => agentsOf(queue).includes(id)));
    if (empty.length > 0) return ['warning', `Nobody is logged in to ${empty.map(({ name }) => `“${name}”`).join(' and ')}.`, 'Log an agent in on a phone, and choose the status available.'];
    if (idle.length > 0) return ['warning', `Logged in as agents, and in no queue: ${idle.map(({ name }) => name).join(', ')}.`, 'Add them to the agents of a queue.'];
    return ['done', `Somebody is logged in to ${count(queues.length, 'queue')}.`];
  },

  recording: ({ clinic: { account }, number, isSpoken }) => {
    const rules = [undefined, ...reachOf(account, number).phones.map(({ user }) => user?.recording)];
    if (!rules.some((user) => recordingDecision({ account: account.recording, number: number.recording, user }).recorded)) return ['done', 'Its calls are not recorded.'];
    const announcement = number.recordingAnnouncement;
    if (announcement === undefined) return ['warning', 'Its calls are recorded, and nobody is told.', 'Give recordingAnnouncement, unless the law where caller and callee are lets you record without.'];
    return isReady(announcement, isSpoken) ? ['done', 'Its calls are recorded, and both are told before.'] : notSpoken('recording announcement');
  },

  voice: ({ voice }) => (voice === false
    ? ['missing', 'It is marked as a number that takes no voice calls.', 'Ask the carrier, and set capabilities.voice of the number.']
    : ['done', voice === true ? 'It takes voice calls.' : 'Nothing says that it takes no voice calls.']),

  'test-call': ({ lastTest, changedAt }) => {
    if (lastTest === null) return ['missing', 'No test call is known.', 'POST to test-call of the number, and answer the phone.'];
    const { at, answered, sentence } = lastTest;
    const told = `${new Date(at).toISOString()}: ${sentence}`;
    if (answered === null) return ['warning', told, 'Answer it.'];
    if (!answered) return ['missing', told, 'Find out why nobody took it, and make another.'];
    return changedAt > at ? ['warning', `${told} The number has been changed since.`, 'Make another.'] : ['done', told];
  },
};

function agentsOf({ desk: { tiers } }: Queue): readonly string[] {
  return tiers.flatMap((tier) => tier.agents.map(({ agent }) => agent));
}

function isReady({ text, media }: Message, isSpoken: (text: string) => boolean): boolean {
  return media !== undefined || (text !== undefined && isSpoken(text));
}

function notSpoken(what: string): Verdict {
  return ['warning', `The audio of its ${what} is not ready.`, 'Wait a little; where it stays so, the log says why, and an uploaded audio file needs no speaking.'];
}
