/** What a queue's document may say, what it may say of others, and what the desk is told of it. */
import { describe, expect, it } from 'vitest';
import { checkTogether, parseDocument, referencesOf } from '../../control-plane/configuration/check.ts';
import { clinicsOf } from '../../control-plane/configuration/clinics.ts';
import { keyText, type ConfigObject } from '../../control-plane/configuration/objects.ts';
import { strategyNames } from '../../control-plane/core/queue/config.ts';
import type { Account } from '../../control-plane/core/routing/config.ts';
import { deskQueuesOf } from '../../control-plane/core/routing/queue-step.ts';
import { objectOf, type Given } from './configuration-objects.ts';

const base: readonly Given[] = [
  ['account', 'elm', { name: 'Elm Street', sipPrefix: 'elm' }], ['user', 'ann', { name: 'Ann' }], ['user', 'bob', { name: 'Bob' }],
];
const objectsOf = (given: readonly Given[]): ReadonlyMap<string, ConfigObject> => new Map([...base, ...given].map(objectOf).map((object) => [keyText(object), object]));

/** Problems of these with a clinic around them, `kind/id path: message`. */
function problemsOf(...given: readonly Given[]): readonly string[] {
  return checkTogether(objectsOf(given)).map(({ object, path, message }) => `${object.kind}/${object.id} ${path}: ${message}`);
}

function accountOf(...given: readonly Given[]): Account {
  const [clinic] = clinicsOf(objectsOf(given).values(), (_account, id) => `file:${id}`);
  if (clinic === undefined) throw new Error('no clinic');
  return clinic.account;
}

const least = { name: 'Front desk', strategy: 'longest-idle', agents: [{ user: 'ann' }] };
const queue = (id: string, change: object = {}): Given => ['queue', id, { ...least, ...change }];
const trunk = (id: string, priority: number): Given => ['trunk', id, { host: 'sip.carrier.example', priority }];
const to = (kind: string, id: string): object => ({ to: kind, id });

const wrong = (body: object): readonly string[] => {
  const parsed = parseDocument('queue', body);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};

