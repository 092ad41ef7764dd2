/**
 * The HTTP server, on loopback unless told otherwise. `/healthz`: the process works. `/readyz`: it can take calls; 503
 * with the reasons otherwise. Both answer in JSON, `/metrics` in the text format of Prometheus; all three to anybody.
 * Everything else is the API's.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Readiness {
  readonly ready: boolean;
  /** One sentence for each thing that is not as it should be; some do not stop calls. */
  readonly reasons: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
}

export interface HttpServer {
  readonly port: number;
  /** Requests are answered by it from now on. */
  mount(listener: RequestListener): void;
  close(): Promise<void>;
}

const headersMs = 10_000;
/** The longest a request may take to arrive: 20 MB over a slow line. */
const requestMs = 300_000;

/** The text format, version 0.0.4: prometheus.io/docs/instrumenting/exposition_formats. */
const metricsType = 'text/plain; version=0.0.4; charset=utf-8';
const own: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** Rejects with a sentence when the port cannot be had. `readiness` and `metrics` may fail: that is a 500, and a bug. */
export async function startHttpServer(port: number, readiness: () => Readiness, host = '127.0.0.1', metrics?: () => Promise<string>): Promise<HttpServer> {
  let rest: RequestListener | null = null;
  const server = createServer({ headersTimeout: headersMs, requestTimeout: requestMs, connectionsCheckingInterval: 5000 }, (request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    if (rest !== null && !own.has(path)) {
      rest(request, response);
      return;
    }
    if (path === '/metrics' && metrics !== undefined && (request.method === 'GET' || request.method === 'HEAD')) {
      const reply = (status: number, text: string): void => {
        response.writeHead(status, { 'content-type': metricsType, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
        response.end(request.method === 'HEAD' ? '' : text);
      };
      metrics().then((text) => { reply(200, text); }, (error: unknown) => { reply(500, `# ${String(error)}\n`); });
      return;
    }
    const [status, body] = answer(request.method ?? '', path, readiness);
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...(status === 405 ? { allow: 'GET, HEAD' } : {}) });
    response.end(request.method === 'HEAD' ? '' : `${JSON.stringify(body)}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => { reject(new Error(whyNot(port, host, error), { cause: error })); });
    server.listen(port, host, resolve);
  });
  // One connection that could not be accepted (no file descriptor left) is no reason to end.
  server.on('error', () => undefined);
  return {
    port: (server.address() as AddressInfo).port,
    mount: (listener) => { rest = listener; },
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

function answer(method: string, path: string, readiness: () => Readiness): readonly [number, Readonly<Record<string, unknown>>] {
  if (!own.has(path) || (path === '/metrics' && method === 'GET')) return [404, { error: 'Known here: /healthz, /readyz and /metrics; the API when it has started.' }];
  if (method !== 'GET' && method !== 'HEAD') return [405, { error: 'Only GET and HEAD are known here.' }];
  if (path === '/healthz') return [200, { status: 'ok' }];
  try {
    const { ready, reasons, details } = readiness();
    return [ready ? 200 : 503, { ready, reasons, ...details }];
  } catch (error) {
    return [500, { ready: false, reasons: [`Readiness could not be found out: ${error instanceof Error ? error.message : String(error)}`] }];
  }
}

function whyNot(port: number, host: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE') return `Port ${port} is in use: end the program that has it, or set FRONTDESK_HTTP_PORT to another.`;
  if (error.code === 'EACCES') return `Port ${port} is not open to this user: set FRONTDESK_HTTP_PORT to one from 1024 up.`;
  return `Port ${port} cannot be opened on ${host} (${error.code ?? error.message}): set FRONTDESK_HTTP_PORT to another.`;
}
