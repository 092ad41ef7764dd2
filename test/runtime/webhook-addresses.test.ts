/** Where webhooks may be, and where not, also behind a name. */
import { createServer, type AddressInfo, type LookupFunction } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isPublic, publicOnly, refusalOf } from '../../control-plane/events/webhooks/addresses.ts';
import { createPost } from '../../control-plane/events/webhooks/post.ts';

const refused = (url: string): string | null => refusalOf(new URL(url), false);
const asked = (name: string): Promise<unknown> => new Promise((resolve) => { publicOnly(name, {}, (error) => { resolve(error?.message ?? null); }); });
/** A name that was public when the webhook was written. */
const rebinding: LookupFunction = (_, options, callback) => { publicOnly('localhost', options, callback); };

describe('addresses inside', () => {
  it.each([
    'https://127.0.0.1/', 'https://localhost/', 'https://redis.localhost/', 'https://redis/', 'https://10.1.2.3/', 'https://172.31.0.1/', 'https://192.168.1.1/', 'https://169.254.169.254/latest/meta-data/', 'https://100.100.100.200/',
    'https://0.0.0.0/', 'https://2130706433/', 'https://0x7f.1/', 'https://[::1]/', 'https://[fe80::1]/', 'https://[fd00:ec2::254]/', 'https://[::ffff:10.0.0.1]/', 'https://[64:ff9b::7f00:1]/', 'https://[2002:7f00:1::]/', 'https://224.0.0.1/', 'https://metadata.google.internal/',
  ])('%s is refused', (url) => {
    expect(refused(url)).toMatch(/private network/);
  });

  it('are told from those of the internet, and http is refused', () => {
    expect([refused('https://hooks.example.com/x?y=1'), refused('https://8.8.8.8/'), refused('https://[2606:4700::1111]/')]).toEqual([null, null, null]);
    expect(refused('http://hooks.example.com/')).toMatch(/https/);
    expect([refusalOf(new URL('http://10.0.0.7/'), true), isPublic('not an address')]).toEqual([null, false]);
  });

  it('are refused behind a name too, when the connection is made, and nothing is sent', async () => {
    expect(await asked('localhost')).toMatch(/^localhost leads into a private network \((127\.0\.0\.1|::1)\)$/);
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const { port } = server.address() as AddressInfo;
    const post = createPost({ allowPrivate: false, lookup: rebinding });
    const url = `https://hooks.example.com:${port}/`;
    expect(await post({ url, headers: {}, body: '{}', signal: new AbortController().signal })).toEqual({ ok: false, gone: false, retryAfterMs: null, why: expect.stringMatching(/private network.*nothing was sent/) });
    expect(await post({ url: `http://127.0.0.1:${port}/`, headers: {}, body: '{}', signal: new AbortController().signal })).toMatchObject({ ok: false, why: expect.stringContaining('https') });
    expect(connections).toBe(0);
    server.close();
  });
});
