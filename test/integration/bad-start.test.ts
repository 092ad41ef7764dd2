/**
 * Starts that cannot succeed, and links that go: what the operator reads, the exit code, and that nothing is left.
 * The command line runs as it does in production, against a real switch where one is needed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startLocalStack, type LocalStack } from '../../control-plane/local-stack/local-stack.ts';
import { isSentence, killLeftCli, leftBehind, printed, runCli, startCli, type Ended } from '../support/cli.ts';
import { startLinkProxy } from '../support/link-proxy.ts';
import { until } from '../support/until.ts';

const PLAN = join(import.meta.dirname, '../../dialplans/riverside-dental.yaml');
let folder: string;
let dataDir: string;
let stack: LocalStack;
let toStack: Record<string, string>;
let count = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'frontdesk-bad-start-'));
  stack = await startLocalStack({ dataDir: join(folder, 'stack'), need: { asterisk: true, redis: true }, tools: ['flite'], progress: () => undefined });
  toStack = { ASTERISK_URL: stack.asterisk?.url ?? '', REDIS_URL: stack.redis?.url ?? '' };
}, 180_000);
afterEach(() => { killLeftCli(); });
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

const newDataDir = (): string => {
  count += 1;
  dataDir = join(folder, `data-${count}`);
  return dataDir;
};

/** Starts with what is wrong; asserts all that holds for every refusal. */
const refused = async (env: Record<string, string>): Promise<string> => {
  const ended: Ended = await runCli(['start'], { FRONTDESK_LOG_LEVEL: 'warn', FRONTDESK_DATA_DIR: newDataDir(), ...env });
  // What was under way may have been told before.
  const sentence = ended.stderr.replace(/^Spoken: .*\n/, '');
  expect({ code: ended.code, sentence: isSentence(sentence) ? 'yes' : sentence, printed: ended.stdout }).toEqual({ code: 1, sentence: 'yes', printed: '' });
  expect(leftBehind(dataDir)).toEqual([]);
  return sentence.trim();
};

const listening = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};
const closed = (server: Server): Promise<void> => new Promise((resolve) => { server.close(() => { resolve(); }); });

/** Something that answers as ARI does, but for its version. */
const switchOfVersion = async (version: string): Promise<{ readonly url: string; readonly close: () => Promise<void> }> => {
  const server = createHttpServer((_request, response) => { response.end(JSON.stringify({ system: { version } })); });
  const port = await listening(server);
  return { url: `http://frontdesk:secret-of-old@127.0.0.1:${port}`, close: () => { server.closeAllConnections(); return closed(server); } };
};

/** A call of any kind is written down; this one needs no phone. */
const callToNobody = async (): Promise<void> => {
  const { username, password, origin } = new URL(toStack['ASTERISK_URL'] ?? '');
  const made = await fetch(`${origin}/ari/channels?endpoint=${encodeURIComponent('Local/+12025550999@from-trunk')}&app=nobody`, {
    method: 'POST', headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
  });
  expect(made.status).toBe(200);
};

/** A number for each kind of problem. */
const brokenPlan = (): string => {
  const users = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const text = readFileSync(PLAN, 'utf8').split('\nnumbers:')[0]?.replace(/\nusers:[\s\S]*/, '') ?? '';
  return [
    text, 'users:', ...users.map((id, i) => `  - id: ${id}\n    name: User ${id}\n    devices: [{ extension: ${201 + i} }]`),
    'numbers:',
    `  - e164: 2025550110\n    name: No E.164\n    users: [a]`,
    `  - e164: +12025550111\n    name: Eighth user\n    users: [${users.join(', ')}]`,
    `  - e164: +12025550112\n    name: To itself\n    users: [a]\n    failsafe: +12025550112`,
    `  - e164: +12025550113\n    name: Zero\n    users: [a]\n    timeoutSeconds: 0`,
    `  - e164: +12025550114\n    name: Less than nothing\n    users: [a]\n    timeoutSeconds: -1`,
    `  - e164: +12025550115\n    name: For ever\n    users: [a]\n    timeoutSeconds: 9999`,
    `  - e164: +12025550116\n    name: Unknown field\n    users: [a]\n    timeoutSecond: 20`, '',
  ].join('\n');
};

