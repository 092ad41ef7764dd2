/** Queues of two controllers on one switch, with calls and phones that are the switch's own: who waits, who is rung, who talks. */
import { describe, expect, it } from 'vitest';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import type { Plan } from '../../control-plane/core/routing/plan.ts';
import { seal } from '../../control-plane/core/routing/seal.ts';
import { healthy } from '../../control-plane/media/simulated/chance.ts';
import { createSimulatedSwitch, type SimulatedSwitch } from '../../control-plane/media/simulated/switch.ts';
import type { Clock } from '../../control-plane/runtime/clock.ts';
import { createController, type Controller } from '../../control-plane/runtime/controller.ts';
import { callsHere } from '../../control-plane/runtime/desks/calls-here.ts';
import { createDesks, type Desks } from '../../control-plane/runtime/desks/desks.ts';
import { leaseMs } from '../../control-plane/runtime/lease.ts';
import { deskLinks, sharedRecords } from '../../control-plane/store/memory-desks.ts';
import { memoryArchive, memoryJournals, type MemoryArchive } from '../../control-plane/store/memory-journals.ts';
import { sharedOwners } from '../../control-plane/store/memory-ownership.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { queue } from '../core/support/desk.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

const account = 'clinic';
/** What a journal may lack when its controller dies. */
const journalMs = 200;
const plan: Plan = seal({
  account: { id: account, name: 'Clinic' }, number: { e164: '+15551230000', label: 'Front desk' }, first: 'queue', reasons: [], maxCallMs: 3_600_000,
  steps: {
    queue: { kind: 'queue', queue: 'front', priority: 0, sticky: false, greeting: [], music: ['sound:music'], on: { exitKey: 'over', full: 'over', empty: 'over', maxWait: 'over', closed: 'over' } },
    over: { kind: 'hang-up', cause: 'normal' },
  },
});

interface Both {
  readonly sw: SimulatedSwitch;
  readonly clock: VirtualClock;
  readonly desks: Readonly<Record<string, Desks>>;
  /** Of whoever lives. */
  calls(): ReturnType<Controller['calls']>;
  begin(name: string): Promise<void>;
  /** With it goes what it has written of its calls in the last moment. */
  kill(name: string): Promise<void>;
  /** The controller that has the call. */
  holder(callId: string): string;
  cdrOf(callId: string): Cdr | undefined;
}

