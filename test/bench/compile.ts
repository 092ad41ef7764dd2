/**
 * What compiling a call's plan costs, for an account as large as one gets. In this process alone: no switch, no database,
 * no network. Every call is to another number and from another caller, a call a second, and while a hundred others are
 * about to ring. What the controller asks of the world for a plan is the product's, too: contacts, who called before,
 * where callers are, what is spoken, how many calls are out.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContactBook } from '../../control-plane/contacts/contact-book.ts';
import { createRecentCallers } from '../../control-plane/contacts/recent-callers.ts';
import { newCall, type Call } from '../../control-plane/core/call/call.ts';
import { callsOut } from '../../control-plane/core/call/calls-out.ts';
import { defaultVoicemail, type Account, type CallFacts, type Menu, type ReceivingNumber, type RingGroup, type TrackingNumber, type User } from '../../control-plane/core/routing/config.ts';
import { compile } from '../../control-plane/core/routing/compile.ts';
import { schedule as scheduleDocument } from '../../control-plane/configuration/schedules.ts';
import type { Router } from '../../control-plane/core/routing/router.ts';
import { scheduleOf } from '../../control-plane/hours/schedules.ts';
import { localTime } from '../../control-plane/hours/local-time.ts';
import { defaultOutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';
import type { Target } from '../../control-plane/core/routing/targets.ts';
import { textsToPrepare } from '../../control-plane/core/routing/whisper.ts';
import { openGeo } from '../../control-plane/geo/geo-of.ts';
import { createSpeech, type Speech } from '../../control-plane/store/media-files/speech.ts';

export interface CompileFigures {
  readonly calls: number;
  readonly microseconds: { readonly p50: number; readonly p99: number; readonly max: number };
  /** The largest plan: the first of this process, and the first after a change of the account. */
  readonly first: { readonly ofProcess: number; readonly afterChange: number };
  /** Of the plans that came out. */
  readonly steps: { readonly mean: number; readonly most: number };
}

const sizes = { numbers: 500, users: 200, receivingNumbers: 100, ringGroups: 40, menus: 50, routers: 20, schedules: 50, contacts: 100_000 } as const;
const trunks = ['carrier'];

export async function measureCompile(calls: number): Promise<CompileFigures> {
  const account = largeAccount();
  const known = await whatIsKnown(account);
  const live: Call[] = [];
  const callTo = (i: number): CallFacts => ({ ...factsOf(i), ...known, callsOut: (id) => callsOut(live, id) });
  // the first number leads to the largest plan while it is open
  const first = timed(() => compile(account, callTo(0)));
  for (let i = 0; i < 100; i += 1) live.push(liveCall(account, callTo(i)));
  const took = new Float64Array(calls);
  let [steps, most] = [0, 0];
  // code that has run often is compiled
  for (let i = 0; i < 5000; i += 1) compile(account, callTo(i));
  for (let i = 0; i < calls; i += 1) {
    const facts = callTo(i);
    const { result, microseconds } = timed(() => compile(account, facts));
    took[i] = microseconds;
    const count = Object.keys(result.steps).length;
    steps += count;
    most = Math.max(most, count);
  }
  const changed = Array.from({ length: 21 }, () => {
    const other = { ...account, outbound: { ...account.outbound } };
    return timed(() => compile(other, callTo(0))).microseconds;
  }).sort((a, b) => a - b);
  const sorted = took.toSorted();
  const at = (share: number): number => sorted[Math.min(calls - 1, Math.floor(calls * share))] ?? Number.NaN;
  return { calls, microseconds: { p50: at(0.5), p99: at(0.99), max: at(1) }, first: { ofProcess: first.microseconds, afterChange: changed[10] ?? Number.NaN }, steps: { mean: steps / calls, most } };
}

function timed<T>(work: () => T): { readonly result: T; readonly microseconds: number } {
  const before = performance.now();
  const result = work();
  return { result, microseconds: (performance.now() - before) * 1000 };
}

