/**
 * A FreeSWITCH that cannot serve: what `doctor` says of it, and a start. It is an event socket that answers as one does, so this
 * is shown where there is none.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startLocalStack, type LocalStack } from '../../control-plane/local-stack/local-stack.ts';
import { isSentence, killLeftCli, leftBehind, printed, runCli } from '../support/cli.ts';
import { apiResponse, startEslServer, type EslServerOptions } from '../support/esl-server.ts';

let folder: string;
let stack: LocalStack;
const password = 'of-the-event-socket';
const opened: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'frontdesk-refused-'));
  mkdirSync(join(folder, 'recordings'));
  stack = await startLocalStack({ dataDir: join(folder, 'stack'), need: { asterisk: false, redis: true }, tools: ['flite'], progress: () => undefined });
}, 180_000);
afterEach(async () => {
  killLeftCli();
  for (const close of opened.splice(0)) await close();
});
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** One that has all, but for `replies`: to commands of the event socket, by their beginnings. */
async function switchWith(replies: Readonly<Record<string, string>>, options: EslServerOptions = {}): Promise<string> {
  const whole = { 'module_exists ': 'true', 'global_getvar recordings_dir': join(folder, 'recordings'), 'lua store.lua list': '+OK\n', 'hash_dump ': '-ERR no reply\n' };
  const said = [...Object.entries(replies), ...Object.entries(whole)];
  const server = await startEslServer({
    password,
    answer: ({ line }) => {
      const found = said.find(([beginning]) => line.startsWith(`api ${beginning}`));
      return found === undefined ? undefined : apiResponse(found[1]);
    },
    ...options,
  });
  opened.push(server.stop);
  return `freeswitch://:${password}@127.0.0.1:${server.port}`;
}

const doctor = (url: string) => runCli(['doctor'], { FRONTDESK_DATA_DIR: join(folder, 'never-made'), FREESWITCH_URL: url });

test('doctor finds nothing wrong with one that has all', async () => {
  const ended = await doctor(await switchWith({ 'lua store.lua list fd-phone': '+OK\n101 a1=x&number=101\n' }));
  expect(ended.code).toBe(0);
  expect(ended.stdout.split('\n').filter((line) => /^\S+\s+(switch|modules|phones|folder)\b/.test(line)).map((line) => line.replaceAll(folder, '…'))).toEqual([
    expect.stringMatching(/^ok\s+switch\s+FreeSWITCH 1\.11\.1/), expect.stringMatching(/^ok\s+modules\s+all/), 'ok   phones    1 are known to the switch',
    'ok   folder    …/recordings is where the switch keeps recordings',
  ]);
});

test('doctor names a folder of recordings that this machine does not see, and a switch that has none', async () => {
  expect((await doctor(await switchWith({ 'global_getvar recordings_dir': '/nowhere/recordings' }))).stdout).toMatch(/^warn folder\s+\/nowhere\/recordings, .* cannot be read and emptied here/m);
  const ended = await doctor(await switchWith({ 'global_getvar recordings_dir': '' }));
  expect([ended.code, ended.stdout]).toEqual([1, expect.stringMatching(/^FAIL folder\s+The switch does not say where it keeps recordings/m)]);
});

describe.each([
  ['with another password', {}, { password: 'another' }, /^FreeSWITCH at 127\.0\.0\.1:\d+ refuses the password \(see event_socket\.conf\.xml\)\.$/],
  ['that is too old', {}, { version: '1.8.7+git~20190908' }, /^FreeSWITCH at \S+ cannot be used: it is version 1\.8\.7\S*, and Frontdesk needs FreeSWITCH 1\.10 or newer\.$/],
  ['without a module that calls need', { 'module_exists mod_lua': 'false', 'module_exists mod_sndfile': 'false' }, {}, /^FreeSWITCH lacks mod_lua, mod_sndfile: load them in modules\.conf\.$/],
  ['without the scripts', { 'lua ': '-ERR Cannot execute script\n' }, {}, /^What the switch keeps cannot be read or written: it has no scripts\/store\.lua; give it the configuration of freeswitch\/ anew\.$/],
] as const)('A FreeSWITCH %s', (name, replies, options, sentence) => {
  test('is named by doctor, which says how to mend it', async () => {
    const ended = await doctor(await switchWith(replies, options));
    const [failed = ''] = ended.stdout.split('\n').filter((line) => line.startsWith('FAIL'));
    expect([ended.code, failed.replace(/^FAIL \w+\s+/, '')]).toEqual([1, expect.stringMatching(sentence)]);
  });

  test('is refused at start with the same sentence, and nothing is left', async () => {
    const dataDir = join(folder, name.replaceAll(' ', '-'));
    const ended = await runCli(['start'], { FRONTDESK_LOG_LEVEL: 'silent', FRONTDESK_DATA_DIR: dataDir, FREESWITCH_URL: await switchWith(replies, options), REDIS_URL: stack.redis?.url ?? '' });
    // What was under way may have been told before.
    const told = ended.stderr.replace(/^Spoken: .*\n/, '').trim();
    expect([ended.code, ended.stdout, isSentence(ended.stderr.replace(/^Spoken: .*\n/, ''))]).toEqual([1, '', true]);
    expect(told).toMatch(sentence);
    expect(leftBehind(dataDir)).toEqual([]);
  });
});

test('Nothing that was printed has the password of the event socket', () => {
  expect(printed.length).toBeGreaterThan(8);
  expect(printed.join('\n')).not.toContain(password);
});