describe('A queue', () => {
  it('of one needs a name, a strategy and an agent', () => {
    const [desk] = deskQueuesOf(accountOf(queue('desk')));
    expect(desk).toEqual({
      id: 'desk', strategy: 'longest-idle', fallback: 'longest-idle', stickyWaitMs: 15_000, tiers: [{ agents: [{ agent: 'ann', share: 1 }], delayMs: 0 }],
      weight: 1, offerMs: 20_000, wrapUpMs: 10_000, rejectDelayMs: 10_000, busyDelayMs: 15_000, noAnswerDelayMs: 10_000, pauseAfterMissed: null,
      maxWaitMs: 600_000, maxLength: null, maxCallbackMs: null, joinNeeds: 'available', stayNeeds: 'available', stayMs: 60_000, serviceLevelMs: 20_000, announce: null,
    });
  });

  it('tells its desk all that it says, in milliseconds', () => {
    const [desk] = deskQueuesOf(accountOf(queue('desk', {
      strategy: 'sticky', fallback: 'weighted', stickyWaitSeconds: 40, agents: undefined,
      tiers: [{ agents: [{ user: 'ann', share: 3, wrapUpSeconds: 0 }], delaySeconds: 25 }, { agents: [{ user: 'bob' }] }],
      weight: 5, ringSeconds: 12, wrapUpSeconds: 45, rejectDelaySeconds: 1, busyDelaySeconds: 2, noAnswerDelaySeconds: 3, pauseAfterMissed: 4, maxWaitSeconds: 0, maxLength: 7,
      joinNeeds: 'free', stayNeeds: 'nobody', staySeconds: 90, serviceLevelSeconds: 30, announcePosition: { firstSeconds: 15 },
    })));
    expect(desk).toEqual({
      id: 'desk', strategy: 'sticky', fallback: 'weighted', stickyWaitMs: 40_000,
      tiers: [{ agents: [{ agent: 'ann', share: 3, wrapUpMs: 0 }], delayMs: 25_000 }, { agents: [{ agent: 'bob', share: 1 }], delayMs: 30_000 }],
      weight: 5, offerMs: 12_000, wrapUpMs: 45_000, rejectDelayMs: 1000, busyDelayMs: 2000, noAnswerDelayMs: 3000, pauseAfterMissed: 4, maxWaitMs: null, maxLength: 7, maxCallbackMs: null,
      joinNeeds: 'free', stayNeeds: null, stayMs: 90_000, serviceLevelMs: 30_000, announce: { firstMs: 15_000, everyMs: 60_000 },
    });
  });

  it('calls back three times in a day, five minutes apart, over the trunks in their order', () => {
    const account = accountOf(queue('desk', { callback: { key: '2' } }), trunk('second', 20), trunk('first', 10));
    expect(account.queues?.get('desk')?.callback).toEqual({ key: '2', attempts: 3, pauseMs: 300_000, ringMs: 30_000, trunks: ['first', 'second'] });
    expect(deskQueuesOf(account)).toMatchObject([{ maxCallbackMs: 86_400_000 }]);
  });

  it.each(strategyNames)('may have the strategy %s', (strategy) => {
    expect(wrong({ ...least, strategy })).toEqual([]);
  });

  it.each<readonly [string, object, readonly string[]]>([
    ['no strategy', { name: 'Front desk', agents: [{ user: 'ann' }] }, [`strategy: must be one of: ${strategyNames.join(', ')}.`]],
    ['a strategy that there is not', { ...least, strategy: 'linear' }, [`strategy: must be one of: ${strategyNames.join(', ')}.`]],
    ['a fallback that asks everybody at once', { ...least, strategy: 'sticky', fallback: 'ring-all' }, ['fallback: must be one of: round-robin, least-recent, fewest-calls, longest-idle, random, weighted, top-down.']],
    ['no agents', { name: 'Front desk', strategy: 'random' }, [': must have agents or tiers of them, and not both. Write agents for one tier, and tiers for several.']],
    ['an empty list of agents', { ...least, agents: [] }, ['agents: must name an agent.']],
    ['agents and tiers', { ...least, tiers: [{ agents: [{ user: 'bob' }] }] }, [': must have agents or tiers of them, and not both. Write agents for one tier, and tiers for several.']],
    ['an agent twice', { ...least, agents: [{ user: 'ann' }, { user: 'bob' }, { user: 'ann', share: 2 }] }, ['agents[2].user: ann is an agent of this queue already. Name each once, in one tier.']],
    ['an agent in two tiers', { name: 'Q', strategy: 'random', tiers: [{ agents: [{ user: 'ann' }] }, { agents: [{ user: 'bob' }, { user: 'ann' }] }] }, ['tiers[1].agents[1].user: ann is an agent of this queue already. Name each once, in one tier.']],
    ['a delay of nothing after a rejection', { ...least, rejectDelaySeconds: 0 }, ['rejectDelaySeconds: must be whole seconds from 1 to 3600.']],
    ['a delay of nothing after no answer', { ...least, noAnswerDelaySeconds: 0 }, ['noAnswerDelaySeconds: must be whole seconds from 1 to 3600.']],
    ['an exit key that is none', { ...least, exit: { key: '12', target: { to: 'voicemail' } } }, ['exit.key: is not a key. Use one of 0-9, * and #.']],
    ['one key to leave and to be called back', { ...least, exit: { key: '1', target: { to: 'voicemail' } }, callback: { key: '1' } }, [': has one key for `exit` and `callback`. Give each its own.']],
    ['callbacks without a key', { ...least, callback: {} }, ['callback.key: is missing. Add it.']],
    ['callbacks without end', { ...least, callback: { key: '2', attempts: 11, pauseSeconds: 5, ringSeconds: 61, keepSeconds: 604_801 } }, [
      'callback.attempts: must be whole tries from 1 to 10.', 'callback.pauseSeconds: must be whole seconds from 10 to 86400.', 'callback.ringSeconds: must be whole seconds from 10 to 60.', 'callback.keepSeconds: must be whole seconds from 60 to 604800.',
    ]],
    ['an empty message', { ...least, messages: { say: [{ text: 'Hold on.' }, { text: '' }] } }, ['messages.say[1].text: must not be empty.']],
    ['more agents than there may be', { ...least, agents: Array.from({ length: 201 }, (_, i) => ({ user: `u${i}` })) }, ['agents: takes at most 200 agents.']],
    ['a presence that there is not', { ...least, joinNeeds: 'awake' }, ['joinNeeds: must be one of: nobody, logged-in, available, free.']],
  ])('with %s is refused, with the field and the way out', (_, body, told) => {
    expect(wrong(body)).toEqual(told);
  });

  it('names agents, audio and targets that are there', () => {
    expect(problemsOf(
      queue('desk', { agents: [{ user: 'ann' }, { user: 'cy' }], music: { audio: 'harp' }, messages: { say: [{ text: 'Hold on.' }, { audio: 'ad' }] }, exit: { key: '1', target: to('menu', 'm') }, full: to('queue', 'more') }),
      ['number', 'main', { e164: '+12025550110', name: 'Main', route: to('queue', 'none') }],
    )).toEqual([
      'queue/desk agents[1].user: there is no user “cy”. Create it first, or correct the id.',
      'queue/desk music.audio: there is no audio “harp”. Create it first, or correct the id.',
      'queue/desk messages.say[1].audio: there is no audio “ad”. Create it first, or correct the id.',
      'queue/desk exit.target: there is no menu “m”. Create it first, or correct the id.',
      'queue/desk full: there is no queue “more”. Create it first, or correct the id.',
      'number/main route: there is no queue “none”. Create it first, or correct the id.',
    ]);
  });

  it('is used by whatever leads to it', () => {
    const targets: readonly Given[] = [
      ['number', 'main', { e164: '+12025550110', name: 'Main', route: { to: 'queue', id: 'desk', priority: 5 }, noAnswer: to('queue', 'desk') }],
      ['menu', 'm', { name: 'M', prompt: { text: 'Hello' }, options: { 1: to('queue', 'desk') } }],
      ['router', 'r', { name: 'R', geo: [{ countries: ['CA'], target: to('queue', 'desk') }], default: { to: 'voicemail' } }],
      ['account', 'elm', { name: 'Elm Street', night: { closed: to('queue', 'desk') } }],
      ['queue', 'more', { ...least, maxWait: to('queue', 'desk') }],
    ];
    expect(targets.flatMap((given) => referencesOf(objectOf(given)).filter(({ kind }) => kind === 'queue').map(({ path }) => `${given[0]} ${path}`))).toEqual([
      'number route', 'number noAnswer', 'menu options.1', 'router geo[0].target', 'account night.closed', 'queue maxWait',
    ]);
  });
});

