/**
 * The wire between a controller and its switch, in the test's hands: it can be frozen (events wait, as in a stalled
 * network), cut, and kept cut. HTTP and the websocket, or the event socket, go through as they are.
 */
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

export interface LinkProxy {
  /** The switch's address, by way of this. */
  readonly url: string;
  /**
   * From now on nothing that the switch says reaches the controller; what the controller sends still arrives. Only that by
   * which the controller sees that the link lives goes on: the pulse of a websocket; the replies of an event socket, and the
   * numbered events that the controller sends itself. With `events` replies of both switches go on, and only events wait.
   */
  freeze(what?: 'events'): void;
  thaw(): void;
  /** Breaks every connection, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export const startLinkProxy = async (switchUrl: string): Promise<LinkProxy> => {
  const target = new URL(switchUrl);
  const pairs = new Set<{ readonly controller: Socket; readonly far: Socket; readonly held: Buffer[] }>();
  let frozen: 'everything' | 'events' | undefined;
  let broken = false;
  const breakAll = (): void => {
    for (const { controller, far } of pairs) {
      controller.destroy();
      far.destroy();
    }
  };
  const server = createServer((controller) => {
    if (broken) {
      controller.destroy();
      return;
    }
    const far = connect({ host: target.hostname, port: Number(target.port) });
    const pair = { controller, far, held: [] as Buffer[] };
    const split = target.protocol === 'freeswitch:' ? eslSplitter() : frameSplitter();
    pairs.add(pair);
    controller.setNoDelay(true);
    far.setNoDelay(true);
    const over = (): void => {
      pairs.delete(pair);
      controller.destroy();
      far.destroy();
    };
    for (const end of [controller, far]) end.on('error', over).on('close', over);
    controller.on('data', (data) => far.write(data));
    far.on('data', (data: Buffer) => {
      for (const { bytes, is } of split(data)) {
        if (is !== 'pulse' && frozen !== undefined && (frozen === 'everything' || is === 'event')) pair.held.push(bytes);
        else controller.write(bytes);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = new URL(switchUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href.replace(/\/$/, ''),
    freeze: (what) => {
      frozen = what ?? 'everything';
    },
    thaw: () => {
      frozen = undefined;
      for (const { controller, held } of pairs) for (const part of held.splice(0)) controller.write(part);
    },
    cut: () => {
      broken = true;
      breakAll();
    },
    mend: () => {
      broken = false;
    },
    close: () => {
      breakAll();
      return new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
};

interface Part {
  readonly bytes: Buffer;
  readonly is: 'pulse' | 'reply' | 'event';
}
type Splitter = (data: Buffer) => readonly Part[];

const PONG = 0xa;

/** Whole websocket frames of what a server sends (RFC 6455 §5.2: unmasked); other bytes as they come. */
const frameSplitter = (): Splitter => {
  let upgraded = false;
  let waiting = Buffer.alloc(0);
  return (data) => {
    const parts: Part[] = [];
    waiting = Buffer.concat([waiting, data]);
    if (!upgraded) {
      const end = waiting.indexOf('\r\n\r\n');
      upgraded = end >= 0 && waiting.subarray(0, 12).toString('latin1') === 'HTTP/1.1 101';
      const head = upgraded ? end + 4 : waiting.length;
      parts.push({ bytes: waiting.subarray(0, head), is: 'reply' });
      waiting = waiting.subarray(head);
    }
    for (let size = frameSize(waiting); size !== undefined && size <= waiting.length; size = frameSize(waiting)) {
      const bytes = waiting.subarray(0, size);
      parts.push({ bytes, is: (bytes.readUInt8(0) & 0xf) === PONG ? 'pulse' : bytes.includes('"RESTResponse"') ? 'reply' : 'event' });
      waiting = waiting.subarray(size);
    }
    return parts;
  };
};

/** Undefined while the header is not whole. */
const frameSize = (bytes: Buffer): number | undefined => {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  if (short < 126) return 2 + short;
  if (short === 126) return bytes.length < 4 ? undefined : 4 + bytes.readUInt16BE(2);
  return bytes.length < 10 ? undefined : 10 + Number(bytes.readBigUInt64BE(2));
};

/** Whole messages of an event socket: replies, and events that the controller has sent; events of the switch apart. */
const eslSplitter = (): Splitter => {
  let waiting = Buffer.alloc(0);
  return (data) => {
    const parts: Part[] = [];
    waiting = Buffer.concat([waiting, data]);
    for (let size = messageSize(waiting); size !== undefined && size <= waiting.length; size = messageSize(waiting)) {
      const bytes = waiting.subarray(0, size);
      parts.push({ bytes, is: bytes.includes('Content-Type: text/event-json\n') && !bytes.includes('"Frontdesk-Mark":') ? 'event' : 'pulse' });
      waiting = waiting.subarray(size);
    }
    return parts;
  };
};

/** Undefined while the headers are not whole. */
const messageSize = (bytes: Buffer): number | undefined => {
  const end = bytes.indexOf('\n\n');
  if (end < 0) return undefined;
  return end + 2 + Number(/^Content-Length: (\d+)$/m.exec(bytes.toString('latin1', 0, end))?.[1] ?? 0);
};