/** Calls go to the first of them, which leads, or to the second; or to both in turn. */
const open = async (claims: 'leader' | 'other' | 'both' = 'both'): Promise<Both> => {
  const clock = createVirtualClock();
  let claimed = 0;
  const sw = createSimulatedSwitch({ clock, chance: { ...healthy, pick: (n) => (claims === 'leader' ? 0 : claims === 'other' ? n - 1 : claimed++ % n) } });
  const owners = sharedOwners({ now: () => clock.now(), leaseMs });
  const [links, records, live] = [deskLinks(), sharedRecords(), memoryJournals()];
  const desks: Record<string, Desks> = {};
  const running = new Map<string, { readonly controller: Controller; kill(): Promise<void> }>();
  const archives: MemoryArchive[] = [];
  const begin = async (name: string): Promise<void> => {
    let isAlive = true;
    const its: Clock = { ...clock, setTimer: (at, fn) => clock.setTimer(at, () => { if (isAlive) fn(); }) };
    const problems = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (fields: object, sentence: string) => { throw new Error(`${name}: ${sentence} ${JSON.stringify(fields)}`); } };
    const [metrics, link, ownership, archive] = [createMetrics(), links.of(name), owners.of(name), memoryArchive()];
    archives.push(archive);
    const controller = createController({
      driver: sw.driver(name), clock: its, live, archive, ownership, metrics, log: problems, controller: name, compilePlan: () => plan,
      onDesk: (call, message) => { own.tell(call.plan.account.id, message); },
    });
    const own = createDesks({
      controller: name, clock: its, lease: controller.lease, records, metrics, log: problems,
      link: { ...link, listen: (heard) => link.listen((text) => { if (isAlive) heard(text); }) },
      here: callsHere({
        controller, log: problems, positionMedia: () => [],
        phoneOf: (phone) => ({ account, user: phone, device: `desk-${phone}` }),
        offerRing: ({ offer: { caller } }, { agent, devices, ringMs }) => ({
          kind: 'ring', pattern: 'simultaneous', ringMs, taken: [], on: { noAnswer: 'queue' },
          attempts: devices.map((device) => ({ user: agent, label: agent, target: { kind: 'device', device }, ringMs, callerId: caller, whisper: [] })),
        }),
      }),
    });
    controller.observe({ onStep: () => { own.changed(); } });
    desks[name] = own;
    running.set(name, {
      controller,
      kill: async () => {
        isAlive = false;
        sw.kill(name);
        ownership.stop();
        running.delete(name);
        for (const { id } of controller.calls()) live.truncate(id, (await live.read(id)).filter(({ at }) => at <= clock.now() - journalMs).length);
      },
    });
    const started = controller.start();
    await clock.pass(300);
    await started;
    own.configure(account, [queue({ agents: ['ana', 'ben'], wrapUpMs: 5_000 })]);
    own.start();
    await clock.pass(5_000);
  };
  for (const name of ['one', 'two']) await begin(name);
  return {
    sw, clock, desks, begin,
    calls: () => [...running.values()].flatMap(({ controller }) => controller.calls()),
    kill: async (name) => { await running.get(name)?.kill(); },
    cdrOf: (callId) => archives.flatMap((archive) => archive.cdrs()).find((cdr) => cdr.callId === callId),
    holder: (callId) => [...running].find(([, { controller }]) => controller.call(callId) !== undefined)?.[0] ?? 'nobody',
  };
};

const comes = async ({ clock, desks }: Both, agent: string): Promise<void> => {
  const done = Promise.all([desks['two']?.logIn(account, agent, [`desk-${agent}`]), desks['two']?.chooseStatus(account, agent, 'available')]);
  await clock.pass(500);
  await done;
};
const call = async ({ sw, clock }: Both, from: string): Promise<string> => {
  const callId = sw.call({ from, to: '+15551230000' });
  await clock.pass(300);
  return callId;
};
/** Legs of phones, by party. */
const rung = ({ sw }: Both): readonly string[] => sw.legs().filter(({ role }) => role === 'callee').map(({ party, state }) => `${party} ${state}`).toSorted();
const answer = async ({ sw, clock }: Both, party: string): Promise<void> => {
  const leg = sw.legs().find((one) => one.party === party && one.state !== 'answered');
  sw.answer(leg?.id ?? `nobody rings ${party}`);
  await clock.pass(1_000);
};
const talks = ({ sw }: Both, callId: string): readonly (string | undefined)[] => sw.bridgesOf(callId).flatMap(({ legIds }) => legIds.filter((id) => id !== callId).map((id) => sw.leg(id)?.party));
const stateOf = (both: Both, agent: string, at = 'two'): string | undefined => both.desks[at]?.agents(account).find(({ id }) => id === agent)?.state;