describe('A circle', () => {
  it('of two queues that overflow into each other is spelled out at both', () => {
    expect(problemsOf(queue('a', { full: to('queue', 'b') }), queue('b', { full: to('queue', 'a') }))).toEqual([
      'queue/a full: leads in a circle: queue “a”, full → queue “b”, full → queue “a”. Let one of them lead elsewhere.',
      'queue/b full: leads in a circle: queue “b”, full → queue “a”, full → queue “b”. Let one of them lead elsewhere.',
    ]);
  });

  it('over a menu and a group is found, whatever way out of the queue it takes', () => {
    for (const way of ['full', 'empty', 'maxWait', 'closed']) {
      const found = problemsOf(
        queue('a', { [way]: to('menu', 'm') }), ['menu', 'm', { name: 'M', prompt: { text: 'Hello' }, options: { 1: { to: 'voicemail' } }, noKey: to('ring-group', 'g') }],
        ['ring-group', 'g', { name: 'G', pattern: 'simultaneous', destinations: [{ target: to('user', 'ann') }], noAnswer: to('queue', 'a') }],
      );
      expect(found.map((one) => one.replace(/: .*/, ''))).toEqual([`queue/a ${way}`, 'menu/m noKey', 'ring-group/g noAnswer']);
    }
  });

  it('is none where the caller takes it, by the exit key', () => {
    expect(problemsOf(queue('a', { exit: { key: '2', target: to('queue', 'b') } }), queue('b', { exit: { key: '2', target: to('queue', 'a') } }))).toEqual([]);
  });
});

const coded = (agentCodes: object, night?: object): Given => ['account', 'elm', { name: 'Elm Street', sipPrefix: 'elm', agentCodes, ...(night === undefined ? {} : { night }) }];

const pinned = (user: string, pin: string): Given => ['user', user, { name: user, pin }];

describe('A PIN', () => {
  it('is of one user of an account', () => {
    expect(problemsOf(pinned('ann', '4711'), pinned('bob', '4711'))).toEqual(['user/bob pin: This PIN is in use already. Choose another.']);
    expect(problemsOf(pinned('ann', ''), pinned('bob', ''))).toEqual([]);
    expect(accountOf(pinned('ann', '4711'), pinned('bob', '')).users.map(({ pin }) => pin)).toEqual(['4711', undefined]);
  });

  it.each(['123', '123456789', '12a4'])('%s is refused', (pin) => {
    const parsed = parseDocument('user', { name: 'Ann', pin });
    expect(parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path} ${message}`)).toEqual(['pin is not a PIN. Use 4 to 8 digits, or leave it empty to take it away.']);
  });
});

describe('Codes of agents', () => {
  it('are part of the account', () => {
    expect(accountOf(coded({ break: '*43', logIn: '*41' })).agentCodes).toEqual([{ code: '*41', action: 'logIn' }, { code: '*43', action: 'break' }]);
    expect(accountOf().agentCodes).toBeUndefined();
  });

  it('are none of the night switch’s, nor near an emergency number', () => {
    expect(problemsOf(coded({ logIn: '*28', logOut: '*911' }, { codes: { closed: '*28' } }))).toEqual([
      'account/elm agentCodes.logOut: *911 is an emergency number behind a star: who is in need may press both. Use another code.',
      'account/elm agentCodes.logIn: *28 is night.codes.closed already. Use another code.',
    ]);
  });

  it.each([['one code for two actions', { logIn: '*41', logOut: '*41' }, 'has one code for two actions. Give each its own.'], ['an extension', { logIn: '101' }, 'is not a code to dial. Use * and one to four digits, such as *28.']])('are refused with %s', (_, agentCodes, told) => {
    const parsed = parseDocument('account', { name: 'Elm Street', agentCodes });
    expect(parsed.ok ? [] : parsed.problems.map(({ message }) => message)).toEqual([told]);
  });
});
