/**
 * Texts spoken by a TTS engine, kept as audio files that the switch plays. A call only ever asks what is ready
 * (`media`, no I/O); speaking happens before (`prepare`).
 *
 * The engine is run with an argument list, never through a shell, and reads the text from a file: a caller's name
 * can neither be an option nor be seen in the host's list of processes. Bounded: characters of a text, seconds and
 * bytes of a run, runs at once, texts waiting, bytes of the whole cache.
 *
 * An engine's WAV is kept as it came: Asterisk plays 16-bit mono at 8 kHz as `.wav` and at 16 kHz as `.wav16`
 * (format_wav), converting to the call's codec itself; FreeSWITCH plays either as `.wav`. Anything else is refused.
 */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import type { Media } from '../../core/routing/config.ts';
import { decodeAudio } from './decode-audio.ts';
import { readPhoneWav } from './wav.ts';

export interface SpeechEngine {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What makes this engine's voice: part of every key, so that another voice speaks anew. */
  readonly voice: string;
  /** The arguments that make it speak a file into a WAV file. */
  readonly speak: (textFile: string, wavFile: string) => readonly string[];
}

export interface SpeechLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface SpeechOptions {
  /** Holds the audio; made when it is not there. The switch must be able to read it. */
  readonly dir: string;
  readonly engine: SpeechEngine;
  readonly log: SpeechLog;
  /** The switch takes every rate as `.wav`: so the folder is its own. */
  readonly alwaysWav?: boolean;
  /** Two switches read the folder: 8 kHz, which any takes as `.wav`. */
  readonly narrow?: boolean;
  /** Milliseconds, for the age of a failure and of a file's last use. */
  readonly now?: () => number;
  readonly maxRunMs?: number;
  readonly maxCacheBytes?: number;
}

export interface Speech {
  /** Makes texts ready. Settles when each is spoken or was given up; never rejects. Retries what failed a minute ago. */
  prepare(texts: readonly string[]): Promise<void>;
  /** The audio of a text, when it is ready. */
  media(text: string): Media | undefined;
}

export const longestText = 500;
const longestFileBytes = 4_000_000;
const runsAtOnce = 2;
const longestQueue = 200;
const retryAfterMs = 60_000;
/** Texts whose keys are remembered: those of the configuration, and the names of callers, who are not counted. */
const mostKeys = 10_000;

/** flite, as the local stack provides it or the host has it. */
export function fliteEngine(flite: { readonly command: string; readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>> }): SpeechEngine {
  return {
    command: flite.command,
    args: flite.args ?? [],
    ...(flite.env === undefined ? {} : { env: flite.env }),
    voice: 'flite slt',
    speak: (textFile, wavFile) => ['-voice', 'slt', '-f', textFile, '-o', wavFile],
  };
}

interface Spoken {
  readonly file: string;
  readonly media: Media;
  readonly bytes: number;
  usedAt: number;
}

