/**
 * `frontdesk start` and `frontdesk demo` with everything they bring along: what they open to the network, what they
 * print, how they end, and what is left when they were killed.
 */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Snapshot } from '../../control-plane/configuration/objects.ts';
import { cacheDirFor, findTool } from '../../control-plane/local-stack/local-stack.ts';
import { RTP_PORTS } from '../../control-plane/local-stack/ports.ts';
import { isAlive, startTimeOf, type ProcessId } from '../../control-plane/local-stack/processes.ts';
import type { StackState } from '../../control-plane/local-stack/state.ts';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { allGone, killLeftCli, leftBehind, printed, runCli, stackProcesses, startCli, type Cli } from '../support/cli.ts';
import { startCaller, type Party } from '../support/sip-party.ts';
import { freeUdpPort } from '../support/sipp.ts';
import { until } from '../support/until.ts';

/** Of the example's trunk. */
const CARRIER = '127.0.0.2';
const EXTERNAL = '203.0.113.20';
let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'frontdesk-life-')); });
afterEach(() => { killLeftCli(); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

const stateOf = (dataDir: string): StackState => JSON.parse(readFileSync(join(dataDir, 'local-stack/state.json'), 'utf8')) as StackState;

/** Where these processes listen, as the kernel says: `tcp 127.0.0.1:8088`. IPv6 is told by its length. */
const listeners = (processes: readonly ProcessId[]): readonly string[] => {
  const found = processes.flatMap(({ pid }) => {
    const inodes = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return '';
      }
    }));
    return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1).flatMap((row) => {
      const [, local = '', , state, , , , , , inode] = row.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      if (!inodes.has(`socket:[${inode}]`) || (table.startsWith('tcp') && state !== '0A')) return [];
      const host = address.length === 8 ? (address.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).toReversed().join('.') : 'IPv6';
      return [`${table} ${host}:${Number.parseInt(port, 16)}`];
    }));
  });
  return [...new Set(found)].sort();
};

/** Of any port that is not loopback's; the switch's DNS client asks from two of the kernel's ephemeral ones. */
const openToNetwork = (processes: readonly ProcessId[]): readonly string[] => {
  const [lowest = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number);
  return listeners(processes).filter((one) => !one.includes(' 127.0.0.1:') && !(one.startsWith('udp') && Number(one.split(':').at(-1)) >= lowest));
};

/** A process and all it has started. */
const familyOf = (pid: number): readonly ProcessId[] => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter((child) => child !== '').map(Number);
  return [{ pid, startTime: startTimeOf(pid) ?? '' }, ...children.flatMap(familyOf)];
};

/** Whether a connection comes about. */
const accepts = (host: string, port: number): Promise<boolean> => new Promise((resolve) => {
  const socket = connect({ host, port, timeout: 2_000 }, () => { socket.destroy(); resolve(true); });
  socket.once('error', () => { resolve(false); }).once('timeout', () => { socket.destroy(); resolve(false); });
});

/** A caller of the example clinic who is answered: from now on there is media. */
const callOver = async (dataDir: string, sip: number): Promise<Party> => {
  const program = await findTool('sipp', cacheDirFor({ dataDir }), () => undefined);
  const party = await startCaller({ program, folder, local: { host: CARRIER, port: await freeUdpPort(CARRIER) }, remote: { host: '127.0.0.1', port: sip } }, { from: '+12025550187', to: '+12025550110' });
  const call = await party.nextCall();
  await call.connected();
  return party;
};

/** SIP of a served stack, from the line that says so. */
const sipPortOf = (cli: Cli): string => /SIP on \S+:(\d+)/.exec(cli.stderr())?.[1] ?? 'none';