describe('A broken plan', () => {
  test('is refused with every problem at once, each with file, line, path and way out, and nothing is started', async () => {
    const file = join(folder, 'broken.yaml');
    const text = brokenPlan();
    writeFileSync(file, text);
    const ended = await runCli(['start'], { FRONTDESK_PLAN: file, FRONTDESK_DATA_DIR: newDataDir() });
    expect([ended.code, ended.stdout]).toEqual([1, '']);
    const problems = ended.stderr.trim().split('\n').map((line) => /^(.+):(\d+): (\S+): (.+?)\. (.+)$/.exec(line)?.slice(1) ?? [line]);
    const lineOf = (part: string): string => String(text.split('\n').findIndex((line) => line.includes(part)) + 1);
    expect(problems.map(([at, line, path]) => [at, line, path])).toEqual([
      [file, lineOf('e164: 2025550110'), 'numbers[0].e164'],
      [file, String(Number(lineOf('name: Eighth user')) + 1), expect.stringMatching(/^numbers\[1\]\.users/)],
      [file, lineOf('failsafe: +12025550112'), 'numbers[2].failsafe'],
      [file, lineOf('timeoutSeconds: 0'), 'numbers[3].timeoutSeconds'],
      [file, lineOf('timeoutSeconds: -1'), 'numbers[4].timeoutSeconds'],
      [file, lineOf('timeoutSeconds: 9999'), 'numbers[5].timeoutSeconds'],
      [file, lineOf('timeoutSecond: 20'), 'numbers[6].timeoutSecond'],
    ]);
    for (const [, , , message, wayOut] of problems) expect([message?.length, wayOut?.length].every((length) => length !== undefined && length > 10)).toBe(true);
    expect(existsSync(dataDir)).toBe(false);
  });

  test('that is not there, or a folder, is refused in a sentence', async () => {
    expect(await refused({ FRONTDESK_PLAN: join(folder, 'none.yaml') })).toMatch(/none\.yaml:1: cannot be read \(ENOENT\)\. Check its name/);
    expect(await refused({ FRONTDESK_PLAN: folder })).toMatch(/is not a file\. Give a plan file such as/);
  });
});

test('Wrong settings are told all at once, by name, and no password in them is repeated', async () => {
  const ended = await runCli(['start'], {
    FRONTDESK_HTTP_PORT: '80a', FRONTDESK_SIP_PORT: '0', FRONTDESK_BIND: 'everywhere', FRONTDESK_INSTANCE: 'Haupt!', FRONTDESK_LOG_LEVEL: 'loud',
    FRONTDESK_EXTERNAL_ADDRESS: 'sip:here', ASTERISK_URL: 'http://127.0.0.1:8088', REDIS_URL: 'mysql://u:hidden-password@127.0.0.1', FRONTDESK_DATA_DIR: newDataDir(),
  });
  expect([ended.code, ended.stdout]).toEqual([1, '']);
  expect(ended.stderr.trim().split('\n').map((line) => line.replace(/^(\S+) must (be|look like) .{8,}\.$/, '$1')).sort()).toEqual([
    'ASTERISK_URL', 'FRONTDESK_BIND', 'FRONTDESK_EXTERNAL_ADDRESS', 'FRONTDESK_HTTP_PORT', 'FRONTDESK_INSTANCE', 'FRONTDESK_LOG_LEVEL', 'FRONTDESK_SIP_PORT', 'REDIS_URL',
  ]);
  expect(ended.stderr).not.toContain('hidden-password');
  expect(leftBehind(dataDir)).toEqual([]);
});

