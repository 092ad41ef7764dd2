/**
 * What compiling a call's plan costs, for an account as large as one gets. In this process alone: no switch, no database,
 * no network. Every call is to another number and from another caller.
 */
import { defaultVoicemail, type Account, type CallFacts, type Menu, type ReceivingNumber, type RingGroup, type TrackingNumber, type User } from '../../control-plane/core/routing/config.ts';
import { compile } from '../../control-plane/core/routing/compile.ts';
import { localTime } from '../../control-plane/hours/local-time.ts';
import { defaultOutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';
import type { Target } from '../../control-plane/core/routing/targets.ts';

export interface CompileFigures {
  readonly calls: number;
  readonly microseconds: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Of the plans that came out. */
  readonly steps: { readonly mean: number; readonly most: number };
}

const sizes = { numbers: 500, users: 200, receivingNumbers: 100, ringGroups: 40, menus: 50 } as const;
const trunks = ['carrier'];

export function measureCompile(calls: number): CompileFigures {
  const account = largeAccount();
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

function callTo(i: number): CallFacts {
  return {
    callId: `call-${i}`, dialled: numberAt(i % sizes.numbers), callerNumber: `+1312555${String(i % 10_000).padStart(4, '0')}`, callerName: 'A patient', at: at(i), localTime: (timezone) => localTime(timezone, at(i)),
    callsOut: () => 3, contact: () => undefined, whisperMedia: (text) => `file:/speech/${text}`,
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
    route: { to: 'menu', id: `menu-${i % sizes.menus}` },
  }));
  return {
    id: 'large', name: 'A large group of clinics', users, numbers, outbound: { ...defaultOutboundRules('US'), concurrentCalls: 100 },
    receivingNumbers: new Map(receiving.map((one) => [one.id, one])), ringGroups: new Map(groups.map((one) => [one.id, one])), menus: new Map(menus.map((one) => [one.id, one])),
  };
}
