/**
 * Health and readiness over HTTP, on loopback. `/healthz`: the process works. `/readyz`: it can take calls; 503
 * with the reasons otherwise. Bodies are JSON.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Readiness {
  readonly ready: boolean;
  /** One sentence for each thing that is not as it should be; some do not stop calls. */
  readonly reasons: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
}

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Rejects with a sentence when the port is in use. */
export async function startHttpServer(port: number, readiness: () => Readiness): Promise<HttpServer> {
  const server = createServer((request, response) => {
    const { ready, reasons, details } = readiness();
    const [status, body] = request.url === '/healthz' ? [200, { status: 'ok' }] : request.url === '/readyz' ? [ready ? 200 : 503, { ready, reasons, ...details }] : [404, { error: 'Known here: /healthz and /readyz.' }];
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new Error(`Port ${port} is in use: end the program that has it, or set FRONTDESK_HTTP_PORT to another.`) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
