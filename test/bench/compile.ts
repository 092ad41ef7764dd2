/**
 * What compiling a call's plan costs, for an account as large as one gets. In this process alone: no switch, no database,
 * no network. Every call is to another number and from another caller.
 */
import { defaultVoicemail, type Account, type CallFacts, type Contact, type Menu, type ReceivingNumber, type RingGroup, type TrackingNumber, type User } from '../../control-plane/core/routing/config.ts';
import { compile } from '../../control-plane/core/routing/compile.ts';
import { schedule as scheduleDocument } from '../../control-plane/configuration/schedules.ts';
import type { Router } from '../../control-plane/core/routing/router.ts';
import { scheduleOf } from '../../control-plane/hours/schedules.ts';
import { localTime } from '../../control-plane/hours/local-time.ts';
import { defaultOutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';
import type { Target } from '../../control-plane/core/routing/targets.ts';

export interface CompileFigures {
  readonly calls: number;
  readonly microseconds: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Of the plans that came out. */
  readonly steps: { readonly mean: number; readonly most: number };
}

const sizes = { numbers: 500, users: 200, receivingNumbers: 100, ringGroups: 40, menus: 50, routers: 20, schedules: 50, contacts: 100_000 } as const;
const trunks = ['carrier'];

export function measureCompile(calls: number): CompileFigures {
  const account = largeAccount();
  const contacts = new Map(Array.from({ length: sizes.contacts }, (_, i): [string, Contact] => [callerAt(i), { name: `Contact ${i}`, owner: `user-${i % sizes.users}`, tags: i % 2 === 0 ? ['regular'] : ['new'] }]));
  const callTo = (i: number): CallFacts => factsOf(i, contacts);
  const took = new Float64Array(calls);
  let [steps, most] = [0, 0];
  // code that has run often is compiled
  for (let i = 0; i < 5000; i += 1) compile(account, callTo(i));
  for (let i = 0; i < calls; i += 1) {
    const facts = callTo(i);
    const before = process.hrtime.bigint();
    const plan = compile(account, facts);
    took[i] = Number(process.hrtime.bigint() - before) / 1000;
    const count = Object.keys(plan.steps).length;
    steps += count;
    most = Math.max(most, count);
  }
  const sorted = took.toSorted();
  const at = (share: number): number => sorted[Math.min(calls - 1, Math.floor(calls * share))] ?? Number.NaN;
  return { calls, microseconds: { p50: at(0.5), p99: at(0.99), max: at(1) }, steps: { mean: steps / calls, most } };
}

function numberAt(i: number): string {
  return `+1202556${String(i).padStart(4, '0')}`;
}

function at(i: number): number {
  return 1_795_000_000_000 + i * 60_000;
}

function callerAt(i: number): string {
  return `+1312${String(2_000_000 + (i % sizes.contacts) * 7).padStart(7, '0')}`;
}

function factsOf(i: number, contacts: ReadonlyMap<string, Contact>): CallFacts {
  return {
    callId: `call-${i}`, dialled: numberAt(i % sizes.numbers), callerNumber: callerAt(i * 13), callerName: 'A patient', at: at(i), localTime: (timezone) => localTime(timezone, at(i)),
    callsOut: () => 3, contact: (_account, number) => contacts.get(number), whisperMedia: (text) => `file:/speech/${text}`,
  };
}

/** Each number leads to a menu three deep, whose keys lead to groups, receiving numbers with two more behind them, and users. */
function largeAccount(): Account {
  const users = Array.from({ length: sizes.users }, (_, i): User => ({
    id: `user-${i}`, name: `User ${i}`,
    devices: [{ id: String(1000 + i), label: 'desk', target: { kind: 'device', device: String(1000 + i) } }, { id: `m${i}`, label: 'mobile', target: { kind: 'external', number: `+1202557${String(i).padStart(4, '0')}`, trunks } }],
  }));
  const receiving = Array.from({ length: sizes.receivingNumbers }, (_, i): ReceivingNumber => ({
    id: `receiving-${i}`, label: `Receiving ${i}`, number: `+1202558${String(i).padStart(4, '0')}`, trunks, ringMs: 20_000,
    ...(i % 3 === 2 ? {} : { noAnswer: { to: 'receiving-number', id: `receiving-${i + 1 < sizes.receivingNumbers ? i + 1 : i - 1}` } }),
  }));
  const groups = Array.from({ length: sizes.ringGroups }, (_, i): RingGroup => ({
    id: `group-${i}`, name: `Group ${i}`, pattern: (['simultaneous', 'round-robin', 'sequential', 'least-connected'] as const)[i % 4] ?? 'sequential',
    destinations: Array.from({ length: 5 }, (_unused, j) => ({ target: { to: 'user', id: `user-${(i * 5 + j) % sizes.users}` } as const })),
  }));
  const menus = Array.from({ length: sizes.menus }, (_, i): Menu => {
    const deeper = (key: number): Target => ({ to: 'menu', id: `menu-${i * 3 + key}` });
    return {
      id: `menu-${i}`, name: `Menu ${i}`, prompt: { text: `Menu ${i}` }, dialByExtension: i % 5 === 0, tries: 3, waitMs: 5000, betweenKeysMs: 3000,
      options: {
        1: { to: 'ring-group', id: `group-${i % sizes.ringGroups}` }, 2: { to: 'receiving-number', id: `receiving-${(i * 2) % sizes.receivingNumbers}` }, 3: { to: 'user', id: `user-${i}` }, 0: { to: 'voicemail' },
        ...(i * 3 + 6 < sizes.menus ? { 4: deeper(4), 5: deeper(5), 6: deeper(6) } : {}),
      },
    };
  });
  const numbers = Array.from({ length: sizes.numbers }, (_, i): TrackingNumber => ({
    e164: numberAt(i), label: `Number ${i}`, users: [], ringMs: 30_000, callConnect: 'external', voicemail: defaultVoicemail, whisper: 'A call for {number} from {caller}',
    route: i % 2 === 0 ? { to: 'menu', id: `menu-${i % sizes.menus}` } : { to: 'router', id: `router-${i % sizes.routers}` },
    hours: { schedule: `schedule-${i % sizes.schedules}`, closed: { to: 'receiving-number', id: `receiving-${i % sizes.receivingNumbers}` } },
  }));
  const routers = Array.from({ length: sizes.routers }, (_, i): Router<Target> => ({
    id: `router-${i}`, name: `Router ${i}`, kind: 'rules', default: { to: 'menu', id: `menu-${i}` },
    rules: [
      { when: { all: [{ field: 'contact.tags', has: 'regular' }, { field: `schedule.schedule-${i}`, is: 'open' }] }, target: { to: 'ring-group', id: `group-${i}` } },
      { when: { any: [{ field: 'caller.number', startsWith: '+1415' }, { field: 'time.weekday', oneOf: ['sat', 'sun'] }] }, target: { to: 'voicemail' } },
    ],
  }));
  const schedules = Array.from({ length: sizes.schedules }, (_, i) => scheduleOf(`schedule-${i}`, scheduleDocument.parse({
    name: `Schedule ${i}`, week: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat'], from: '07:00', to: '19:00' }], breaks: [{ days: ['mon'], from: '12:00', to: '13:00' }], holidays: { country: 'US' },
  }), i % 2 === 0 ? 'America/New_York' : 'America/Los_Angeles', 2026));
  return {
    id: 'large', name: 'A large group of clinics', users, numbers, outbound: { ...defaultOutboundRules('US'), concurrentCalls: 100 },
    receivingNumbers: new Map(receiving.map((one) => [one.id, one])), ringGroups: new Map(groups.map((one) => [one.id, one])), menus: new Map(menus.map((one) => [one.id, one])),
    routers: new Map(routers.map((one) => [one.id, one])), schedules: new Map(schedules.map((one) => [one.id, one])), timezone: 'America/New_York',
  };
}
