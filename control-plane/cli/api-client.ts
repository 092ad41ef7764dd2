/** The API as the command line uses it: FRONTDESK_API_URL, this machine's by default, with FRONTDESK_API_KEY. */
import { StartError } from '../main.ts';

export interface ApiClient {
  /** Rejects with StartError: a sentence, and a line per problem of the body. */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  delete(path: string): Promise<void>;
  bytes(path: string): Promise<Buffer>;
  upload<T>(path: string, type: string, bytes: Buffer): Promise<T>;
}

const withinMs = 120_000;

export function apiClient(env: Readonly<Record<string, string | undefined>> = process.env): ApiClient {
  const key = env['FRONTDESK_API_KEY'] ?? '';
  if (key === '') throw new StartError('FRONTDESK_API_KEY is not set: the first key was printed when Frontdesk first started; others come from `frontdesk keys create`.');
  const given = env['FRONTDESK_API_URL'] ?? '';
  const base = URL.parse(given === '' ? `http://127.0.0.1:${env['FRONTDESK_HTTP_PORT'] ?? '8088'}` : given);
  if (base === null || !['http:', 'https:'].includes(base.protocol)) throw new StartError('FRONTDESK_API_URL must look like https://frontdesk.clinic.example.');

  async function ask(method: string, path: string, body?: string | Buffer, type = 'application/json'): Promise<Response> {
    const url = new URL(`/api/v1${path}`, base ?? undefined);
    let response: Response;
    try {
      response = await fetch(url, {
        method, redirect: 'error', signal: AbortSignal.timeout(withinMs),
        headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': type }) }, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
      });
    } catch (error) {
      const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
      throw new StartError(`Frontdesk cannot be reached at ${url.origin} (${cause instanceof Error ? cause.message : String(cause)}): is it running, and is FRONTDESK_API_URL right?`, { cause: error });
    }
    if (response.ok) return response;
    throw new StartError(await sentenceOf(response));
  }

  return {
    get: async <T>(path: string) => (await (await ask('GET', path)).json()) as T,
    post: async <T>(path: string, body: unknown) => {
      const text = await (await ask('POST', path, JSON.stringify(body))).text();
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    delete: async (path) => { await (await ask('DELETE', path)).body?.cancel(); },
    bytes: async (path) => Buffer.from(await (await ask('GET', path)).arrayBuffer()),
    upload: async <T>(path: string, type: string, bytes: Buffer) => (await (await ask('POST', path, bytes, type)).json()) as T,
  };
}

/** Of a page after another, all items. */
export async function* itemsOf<T>(client: ApiClient, path: string): AsyncGenerator<T> {
  const joiner = path.includes('?') ? '&' : '?';
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: { readonly items: readonly T[]; readonly next: string | null } = await client.get(`${path}${joiner}limit=200${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    yield* page.items;
    cursor = page.next;
  }
}

async function sentenceOf(response: Response): Promise<string> {
  try {
    const { detail, problems = [] } = (await response.json()) as { readonly detail: string; readonly problems?: readonly { readonly path: string; readonly message: string }[] };
    return [`${response.status}: ${detail}`, ...problems.map(({ path, message }) => `  ${path}${path === '' ? '' : ': '}${message}`)].join('\n');
  } catch {
    return `Frontdesk answers ${response.status}, and not as its API does: is FRONTDESK_API_URL right?`;
  }
}
