/**
 * `npm run test:freeswitch`: the live tests and the contracts on a real FreeSWITCH (FREESWITCH_HOME, or FREESWITCH_ESL_URL), and
 * how it went, written to docs/freeswitch-run.md. With arguments, which are vitest's, only those, and nothing is written.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { startVitest, type TestModule } from 'vitest/node';
import { connectEsl } from '../control-plane/media/freeswitch/esl/esl-client.ts';
import { withoutFreeSwitch } from './support/freeswitch.ts';

const suites = ['test/integration/', 'test/contract/esl-', 'test/contract/media-driver-freeswitch', 'test/contract/media-driver-captured', 'test/contract/switch-admin'];
const root = join(import.meta.dirname, '..');
const report = join(root, 'docs/freeswitch-run.md');

interface Told {
  readonly test: string;
  readonly why: string;
}

interface FileRun {
  readonly file: string;
  readonly passed: number;
  readonly failed: readonly Told[];
  readonly skipped: readonly Told[];
  readonly seconds: number;
}

function runOf(module: TestModule): FileRun {
  const file = relative(root, module.moduleId);
  const failed: Told[] = [...module.errors(), ...[...module.children.allSuites()].flatMap((suite) => suite.errors())].map(({ message }) => ({ test: 'before its tests', why: sentence(message) }));
  const skipped: Told[] = [];
  let passed = 0;
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state === 'passed') passed += 1;
    else if (result.state === 'failed') failed.push({ test: test.fullName, why: sentence(result.errors[0]?.message ?? '') });
    else skipped.push({ test: test.fullName, why: result.state === 'skipped' ? (result.note ?? '') : 'it did not end' });
  }
  return { file, passed, failed, skipped, seconds: Math.round(module.diagnostic().duration / 1000) };
}

function sentence(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 200).replaceAll('|', '/');
}

/** Of the switch; it is not asked where the tests start one of their own. */
async function versionOf(home: string, url: string): Promise<string> {
  if (home !== '') return /version:? (\S+)/i.exec(execFileSync(join(home, 'bin/freeswitch'), ['-version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';
  const connected = await connectEsl({ url, events: [], onEvent: quiet, onLink: quiet, log: { info: quiet, warn: quiet, error: quiet } });
  if (!connected.ok) throw new Error(connected.message);
  await connected.client.close();
  return connected.client.version;
}

function quiet(): void {
  // no test is of what it would log
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
}

function commit(): string {
  return `\`${git('rev-parse', '--short', 'HEAD')}\`${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ', with changes that are not committed'}`;
}

function written(version: string, runs: readonly FileRun[], minutes: number): string {
  const sum = (count: (run: FileRun) => number): number => runs.reduce((total, run) => total + count(run), 0);
  const list = (told: (run: FileRun) => readonly Told[]): readonly string[] => runs.flatMap((run) => told(run).map(({ test, why }) => `- \`${run.file.split('/').at(-1) ?? ''}\`: ${test}${why === '' ? '' : ` — ${why}`}`));
  const [failed, skipped] = [list((run) => run.failed), list((run) => run.skipped)];
  return [
    '# The tests on FreeSWITCH', '',
    'The last whole run. It is written by `npm run test:freeswitch`, with `FREESWITCH_HOME` or `FREESWITCH_ESL_URL` ([switches.md](switches.md)).', '',
    '| | |', '| --- | --- |',
    `| FreeSWITCH | ${version} |`, `| commit | ${commit()} |`, `| at | ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, ${minutes} minutes |`,
    `| machine | ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'processor'}, Node ${process.versions.node} |`,
    `| tests | **${sum(({ passed }) => passed)} passed, ${sum((run) => run.failed.length)} failed, ${sum((run) => run.skipped.length)} skipped**, in ${runs.length} files |`, '',
    '| file | passed | failed | skipped | s |', '| --- | --- | --- | --- | --- |',
    ...runs.map((run) => `| \`${run.file}\` | ${run.passed} | ${run.failed.length} | ${run.skipped.length} | ${run.seconds} |`),
    ...(failed.length === 0 ? [] : ['', '## Failed', ...failed]),
    ...(skipped.length === 0 ? [] : ['', '## Skipped', ...skipped]), '',
  ].join('\n');
}

async function run(only: readonly string[]): Promise<number> {
  if (withoutFreeSwitch !== undefined) {
    process.stderr.write(`Skipped: the tests on FreeSWITCH. ${withoutFreeSwitch}.\n`);
    return 1;
  }
  const version = await versionOf(process.env['FREESWITCH_HOME'] ?? '', process.env['FREESWITCH_ESL_URL'] ?? '');
  const began = performance.now();
  const vitest = await startVitest('test', only.length === 0 ? suites : [...only], { run: true, watch: false, reporters: ['default'] });
  const runs = vitest.state.getTestModules().map(runOf).toSorted((a, b) => a.file.localeCompare(b.file));
  const broken = vitest.state.getUnhandledErrors().length;
  await vitest.close();
  const text = written(version, runs, Math.round((performance.now() - began) / 60_000));
  if (only.length === 0) writeFileSync(report, text);
  else process.stdout.write(text);
  return broken > 0 || runs.length === 0 || runs.some(({ failed }) => failed.length > 0) ? 1 : 0;
}

process.env['FRONTDESK_TEST_SWITCH'] = 'freeswitch';
process.exitCode = await run(process.argv.slice(2));
