/** The way to a FreeSWITCH on which everything that is said is written down (esl-script.ts). */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createFrameParser, type RawFrame } from '../../control-plane/media/freeswitch/esl/frame-parser.ts';
import { deltas, type Headers, type Line } from './esl-script.ts';

export interface EslCapture {
  /** The switch's, by way of this. */
  readonly url: string;
  readonly act: (what: string) => void;
  /** What was said until now. */
  lines(): readonly Line[];
  /** Ends every connection; the next are taken. */
  cut(): void;
  close(): Promise<void>;
}

/** What belongs to a connection and not to a scenario: its password, and the events that the client sends itself. */
const passedOver = /^(?:auth|sendevent) /;
const isOurs = (event: Headers): boolean => event['Command'] === 'sendevent CUSTOM';

export async function startEslCapture(switchUrl: string): Promise<EslCapture> {
  const target = new URL(switchUrl);
  const lines: Line[] = [];
  const sockets = new Set<Socket>();
  const { take } = deltas();
  let [commands, listeners] = [0, 0];

  function takeConnection(near: Socket): void {
    const far = connect(Number(target.port), target.hostname).setNoDelay(true);
    /** Its commands without a reply, by their numbers. */
    const unanswered: (number | undefined)[] = [];
    const parser = createFrameParser();
    let listener = -1;
    let text = '';

    function command(sent: string): void {
      if (passedOver.test(sent)) {
        unanswered.push(undefined);
        return;
      }
      if (sent.startsWith('event ')) {
        listener = listeners;
        listeners += 1;
      }
      unanswered.push(commands);
      commands += 1;
      lines.push({ sent });
    }

    function frame({ headers, body }: RawFrame): void {
      const type = headers.get('content-type');
      if (type === 'text/event-json') {
        const event = JSON.parse(body) as Headers;
        if (!isOurs(event)) lines.push({ on: listener, event: take(event) });
        return;
      }
      if (type !== 'api/response' && type !== 'command/reply') return;
      const to = unanswered.shift();
      if (to === undefined) return;
      if (type === 'command/reply') lines.push({ to, of: 'command', reply: headers.get('reply-text') ?? '' });
      else if (body.startsWith('{') && body.includes('"Unique-ID"')) lines.push({ to, dump: take(JSON.parse(body) as Headers) });
      else lines.push({ to, of: 'api', reply: body });
    }

    near.on('data', (data: Buffer) => {
      text = (text + data.toString()).replace(/^\n+/, '');
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        command(text.slice(0, end));
        text = text.slice(end + 2).replace(/^\n+/, '');
      }
      far.write(data);
    });
    far.on('data', (data: Buffer) => {
      for (const each of parser.push(data)) frame(each);
      near.write(data);
    });
    for (const [one, other] of [[near, far], [far, near]] as const) {
      sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  }

  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer({ noDelay: true }, takeConnection);
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const own = new URL(switchUrl);
  own.hostname = '127.0.0.1';
  own.port = String((server.address() as AddressInfo).port);
  return {
    url: own.href,
    act: (act) => { lines.push({ act }); },
    lines: () => [...lines],
    cut,
    close: () => new Promise((resolve) => {
      cut();
      server.close(() => { resolve(); });
    }),
  };
}
