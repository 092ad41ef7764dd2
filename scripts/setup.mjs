// Makes a fresh clone runnable, on any Node from 20 on: installs the locked packages, Node 24 among
// them (npm scripts find it first on PATH). Does nothing when the lock file has not changed.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'node_modules', '.frontdesk-setup');
const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
const done = existsSync(stamp) && readFileSync(stamp, 'utf8') === lock;

if (!done) {
  process.stderr.write('Installing packages (first run, or package-lock.json changed) ...\n');
  // Not `npm ci`: it refuses a lock file that lacks optional packages of platforms we do not run on. Versions are the
  // lock file's all the same, and nothing is written to it.
  const npm = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--engine-strict=false'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NODE_ENV: 'development' },
  });
  if (npm.status !== 0) {
    process.stderr.write('Cannot install the packages. Check the npm registry is reachable, then run `npm install` to see why.\n');
    process.exit(1);
  }
  const node = spawnSync(join(root, 'node_modules', '.bin', 'node'), ['--version'], { encoding: 'utf8' });
  if (!node.stdout?.startsWith('v24.')) {
    process.stderr.write(
      'The npm package "node" did not bring Node 24 for this machine. Install Node 24 and run the command again.\n',
    );
    if (Number(process.versions.node.split('.')[0]) < 24) process.exit(1);
  }
  writeFileSync(stamp, lock);
}
