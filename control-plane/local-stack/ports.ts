// Free ports, and the check that the program we started is the one that listens on them.
//
// Services get a port below the range RTP uses and below the kernel's ephemeral range, so neither calls nor
// outgoing connections of other programs take one between our look and the bind. What a parallel start
// still takes is noticed (`ownsPort`) and the start tried again with other ports.
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

const SERVICE_PORTS = { from: 10_000, to: 16_383 };
/** All stacks of a machine may share it: Asterisk binds each pair of ports anew and passes over taken ones. */
export const RTP_PORTS = { from: 16_384, to: 32_766 };

export type Transport = 'udp' | 'tcp';

const tcpFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });

const udpFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(true)));
  });

export const isFree = async (host: string, port: number, transports: readonly Transport[]): Promise<boolean> => {
  for (const transport of transports) {
    if (!(await (transport === 'tcp' ? tcpFree : udpFree)(host, port))) return false;
  }
  return true;
};

/** A random free port on `host` that is none of `taken`, or undefined when 200 tries found none. */
export const freePort = async (host: string, transports: readonly Transport[], taken: readonly number[]): Promise<number | undefined> => {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = SERVICE_PORTS.from + Math.floor(Math.random() * (SERVICE_PORTS.to - SERVICE_PORTS.from + 1));
    if (!taken.includes(port) && (await isFree(host, port, transports))) return port;
  }
  return undefined;
};

const socketsAt = (pid: number, transport: Transport, port: number): Set<string> => {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of [transport, `${transport}6`]) {
    let text: string;
    try {
      text = readFileSync(`/proc/${pid}/net/${table}`, 'utf8');
    } catch {
      continue;
    }
    for (const row of text.split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
      const listening = transport === 'udp' || state === '0A';
      if (listening && local?.endsWith(`:${hex}`) === true && inode !== undefined) inodes.add(`socket:[${inode}]`);
    }
  }
  return inodes;
};

/** Whether process `pid` itself holds a listening socket on `port`. */
export const ownsPort = (pid: number, transport: Transport, port: number): boolean => {
  const sockets = socketsAt(pid, transport, port);
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
};
