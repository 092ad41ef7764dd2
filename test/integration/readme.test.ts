/**
 * What README and docs tell a new admin to type, typed as it stands: `npm start`'s own command, the first five minutes
 * with real softphones, and a clinic made from nothing.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cacheDirFor, findTool } from '../../control-plane/local-stack/local-stack.ts';
import { rings } from '../support/behaviour.ts';
import { killLeftCli, startCli, type Cli } from '../support/cli.ts';
import { register, startCallee, startCaller, type Place } from '../support/sip-party.ts';
import { freeUdpPort, ownLoopbackAddress } from '../support/sipp.ts';
import { tonesIn } from '../support/tone.ts';
import { until } from '../support/until.ts';

const ROOT = join(import.meta.dirname, '..', '..');
let folder: string;
let demo: Cli;
let origin: string;
let key: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'frontdesk-readme-'));
  demo = startCli(['demo'], { FRONTDESK_DATA_DIR: join(folder, 'data'), FRONTDESK_PLAN: '' });
  origin = new URL(await demo.readyUrl(180_000)).origin;
  await until(() => demo.stderr().includes('Serving.'), { describe: 'the demo is over and it serves', within: 60_000 });
  key = /\bfd_[0-9a-f]{12}_[0-9a-f]{48}\b/.exec(demo.stderr())?.[0] ?? expect.fail('no key was shown');
}, 240_000);
afterAll(async () => {
  demo.child.kill('SIGTERM');
  await demo.ended;
  killLeftCli();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

/** The commands of a page, one text per fence, under one heading or all. */
const commandsOf = (file: string, heading?: string): string[] => {
  const page = readFileSync(join(ROOT, file), 'utf8');
  const part = heading === undefined ? page : (page.split(/^## /m).find((section) => section.startsWith(heading)) ?? expect.fail(`${file} has no section ${heading}`));
  return [...part.matchAll(/^( *)```sh\n([^]*?)^ *```/gm)].map(([, indent = '', text = '']) => text.split('\n').map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line)).join('\n'));
};

/** Runs a page's commands as one session; what each printed. Only key, port and folder are this machine's. */
const type = async (commands: readonly string[]): Promise<string> => {
  const script = `set -eu\n${commands.join('\n')}`.replace('fd_the_key_that_was_printed', key).replaceAll('http://127.0.0.1:8088', origin);
  const shell = spawn('bash', ['-c', script], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  shell.stdout.setEncoding('utf8').on('data', (text: string) => { out += text; });
  shell.stderr.setEncoding('utf8').on('data', (text: string) => { err += text; });
  const code = await new Promise<number | null>((resolve) => { shell.once('close', resolve); });
  if (code !== 0) throw new Error(`The session ended with ${code}:\n${out}\n${err}`);
  return out;
};

describe('README', () => {
  test('its first five minutes: a number is added, rung and listened to', async () => {
    const [setUp = '', add = '', explained = '', passwords = '', listen = ''] = commandsOf('README.md', 'The first five minutes');
    expect(await type([setUp, add])).toContain('"id":"second"');
    await until(async () => {
      const text = await type([setUp, explained]);
      return text.includes('recording: the number says yes') && !text.includes('is not ready');
    }, { describe: 'the announcement is spoken, and the number records', within: 10_000, everyMs: 200 });

    const credentials = (await type([setUp, passwords])).match(/"password":"[^"]+"/g)?.map((text) => text.slice(12, -1)) ?? [];
    expect(credentials).toHaveLength(2);
    const program = await findTool('sipp', cacheDirFor({ dataDir: folder }), () => undefined);
    const sip = /SIP on 127\.0\.0\.1:(\d+)/.exec(demo.stderr())?.[1];
    expect(sip, 'the SIP address that was printed').toBeDefined();
    const host = ownLoopbackAddress();
    const place = async (): Promise<Place> => ({ program, folder, local: { host, port: await freeUdpPort(host) }, remote: { host: '127.0.0.1', port: Number(sip) } });
    const at = await place();
    await register(at, '101', credentials[0] ?? '', 300);
    const front = await startCallee(at, 'softphone 101', '101', rings());
    const second = await startCaller(await place(), { from: '102', password: credentials[1] ?? '', to: '+12025550130', sound: 620 });
    const caller = await second.nextCall();
    const call = await front.nextCall(20_000);
    await call.answer();
    await until(() => call.state() === 'connected' && caller.state() === 'connected', { describe: 'both are connected', within: 20_000 });
    call.play(1_140);
    await until(() => call.hears(620) && caller.hears(1_140), { describe: 'they hear each other', within: 15_000 });
    await caller.hangUp();
    await Promise.all([second.stop(), front.stop()]);

    const heard = await until(async () => {
      const said = await type([setUp, listen]);
      // the record is searchable a moment after the call
      return said.includes('"disposition"') ? { said, wav: readFileSync(join(folder, 'recording.wav')) } : undefined;
    }, { describe: 'call and recording are there', within: 20_000, everyMs: 500 });
    expect(heard.said).toContain('"disposition":"answered"');
    expect(tonesIn(heard.wav, [620, 1_140])).toEqual([[620], [1_140]]);
  }, 120_000);

  test('the admin’s first session, from nothing', async () => {
    const said = await type(commandsOf('docs/first-admin.md'));
    for (const part of [
      '"id":"elm-street"', '"password":', 'is not an E.164 number', 'must be whole seconds from 1 to 600', '"timeoutSeconds":30', '"status":412', '"secret":"fd_', '"action":"number.update"', '"status":409', '"item":"failsafe","state":"done"', '"sentence":"It',
    ]) expect(said).toContain(part);
    expect(said.match(/"timeoutSeconds":20/g)?.length ?? 0).toBeGreaterThanOrEqual(2);
  }, 60_000);
});
