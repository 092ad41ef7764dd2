import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findTool } from '../../control-plane/local-stack/local-stack.ts';
import { createSpeech, fliteEngine, type SpeechEngine, type SpeechOptions } from '../../control-plane/store/media-files/speech.ts';

const cacheDir = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'frontdesk');
let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'speech-'));
});
afterEach(() => rm(dir, { recursive: true }));

const warned: string[] = [];
const log = { warn: (fields: Record<string, unknown>) => void warned.push(String(fields['reason'])) };
const speechOf = (engine: SpeechEngine, more: Partial<SpeechOptions> = {}) => {
  warned.length = 0;
  return createSpeech({ dir, engine, log, ...more });
};

/** An engine that is a few lines of Node: `text` and `wav(rate, samples)` are at hand, `count()` notes a run. */
const engine = (script: string): SpeechEngine => ({
  command: process.execPath,
  args: ['-e', `const fs = require('fs'); const [textFile, out] = process.argv.slice(-2); const text = fs.readFileSync(textFile, 'utf8').trim();
    const wav = (rate, samples, channels = 1) => { const b = Buffer.alloc(44 + samples * 2); b.write('RIFF', 0); b.write('WAVEfmt ', 8); b.writeUInt32LE(16, 16);
      b.writeUInt16LE(1, 20); b.writeUInt16LE(channels, 22); b.writeUInt32LE(rate, 24); b.writeUInt16LE(16, 34); b.write(text.slice(0, samples * 2), 44); fs.writeFileSync(out, b); };
    ${script}`],
  voice: 'test',
  speak: (textFile, wavFile) => [textFile, wavFile],
});
const good = engine('wav(8000, 800)');

describe('a spoken text', () => {
  it('is audio the switch plays, made by the real engine', async () => {
    const flite = await findTool('flite', cacheDir, () => undefined);
    const speech = await speechOf(fliteEngine(flite));
    await speech.prepare(['Riverside Dental, a call for you.']);
    const media = speech.media('Riverside Dental, a call for you.');
    expect(warned).toEqual([]);
    const sound = await readFile(`${media?.replace('file:', '') ?? ''}.wav16`);
    const samples = new Int16Array(sound.buffer.slice(sound.byteOffset + 44, sound.byteOffset + sound.length - (sound.length % 2)));
    const rms = Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
    expect(sound.readUInt32LE(24)).toBe(16_000);
    expect(samples.length / 16_000).toBeGreaterThan(1);
    expect(samples.length / 16_000).toBeLessThan(5);
    expect(rms).toBeGreaterThan(500);
  }, 120_000);

  it('is not there before it was prepared, and is by the same words afterwards', async () => {
    const speech = await speechOf(good);
    expect(speech.media('Hello')).toBeUndefined();
    await speech.prepare(['Hello']);
    expect(speech.media(' Hello\r\n')).toMatch(/^file:.*\/[0-9a-f]{40}$/);
    expect(speech.media('Goodbye')).toBeUndefined();
  });

  it('is still there after a restart, and nothing half-made is', async () => {
    await (await speechOf(good)).prepare(['Hello']);
    await writeFile(join(dir, `.${'a'.repeat(40)}-cut-off.wav`), 'x');
    expect((await speechOf(good)).media('Hello')).toBeDefined();
    expect(await readdir(dir)).toEqual([expect.stringMatching(/^[0-9a-f]{40}\.wav$/)]);
  });

  it('is spoken once, however many ask at the same time, and never again', async () => {
    const speech = await speechOf(engine(`fs.appendFileSync(${JSON.stringify(join(dir, 'runs'))}, 'x'); wav(8000, 80)`));
    await Promise.all([speech.prepare(['Hello', 'Hello']), speech.prepare(['Hello'])]);
    await speech.prepare(['Hello']);
    expect(await readFile(join(dir, 'runs'), 'utf8')).toBe('x');
  });

  it('reaches the engine as it is: no shell, no option', async () => {
    const hostile = '-o /x; $(touch owned) `id` "quoted" <speak>';
    const speech = await speechOf(good);
    await speech.prepare([hostile]);
    const file = `${speech.media(hostile)?.replace('file:', '') ?? ''}.wav`;
    expect((await readFile(file)).toString('latin1', 44)).toContain(hostile);
  });
});

describe('a text that cannot be spoken', () => {
  it.each([
    ['the engine fails', engine('console.error("no voice"); process.exit(3)'), 'no voice'],
    ['the engine writes nothing', engine(''), 'ENOENT'],
    ['the audio is not what a switch plays', engine('wav(44100, 800, 2)'), '2 channels of 16 bits at 44100 Hz'],
    ['the audio is silence without end', engine('wav(8000, 2_100_000)'), 'more than 4000000'],
    ['there is no engine', { ...good, command: '/nonexistent/flite' }, 'cannot be run'],
  ])('is skipped when %s', async (_, broken, reason) => {
    const speech = await speechOf(broken);
    await speech.prepare(['Hello', 'Goodbye']);
    expect(speech.media('Hello')).toBeUndefined();
    expect(warned).toEqual([expect.stringContaining(reason)]);
    expect(await readdir(dir)).toEqual([]);
  });

  it('is given up when the engine hangs', async () => {
    const speech = await speechOf(engine('setInterval(() => {}, 1000)'), { maxRunMs: 300 });
    await speech.prepare(['Hello']);
    expect(warned).toEqual(['the speech engine took longer than 300 ms']);
  });

  it('is tried again a minute later', async () => {
    let at = 1_000_000;
    const flag = join(dir, 'works');
    const speech = await speechOf(engine(`if (fs.existsSync(${JSON.stringify(flag)})) wav(8000, 80); else process.exit(1)`), { now: () => at });
    await speech.prepare(['Hello']);
    await writeFile(flag, '');
    at += 59_999;
    await speech.prepare(['Hello']);
    expect(speech.media('Hello')).toBeUndefined();
    at += 1;
    await speech.prepare(['Hello']);
    expect(speech.media('Hello')).toBeDefined();
  });

  it('is longer than 500 characters, or says nothing', async () => {
    const speech = await speechOf(good);
    await speech.prepare(['x'.repeat(501), '', ' \r\n']);
    expect(await readdir(dir)).toEqual([]);
    await speech.prepare(['x'.repeat(500)]);
    expect(await readdir(dir)).toHaveLength(1);
  });
});

describe('the cache', () => {
  it('is bounded: what was not used for longest goes first', async () => {
    let at = 0;
    const speech = await speechOf(good, { now: () => ++at, maxCacheBytes: 2 * 1644 });
    await speech.prepare(['one']);
    await speech.prepare(['two']);
    speech.media('one');
    await speech.prepare(['three']);
    expect(['one', 'two', 'three'].map((text) => speech.media(text) !== undefined)).toEqual([true, false, true]);
    expect(await readdir(dir)).toHaveLength(2);
  });
});
