/** A recording as the controller keeps it: decrypted with the key of its data directory, beside a controller that runs. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readMediaKeys } from '../../control-plane/store/media-files/media-keys.ts';
import { openVault } from '../../control-plane/store/media-files/vault.ts';
import { until } from './until.ts';

/** Waits until it has come from the switch; the whole WAV. */
export const keptRecording = async (dataDir: string, recordingId: string): Promise<Buffer> => {
  const name = `${recordingId}.fdv`;
  const file = join(dataDir, 'recordings', name);
  await until(() => existsSync(file), { describe: `the recording ${recordingId} is kept`, within: 10_000 });
  // opening the controller's own vault would clear away what it is writing
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-kept-'));
  try {
    copyFileSync(file, join(dir, name));
    const vault = await openVault({ dir, keys: await readMediaKeys({ dir: dataDir }) });
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await vault.open(recordingId)).read()) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks);
  } finally {
    rmSync(dir, { recursive: true });
  }
};
