/**
 * An event socket of one port that does as it is told: over real TCP, with the words of a real FreeSWITCH where the
 * fixture has them (test/contract/esl-exchanges.ndjson), and badly on purpose where a test wants it.
 */
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';

/** Said by FreeSWITCH 1.11.1: what was sent to it, and the bytes it answered, each byte a letter (Latin-1). */
export interface Exchange { readonly name: string; readonly sent?: string; readonly received: string }
export const exchanges: readonly Exchange[] = readFileSync(join(import.meta.dirname, '../contract/esl-exchanges.ndjson'), 'utf8').trim().split('\n')
  .map((line) => JSON.parse(line) as Exchange);

/** What the switch answered, with what was of that day alone made another. */
export function recorded(name: string, ...others: readonly (readonly [was: string | RegExp, is: string])[]): Buffer {
  const exchange = exchanges.find((each) => each.name === name);
  if (exchange === undefined) throw new Error(`No exchange was recorded of ${name}.`);
  return Buffer.from(others.reduce((text, [was, is]) => text.replaceAll(was, is), exchange.received), 'latin1');
}

export interface EslCommand {
  /** `api uuid_kill x`, `bgapi …`, `sendmsg …`, `event …`. */
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Bytes to answer with, or undefined for the usual answer; null for none. */
export type EslAnswer = (command: EslCommand, socket: Socket) => string | Uint8Array | null | undefined;

export interface EslServerOptions {
  readonly port?: number;
  readonly password?: string;
  readonly version?: string;
  readonly coreUuid?: string;
  readonly answer?: EslAnswer;
  /** In place of asking for a password. */
  readonly greeting?: string | Uint8Array;
  /** Marks of the client come back as events; off: they vanish, as events do that are lost. */
  readonly echoMarks?: (mark: string) => boolean;
}

export const commandReply = (text: string): string => `Content-Type: command/reply\nReply-Text: ${text}\n\n`;
export const apiResponse = (text: string): string => `Content-Type: api/response\nContent-Length: ${Buffer.byteLength(text)}\n\n${text}`;
export const jsonEvent = (headers: object): Buffer => {
  const body = Buffer.from(JSON.stringify(headers));
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\nContent-Type: text/event-json\n\n`), body]);
};

export async function startEslServer(options: EslServerOptions = {}) {
  const { password = 'ClueCon' } = options;
  const seen: EslCommand[] = [];
  const sockets = new Set<Socket>();
  const listeners = new Set<Socket>();
  let connections = 0;

  function usual({ line, headers }: EslCommand, socket: Socket): string | Uint8Array {
    const [verb = '', name = ''] = line.split(' ');
    if (verb === 'event') {
      listeners.add(socket);
      return recorded('a subscription');
    }
    if (verb === 'sendevent') {
      const mark = headers['Frontdesk-Mark'] ?? '';
      if (options.echoMarks?.(mark) !== false) broadcast(jsonEvent({ 'Event-Name': 'CUSTOM', ...headers }));
      return recorded('a mark');
    }
    if (verb === 'bgapi') {
      const id = headers['Job-UUID'] ?? '';
      broadcast(jsonEvent({ 'Event-Name': 'BACKGROUND_JOB', 'Job-UUID': id, 'Job-Command': name, _body: '+OK done\n' }));
      return recorded('a background job', ['job-1', id]);
    }
    if (verb === 'sendmsg') return recorded('an application');
    if (verb !== 'api') return recorded('a command that is none');
    if (name === 'version') return options.version === undefined ? recorded('the version') : apiResponse(`FreeSWITCH Version ${options.version} (git 0123456 64bit)\n`);
    if (name === 'global_getvar') return options.coreUuid === undefined ? recorded('the Core-UUID') : apiResponse(options.coreUuid);
    return recorded('an end');
  }

  function obey(command: EslCommand, socket: Socket): void {
    if (command.line.startsWith('auth ')) {
      if (command.line === `auth ${password}`) socket.write(recorded('the password'));
      else socket.end(recorded('a wrong password'));
      return;
    }
    seen.push(command);
    const own = options.answer?.(command, socket);
    const reply = own === undefined ? usual(command, socket) : own;
    if (reply !== null && socket.writable) socket.write(reply);
  }

  const server = createServer({ noDelay: true }, (socket) => {
    connections += 1;
    sockets.add(socket);
    let text = '';
    socket.on('error', () => undefined);
    socket.on('close', () => { sockets.delete(socket); listeners.delete(socket); });
    socket.on('data', (data: Buffer) => {
      text = (text + data.toString()).replace(/^\n+/, '');
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [line = '', ...rest] = text.slice(0, end).split('\n');
        text = text.slice(end + 2).replace(/^\n+/, '');
        obey({ line, headers: Object.fromEntries(rest.map((header) => [header.slice(0, header.indexOf(':')), header.slice(header.indexOf(':') + 1).trimStart()])) }, socket);
      }
    });
    socket.write(options.greeting ?? recorded('greeting'));
  });

  function broadcast(bytes: string | Uint8Array): void {
    for (const socket of listeners) if (socket.writable) socket.write(bytes);
  }

  await new Promise<void>((resolve) => { server.listen(options.port ?? 0, '127.0.0.1', resolve); });
  const { port } = server.address() as AddressInfo;
  return {
    port, seen, sockets, listeners, broadcast,
    url: `freeswitch://:${encodeURIComponent(password)}@127.0.0.1:${port}`,
    /** Those seen of one verb. */
    commands: (verb: string): readonly EslCommand[] => seen.filter(({ line }) => line.startsWith(`${verb} `)),
    connections: () => connections,
    stop: async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
