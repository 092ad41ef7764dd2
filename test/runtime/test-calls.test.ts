/** Test calls that cannot be placed, and what is said of those that were. The live one is in test/integration. */
import { describe, expect, it, vi } from 'vitest';
import { emptyCdr, type CdrLeg } from '../../control-plane/core/cdr/cdr.ts';
import type { Call } from '../../control-plane/core/call/call.ts';
import type { CallObserver } from '../../control-plane/runtime/call-observers.ts';
import { makeTestCalls } from '../../control-plane/placed-calls/test-calls.ts';
import { testCallOf } from '../../control-plane/placed-calls/test-call-outcome.ts';
import { onePhonePlan } from './sample-call.ts';

const asked = { account: onePhonePlan.account.id, number: onePhonePlan.number.e164, caller: '+12025550187' };

/** A switch on which calls come in at once, unless it is told otherwise. */
function bench(answer: () => Promise<'placed' | 'unknown'> = () => Promise.resolve('placed')) {
  const memory = new Map<string, string>();
  let observer: CallObserver = {};
  let link: 'up' | 'down' = 'up';
  let lost = false;
  let now = 1_800_000_000_000;
  const calls: Call[] = [];
  const ended: string[] = [];
  const tests = makeTestCalls({
    instance: 'main', spoken: () => undefined, now: () => now, log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    admin: {
      callAsTest: async ({ callId, caller }) => {
        const placed = await answer();
        if (placed === 'unknown' || lost) return placed;
        const call = { id: callId, plan: onePhonePlan } as Call;
        calls.push(call);
        observer.onFact?.(call, { type: 'CallStarted', caller, dialled: asked.number, origin: 'trunk', startedAt: now }, now);
        return placed;
      },
      endTest: async (callId) => { ended.push(callId); },
      packetsOf: async () => null,
    },
    controller: {
      calls: () => calls,
      health: () => ({ link, reconciled: true, calls: 0, commandsInFlight: 0, lease: null }),
      observe: (given) => {
        observer = given;
        return () => undefined;
      },
    },
    memory: { read: async (name) => memory.get(name) ?? null, write: async (name, text) => { memory.set(name, text); } },
  });
  const end = (): void => {
    const call = calls.pop();
    if (call !== undefined) observer.onCdr?.({ ...emptyCdr(call.id, call.plan), startedAt: now, endedAt: now + 5000, disposition: 'no-answer' });
    now += 5000;
  };
  return { tests, memory, ended, end, linkGoesDown: () => { link = 'down'; }, losesCalls: () => { lost = true; }, minutePasses: () => { now += 60_000; } };
}

describe('a test call', () => {
  it('is refused while the switch is away', async () => {
    const { tests, linkGoesDown } = bench();
    linkGoesDown();
    expect(await tests.place(asked)).toMatchObject({ ok: false, why: 'away', sentence: expect.stringContaining('switch is away') });
  });

  it('is refused on a switch whose dialplan knows none, and where the switch does not place it', async () => {
    expect(await bench(() => Promise.resolve('unknown')).tests.place(asked)).toMatchObject({ ok: false, sentence: expect.stringContaining('asterisk/extensions.conf') });
    expect(await bench(() => Promise.reject(new Error('The switch does not place the test call: no'))).tests.place(asked)).toMatchObject({ ok: false, why: 'away', sentence: 'The switch does not place the test call: no' });
  });

  it('that never comes in is ended, and told to be lost', async () => {
    vi.useFakeTimers();
    try {
      const { tests, losesCalls, ended } = bench();
      losesCalls();
      const placed = tests.place(asked);
      await vi.advanceTimersByTimeAsync(5000);
      expect(await placed).toMatchObject({ ok: false, why: 'away', sentence: expect.stringContaining('had not come to Frontdesk after 5 s') });
      expect(ended).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is one at a time for a number, also when two ask at once', async () => {
    const { tests, end } = bench();
    const both = await Promise.all([tests.place(asked), tests.place(asked)]);
    expect(both.map((placed) => (placed.ok ? 'placed' : placed.why)).sort()).toEqual(['busy', 'placed']);
    expect(await tests.place(asked)).toMatchObject({ ok: false, why: 'busy' });
    end();
    expect(await tests.place(asked)).toMatchObject({ ok: true });
  });

  it('is one of six in a minute', async () => {
    const { tests, end, minutePasses } = bench();
    for (let n = 0; n < 6; n += 1) {
      expect(await tests.place(asked)).toMatchObject({ ok: true });
      end();
    }
    // five seconds each: the first is half a minute old
    expect(await tests.place(asked)).toMatchObject({ ok: false, why: 'too-many' });
    expect(await tests.place({ ...asked, account: 'another' })).not.toMatchObject({ why: 'too-many' });
    end();
    minutePasses();
    expect(await tests.place(asked)).toMatchObject({ ok: true });
  });

  it('is remembered for other controllers, and after a restart', async () => {
    const { tests, end, memory } = bench();
    expect(await tests.last(asked.account, asked.number)).toBeNull();
    await tests.place(asked);
    end();
    const other = bench();
    for (const [name, text] of memory) other.memory.set(name, text);
    expect(await other.tests.last(asked.account, asked.number)).toEqual(await tests.last(asked.account, asked.number));
    expect(await other.tests.last(asked.account, asked.number)).toMatchObject({ answered: false });
  });
});

const leg = (change: Partial<CdrLeg>): CdrLeg => ({
  legId: 'l1', user: 'ann', label: 'desk', target: { kind: 'device', device: '101' }, trunk: null, dialedAt: 1000, rangAt: 1100, pickedUpAt: null, acceptedAt: null,
  recordingAnnouncedAt: null, connectedAt: null, endedAt: null, disposition: null, cause: null, heldSince: null, ...change,
});
const record = { ...emptyCdr('fdtest-1.main', onePhonePlan), startedAt: 1000 };
const answered = { ...record, answeredAt: 4300, answeredBy: 'l1', legs: [leg({ pickedUpAt: 4200, connectedAt: 4300 })] };

describe('what came of it', () => {
  it.each([
    ['It has not rung anybody yet.', record, null],
    ['It is under way: ann, desk rings.', { ...record, legs: [leg({})] }, null],
    ['ann, desk answered after 3.2 s, and is connected.', answered, null],
    ['ann, desk answered after 3.2 s and was connected for 9.7 s. Audio came from the phone.', { ...answered, endedAt: 14_000 }, { received: 100, sent: 100 }],
    ['ann, desk answered after 3.2 s and was connected for 9.7 s. No audio came from the phone: look at its network, and at FRONTDESK_EXTERNAL_ADDRESS behind NAT.', { ...answered, endedAt: 14_000 }, { received: 0, sent: 100 }],
    ['Nobody took it: ann, desk busy.', { ...record, endedAt: 9000, legs: [leg({ disposition: 'busy', endedAt: 2000 })] }, null],
    ['It rang nobody, and was ended: declined.', { ...record, endedAt: 1500, disposition: 'declined' as const }, null],
    ['It rang nobody: it heard prompts until it was ended, before voicemail.', { ...record, pickedUpAt: 1200, endedAt: 9000 }, null],
  ])('is told: %s', (sentence, cdr, audio) => {
    expect(testCallOf(cdr, audio).sentence).toBe(sentence);
  });
});