/** Reads what earlier runs left in `dir`; rejects when the directory cannot be used. */
export async function createSpeech(options: SpeechOptions): Promise<Speech> {
  const { dir, engine, log, alwaysWav = false, narrow = false, now = Date.now, maxRunMs = 5000, maxCacheBytes = 200_000_000 } = options;
  await mkdir(dir, { recursive: true });
  const spoken = await readCache(dir);
  const underWay = new Map<string, Promise<void>>();
  const failedAt = new Map<string, number>();
  const keys = new Map<string, string | null>();
  const waiting: (() => void)[] = [];
  let running = 0;
  let complained = false;

  /** Null: there is nothing to say. Each call asks for many texts, and most are those of the call before. */
  const keyOf = (raw: string): string | null => {
    const known = keys.get(raw);
    if (known !== undefined) return known;
    const text = cleanText(raw);
    const key = text === undefined ? null : createHash('sha256').update(`${engine.voice}\n${text}`).digest('hex').slice(0, 40);
    if (keys.size >= mostKeys) keys.clear();
    keys.set(raw, key);
    return key;
  };

  const withSlot = async (work: () => Promise<void>): Promise<void> => {
    if (running >= runsAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      await work();
    } finally {
      // The slot goes to the next in line, or back.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };

  const speakOnce = async (key: string, text: string): Promise<void> => {
    const draft = join(dir, `.${key}-${randomUUID()}`);
    const textFile = `${draft}.txt`;
    const wavFile = `${draft}.wav`;
    try {
      await writeFile(textFile, `${text}\n`, { mode: 0o600 });
      await runEngine(engine, engine.speak(textFile, wavFile), maxRunMs);
      if (narrow) await makeNarrow(wavFile);
      const { extension, bytes } = await readPhoneWav(wavFile, longestFileBytes);
      const file = join(dir, `${key}${alwaysWav ? '.wav' : extension}`);
      await rename(wavFile, file);
      spoken.set(key, spokenIn(file, bytes, now()));
      failedAt.delete(key);
      complained = false;
      await evict(spoken, maxCacheBytes, key);
    } catch (error) {
      if (failedAt.size >= longestQueue) failedAt.clear();
      failedAt.set(key, now());
      // Once until it works again: a broken engine fails for every call.
      if (!complained) log.warn({ reason: (error as Error).message }, 'Cannot speak a text; it is skipped in calls and tried again later');
      complained = true;
    } finally {
      await rm(textFile, { force: true });
      await rm(wavFile, { force: true });
    }
  };

  const prepareOne = (raw: string): Promise<void> => {
    const [text, key] = [cleanText(raw), keyOf(raw)];
    if (text === undefined || key === null) return Promise.resolve();
    const failure = failedAt.get(key);
    const isUseless = spoken.has(key) || (failure !== undefined && now() - failure < retryAfterMs);
    if (isUseless) return Promise.resolve();
    const same = underWay.get(key);
    if (same !== undefined) return same;
    if (underWay.size >= longestQueue) return Promise.resolve();
    const work = withSlot(() => speakOnce(key, text)).finally(() => underWay.delete(key));
    underWay.set(key, work);
    return work;
  };

  return {
    prepare: async (texts) => {
      await Promise.all(texts.map(prepareOne));
    },
    media: (raw) => {
      const key = keyOf(raw);
      const found = key === null ? undefined : spoken.get(key);
      if (found === undefined) return undefined;
      const at = now();
      // For the next start, which only has the files' times to know what is in use. Once an hour is enough.
      if (at - found.usedAt > 3_600_000) utimes(found.file, at / 1000, at / 1000).catch(() => undefined);
      found.usedAt = at;
      return found.media;
    },
  };
}

/** Control and formatting characters become spaces; undefined when nothing, or too much, is left to say. */
function cleanText(text: string): string | undefined {
  const clean = text.slice(0, longestText * 4).replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return clean === '' || clean.length > longestText ? undefined : clean;
}

function spokenIn(file: string, bytes: number, usedAt: number): Spoken {
  const { dir, name } = parse(file);
  return { file, media: `file:${join(dir, name)}`, bytes, usedAt };
}

async function runEngine(engine: SpeechEngine, args: readonly string[], maxRunMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn(engine.command, [...engine.args, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...engine.env },
      shell: false,
    });
    let complaint = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, maxRunMs);
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (complaint.length < 500) complaint += chunk.slice(0, 500);
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new Error(`the speech engine cannot be run: ${error.message}`));
    });
    // `exit`, not `close`: a grandchild that holds the pipe must not hold us.
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      child.stderr.destroy();
      if (late) reject(new Error(`the speech engine took longer than ${maxRunMs} ms`));
      else if (code === 0) resolve();
      else reject(new Error(`the speech engine failed (${signal ?? `exit ${code ?? '?'}`}) ${complaint.trim()}`));
    });
  });
}

/** What earlier runs made; what one that was cut off left behind is removed. */
async function readCache(dir: string): Promise<Map<string, Spoken>> {
  const spoken = new Map<string, Spoken>();
  for (const name of await readdir(dir)) {
    const file = join(dir, name);
    if (/^\.[0-9a-f]{40}-/.test(name)) await rm(file, { force: true });
    const key = /^([0-9a-f]{40})\.wav(16)?$/.exec(name)?.[1];
    if (key === undefined) continue;
    const { size, mtimeMs } = await stat(file);
    spoken.set(key, spokenIn(file, size, mtimeMs));
  }
  return spoken;
}

/** Removes what was not used for longest until the cache fits; never what was made just now. */
async function evict(spoken: Map<string, Spoken>, maxBytes: number, justMade: string): Promise<void> {
  let total = 0;
  for (const { bytes } of spoken.values()) total += bytes;
  const oldestFirst = [...spoken].filter(([key]) => key !== justMade).sort(([, a], [, b]) => a.usedAt - b.usedAt);
  for (const [key, { file, bytes }] of oldestFirst) {
    if (total <= maxBytes) return;
    total -= bytes;
    spoken.delete(key);
    await unlink(file).catch(() => undefined);
  }
}

async function makeNarrow(wavFile: string): Promise<void> {
  const decoded = await decodeAudio(await readFile(wavFile));
  if (!decoded.ok) throw new Error(decoded.message);
  await writeFile(wavFile, decoded.wav);
}
