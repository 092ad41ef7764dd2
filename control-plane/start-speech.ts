/** What is said and played to callers: made ready at the start, and calls go on without. */
import { join } from 'node:path';
import type { Config } from './config.ts';
import type { ClinicConfig } from './configuration/clinics.ts';
import type { CallFacts } from './core/routing/config.ts';
import { textsToPrepare } from './core/routing/whisper.ts';
import { cacheDirFor, findTool, type LocalStack } from './local-stack/local-stack.ts';
import { prepareHoldMusic } from './store/media-files/hold-music.ts';
import { createSpeech, fliteEngine, type Speech } from './store/media-files/speech.ts';
import type { Log } from './telemetry/log.ts';
import { testCallText } from './placed-calls/test-calls.ts';

/** How the switch, or both, take what is spoken: see store/media-files/speech.ts. */
export type SpeechFiles = 'by rate' | 'always wav' | 'narrow';

const folders: Readonly<Record<SpeechFiles, string>> = { 'by rate': 'speech', 'always wav': 'speech-wav', narrow: 'speech-narrow' };

/** Without an engine calls are routed all the same: whispers are skipped, and keys are asked for by tone. */
export async function startSpeech(config: Config, stack: LocalStack | undefined, files: SpeechFiles, log: Log, progress: (line: string) => void): Promise<Speech | undefined> {
  try {
    const flite = await (stack === undefined ? findTool('flite', cacheDirFor(config), progress) : stack.tool('flite'));
    return await createSpeech({ dir: join(config.dataDir, folders[files]), engine: fliteEngine(flite), alwaysWav: files === 'always wav', narrow: files === 'narrow', log });
  } catch (error) {
    log.warn({ error: error instanceof Error ? error.message : String(error) }, 'There is no speech: whispers are skipped, and keys are asked for by tone');
    return undefined;
  }
}

/** Without it callers who wait hear nothing between what is said. */
export async function startHoldMusic(config: Config, log: Log): Promise<Pick<CallFacts, 'holdMusic'>> {
  try {
    return { holdMusic: await prepareHoldMusic(join(config.dataDir, 'audio')) };
  } catch (error) {
    log.warn({ error: String(error) }, 'The music of queues could not be written: callers wait in silence where a queue has none of its own');
    return {};
  }
}

/** The first call finds its texts spoken; `more` are those of no clinic. */
export async function speechReady(speech: Speech | undefined, clinics: readonly ClinicConfig[], more: readonly string[], progress: (line: string) => void): Promise<void> {
  if (speech === undefined) return;
  const texts = [...clinics.flatMap((clinic) => textsToPrepare(clinic.account)), testCallText, ...more];
  await speech.prepare(texts);
  progress(`Spoken: ${texts.filter((text) => speech.media(text) !== undefined).length} of ${texts.length} texts`);
}
