/** The commands that do not serve: what they print, and their exit codes. */
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { settingNames } from '../../control-plane/config.ts';
import { isSentence, killLeftCli, runCli, startCli } from '../support/cli.ts';

const ROOT = join(import.meta.dirname, '../..');
const committed = (name: string): string => join(ROOT, 'test/replay', `${name}.ndjson`);
let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'frontdesk-cli-')); });
afterEach(() => { killLeftCli(); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

describe('The command line', () => {
  test('tells what it can with --help, wherever that stands, and with nothing is wrong use', async () => {
    const help = await runCli(['--help']);
    expect([help.code, help.stderr]).toEqual([0, '']);
    for (const word of ['start', 'demo', 'explain', 'replay', 'doctor', 'FRONTDESK_EXTERNAL_ADDRESS', 'ASTERISK_URL', 'Exit codes']) expect(help.stdout).toContain(word);
    expect((await runCli(['explain', '--help'])).stdout).toBe(help.stdout);
    expect(await runCli([])).toEqual({ code: 2, stdout: '', stderr: help.stdout });
  });

  test('names every setting with --help', async () => {
    const words = (await runCli(['--help'])).stdout.split(/[\s,]+/);
    expect(settingNames.filter((name) => !words.includes(name))).toEqual([]);
  });

  test('refuses a command it does not know, one of JavaScript’s names too, an option or an argument too many, with exit code 2', async () => {
    for (const [args, why] of [
      [['ring'], 'There is no command “ring”.'], [['constructor'], 'There is no command “constructor”.'],
      [['start', 'now'], '“now” is one argument too many.'], [['doctor', '--fast'], "Unknown option '--fast'"],
      [['explain'], 'Which number?'], [['explain', '+12025550110', '555'], '“555” is too much'], [['explain', '+12025550110', '--form', '1'], "Unknown option '--form'"],
      [['explain', '+12025550110', '--from'], "Option '--from <value>' argument missing"], [['replay'], 'Which journal?'],
      [['freeswitch'], 'Into which folder?'], [['freeswitch', '/tmp/x', '/tmp/y'], 'Into which folder?'],
    ] as const) {
      const ended = await runCli(args);
      expect([args, ended.code, ended.stdout, ended.stderr.includes(why) ? '' : ended.stderr]).toEqual([args, 2, '', '']);
      expect(ended.stderr).not.toMatch(/\n\s+at /);
    }
  });

  test('ends in peace when nobody reads on', async () => {
    const cli = startCli(['explain', '+12025550110']);
    cli.child.stdout?.destroy();
    const ended = await cli.ended;
    expect([ended.code, ended.stderr]).toEqual([0, '']);
  });
});

describe('frontdesk explain', () => {
  test('tells the steps of a call to a known number, written with or without its plus', async () => {
    const ended = await runCli(['explain', '+12025550110']);
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    expect(ended.stdout).toMatch(/^\+12025550110 “Main line” of Riverside Dental\nplan \w+, calls end after/);
    for (const part of ['announcement', 'reception, front desk: extension 101', 'mobile: +12025550121 over carrier', 'any key within', 'at most 120 s', '\nWhy\n']) expect(ended.stdout).toContain(part);
    expect((await runCli(['explain', '12025550110'])).stdout).toBe(ended.stdout);
  });

  test('shows the caller as a phone would, and prints no control character', async () => {
    const ended = await runCli(['explain', '+12025550110', '--from', '+12025550187', '--name', 'Ada \u001b[31mReyes']);
    expect(ended.stdout).toMatch(/shows .*Ada .*Reyes.* \+12025550187/);
    expect(ended.stdout).not.toContain('\u001b');
  });

  test('tells the same as JSON and as a flowchart, for an instant', async () => {
    const json = await runCli(['explain', '+12025550110', '--from', '+12025550187', '--at', '2026-03-02T08:30-06:00', '--json']);
    expect([json.code, json.stderr]).toEqual([0, '']);
    const told = JSON.parse(json.stdout) as { readonly text: string; readonly steps: readonly { readonly id: string }[] };
    expect(told).toMatchObject({ caller: '+12025550187', at: '2026-03-02T14:30:00.000Z', plan: { first: told.steps[0]?.id }, rate: null });
    expect((await runCli(['explain', '+12025550110', '--diagram'])).stdout).toMatch(/^flowchart TD\n {2}n0\(\["Call to \+12025550110<br\/>Main line"\]\)\n/);
    const wrong = await runCli(['explain', '+12025550110', '--at', 'noon']);
    expect([wrong.code, wrong.stdout, wrong.stderr]).toEqual([2, '', expect.stringContaining('--at “noon” is no instant')]);
  });

  test('of a number nobody has says what the caller gets, and which numbers there are', async () => {
    const ended = await runCli(['explain', '+19995550000']);
    expect([ended.code, ended.stderr]).toEqual([1, 'No plan has the number +19995550000; known are +12025550110.\n']);
    expect(ended.stdout).toContain('cause unallocated');
  });

  test('knows both example clinics at once', async () => {
    const env = { FRONTDESK_PLAN: 'dialplans/riverside-dental.yaml, dialplans/harbor-physio.yaml' };
    const ended = await runCli(['explain', '+15105550140'], env);
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    expect(ended.stdout).toMatch(/of Harbor Physio\n[\s\S]*key 1 within/);
    expect((await runCli(['explain', '1'], env)).stderr).toContain('known are +12025550110, +15105550140, +15105550141.');
  });
});

const temporary = (text: string): string => {
  const file = join(folder, `${createHash('sha256').update(text).digest('hex').slice(0, 12)}.ndjson`);
  writeFileSync(file, text);
  return file;
};
const journal = (): string => readFileSync(committed('ring-and-answer'), 'utf8');
/** As a segment of the data directory holds it. */
const asSegment = (text: string): string[] => text.trim().split('\n').map((record, seq) => `{"callId":"one","seq":${seq},"record":${record}}`);

describe('frontdesk replay', () => {
  test('finds the same decisions in calls recorded by an earlier build, several files at once', async () => {
    const ended = await runCli(['replay', ...['ring-and-answer', 'voicemail', 'screening'].map(committed)]);
    expect([ended.code, ended.stderr, ended.stdout.trim().split('\n').at(-1)]).toEqual([0, '', '3 calls replayed, 0 not the same']);
    for (const part of ['incoming', 'key press', 'voicemail     recorded', 'hang-up']) expect(ended.stdout).toContain(part);
  });

  test('names the first decision that is not the same', async () => {
    const ended = await runCli(['replay', temporary(journal().replace(/"type":"LegAnswered"(?![\s\S]*"type":"LegAnswered")/, '"type":"LegRinging"'))]);
    expect([ended.code, ended.stderr]).toEqual([1, '']);
    expect(ended.stdout).toMatch(/decides otherwise: \{"record":\d+,"what":"commands","recorded":.*\n[\s\S]*1 call replayed, 1 not the same\n$/);
  });

  test('names a damaged line, judges the rest, and does not call that a success', async () => {
    const lines = asSegment(journal());
    const good = asSegment(journal()).map((line) => line.replace('"callId":"one"', '"callId":"two"'));
    const file = temporary([...lines.slice(0, 4), lines[4]?.slice(0, 60), ...lines.slice(5), 'null', '[1]', '{"kind":"step"}', ...good].join('\n'));
    const ended = await runCli(['replay', file]);
    expect(ended.code).toBe(1);
    expect(ended.stderr.trim().split('\n')).toEqual([5, lines.length + 1, lines.length + 2, lines.length + 3].map((line) => `${file}:${line} is not a journal's record: the journal is damaged there.`));
    expect(ended.stdout).toContain('one: same decisions; record 4 is missing, and what follows it is not judged\n');
    expect(ended.stdout).toMatch(/two: same decisions\n[\s\S]*2 calls replayed, 1 not the same, 4 damaged lines\n$/);
  });

  test('joins a call that went on into the next hour, and says when its beginning is missing', async () => {
    const lines = asSegment(journal());
    const [first, second] = [temporary(`${lines.slice(0, 6).join('\n')}\n`), temporary(`${lines.slice(6).join('\n')}\n`)];
    expect((await runCli(['replay', first, second])).stdout).toMatch(/^one: same decisions\n[\s\S]*hang-up[\s\S]*1 call replayed, 0 not the same\n$/);
    const without = await runCli(['replay', second]);
    expect([without.code, without.stdout.split('\n')[0]]).toEqual([1, "one: the journal does not begin with the call's opening; give the segment before it too."]);
  });

  test('of one call among many, or of none', async () => {
    const file = temporary([...asSegment(journal()), ...asSegment(journal()).map((line) => line.replace('"callId":"one"', '"callId":"two"'))].join('\n'));
    expect((await runCli(['replay', file, '--call', 'two'])).stdout).toMatch(/^two: same decisions\n[\s\S]*1 call replayed/);
    const none = await runCli(['replay', file, '--call', 'three']);
    expect([none.code, none.stderr]).toEqual([1, `There is no call three in ${file}; there are: one, two.\n`]);
    for (const [what, why] of [[join(folder, 'none'), 'there is no such file'], [folder, 'it is a directory: name the segments in it'], [temporary(''), 'has no call in it']] as const) {
      const ended = await runCli(['replay', what]);
      expect([ended.code, ended.stdout, isSentence(ended.stderr), ended.stderr.includes(why)]).toEqual([1, '', true, true]);
    }
  });
});

describe('frontdesk doctor', () => {
  test('on a machine that can serve says so, line by line, and touches nothing', async () => {
    const dataDir = join(folder, 'never-made');
    const ended = await runCli(['doctor'], { FRONTDESK_DATA_DIR: dataDir });
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    for (const what of ['node', 'files', 'disk', 'clock', 'ports', 'plan', 'switch', 'redis', 'database']) expect(ended.stdout).toMatch(new RegExp(`^(ok  |warn) ${what}\\s+\\S`, 'm'));
    expect(ended.stdout).toMatch(/^ok   plan\s.*: 1 number, \d+ warnings?$/m);
    expect(ended.stdout).not.toContain('FAIL');
    expect((await runCli(['replay', dataDir])).stderr).toContain('there is no such file');
  });

  test('with a switch that does not answer, a broken plan and a data directory that is a file names each, with exit code 1', async () => {
    const dataDir = join(folder, 'file');
    appendFileSync(dataDir, 'x');
    mkdirSync(join(folder, 'plans'));
    const plan = join(folder, 'plans/broken.yaml');
    writeFileSync(plan, 'account: {}\n');
    const ended = await runCli(['doctor'], { FRONTDESK_DATA_DIR: dataDir, FRONTDESK_PLAN: plan, ASTERISK_URL: 'http://u:my-password@127.0.0.1:9', REDIS_URL: 'redis://:my-password@127.0.0.1:9' });
    expect([ended.code, ended.stderr]).toEqual([1, '']);
    expect(ended.stdout).toMatch(/^FAIL switch\s+Asterisk at 127\.0\.0\.1:9 cannot be reached/m);
    expect(ended.stdout).toMatch(/^FAIL plan\s/m);
    expect(ended.stdout).toMatch(/^FAIL disk\s+.*is not a directory/m);
    expect(ended.stdout).toMatch(/^warn redis\s+does not answer \(.+\)/m);
    expect(ended.stdout).not.toContain('my-password');
  });

  test('with a database that does not answer says whether calls are served without it', async () => {
    const dataDir = join(folder, 'of-a-database');
    const ask = () => runCli(['doctor'], { FRONTDESK_DATA_DIR: dataDir, DATABASE_URL: 'postgres://frontdesk:my-password@127.0.0.1:9/clinic' });
    const first = await ask();
    expect([first.code, first.stdout]).toEqual([1, expect.stringMatching(/^FAIL database\s+The database at 127\.0\.0\.1:9\/clinic cannot be reached \(.+\): .* There is no copy/m)]);
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'configuration.json'), '{}');
    const later = await ask();
    expect([later.code, later.stdout]).toEqual([0, expect.stringMatching(/^warn database\s+.* Calls are routed by the copy/m)]);
    expect(first.stdout + later.stdout).not.toContain('my-password');
  });
});

describe('frontdesk freeswitch', () => {
  const url = 'freeswitch://:of-the-event-socket@127.0.0.1:8021';

  test('writes a whole configuration with the port and password of FREESWITCH_URL, for its owner alone, and again over its own', async () => {
    const etc = join(folder, 'freeswitch');
    for (const external of ['198.51.100.1', '198.51.100.2']) {
      const ended = await runCli(['freeswitch', etc, '--sip', '203.0.113.10:5080', '--external', external, '--as', '/etc/switch', '--recordings', '/var/spool/calls'], { FREESWITCH_URL: url });
      expect([ended.code, ended.stdout]).toEqual([0, '']);
      expect(ended.stderr).toContain('-conf /etc/switch -scripts /etc/switch/scripts');
      expect(ended.stderr).not.toContain('of-the-event-socket');
    }
    const files = readdirSync(etc, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    expect(files.length).toBeGreaterThan(8);
    for (const file of files) {
      expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
      expect(readFileSync(file, 'utf8')).not.toMatch(/@[A-Z_]+@/);
    }
    const read = (name: string): string => readFileSync(join(etc, 'configuration', name), 'utf8');
    expect(read('event-socket.xml')).toMatch(/"127\.0\.0\.1"[^]*"8021"[^]*"of-the-event-socket"[^]*"loopback\.auto"/);
    expect(read('sip.xml')).toMatch(/"203\.0\.113\.10"[^]*"5080"[^]*"198\.51\.100\.2"/);
    expect(readFileSync(join(etc, 'freeswitch.xml'), 'utf8')).toContain('recordings_dir=/var/spool/calls');
  });

  test('leaves the configuration of another FreeSWITCH alone', async () => {
    const etc = join(folder, 'another');
    mkdirSync(etc);
    writeFileSync(join(etc, 'freeswitch.xml'), '<document type="freeswitch/xml"/>');
    const ended = await runCli(['freeswitch', etc], { FREESWITCH_URL: url });
    expect([ended.code, ended.stderr]).toEqual([1, `${etc}/freeswitch.xml is not Frontdesk’s: choose a folder of its own, or move that configuration away.\n`]);
    expect(readdirSync(etc)).toEqual(['freeswitch.xml']);
  });

  test('names what is missing or cannot be', async () => {
    const to = join(folder, 'nowhere');
    for (const [code, why, args, address] of [
      [1, 'FREESWITCH_URL is not set', [], ''], [1, 'FREESWITCH_URL must look like', [], 'freeswitch://127.0.0.1'], [1, 'The password in FREESWITCH_URL may hold', [], 'freeswitch://:a%3Cb@127.0.0.1'],
      [2, 'The event socket cannot listen at “pbx”', [], 'freeswitch://:secret@pbx'], [2, '--sip “0.0.0.0:5060”', ['--sip', '0.0.0.0:5060'], url], [2, '--sip “auto:99999”', ['--sip', 'auto:99999'], url],
      [2, '--external “pbx.example”', ['--external', 'pbx.example'], url], [2, '--rtp “5000”', ['--rtp', '5000'], url], [2, '--from “anybody”', ['--from', 'anybody'], url], [2, '--recordings “calls”', ['--recordings', 'calls'], url],
      [1, 'SOUNDS_DIR is', ['--sounds', '/a<b'], url],
    ] as const) {
      const ended = await runCli(['freeswitch', to, ...args], { FREESWITCH_URL: address });
      expect([ended.code, ended.stdout, ended.stderr.includes(why) ? why : ended.stderr]).toEqual([code, '', why]);
      expect(ended.stderr).not.toMatch(/secret|of-the-event-socket|\n\s+at /);
    }
    writeFileSync(to, 'a file');
    expect(await runCli(['freeswitch', to], { FREESWITCH_URL: url })).toMatchObject({ code: 1, stderr: `${to} cannot be a directory (EEXIST). Choose another.\n` });
  });
});