describe('A switch that cannot serve', () => {
  test('with another ARI password', async () => {
    const url = new URL(toStack['ASTERISK_URL'] ?? '');
    url.password = 'not-the-password';
    expect(await refused({ ...toStack, ASTERISK_URL: url.href })).toBe(`Asterisk at ${url.host} refuses the user name or password in ASTERISK_URL (see ari.conf).`);
  });

  test('that cannot be reached', async () => {
    const server = createServer();
    const port = await listening(server);
    await closed(server);
    expect(await refused({ ...toStack, ASTERISK_URL: `http://u:p@127.0.0.1:${port}` })).toBe(`Asterisk at 127.0.0.1:${port} cannot be reached: ECONNREFUSED. Is it running, and is ASTERISK_URL right?`);
  });

  test('that is something else, or too old', async () => {
    const old = await switchOfVersion('20.13.0');
    expect(await refused({ ...toStack, ASTERISK_URL: old.url })).toMatch(/is version 20\.13\.0\. Frontdesk .* needs Asterisk 20\.14, 21\.9, 22\.4 or newer\.$/);
    await old.close();
    const other = createHttpServer((_request, response) => { response.end('<h1>It works!</h1>'); });
    expect(await refused({ ...toStack, ASTERISK_URL: `http://u:p@127.0.0.1:${await listening(other)}` })).toMatch(/but not as Asterisk's REST interface does/);
    other.closeAllConnections();
    await closed(other);
  });

  test('without a module that calls need', async () => {
    await stack.asterisk?.cli('module unload res_stasis_recording.so');
    await stack.asterisk?.cli('module unload app_stasis_broadcast.so');
    try {
      expect(await refused(toStack)).toMatch(/^Asterisk lacks .*app_stasis_broadcast\.so.*: load (it|them) in modules\.conf\.$/);
    } finally {
      await stack.asterisk?.cli('module load app_stasis_broadcast.so');
      await stack.asterisk?.cli('module load res_stasis_recording.so');
    }
  });
});

describe('A port in use', () => {
  test('for health and readiness is said before a switch is started', async () => {
    const server = createServer();
    const port = await listening(server);
    expect(await refused({ FRONTDESK_HTTP_PORT: String(port) })).toBe(`Port ${port} is in use: end the program that has it, or set FRONTDESK_HTTP_PORT to another.`);
    expect(existsSync(join(dataDir, 'local-stack'))).toBe(false);
    await closed(server);
  });

  test('for SIP', async () => {
    const taken = String(stack.asterisk?.sipPort);
    expect(await refused({ FRONTDESK_SIP_PORT: taken })).toBe(`SIP port ${taken} on 127.0.0.1 is in use or not ours to open. Free it or choose another (FRONTDESK_SIP_PORT).`);
  });

  test('an address that this machine does not have', async () => {
    expect(await refused({ FRONTDESK_BIND: '192.0.2.7' })).toMatch(/^Found no free port to listen on at 192\.0\.2\.7\. Check that FRONTDESK_BIND is an address of this machine\.$/);
  });
});

describe('A data directory that cannot be used', () => {
  test('in use by another Frontdesk, which goes on', async () => {
    const first = startCli(['start'], { ...toStack, FRONTDESK_DATA_DIR: newDataDir() });
    const url = await first.readyUrl();
    const second = await runCli(['start'], { ...toStack, FRONTDESK_DATA_DIR: dataDir });
    expect([second.code, second.stderr.trim()]).toEqual([1, `The data directory ${dataDir} is in use by process ${first.child.pid}. Stop it, or choose another data directory (FRONTDESK_DATA_DIR).`]);
    expect((await fetch(url)).status).toBe(200);
    first.child.kill('SIGTERM');
    expect((await first.ended).code).toBe(0);
    expect(leftBehind(dataDir)).toEqual([]);
  });

  test('a file, below a file, or where nobody may write', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, 'not a directory');
    expect(await refused({ ...toStack, FRONTDESK_DATA_DIR: file })).toBe(`${file} cannot be a directory (EEXIST). Choose another (FRONTDESK_DATA_DIR).`);
    expect(await refused({ ...toStack, FRONTDESK_DATA_DIR: join(file, 'data') })).toMatch(/cannot be a directory \(ENOTDIR\)\. Choose another/);
    expect(await refused({ ...toStack, FRONTDESK_DATA_DIR: '/proc/frontdesk' })).toMatch(/^\/proc\/frontdesk cannot be a directory|^Cannot write to \/proc\/frontdesk/);
  });

  test('with a damaged database, and no copy of the configuration', async () => {
    mkdirSync(join(newDataDir(), 'database'), { recursive: true });
    writeFileSync(join(dataDir, 'database', 'PG_VERSION'), 'not a version');
    const ended = await runCli(['start'], { ...toStack, FRONTDESK_DATA_DIR: dataDir });
    expect(ended.code).toBe(1);
    expect(ended.stderr.trim().split('\n').at(-1)).toMatch(/^The database in .*\/database cannot be opened .*: restore the directory from a backup, or move it away to begin with an empty one\.$/);
    expect(leftBehind(dataDir)).toEqual([]);
  });

  // A disk of its own needs a mount, and a mount a name space of one's own, which not every kernel gives.
  const disk = ['unshare', '-rm', 'sh', '-c'];
  const mountable = new Promise<boolean>((resolve) => {
    spawn(disk[0] ?? '', ['-rm', 'true'], { stdio: 'ignore' }).once('error', () => { resolve(false); }).once('exit', (code) => { resolve(code === 0); });
  });

  test('full', async ({ skip }) => {
    if (!(await mountable)) skip('This kernel gives no mount name space.');
    mkdirSync(newDataDir());
    const script = `mount -t tmpfs -o size=16k tmpfs "${dataDir}" && (head -c 100000 /dev/zero > "${dataDir}/full" 2>/dev/null; exec "$0" "$@")`;
    const ended = await startCli(['start'], { ...toStack, FRONTDESK_DATA_DIR: dataDir }, [...disk, script]).ended;
    expect([ended.code, ended.stderr.trim()]).toEqual([1, `The disk that holds ${dataDir} is full. Free some space and start again.`]);
  });

  test('full while it serves: readiness says so, calls and the process go on, and with room again all is well', async ({ skip }) => {
    if (!(await mountable)) skip('This kernel gives no mount name space.');
    mkdirSync(newDataDir());
    const script = `mount -t tmpfs -o size=200m tmpfs "${dataDir}" && exec "$0" "$@"`;
    const served = startCli(['start'], { ...toStack, FRONTDESK_DATA_DIR: dataDir }, [...disk, script]);
    const url = await served.readyUrl();
    const inside = `/proc/${served.child.pid}/root${dataDir}`;
    await new Promise((resolve) => { spawn('sh', ['-c', `head -c 400000000 /dev/zero > "${inside}/filler"`], { stdio: 'ignore' }).once('exit', resolve); });
    await callToNobody();
    await until(async () => (await fetch(url)).status === 503, { describe: 'readiness fails' });
    expect(await (await fetch(url)).json()).toMatchObject({ ready: false, reasons: expect.arrayContaining([expect.stringMatching(/^The data directory cannot be written: ENOSPC/)]) });
    expect((await fetch(url.replace('readyz', 'healthz'))).status).toBe(200);
    rmSync(`${inside}/filler`);
    await until(async () => (await fetch(url)).status === 200, { describe: 'readiness is back' });
    served.child.kill('SIGTERM');
    const ended = await served.ended;
    expect(ended.code).toBe(0);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  });
});

