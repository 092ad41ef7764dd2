/**
 * Two phones take the same call within 20 ms of each other, 200 times. The order of mailbox and wire is the switch's
 * and the kernel's: what must hold is that exactly one gets the caller, whoever that is.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import type { CallFact } from '../../control-plane/core/call/facts.ts';
import type { LegId } from '../../control-plane/core/ids.ts';
import type { JournalRecord } from '../../control-plane/store/ports.ts';
import { answersAfter } from '../support/behaviour.ts';
import { openClinic, type Clinic } from '../support/clinic.ts';
import type { SipCall } from '../support/sip-call.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { loudness } from '../support/tone.ts';
import { until } from '../support/until.ts';

const NUMBER = '+15550120';
const CALLS = 200;
const AT_ONCE = 10;
const WITHIN_MS = 20;
/** A busy machine brings some acceptances later than they were made; those calls must be right, but do not count. */
const AT_MOST = 400;
/** The second press comes up to this much later, so that the wire and the switch decide in what order they arrive. */
const JITTER_MS = 6;
const CALLER_HZ = 350;
const TONES = { '101': 620, '102': 900 } as const;
type Extension = keyof typeof TONES;
const EXTENSIONS = Object.keys(TONES) as Extension[];
let site: Site;
let clinic: Clinic;

beforeAll(async () => {
  site = await openSite();
  clinic = await openClinic(site, {
    users: EXTENSIONS.map((extension) => ({ id: `user-${extension}`, devices: [{ extension }] })),
    numbers: [{ e164: NUMBER, users: EXTENSIONS.map((extension) => `user-${extension}`), callConnect: 'every', acceptKey: '1' }],
  });
}, SITE_START_MS);
afterEach(async () => {
  await site.afterTest();
  await clinic.expectNothingLeft();
});
afterAll(() => site.close());

interface Outcome {
  readonly caller: Caller;
  readonly winner: Extension;
  readonly loser: Extension;
  /** Between the two key presses, as the controller learnt of them. */
  readonly apartMs: number;
}

const callFrom = (phone: Party, number: string): Promise<SipCall> =>
  until(() => phone.calls.find((call) => call.callerId().number === number), { describe: `${phone.name} is rung for ${number}`, within: 10_000 });

/** Steps of a journal with one of their facts, by type. */
const factsOf = <T extends CallFact['type']>(journal: readonly JournalRecord[], type: T): { readonly at: number; readonly fact: Extract<CallFact, { type: T }> }[] =>
  journal.flatMap((record) => (record.kind === 'step' ? record.facts.filter((fact) => fact.type === type).map((fact) => ({ at: record.at, fact: fact as Extract<CallFact, { type: T }> })) : []));

/** The prompt that follows a leg's dismissal, whether it was heard to its end, and what else became of the leg. */
const sinceDismissal = (journal: readonly JournalRecord[], legId: LegId): readonly string[] => {
  const steps = journal.flatMap((record) => (record.kind === 'step' ? [record] : []));
  const from = steps.findIndex(({ facts }) => facts.some((fact) => fact.type === 'LegDismissed' && fact.legId === legId));
  const told = steps[from]?.commands.find((command) => command.type === 'PlayPrompt' && command.legId === legId);
  if (told?.type !== 'PlayPrompt' || told.media.length === 0) return ['nothing is said'];
  return steps.slice(from + 1).flatMap(({ event }) => {
    if (event.type === 'PromptFinished') return event.promptId === told.promptId ? [`said, ${event.ok ? 'and heard' : 'and not heard'}`] : [];
    return event.type !== 'LegDigit' && JSON.stringify(event).includes(legId) ? [event.type] : [];
  });
};

