/** Before live tests: everything they run is in the package cache, so that no test waits for a download. */
import { cacheDirFor } from '../../control-plane/local-stack/local-stack.ts';
import { ensurePackages } from '../../control-plane/local-stack/packages.ts';

const progress = (line: string): void => { process.stderr.write(`${line}\n`); };

export default async function setup(): Promise<void> {
  const cacheDir = cacheDirFor({ dataDir: '.frontdesk' });
  await ensurePackages(cacheDir, ['asterisk', 'redis', 'flite', 'sipp', 'postgres'], progress);
}