describe('frontdesk start', () => {
  test('opens SIP to the network when told, never ARI or Redis; Ctrl-C ends all it started, and the reader of its log may leave before', async () => {
    const dataDir = join(folder, 'open');
    const cli = startCli(['start'], { FRONTDESK_DATA_DIR: dataDir, FRONTDESK_BIND: '0.0.0.0', FRONTDESK_EXTERNAL_ADDRESS: EXTERNAL });
    const url = await cli.readyUrl();
    const processes = stackProcesses(dataDir);
    expect(processes).toHaveLength(2);
    const all = [...processes, ...familyOf(cli.child.pid ?? 0)];
    const [sip, tls] = [Number(sipPortOf(cli)), Number(sipPortOf(cli)) + 1];

    expect(openToNetwork(all)).toEqual([`tcp 0.0.0.0:${sip}`, `tcp 0.0.0.0:${tls}`, `udp 0.0.0.0:${sip}`]);
    // ARI, Redis and the API
    expect(listeners(all).filter((one) => one.startsWith('tcp 127.0.0.1:'))).toHaveLength(3);
    const caller = await callOver(dataDir, sip);
    const media = openToNetwork(all).filter((one) => !one.endsWith(`:${sip}`) && !one.endsWith(`:${tls}`));
    expect(media.length).toBeGreaterThan(0);
    expect(media.filter((one) => !one.startsWith('udp') || Number(one.split(':').at(-1)) < RTP_PORTS.from || Number(one.split(':').at(-1)) > RTP_PORTS.to)).toEqual([]);
    // one that went without a word would be waited for at the end
    await caller.calls[0]?.hangUp();
    await caller.stop();

    const outside = Object.values(networkInterfaces()).flat().find((one) => one?.family === 'IPv4' && !one.internal)?.address;
    const ports = [...new Set(listeners(all).filter((one) => one.startsWith('tcp')).map((one) => Number(one.split(':').at(-1))))];
    const accepted = await Promise.all(ports.map(async (port) => (outside !== undefined && (await accepts(outside, port)) ? [port] : [])));
    expect([ports.length, accepted.flat().sort((a, b) => a - b)]).toEqual([5, outside === undefined ? [] : [sip, tls]]);

    const pjsip = readFileSync(join(dataDir, 'local-stack/asterisk/etc/pjsip.conf'), 'utf8');
    expect(pjsip).toContain(`external_signaling_address = ${EXTERNAL}`);
    expect(pjsip).toContain(`external_media_address = ${EXTERNAL}`);

    cli.child.stdout?.destroy();
    expect((await fetch(url)).status).toBe(200);
    cli.child.kill('SIGINT');
    expect((await cli.ended).code).toBe(0);
    expect(processes.filter(isAlive)).toEqual([]);
    expect(leftBehind(dataDir)).toEqual([]);
  });

  test('killed, takes switch and Redis with it, and the next start works; a second Ctrl-C does not wait for a switch that hangs', async () => {
    const dataDir = join(folder, 'killed');
    const first = startCli(['start'], { FRONTDESK_DATA_DIR: dataDir });
    await first.readyUrl();
    const processes = stackProcesses(dataDir);
    const sip = sipPortOf(first);
    expect(openToNetwork(processes)).toEqual([]);
    first.child.kill('SIGKILL');
    await first.ended;
    await allGone(processes);

    const second = startCli(['start'], { FRONTDESK_DATA_DIR: dataDir });
    expect((await fetch(await second.readyUrl())).status).toBe(200);
    expect(sipPortOf(second)).toBe(sip);
    const left = stackProcesses(dataDir);
    for (const { pid } of left) process.kill(pid, 'SIGSTOP');
    try {
      second.child.kill('SIGINT');
      await until(() => second.stderr().includes('Stopping'), { describe: 'it begins to stop' });
      const asked = performance.now();
      second.child.kill('SIGINT');
      expect((await second.ended).code).toBe(130);
      expect(performance.now() - asked).toBeLessThan(2_000);
    } finally {
      for (const id of left) if (isAlive(id)) process.kill(id.pid, 'SIGCONT');
    }
    await allGone(left);
  });
});

interface Readiness { readonly status: number; readonly reasons: string }
const readinessAt = async (url: string): Promise<Readiness> => {
  const response = await fetch(url);
  return { status: response.status, reasons: ((await response.json()) as { readonly reasons: readonly string[] }).reasons.join(' ') };
};

const againDir = (): string => join(folder, 'again');
const programs = (): StackState['processes'] => stateOf(againDir()).processes;
const kill = (name: 'asterisk' | 'redis'): ProcessId => {
  const id = programs()[name] ?? { pid: 0, startTime: 'none' };
  expect(isAlive(id)).toBe(true);
  process.kill(id.pid, 'SIGKILL');
  return id;
};