/** One call, both phones in screening, both press 1: `first` at once, the other up to 20 ms later. */
const race = async (phones: Readonly<Record<Extension, Party>>, first: Extension, jitterMs: number): Promise<Outcome> => {
  const caller = await clinic.call(NUMBER, { sound: CALLER_HZ });
  const number = caller.call.callerId().number;
  const calls = { '101': await callFrom(phones['101'], number), '102': await callFrom(phones['102'], number) };
  await Promise.all(EXTENSIONS.map(async (extension) => {
    await calls[extension].connected(10_000);
    calls[extension].play(TONES[extension]);
    await until(() => loudness(calls[extension].audio()?.heard(100) ?? new Int16Array(0)) > 200, { describe: `${extension} is asked for a key`, within: 10_000, everyMs: 30 });
  }));
  const second = first === '101' ? '102' : '101';
  const pressedAt = performance.now();
  const presses = [calls[first].press('1'), delay(jitterMs).then(() => calls[second].press('1'))];

  await caller.call.connected(10_000);
  const winner = await until(() => EXTENSIONS.find((extension) => caller.call.hears(TONES[extension])), { describe: 'the caller hears one of the two', within: 10_000 });
  const loser = winner === '101' ? '102' : '101';
  await Promise.all(presses);
  await until(() => calls[winner].hears(CALLER_HZ), { describe: 'the winner hears the caller' });
  await calls[loser].ended(15_000);
  expect(calls[loser].endedBy()).toBe('switch');
  // words, and not the caller: the taken call is told in about two seconds
  const toLoser = calls[loser].audio()?.heardSince(pressedAt + 500) ?? new Int16Array(0);
  expect(toLoser.length).toBeGreaterThan(8_000);
  expect(loudness(toLoser)).toBeGreaterThan(200);
  expect(calls[loser].hears(CALLER_HZ)).toBe(false);
  expect(caller.call.hears(TONES[loser])).toBe(false);
  expect([calls[winner].state(), caller.call.state()]).toEqual(['connected', 'connected']);
  const times = factsOf(await clinic.liveJournalOf(caller), 'LegAccepted').map(({ at }) => at);
  await caller.call.hangUp();
  await calls[winner].ended();
  return { caller, winner, loser, apartMs: (times[1] ?? Infinity) - (times[0] ?? 0) };
};

/** What the controller has written of the call agrees with what was heard. */
const expectRecorded = async ({ caller, winner, loser }: Outcome, journals: ReturnType<Clinic['journals']>): Promise<void> => {
  const cdr = await clinic.cdrOf(caller);
  const journal = journals.get(cdr.callId) ?? [];
  const accepted = factsOf(journal, 'LegAccepted');
  const legOf = (extension: Extension): LegId => cdr.legs.find(({ user }) => user === `user-${extension}`)?.legId ?? '';
  expect(accepted.map(({ fact }) => [fact.legId, fact.won])).toEqual([[legOf(winner), true], [legOf(loser), false]]);
  expect(factsOf(journal, 'LegConnected').map(({ fact }) => fact.legId)).toEqual([legOf(winner)]);
  expect(sinceDismissal(journal, legOf(loser))).toEqual(['said, and heard', 'LegEnded']);
  expect(cdr).toMatchObject({ disposition: 'answered', endedBy: 'caller', answeredBy: legOf(winner) });
  expect(cdr.legs).toHaveLength(2);
  expect(cdr.legs.find(({ legId }) => legId === legOf(winner))).toMatchObject({ disposition: 'answered', connectedAt: expect.any(Number) });
  expect(cdr.legs.find(({ legId }) => legId === legOf(loser))).toMatchObject({ disposition: 'canceled', cause: 'answered-elsewhere', connectedAt: null });
};

test('two phones accept within 20 ms of each other, 200 times: exactly one is bridged, the other hears that the call was taken', async () => {
  const phones = { '101': await site.phone('101', answersAfter(20)), '102': await site.phone('102', answersAfter(20)) };
  const outcomes: Outcome[] = [];
  const close = (): readonly Outcome[] => outcomes.filter(({ apartMs }) => apartMs <= WITHIN_MS);
  let next = 0;
  let open = 0;
  const line = async (): Promise<void> => {
    while (close().length + open < CALLS && next < AT_MOST) {
      const turn = next;
      next += 1;
      open += 1;
      outcomes.push(await race(phones, turn % 2 === 0 ? '101' : '102', (turn * 7) % (JITTER_MS + 1)));
      open -= 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, line));

  const wins = (extension: Extension): number => close().filter(({ winner }) => winner === extension).length;
  console.log(`${outcomes.length} calls, ${close().length} with both acceptances within ${WITHIN_MS} ms: 101 won ${wins('101')}, 102 won ${wins('102')}`);
  await clinic.expectNothingLeft();
  const journals = clinic.journals();
  for (const outcome of outcomes) await expectRecorded(outcome, journals);
  expect(close().length).toBeGreaterThanOrEqual(CALLS);
  expect(wins('101')).toBeGreaterThanOrEqual(40);
  expect(wins('102')).toBeGreaterThanOrEqual(40);
}, 240_000);
