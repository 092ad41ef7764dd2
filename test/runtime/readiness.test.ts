/** N12: the checklist of a number, each point by what is configured and what is there. */
import { describe, expect, it } from 'vitest';
import type { ClinicConfig, TrunkConfig } from '../../control-plane/configuration/clinics.ts';
import { readinessItems, readinessOf, type ReadinessFacts } from '../../control-plane/configuration/readiness.ts';
import type { Account, TrackingNumber } from '../../control-plane/core/routing/config.ts';
import { clinic as accountOf, mainNumber, queue } from '../core/routing-fixture.ts';

const trunk: TrunkConfig = { id: 't1', host: 'sip.carrier.example', port: 5060, transport: 'udp', register: true, match: [], codecs: ['ulaw'], dtmf: 'rfc4733', srtp: false, nat: true, qualifySeconds: 0, priority: 100 };
const phones = ['101', '102'].map((extension) => ({ extension, sipUser: extension, user: 'ana', label: 'desk', password: '' }));
const emergency = { location: 'front desk', address: '1 Elm Street', callerId: '+12025550110', trunks: ['t1'], notify: [] };
const seen = [{ kind: 'trunk', id: 't1', state: 'registered' }, ...phones.map(({ extension }) => ({ kind: 'device', id: extension, state: 'registered' }) as const)] as const;
const good: Partial<TrackingNumber> = { ringMs: 20_000, voicemail: { greeting: { text: 'Hello' }, maxMs: 1000, silenceMs: 1000 }, failsafe: '+13035550911' };

interface Case {
  readonly number?: Partial<TrackingNumber>;
  readonly account?: Partial<Account>;
  readonly clinic?: Partial<ClinicConfig>;
  readonly facts?: Partial<ReadinessFacts>;
}

function facts({ number = {}, account: more = {}, clinic = {}, facts: other = {} }: Case = {}): ReadinessFacts {
  const account = { ...accountOf({ ...good, ...number }), ...more };
  const [own = mainNumber] = account.numbers;
  return {
    clinic: {
      account, timezone: 'America/New_York', country: 'US', trunks: [trunk], phones, emergency, failsafe: new Map(own.failsafe === undefined ? [] : [[own.e164, own.failsafe]]),
      alerts: { notify: [], graceMs: 0 }, agentsByRegistration: false, retention: {}, voicemailNotify: new Map(), userVoicemailNotify: new Map(), ...clinic,
    },
    number: own, voice: undefined, changedAt: 1000, seen, agents: [], isSpoken: () => true, lastTest: { at: 2000, answered: true, sentence: 'ana answered.' }, ...other,
  };
}

const queued: Case = { number: { users: [], route: { to: 'queue', id: 'desk' } }, account: { queues: new Map([['desk', queue()]]) } };
const pointOf = (item: (typeof readinessItems)[number], one: Case) => readinessOf(facts(one)).find((point) => point.item === item);
const { voicemail: _, ...withoutVoicemail } = mainNumber;
const bare = { ...withoutVoicemail, users: [] };

describe('the checklist', () => {
  it('of a number that lacks nothing is done, point for point, in order', () => {
    expect(readinessOf(facts()).map(({ item, state, wayOut }) => [item, state, wayOut])).toEqual(readinessItems.map((item) => [item, 'done', null]));
  });

  it('gives the way out of everything that is not done', () => {
    const nothing = readinessOf(facts({ number: { users: [], label: '+12025550110' }, account: { recording: 'yes' }, clinic: { trunks: [], emergency: null, failsafe: new Map() }, facts: { voice: false, lastTest: null, isSpoken: () => false } }));
    expect(nothing.filter(({ state, wayOut }) => (state === 'done') !== (wayOut === null))).toEqual([]);
  });
});

