/** Which calls are recorded (N7): every combination of account's, number's and user's word, each on a live call. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Account, RecordingRule } from '../../control-plane/core/routing/config.ts';
import { defaultOutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';
import { serve, type Served } from '../support/account.ts';
import { answersAfter } from '../support/behaviour.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const words: readonly RecordingRule[] = ['force', 'yes', 'no', 'never'];
const pairs = words.flatMap((number, i) => words.map((user, j) => ({ number, user, e164: `+155504${i}${j}`, caller: `+155511${i}${j}`, extension: `10${j + 1}` })));
let site: Site;
let served: Served;

/** As the rule is told to admins, and no code of the product: never, then force, then the user's own word. */
const isRecorded = (account: RecordingRule, number: RecordingRule, user: RecordingRule): boolean => {
  const said = new Set([account, number, user]);
  if (said.has('never')) return false;
  return said.has('force') || user === 'yes';
};

const clinic = (recording: RecordingRule): Account => ({
  id: 'clinic', name: 'The Clinic', outbound: defaultOutboundRules('US'), recording,
  users: words.map((word, j) => ({ id: word, name: word, recording: word, devices: [{ id: `10${j + 1}`, label: 'desk', target: { kind: 'device', device: `10${j + 1}` } }] })),
  numbers: pairs.map(({ number, user, e164 }) => ({ e164, label: number, users: [user], ringMs: 20_000, callConnect: 'off', recording: number })),
});

beforeAll(async () => { site = await openSite({ createTrunks: true }); }, SITE_START_MS);
afterEach(async () => {
  await site.afterTest();
  await served.stop();
});
afterAll(() => site.close());

describe('Of calls to numbers and users with each word', () => {
  test.each(words)('in an account that says %s, those are recorded that should be', async (account) => {
    served = await serve(site, clinic(account));
    for (const { extension } of pairs.slice(0, words.length)) await site.phone(extension, answersAfter(20), { create: true });
    const callers = await Promise.all(pairs.map(({ caller, e164 }) => site.call({ from: caller, to: e164 })));
    await until(() => served.calls().length === pairs.length && served.calls().every(({ phase, callRecording }) => phase === 'connected' && callRecording?.started !== false), { describe: 'all are connected, and recordings run', within: 15_000 });
    const recorded = new Map(served.calls().map(({ offer, callRecording }) => [offer.dialled, callRecording !== null]));
    for (const { call } of callers) await call.hangUp();

    const found = pairs.map(({ number, user, e164 }) => `${number} ${user}: ${recorded.get(e164) === true ? 'recorded' : 'not recorded'}`);
    expect(found).toEqual(pairs.map(({ number, user }) => `${number} ${user}: ${isRecorded(account, number, user) ? 'recorded' : 'not recorded'}`));
    for (const _ of pairs) {
      const { dialled, recordings } = await served.cdr();
      expect(recordings.map(({ failed }) => failed)).toEqual(recorded.get(dialled) === true ? [false] : []);
    }
  });
});
