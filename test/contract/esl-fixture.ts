/** A client and an event socket of a test, closed after it; and bytes that no switch would send. */
import * as fc from 'fast-check';
import { afterEach } from 'vitest';
import { headerOf, type EslEvent } from '../../control-plane/media/freeswitch/esl/decode-frame.ts';
import { connectEsl, type EslClient, type EslLink, type EslOptions } from '../../control-plane/media/freeswitch/esl/esl-client.ts';
import { exchanges, jsonEvent, startEslServer, type EslServerOptions } from '../support/esl-server.ts';

export const password = 'p-ss%word:@/';
export const quiet = (): void => undefined;

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

export async function startSwitch(options: EslServerOptions = {}) {
  const server = await startEslServer({ password, ...options });
  opened.push(server.stop);
  return server;
}

export async function attach(url: string, options: Partial<EslOptions> = {}) {
  const events: EslEvent[] = [];
  const links: EslLink[] = [];
  const logged: string[] = [];
  const note = (fields: object, message: string): void => { logged.push(`${message} ${JSON.stringify(fields)}`); };
  const result = await connectEsl({
    url, events: ['DTMF'], onEvent: (event) => { events.push(event); }, onLink: (link) => { links.push(link); },
    log: { info: note, warn: note, error: note }, backOff: { firstMs: 5, maxMs: 20 }, ...options,
  });
  const client: EslClient | undefined = result.ok ? result.client : undefined;
  if (client !== undefined) opened.push(async () => client.close());
  return {
    result, events, links, logged, states: () => links.map(({ state }) => state),
    get client() { if (client === undefined) throw new Error(JSON.stringify(result)); return client; },
  };
}

export const dtmf = (digit: string): Buffer => jsonEvent({ 'Event-Name': 'DTMF', 'Unique-ID': 'leg-1', 'DTMF-Digit': digit });
export const digits = (events: readonly EslEvent[]): string => events.map((event) => headerOf(event, 'DTMF-Digit') ?? '?').join('');

/** What a real switch sent, frame by frame. */
export const frameBytes: readonly Buffer[] = exchanges.map(({ received }) => Buffer.from(received, 'latin1'));

/** Bytes of real frames changed, lost or doubled, and two run together. */
const damaged = fc.tuple(fc.constantFrom(...frameBytes), fc.constantFrom(...frameBytes), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }), fc.nat(), fc.nat(), fc.nat({ max: 3 })).map(([one, other, changes, from, to, how]) => {
  const frame = Buffer.from(one);
  for (const [at, byte] of changes) frame[at % frame.length] = byte;
  const [start = 0, end = 0] = [from % frame.length, to % frame.length].sort((a, b) => a - b);
  return [frame, frame.subarray(0, end), Buffer.concat([frame.subarray(0, start), frame.subarray(end)]), Buffer.concat([frame.subarray(0, end), Buffer.from(other).subarray(start)])][how] ?? frame;
});
export const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)), damaged,
  fc.constantFrom(...['\n\n', 'Content-Length: 5\n\n', 'Content-Length: -1\n\n', 'Content-Length: 1e3\n\nx', ':\n\n'].map((text) => Buffer.from(text))),
);