describe('a point of the checklist', () => {
  it.each<readonly [string, (typeof readinessItems)[number], string, Case]>([
    ['a name that is a number', 'name', 'warning', { number: { label: '+12025550110' } }],
    ['nobody to ring', 'route', 'warning', { number: { users: [] } }],
    ['nobody to ring and no voicemail', 'route', 'missing', { account: { numbers: [bare] } }],
    ['a message alone', 'route', 'warning', { number: { users: [], route: { to: 'message', message: { text: 'Closed' } } } }],
    ['a receiving number', 'route', 'done', { number: { users: [], route: { to: 'receiving-number', id: 'r' } }, account: { receivingNumbers: new Map([['r', { id: 'r', label: 'R', number: '+12025550199', trunks: ['t1'] }]]) } }],
    ['a menu whose key begins an extension', 'route', 'warning', { number: { route: { to: 'menu', id: 'm' } }, account: { menus: new Map([['m', { id: 'm', name: 'M', prompt: {}, options: { 1: { to: 'user', id: 'ana' } }, dialByExtension: true, tries: 1, waitMs: 1000, betweenKeysMs: 3000 }]]) } }],
    ['a queue', 'route', 'done', queued],
    ['a mobile whose voicemail may answer', 'timeout', 'warning', { number: { callConnect: 'off', ringMs: 30_000 } }],
    ['no greeting', 'greeting', 'missing', { number: { voicemail: { maxMs: 1, silenceMs: 1 } } }],
    ['the business’s greeting', 'greeting', 'done', { number: { voicemail: { maxMs: 1, silenceMs: 1 } }, account: { greeting: { media: 'file:hello' } } }],
    ['a greeting that is not spoken yet', 'greeting', 'warning', { facts: { isSpoken: () => false } }],
    ['voicemail turned off', 'greeting', 'done', { account: { numbers: [withoutVoicemail] } }],
    ['no failsafe', 'failsafe', 'missing', { clinic: { failsafe: new Map() } }],
    ['phones and no emergency settings', 'emergency', 'missing', { clinic: { emergency: null } }],
    ['no phones and no emergency settings', 'emergency', 'done', { clinic: { emergency: null, phones: [] } }],
    ['no trunk', 'trunk', 'missing', { clinic: { trunks: [] } }],
    ['a trunk that is refused', 'trunk', 'missing', { facts: { seen: [{ kind: 'trunk', id: 't1', state: 'rejected' }] } }],
    ['a trunk that is not asked', 'trunk', 'warning', { facts: { seen: [] } }],
    ['one of two trunks', 'trunk', 'warning', { clinic: { trunks: [trunk, { ...trunk, id: 't2' }] }, facts: { seen: [...seen, { kind: 'trunk', id: 't2', state: 'unreachable' }] } }],
    ['a switch that is away', 'trunk', 'warning', { facts: { seen: 'There is no link to the switch.' } }],
    ['one of two phones', 'phones', 'warning', { facts: { seen: seen.slice(0, 2) } }],
    ['no phone', 'phones', 'missing', { facts: { seen: seen.slice(0, 1) } }],
    ['a mobile alone', 'phones', 'done', { number: { users: [], forward: { number: '+12025550199', trunks: ['t1'] } }, facts: { seen: [] } }],
    ['a queue with somebody logged in', 'agents', 'done', { ...queued, facts: { agents: [{ id: 'ana', status: 'break', devices: ['101'] }] } }],
    ['a queue with nobody', 'agents', 'warning', { ...queued, facts: { agents: [] } }],
    ['a queue whose agent has gone', 'agents', 'warning', { ...queued, facts: { agents: [{ id: 'ana', status: 'offline', devices: ['101'] }] } }],
    ['a queue whose agent has no phone', 'agents', 'warning', { ...queued, facts: { agents: [{ id: 'ana', status: 'available', devices: [] }] } }],
    ['an agent in no queue', 'agents', 'warning', { ...queued, facts: { agents: [{ id: 'ana', status: 'available', devices: ['101'] }, { id: 'cy', status: 'available', devices: ['102'] }] } }],
    ['a desk that cannot be asked', 'agents', 'warning', { ...queued, facts: { agents: 'No desk.' } }],
    ['a recording that nobody is told of', 'recording', 'warning', { number: { recording: 'yes' } }],
    ['a recording for one user alone', 'recording', 'warning', { account: { users: accountOf().users.map((user) => ({ ...user, recording: user.id === 'ben' ? 'force' : 'no' })) } }],
    ['a recording that both are told of', 'recording', 'done', { number: { recording: 'yes', recordingAnnouncement: { text: 'Recorded.' } } }],
    ['a recording forbidden by the account', 'recording', 'done', { number: { recording: 'force' }, account: { recording: 'never' } }],
    ['no voice', 'voice', 'missing', { facts: { voice: false } }],
    ['no test call', 'test-call', 'missing', { facts: { lastTest: null } }],
    ['a test call that nobody took', 'test-call', 'missing', { facts: { lastTest: { at: 2000, answered: false, sentence: 'Nobody took it.' } } }],
    ['a test call under way', 'test-call', 'warning', { facts: { lastTest: { at: 2000, answered: null, sentence: 'It rings.' } } }],
    ['a test call of before the last change', 'test-call', 'warning', { facts: { changedAt: 3000 } }],
  ])('judges %s: %s is %s', (_title, item, state, one) => {
    expect(pointOf(item, one)).toMatchObject({ item, state });
  });
});