describe('A queue of two controllers', () => {
  it('rings an agent for who came first, whichever controller has the call, and joins the two', async () => {
    const both = await open();
    const calls = [await call(both, '+15550000001'), await call(both, '+15550000002'), await call(both, '+15550000003')];
    await comes(both, 'ana');
    await both.clock.pass(500);
    expect(rung(both)).toEqual(['desk-ana ringing']);
    await answer(both, 'desk-ana');
    expect([talks(both, calls[0] ?? ''), talks(both, calls[1] ?? ''), stateOf(both, 'ana')]).toEqual([['desk-ana'], [], 'on-call']);
    both.sw.hangUp(calls[0] ?? '');
    await both.clock.pass(1_000);
    expect([rung(both), stateOf(both, 'ana')]).toEqual([[], 'wrap-up']);
    await both.clock.pass(5_000);
    await answer(both, 'desk-ana');
    expect(talks(both, calls[1] ?? '')).toEqual(['desk-ana']);
    both.sw.hangUp(calls[1] ?? '');
    both.sw.hangUp(calls[2] ?? '');
    await both.clock.pass(10_000);
    expect([both.sw.legs(), both.calls(), rung(both)]).toEqual([[], [], []]);
  });

  it('rings nobody who is in a call by their phone, though it is the queue that they have called', async () => {
    const both = await open();
    await comes(both, 'ana');
    const own = both.sw.call({ from: '101', to: '+15551230000', phone: 'ana' });
    await both.clock.pass(1_000);
    await call(both, '+15550000001');
    await both.clock.pass(5_000);
    expect([rung(both), stateOf(both, 'ana')]).toEqual([[], 'on-call']);
    both.sw.hangUp(own);
    await both.clock.pass(2_000);
    expect(rung(both)).toEqual(['desk-ana ringing']);
  });

  for (const runs of [true, false]) {
    for (const moment of ['waits', 'rings', 'has been answered', 'talks'] as const) {
      it(`whose controller dies while a call ${moment}${runs ? ', and it ran the desk' : ''}: the caller has the place, and the agent is rung for nothing else`, async () => {
        const both = await open(runs ? 'leader' : 'other');
        const first = await call(both, '+15550000001');
        const others = [await call(both, '+15550000002'), await call(both, '+15550000003')];
        expect(both.desks[both.holder(first)]?.role()).toBe(runs ? 'leads' : 'follows');
        if (moment !== 'waits') await comes(both, 'ana');
        await both.clock.pass(1_000);
        if (moment === 'has been answered' || moment === 'talks') {
          const leg = both.sw.legs().find(({ party }) => party === 'desk-ana');
          both.sw.answer(leg?.id ?? '');
          await both.clock.pass(moment === 'talks' ? 2_000 : 1);
        }
        const dies = both.holder(first);
        await both.kill(dies);
        await both.clock.pass(15_000);
        await both.begin(dies);
        if (moment === 'waits') await comes(both, 'ana');
        const rings = (): boolean => both.sw.legs().some(({ party, state }) => party === 'desk-ana' && state !== 'answered');
        if (moment === 'waits' || moment === 'rings') {
          for (let i = 0; i < 30 && !rings(); i++) await both.clock.pass(1_000);
          await answer(both, 'desk-ana');
        }
        await both.clock.pass(5_000);
        expect([talks(both, first), rung(both)]).toEqual([['desk-ana'], ['desk-ana answered']]);
        both.sw.hangUp(first);
        for (const next of others) {
          for (let i = 0; i < 30 && !rings(); i++) await both.clock.pass(1_000);
          await answer(both, 'desk-ana');
          expect(talks(both, next)).toEqual(['desk-ana']);
          both.sw.hangUp(next);
        }
        await both.clock.pass(10_000);
        expect([both.sw.legs(), both.calls()]).toEqual([[], []]);
      });
    }
  }

  for (const dead of ['call', 'desk', 'call and desk'] as const) {
    it(`whose agent answers in the moment in which the controller of the ${dead} dies: the two talk as soon as anybody can connect them, and are on record`, async () => {
      const both = await open(dead === 'call and desk' ? 'leader' : 'other');
      await comes(both, 'ana');
      const callId = await call(both, '+15550000001');
      const [leg] = both.sw.legs().filter(({ role }) => role === 'callee');
      const holder = both.holder(callId);
      both.sw.answer(leg?.id ?? '');
      await both.kill(dead === 'desk' && holder === 'one' ? 'two' : dead === 'desk' ? 'one' : holder);
      await both.clock.pass(dead === 'desk' ? 1_100 : leaseMs + 500);
      expect(talks(both, callId)).toEqual(['desk-ana']);
      both.sw.hangUp(leg?.id ?? '');
      await both.clock.pass(10_000);
      const cdr = both.cdrOf(callId);
      expect([both.sw.legs(), both.calls(), cdr?.legs.find(({ legId }) => legId === cdr.answeredBy)?.label]).toEqual([[], [], 'ana']);
    });
  }
});