type Known = Pick<CallFacts, 'contact' | 'lastCallAt' | 'placeOf' | 'whisperMedia'>;

async function whatIsKnown(account: Account): Promise<Known> {
  const book = createContactBook();
  book.set(Array.from({ length: sizes.contacts }, (_, i) => ({
    account: account.id, number: callerAt(i), version: 1, createdAt: 0, updatedAt: 0, body: { name: `Contact ${i}`, owner: `user-${i % sizes.users}`, tags: i % 2 === 0 ? ['regular'] : ['new'] },
  })));
  const recent = createRecentCallers();
  for (let i = 0; i < sizes.contacts; i += 2) recent.note({ account: account.id, number: callerAt(i), at: at(0) - i });
  const [speech, geoOf] = [await spoken([...textsToPrepare(account), callerName]), await openGeo()];
  return { contact: (id, number) => book.get(id, number), lastCallAt: recent.lastCallAt, placeOf: (_, number) => geoOf(number, 'US'), whisperMedia: (text) => speech.media(text) };
}

/** Every text has the same audio, a silence. */
async function spoken(texts: readonly string[]): Promise<Speech> {
  const folder = await mkdtemp(join(tmpdir(), 'frontdesk-bench-'));
  const silence = join(folder, 'silence');
  const wav = Buffer.alloc(44 + 160);
  wav.write('RIFF', 0);
  wav.write('WAVEfmt ', 8);
  for (const [at, value] of [[16, 16], [24, 8000]] as const) wav.writeUInt32LE(value, at);
  for (const [at, value] of [[20, 1], [22, 1], [34, 16]] as const) wav.writeUInt16LE(value, at);
  await writeFile(silence, wav);
  const speech = await createSpeech({ dir: folder, log: { warn: (_, what) => { throw new Error(what); } }, engine: { command: 'cp', args: [], voice: 'silence', speak: (_, file) => [silence, file] } });
  for (let from = 0; from < texts.length; from += 100) await speech.prepare(texts.slice(from, from + 100));
  await rm(folder, { recursive: true });
  const missing = texts.filter((text) => speech.media(text) === undefined);
  if (missing.length > 0) throw new Error(`${missing.length} texts are not spoken, such as ${missing[0]}`);
  return speech;
}

function liveCall(account: Account, facts: CallFacts): Call {
  const { callId, dialled, callerNumber, callerName, at } = facts;
  return newCall({ callId, dialled, origin: 'trunk', caller: { number: callerNumber, name: callerName }, orphan: false }, compile(account, facts), at);
}

function numberAt(i: number): string {
  return `+1202556${String(i).padStart(4, '0')}`;
}

const callerName = 'A patient';
const quarterMs = 15 * 60_000;

/** A thousand calls, a second apart, in every seventh quarter of an hour: a hundred thousand go through a week. The first ones come while all are open. */
function at(i: number): number {
  return 1_795_014_000_000 + Math.floor(i / 1000) * 7 * quarterMs + (i % 1000) * 900;
}

function callerAt(i: number): string {
  return `+1312${String(2_000_000 + (i % sizes.contacts) * 7).padStart(7, '0')}`;
}

function factsOf(i: number): Omit<CallFacts, keyof Known | 'callsOut'> {
  return { callId: `call-${i}`, dialled: numberAt(i % sizes.numbers), callerNumber: callerAt(i * 13), callerName, at: at(i), localTime: (timezone) => localTime(timezone, at(i)) };
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
    id: 'large', name: 'A large group of clinics', users, numbers, outbound: { ...defaultOutboundRules('US'), concurrentCalls: 1000 },
    receivingNumbers: new Map(receiving.map((one) => [one.id, one])), ringGroups: new Map(groups.map((one) => [one.id, one])), menus: new Map(menus.map((one) => [one.id, one])),
    routers: new Map(routers.map((one) => [one.id, one])), schedules: new Map(schedules.map((one) => [one.id, one])), timezone: 'America/New_York',
  };
}