describe('frontdesk start, when a program of its own is killed', () => {
  let cli: Cli;
  let url: string;
  const isWell = (): Promise<unknown> => until(async () => {
    const { status, reasons } = await readinessAt(url);
    // the example lacks a mail server, which is said all the time
    if (status !== 200 || /Asterisk|Redis|switch/.test(reasons)) throw new Error(`${status} ${reasons}`);
    return true;
  }, { describe: 'all is well again', within: 30_000 });
  const talks = async (): Promise<void> => {
    const caller = await callOver(againDir(), Number(sipPortOf(cli)));
    await caller.calls[0]?.hangUp();
    await caller.stop();
  };

  test('starts the switch and Redis again at the same ports, is not ready without the switch, and starts nothing once it stops', { timeout: 120_000 }, async () => {
    cli = startCli(['start'], { FRONTDESK_DATA_DIR: againDir() });
    url = await cli.readyUrl();
    await isWell();
    // The switch writes its own memory to the disk once a second: what was told in the last one dies with it.
    await until(() => readdirSync(againDir(), { recursive: true, encoding: 'utf8' })
      .some((name) => name.endsWith('astdb.sqlite3') && readFileSync(join(againDir(), name)).includes(CARRIER)), { describe: 'the switch has the carrier on its disk' });
    const before = listeners(stackProcesses(againDir())).filter((one) => one.startsWith('tcp'));

    const asterisk = kill('asterisk');
    const without = await until(async () => {
      const seen = await readinessAt(url);
      return seen.status === 503 && seen.reasons.includes('Asterisk ended') ? seen : undefined;
    }, { describe: 'it is not ready, and says why' });
    expect(without.reasons).toContain('Asterisk ended (signal SIGKILL); it is started again.');
    await isWell();
    expect([programs().asterisk?.pid === asterisk.pid, stackProcesses(againDir()).length]).toEqual([false, 2]);
    await talks();

    kill('redis');
    const meanwhile = await until(async () => {
      const seen = await readinessAt(url);
      return seen.reasons.includes('Redis ended') ? seen : undefined;
    }, { describe: 'it says that Redis ended' });
    expect(meanwhile).toEqual({ status: 200, reasons: expect.stringContaining('Redis ended (signal SIGKILL); it is started again.') as string });
    await isWell();
    await talks();
    expect(listeners(stackProcesses(againDir())).filter((one) => one.startsWith('tcp'))).toEqual(before);
    for (const sentence of ['Asterisk ended; it is started again', 'Asterisk was started again', 'Redis ended; it is started again', 'Redis was started again']) {
      expect(cli.stdout().split(`"${sentence}"`)).toHaveLength(2);
    }

    // a start that goes on while it stops
    const [last, again] = [kill('asterisk'), (): ProcessId | undefined => programs().asterisk];
    const begun = await until(() => (again()?.pid === last.pid ? undefined : again()), { describe: 'the switch is started once more' });
    cli.child.kill('SIGINT');
    expect([(await cli.ended).code, isAlive(begun), leftBehind(againDir())]).toEqual([0, false, []]);
  });
});

const demoDir = (): string => join(folder, 'demo');

