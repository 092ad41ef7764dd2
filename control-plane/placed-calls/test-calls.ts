/**
 * Test calls (N12): an admin asks for a call to a number, which takes the way of any call, rings the phones and is on
 * record. Who answers hears what it is; the call is ended soon after, or where voicemail would begin, so that no message
 * is left. The outcome of the last one to each number is remembered in the memory that controllers share.
 */
import { randomBytes } from 'node:crypto';
import { emptyCdr, foldCdr, type Cdr } from '../core/cdr/cdr.ts';
import { isTest, testId, type CallId } from '../core/ids.ts';
import type { Media } from '../core/routing/config.ts';
import { minute, second, type EpochMs, type Ms } from '../core/time.ts';
import type { TestCall, TestCalls } from '../http/ports.ts';
import type { SwitchAdmin } from '../media/switch-admin.ts';
import type { Controller } from '../runtime/controller.ts';
import type { SharedMemory } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import { testCallOf } from './test-call-outcome.ts';

interface Options {
  readonly instance: string;
  readonly admin: Pick<SwitchAdmin, 'callAsTest' | 'endTest' | 'packetsOf'>;
  readonly controller: Pick<Controller, 'calls' | 'health' | 'observe'>;
  readonly memory: SharedMemory;
  readonly spoken: (text: string) => Media | undefined;
  readonly log: Log;
  readonly now: () => EpochMs;
}

/** Said to the one who answers. */
export const testCallText = 'This is a test call of Frontdesk. You may hang up.';
const callerName = 'Frontdesk test';
/** Packets are counted so long after the two were connected. */
const listenMs: Ms = 2 * second;
const talkMs: Ms = 15 * second;
const takenWithinMs: Ms = 5 * second;
const mostPerMinute = 6;

/** Of one number, as it is remembered. */
interface Remembered {
  readonly cdr: Cdr;
  readonly audio: TestCall['audio'];
}

export function makeTestCalls({ instance, admin, controller, memory, spoken, log, now }: Options): TestCalls & { stop(): void } {
  const seen = new Map<CallId, { cdr: Cdr; audio: TestCall['audio'] }>();
  /** The last that ended, by number: the memory may not have it yet. */
  const ended = new Map<string, Remembered>();
  const awaited = new Map<CallId, () => void>();
  /** Numbers that a call is being placed to. */
  const placing = new Set<string>();
  const timers = new Set<NodeJS.Timeout>();
  let placedAt: readonly { readonly account: string; readonly at: EpochMs }[] = [];

  const later = (ms: Ms, work: () => Promise<void>): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work().catch((error: unknown) => { log.warn({ error: String(error) }, 'A test call could not be looked after'); });
    }, ms);
    timers.add(timer);
  };

  const unobserve = controller.observe({
    onFact: ({ id, plan }, fact, at) => {
      if (!isTest(id)) return;
      const known = seen.get(id) ?? { cdr: emptyCdr(id, plan), audio: null };
      known.cdr = foldCdr(known.cdr, fact, at);
      seen.set(id, known);
      awaited.get(id)?.();
      if (fact.type === 'StepEntered' && fact.kind === 'voicemail') later(0, () => admin.endTest(id));
      if (fact.type !== 'LegConnected') return;
      later(listenMs, async () => { known.audio = await admin.packetsOf(fact.legId); });
      later(talkMs, () => admin.endTest(id));
    },
    onCdr: (cdr) => {
      if (!isTest(cdr.callId)) return;
      const known: Remembered = { cdr, audio: seen.get(cdr.callId)?.audio ?? null };
      const name = memoryName(cdr.account, cdr.number.e164);
      seen.delete(cdr.callId);
      ended.set(name, known);
      void memory.write(name, JSON.stringify(known)).catch((error: unknown) => { log.warn({ error: String(error) }, 'The outcome of a test call could not be remembered'); });
    },
  });
  const live = (account: string, number: string): Remembered | undefined => {
    const here = new Set(controller.calls().map(({ id }) => id));
    for (const id of seen.keys()) if (!here.has(id)) seen.delete(id);
    return [...seen.values()].find(({ cdr }) => cdr.account === account && cdr.number.e164 === number);
  };
  const last = async (account: string, number: string): Promise<TestCall | null> => {
    const name = memoryName(account, number);
    const told = await memory.read(name).catch(() => null);
    const [newest] = [live(account, number), ended.get(name), told === null ? undefined : (JSON.parse(told) as Remembered)].filter((known) => known !== undefined).toSorted((a, b) => b.cdr.startedAt - a.cdr.startedAt);
    return newest === undefined ? null : testCallOf(newest.cdr, newest.audio);
  };

  /** False when nobody has taken it in time. */
  const isTaken = async (id: CallId): Promise<boolean> => {
    const taken = Promise.withResolvers<boolean>();
    awaited.set(id, () => { taken.resolve(true); });
    const timer = setTimeout(() => { taken.resolve(false); }, takenWithinMs).unref();
    const was = await taken.promise;
    clearTimeout(timer);
    awaited.delete(id);
    return was;
  };

  return {
    place: async ({ account, number, caller }) => {
      const { link } = controller.health();
      if (link !== 'up') return { ok: false, why: 'away', sentence: 'The switch is away, so no call can be placed: it is tried again all the time, and /readyz says when it is back.' };
      if (placing.has(number) || live(account, number) !== undefined) return { ok: false, why: 'busy', sentence: `A test call to ${number} is under way: wait for its end.` };
      placedAt = placedAt.filter(({ at }) => at > now() - minute);
      if (placedAt.filter((one) => one.account === account).length >= mostPerMinute) return { ok: false, why: 'too-many', sentence: `More than ${mostPerMinute} test calls in a minute: phones of people ring by them. Wait a minute.` };
      placedAt = [...placedAt, { account, at: now() }];
      const id = testId(randomBytes(6).toString('hex'), instance);
      const taken = isTaken(id);
      placing.add(number);
      try {
        const placed = await admin.callAsTest({ callId: id, dialled: number, caller: { number: caller, name: callerName }, said: spoken(testCallText) ?? 'tone:beep' });
        if (placed === 'unknown') return { ok: false, why: 'away', sentence: 'The dialplan of the switch is older than Frontdesk: load asterisk/extensions.conf anew.' };
        const call = (await taken) ? await last(account, number) : null;
        if (call !== null) return { ok: true, call };
        await admin.endTest(id);
      } catch (error) {
        return { ok: false, why: 'away', sentence: error instanceof Error ? error.message : String(error) };
      } finally {
        placing.delete(number);
      }
      return { ok: false, why: 'away', sentence: `The switch placed the call, and it had not come to Frontdesk after ${takenWithinMs / second} s: look at /readyz.` };
    },
    last,
    stop: () => {
      unobserve();
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function memoryName(account: string, number: string): string {
  return `test-call ${account} ${number}`;
}