test('The switch goes away while it serves: readiness says so, nothing crashes, and with the switch it is back', async () => {
  const link = await startLinkProxy(toStack['ASTERISK_URL'] ?? '');
  const served = startCli(['start'], { ...toStack, ASTERISK_URL: link.url, FRONTDESK_DATA_DIR: newDataDir() });
  const url = await served.readyUrl();
  expect((await fetch(url)).status).toBe(200);
  link.cut();
  await until(async () => (await fetch(url)).status === 503, { describe: 'readiness fails' });
  expect(await (await fetch(url)).json()).toMatchObject({ ready: false, reasons: expect.arrayContaining(['The link to the switch is down; it is tried again.']) });
  expect((await fetch(url.replace('readyz', 'healthz'))).status).toBe(200);
  link.mend();
  await until(async () => (await fetch(url)).status === 200, { describe: 'readiness is back', within: 10_000 });
  // and while it is away it can be stopped
  link.cut();
  await until(async () => (await fetch(url)).status === 503, { describe: 'readiness fails again' });
  served.child.kill('SIGTERM');
  const ended = await served.ended;
  await link.close();
  expect([ended.code, /bug|\n\s+at /.test(ended.stdout + ended.stderr)]).toEqual([0, false]);
  expect(leftBehind(dataDir)).toEqual([]);
});

test('No password of the switch, of Redis or of a phone was printed by any of these runs', () => {
  const secrets = [toStack['ASTERISK_URL'], toStack['REDIS_URL']].map((one) => new URL(one ?? '').password);
  expect(printed.length).toBeGreaterThan(20);
  for (const secret of [...secrets, 'not-the-password', 'hidden-password', 'secret-of-old']) {
    expect(secret.length).toBeGreaterThan(8);
    expect(printed.some((text) => text.includes(secret))).toBe(false);
  }
});
