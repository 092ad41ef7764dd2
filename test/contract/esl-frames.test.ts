/** Bytes of the event socket, in whatever pieces they come and however broken, against those of a real switch. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeFrame, headerOf, type Frame } from '../../control-plane/media/freeswitch/esl/decode-frame.ts';
import { createFrameParser, type RawFrame } from '../../control-plane/media/freeswitch/esl/frame-parser.ts';
import { apiResponse, commandReply, exchanges, jsonEvent } from '../support/esl-server.ts';
import { fuzzBudget } from '../support/fuzz.ts';
import { anyBytes, frameBytes } from './esl-fixture.ts';

const bytesOf = (received: string): Buffer => Buffer.from(received, 'latin1');
const stream = Buffer.concat(frameBytes);

function parse(chunks: Iterable<Uint8Array>): { readonly frames: readonly RawFrame[]; readonly broken: string | undefined } {
  const parser = createFrameParser();
  const frames: RawFrame[] = [];
  for (const chunk of chunks) frames.push(...parser.push(chunk));
  return { frames, broken: parser.broken() };
}

const decode = (bytes: Uint8Array): readonly Frame[] => parse([bytes]).frames.map(decodeFrame);
const cutAt = (bytes: Buffer, places: readonly number[]): Uint8Array[] => {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((cut, i) => bytes.subarray(cuts[i], cut));
};

describe('What a real switch said', () => {
  test('can be read, and is what it was', () => {
    const kinds = new Map(exchanges.map(({ name, received }) => [name, decode(bytesOf(received)).map((frame) => frame.kind).join(' ')]));
    expect([...kinds.values()].filter((kind) => /bad/.test(kind))).toEqual([]);
    expect(kinds.get('greeting')).toBe('auth-request');
    expect(kinds.get('a wrong password')).toBe('reply goodbye');
    expect(kinds.get('a rejection')).toBe('turned-away');
    expect(exchanges.filter(({ received }) => received.includes('text/event-json')).length).toBeGreaterThan(15);
    const events = exchanges.flatMap(({ name, received }) => decode(bytesOf(received)).map((frame) => ({ name, frame })));
    expect(events.filter(({ name, frame }) => frame.kind === 'event' && frame.event.name !== name)).toEqual([]);
  });

  test('reads the same at every single place where the stream can be cut in two', () => {
    const whole = parse([stream]).frames;
    expect(whole.length).toBeGreaterThanOrEqual(exchanges.length);
    for (const bytes of frameBytes) {
      const expected = parse([bytes]).frames;
      const wrong = Array.from({ length: bytes.length + 1 }, (_, cut) => cut).filter((cut) => {
        const { frames, broken } = parse([bytes.subarray(0, cut), bytes.subarray(cut)]);
        return broken !== undefined || frames.length !== expected.length || frames.some((frame, i) => frame.body !== expected[i]?.body || frame.headers.size !== expected[i].headers.size);
      });
      expect(wrong).toEqual([]);
    }
    expect(parse(Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual({ frames: whole, broken: undefined });
  });

  test.each([1, 7, 100, 997, 5000, 70_000])('reads the same in pieces of %i bytes, however long it goes on', (size) => {
    const replies = Buffer.from(commandReply('+OK').repeat(3000));
    const long = Buffer.concat([stream, replies, stream, replies]);
    const pieces = Array.from({ length: Math.ceil(long.length / size) }, (_, i) => long.subarray(i * size, (i + 1) * size));
    const { frames } = parse([stream, replies]);
    expect(frames.length).toBeGreaterThan(3000);
    expect(parse(pieces)).toEqual({ frames: [...frames, ...frames], broken: undefined });
  });

  test('reads the same however many pieces it comes in, and in whatever order the frames are', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...frameBytes), { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 40 }), (frames, places) => {
      const bytes = Buffer.concat(frames);
      expect(parse(cutAt(bytes, places))).toEqual({ frames: frames.flatMap((each) => parse([each]).frames), broken: undefined });
    }), fuzzBudget('ESL frames, cut', 700).parameters);
  });

  test('a Latin-1 letter out of a SIP header costs that letter and nothing else', () => {
    const [event] = decode(bytesOf(exchanges.find(({ name }) => name === 'CHANNEL_CREATE')?.received ?? ''));
    expect(event?.kind === 'event' && headerOf(event.event, 'Caller-Caller-ID-Name')).toBe('J\uFFFDrgen');
    expect(event?.kind === 'event' && headerOf(event.event, 'Unique-ID')).toBe('fd1-leg-1');
  });

  test('an event with half of its headers missing is told by the one it cannot do without', () => {
    const event = exchanges.find(({ name }) => name === 'CHANNEL_EXECUTE_COMPLETE');
    const [, body = ''] = event?.received.split('\n\n') ?? [];
    const headers = Object.entries(JSON.parse(Buffer.from(body, 'latin1').toString()) as Record<string, unknown>);
    expect(() => {
      fc.assert(fc.property(fc.shuffledSubarray(headers, { maxLength: headers.length / 2 }), (some) => {
        const [frame] = decode(jsonEvent(Object.fromEntries(some)));
        const has = (name: string): boolean => some.some(([each]) => each === name);
        if (!has('Event-Name')) return frame?.kind === 'bad-event' && frame.why === 'an event without a name';
        if (!has('Unique-ID')) return frame?.kind === 'bad-event' && frame.why === 'CHANNEL_EXECUTE_COMPLETE without Unique-ID';
        if (!has('Application-UUID')) return frame?.kind === 'bad-event' && frame.why === 'CHANNEL_EXECUTE_COMPLETE without Application-UUID';
        return frame?.kind === 'event' && some.every(([name, value]) => headerOf(frame.event, name) === value);
      }), fuzzBudget('ESL events, halved', 300).parameters);
    }).not.toThrow();
  });
});

describe('Bytes that no switch would send', () => {
  test('read the same in one piece and in many, and never stop the reader', () => {
    expect(() => {
      fc.assert(fc.property(fc.array(anyBytes, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 20 }), (parts, places) => {
        const bytes = Buffer.concat(parts);
        const [one, many] = [parse([bytes]), parse(cutAt(bytes, places))];
        expect(many).toEqual(one);
        const legs = one.frames.map(decodeFrame).filter((frame) => frame.kind === 'event').map(({ event }) => event).filter(({ name }) => name.startsWith('CHANNEL_'));
        expect(legs.every((event) => typeof headerOf(event, 'Unique-ID') === 'string')).toBe(true);
      }), fuzzBudget('ESL frames, damaged', 700).parameters);
    }).not.toThrow();
  });

  test.each([
    ['a header block without an end', Buffer.alloc(70_000, 'x'), 'header block'],
    ['a long one that has an end', Buffer.concat([Buffer.alloc(70_000, 'x'), Buffer.from('\n\n')]), 'header block'],
    ['a length that is no number', Buffer.from('Content-Length: ten\n\n'), 'no number'],
    ['a body of a terabyte', Buffer.from('Content-Length: 1000000000000\n\n'), 'longer than'],
  ])('%s ends the reading, with the reason', (_, bytes, words) => {
    const parser = createFrameParser();
    expect(parser.push(Buffer.concat([Buffer.from(commandReply('+OK')), bytes])).map((frame) => frame.headers.get('reply-text'))).toEqual(['+OK']);
    expect(parser.broken()).toContain(words);
    expect(parser.push(Buffer.from(commandReply('+OK')))).toEqual([]);
  });

  test('a list of many channels in small pieces takes no longer than its length', () => {
    const list = Buffer.from(apiResponse('x'.repeat(8_000_000)));
    const parser = createFrameParser();
    const began = performance.now();
    let frames: readonly RawFrame[] = [];
    for (let at = 0; at < list.length; at += 1000) frames = parser.push(list.subarray(at, at + 1000));
    expect(frames[0]?.body.length).toBe(8_000_000);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('a reply without its text is the reply to its command all the same', () => {
    expect(decode(Buffer.from('Content-Type: command/reply\n\n'))).toMatchObject([{ kind: 'reply', text: '-ERR reply without a text' }]);
    expect(decode(Buffer.from('Reply-Text: +OK\n\n'))).toMatchObject([{ kind: 'bad' }]);
  });
});
