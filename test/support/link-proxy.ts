/**
 * The wire between a controller and its switch, in the test's hands: it can be frozen (events wait, as in a stalled
 * network), cut, and kept cut. Plain TCP, so HTTP and the websocket go through as they are.
 */
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

export interface LinkProxy {
  /** The switch's address, by way of this. */
  readonly url: string;
  /** From now on nothing of the switch reaches the controller; what the controller sends still arrives. */
  freeze(): void;
  thaw(): void;
  /** Breaks every connection, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export const startLinkProxy = async (switchUrl: string): Promise<LinkProxy> => {
  const target = new URL(switchUrl);
  const pairs = new Set<{ readonly controller: Socket; readonly far: Socket }>();
  let frozen = false;
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
    const pair = { controller, far };
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
    far.on('data', (data) => controller.write(data));
    if (frozen) far.pause();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = new URL(switchUrl);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href.replace(/\/$/, ''),
    freeze: () => {
      frozen = true;
      for (const { far } of pairs) far.pause();
    },
    thaw: () => {
      frozen = false;
      for (const { far } of pairs) far.resume();
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