describe('frontdesk demo', () => {
  test('shows one real call from incoming to its record, goes on serving, and ends with Ctrl-C', async () => {
    const cli = startCli(['demo'], { FRONTDESK_DATA_DIR: demoDir() });
    await until(() => /^Serving/m.test(cli.stderr()) || cli.child.exitCode !== null, { describe: 'the call is over', within: 45_000, everyMs: 50 });
    expect(cli.stderr()).not.toContain('failed');
    const timeline = cli.stdout().trimEnd().split('\n');
    const stages = ['incoming', 'announcement', 'ringing', 'whisper', 'key press', 'connected', 'hang-up', 'CDR'];
    const at = stages.map((stage) => timeline.findIndex((line) => new RegExp(`^\\s+(\\d+\\.\\d\\d s)?\\s+${stage}\\s`).test(line)));
    expect([at.every((line) => line >= 0), at]).toEqual([true, [...at].sort((a, b) => a - b)]);
    // Nothing but the timeline is on standard output.
    expect(timeline.filter((line) => !/^\s+(\d+\.\d\d s|CDR)\s/.test(line))).toEqual([]);
    expect(timeline.filter((line) => / ringing /.test(line))).toHaveLength(4);
    expect(timeline.at(-1)).toMatch(/CDR\s+answered by mobile, talked [\d.]+ s; 4 legs/);

    expect((await fetch(await cli.readyUrl())).status).toBe(200);
    const processes = stackProcesses(demoDir());
    cli.child.kill('SIGINT');
    const ended = await cli.ended;
    expect([ended.code, ended.stderr.trim().split('\n').at(-1)]).toEqual([0, 'Stopping ...']);
    expect(processes.filter(isAlive)).toEqual([]);
    expect(leftBehind(demoDir())).toEqual([]);
    const cdrs = readdirSync(join(demoDir(), 'cdrs')).flatMap((file) => readFileSync(join(demoDir(), 'cdrs', file), 'utf8').trim().split('\n')).map((line) => JSON.parse(line) as Cdr);
    expect(cdrs).toMatchObject([{ disposition: 'answered', dialled: '+12025550110' }]);
  });

  test('leaves a journal that replays to the same decisions, and one that was tampered with does not', async () => {
    // a file for each hour: two when the demo went over the end of one
    const segments = readdirSync(join(demoDir(), 'journals')).toSorted((a, b) => (a < b ? -1 : 1)).map((name) => join(demoDir(), 'journals', name));
    const same = await runCli(['replay', ...segments]);
    expect([same.code, same.stderr]).toEqual([0, '']);
    expect(same.stdout).toMatch(/: same decisions\n[\s\S]*key press[\s\S]*connected[\s\S]*\n1 call replayed, 0 not the same\n$/);

    const tampered = join(folder, 'tampered.ndjson');
    writeFileSync(tampered, segments.map((segment) => readFileSync(segment, 'utf8')).join('').replace(/"digit":"1"/, '"digit":"9"'));
    const differs = await runCli(['replay', tampered]);
    expect([differs.code, /decides otherwise: \{"record":\d+,"what":"(commands|facts)"/.test(differs.stdout)]).toEqual([1, true]);
    expect(differs.stdout).toMatch(/1 call replayed, 1 not the same\n$/);
  });

  test('ends in order when told to in the middle of the call', async () => {
    const cli = startCli(['demo'], { FRONTDESK_DATA_DIR: demoDir() });
    await until(() => /incoming/.test(cli.stdout()), { describe: 'the call has begun', within: 20_000 });
    cli.child.kill('SIGTERM');
    const ended = await cli.ended;
    expect([ended.code, ended.stderr.includes('failed'), leftBehind(demoDir())]).toEqual([0, false, []]);
  });

  test('refuses an Asterisk that is not its own, in a sentence', async () => {
    const ended = await runCli(['demo'], { FRONTDESK_DATA_DIR: join(folder, 'other'), ASTERISK_URL: 'http://u:p@127.0.0.1:1' });
    expect([ended.code, ended.stdout, ended.stderr]).toEqual([1, '', 'The demo plays phones and carrier to an Asterisk of its own: leave ASTERISK_URL and FREESWITCH_URL empty, or use `frontdesk start`.\n']);
  });
});

test('No password of the switch, of Redis or of a phone was printed, nor is in a log of the data directory', () => {
  const dirs = ['open', 'killed', 'again', 'demo'].map((name) => join(folder, name));
  const secrets = dirs.flatMap((dir) => [
    stateOf(dir).ariPassword, stateOf(dir).redisPassword,
    ...(JSON.parse(readFileSync(join(dir, 'configuration.json'), 'utf8')) as Snapshot).objects.flatMap((object) => (object.kind === 'device' ? [object.body.password ?? ''] : [])).filter((password) => password !== ''),
  ]);
  expect(secrets.length).toBe(20);
  const logs = dirs.flatMap((dir) => readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(log|ndjson)$/.test(name)).map((name) => join(dir, name)));
  expect(logs.length).toBeGreaterThan(5);
  const texts = [...printed, ...logs.map((file) => readFileSync(file, 'utf8'))];
  expect(secrets.flatMap((secret) => texts.filter((text) => text.includes(secret)).map((text) => text.slice(0, 200)))).toEqual([]);
});
