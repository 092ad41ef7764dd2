// The static dialplan on a real Asterisk, with SIPp as carriers and phones. Most of it runs with no controller.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { freePort } from '../../control-plane/local-stack/ports.ts';
import { type LocalStack, startLocalStack } from '../../control-plane/local-stack/local-stack.ts';

const CARRIER_A = '127.0.0.2';
const CARRIER_B = '127.0.0.3';
const dir = mkdtempSync(join(tmpdir(), 'frontdesk-dialplan-'));
let stack: LocalStack;
let sipp: { command: string; args: string[]; env?: Record<string, string> };
let portA = 0;
let portB = 0;
let serial = 0;
const children: ChildProcess[] = [];
const sockets: WebSocket[] = [];

const asterisk = () => {
  if (stack.asterisk === undefined) throw new Error('no switch');
  return stack.asterisk;
};

const until = async <T>(what: string, look: () => T | undefined | Promise<T | undefined>, withinMs = 10_000): Promise<T> => {
  const end = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false && found !== '') return found;
    if (performance.now() > end) throw new Error(`Waited ${withinMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const ari = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const url = new URL(`/ari/${path}`, asterisk().url);
  const authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
  url.username = '';
  url.password = '';
  const response = await fetch(url, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
};

const fields = (values: Record<string, string>) => ({ fields: Object.entries(values).map(([attribute, value]) => ({ attribute, value })) });

/** ARI refuses DB() as a dangerous function, so a read is a call into fd-db that leaves its answer in a global variable. */
const read = async (extension: 'get' | 'keys', family: string, key = ''): Promise<string> => {
  const sequence = String((serial += 1));
  const variables = { FD_FAMILY: family, FD_KEY: key, FD_ASK: 'test', FD_SEQ: sequence };
  await ari('POST', `channels?endpoint=Local/${extension}@fd-db/n&extension=s&context=fd-leg&timeout=5`, { variables });
  const answer = await until(`${family} read`, async () => {
    const { value } = (await ari('GET', 'asterisk/variable?variable=FD_ANSWER_test')) as { value: string };
    return value.startsWith(`${sequence}:`) ? value : undefined;
  });
  return answer.slice(sequence.length + 1);
};

const fdDb = (extension: 'put' | 'delete', family: string, key: string, value = ''): Promise<unknown> =>
  ari('POST', `channels?endpoint=Local/${extension}@fd-db/n&extension=s&context=fd-leg&timeout=5`, {
    variables: { FD_FAMILY: family, FD_KEY: key, FD_VALUE: value },
  }).catch(() => undefined);

const put = async (family: string, key: string, value: string): Promise<void> => {
  await fdDb('put', family, key, value);
  await until(`${family}/${key} written`, async () => (await read('get', family, key)) === value || undefined);
};

const scenario = (name: string, body: string): string => {
  const file = join(dir, `${name}.xml`);
  writeFileSync(file, `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="${name}">${body}</scenario>`);
  return file;
};

const REPLY_HEADERS = '[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number][pid]\n[last_Call-ID:]\n[last_CSeq:]';
const SDP = 'v=0\no=u 1 1 IN IP[local_ip_type] [local_ip]\ns=-\nc=IN IP[media_ip_type] [media_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 0\na=rtpmap:0 PCMU/8000';
const answering = () =>
  scenario('uas-answers-and-hangs-up', `<recv request="INVITE"/>
<send><![CDATA[\nSIP/2.0 200 OK\n${REPLY_HEADERS}\nContact: <sip:[local_ip]:[local_port]>\nContent-Type: application/sdp\nContent-Length: [len]\n\n${SDP}\n]]></send>
<recv request="ACK"/><recv request="BYE"/>
<send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send>`);
const rejecting = () =>
  scenario('uas-rejects-with-503', `<recv request="INVITE"/>
<send><![CDATA[\nSIP/2.0 503 Service Unavailable\n${REPLY_HEADERS}\nContent-Length: 0\n\n]]></send><recv request="ACK"/>`);

const invite = (user: string, cseq: number, extra = ''): string =>
  `INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom: <sip:${user}@[local_ip]>;tag=[call_number][pid]\nTo: <sip:[service]@[remote_ip]>\nCall-ID: [call_id]\nCSeq: ${cseq} INVITE\nContact: <sip:${user}@[local_ip]:[local_port]>\nMax-Forwards: 70\n${extra}Content-Type: application/sdp\nContent-Length: [len]\n\n${SDP}\n`;
const request = (method: string, user: string, cseq: number): string =>
  `${method} [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom: <sip:${user}@[local_ip]>;tag=[call_number][pid]\n[last_To:]\nCall-ID: [call_id]\nCSeq: ${cseq} ${method === 'ACK' ? cseq : cseq}`.replace(/CSeq: .*$/, `CSeq: ${cseq} ${method}\nContent-Length: 0\n\n`);
const talkThenHangUp = (user: string, cseq: number): string =>
  `<recv response="100" optional="true"/><recv response="180" optional="true"/><recv response="183" optional="true"/>
<recv response="200" rrs="true"/><send><![CDATA[\n${request('ACK', user, cseq)}]]></send>
<pause milliseconds="200"/><send><![CDATA[\n${request('BYE', user, cseq + 1)}]]></send><recv response="200"/>`;
const calling = () => scenario('uac-calls-and-hangs-up', `<send><![CDATA[\n${invite('+15557770001', 1)}]]></send>${talkThenHangUp('+15557770001', 1)}`);
const phoneCalling = (user: string, password: string) =>
  scenario(`uac-phone-${user}`, `<send><![CDATA[\n${invite(user, 1)}]]></send><recv response="401" auth="true"/>
<send><![CDATA[\nACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-3]\nFrom: <sip:${user}@[local_ip]>;tag=[call_number][pid]\n[last_To:]\nCall-ID: [call_id]\nCSeq: 1 ACK\nContent-Length: 0\n\n]]></send>
<send><![CDATA[\n${invite(user, 2, `[authentication username=${user} password=${password}]\n`)}]]></send>${talkThenHangUp(user, 2)}`);

interface Agent { messages(): string; done: Promise<number> }
const sip = async (file: string, ip: string, port: number, dial?: string): Promise<Agent> => {
  const log = join(dir, `messages-${(serial += 1)}.log`);
  const target = dial === undefined ? [] : ['-s', dial, `${asterisk().sipHost}:${asterisk().sipPort}`];
  const media = await freePort(ip, ['udp'], []);
  const args = ['-sf', file, '-i', ip, '-p', String(port), '-mi', ip, '-mp', String(media), '-m', '1', '-nostdin', '-trace_msg', '-message_file', log, '-timeout', '60', ...target];
  const child = spawn(sipp.command, [...sipp.args, ...args], { cwd: dir, env: { ...process.env, TERM: 'xterm', ...sipp.env }, stdio: 'ignore' });
  children.push(child);
  return {
    messages: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
    done: new Promise((resolve) => child.once('exit', (code) => resolve(code ?? -1))),
  };
};
const callFrom = async (ip: string, dial: string, file = calling()): Promise<Agent> => {
  const port = await freePort(ip, ['udp'], []);
  return sip(file, ip, port ?? 0, dial);
};

interface AriEvent { type: string; args?: string[]; channel?: { id: string } }
const controller = async (name: string, onEvent: (event: AriEvent) => void): Promise<WebSocket> => {
  const url = new URL('/ari/events', asterisk().url.replace('http:', 'ws:'));
  url.searchParams.set('app', name);
  url.searchParams.set('api_key', `${url.username}:${url.password}`);
  url.username = '';
  url.password = '';
  const socket = new WebSocket(url);
  sockets.push(socket);
  socket.on('message', (data: Buffer) => onEvent(JSON.parse(data.toString('utf8')) as AriEvent));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
};
/** Claims every broadcast call, and collects what comes after. */
const claiming = async (name: string): Promise<{ socket: WebSocket; starts: AriEvent[] }> => {
  const starts: AriEvent[] = [];
  const socket = await controller(name, (event) => {
    if (event.type === 'CallBroadcast' && event.channel !== undefined) {
      void ari('POST', `events/claim?channelId=${event.channel.id}&application=${name}`).catch(() => undefined);
    }
    if (event.type === 'StasisStart') starts.push(event);
  });
  return { socket, starts };
};

beforeAll(async () => {
  portA = (await freePort(CARRIER_A, ['udp'], [])) ?? 0;
  portB = (await freePort(CARRIER_B, ['udp'], [])) ?? 0;
  stack = await startLocalStack({
    dataDir: join(dir, 'data'),
    need: { asterisk: true, redis: false },
    tools: ['sipp'],
    trunks: [
      { id: 'trunk-a', host: CARRIER_A, port: portA, from: [CARRIER_A], qualifySeconds: 0 },
      { id: 'trunk-b', host: CARRIER_B, port: portB, from: [CARRIER_B], qualifySeconds: 0 },
    ],
    progress: () => {},
  });
  sipp = await stack.tool('sipp');
  await put('fd-trunks', 'list', 'trunk-a&trunk-b');
  await put('fd-failsafe', '15551230001', '+15559990000');
}, 120_000);

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const { id } of (await ari('GET', 'channels')) as { id: string }[]) await ari('DELETE', `channels/${id}`).catch(() => undefined);
  await until('no channel is left', async () => ((await ari('GET', 'channels')) as unknown[]).length === 0 || undefined);
});

afterAll(async () => {
  await stack?.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('with no controller', { timeout: 30_000 }, () => {
  test('a call rings the failsafe soon, with the caller’s number, and leaves a note', async () => {
    const failsafe = await sip(answering(), CARRIER_A, portA);
    const began = performance.now();
    const caller = await callFrom(CARRIER_B, '+15551230001');
    await until('the failsafe rings', () => failsafe.messages().includes('INVITE sip:+15559990000') || undefined);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await caller.done).toBe(0);
    expect(await failsafe.done).toBe(0);
    expect(failsafe.messages()).toMatch(/^From: .*\+15557770001/m);
    const keys = await until('a note of it', () => read('keys', 'fd-failsafe-log'));
    const notes = await until('the outcome', async () => {
      const all = await Promise.all(keys.split(',').map((key) => read('get', 'fd-failsafe-log', key)));
      return all.find((note) => note.endsWith(',ANSWER'));
    });
    expect(notes).toContain(',trunk,+15551230001,+15559990000,');
  });

  test('a trunk that rejects the failsafe call is followed by the next', async () => {
    const first = await sip(rejecting(), CARRIER_A, portA);
    const second = await sip(answering(), CARRIER_B, portB);
    const caller = await callFrom(CARRIER_B, '15551230001');
    expect(await caller.done).toBe(0);
    expect(await first.done).toBe(0);
    expect(second.messages()).toContain('INVITE sip:+15559990000');
  });

  test('911 reaches the second trunk when the first rejects, with the caller ID and the location', async () => {
    const user = 'desk-1';
    const config = 'asterisk/config/dynamic/res_pjsip';
    await ari('PUT', `${config}/auth/${user}`, fields({ auth_type: 'userpass', username: user, password: 'secret' }));
    await ari('PUT', `${config}/aor/${user}`, fields({ max_contacts: '5' }));
    await ari('PUT', `${config}/endpoint/${user}`, fields({ context: 'from-phone', aors: user, auth: user, disallow: 'all', allow: 'ulaw', direct_media: 'no', allow_transfer: 'no' }));
    await put('fd-emergency', 'trunks', 'trunk-a&trunk-b');
    await put('fd-emergency', `callerid/${user}`, '+15551230001');
    await put('fd-emergency', `location/${user}`, 'Suite 4, 12 Main St, Springfield');
    const first = await sip(rejecting(), CARRIER_A, portA);
    const second = await sip(answering(), CARRIER_B, portB);
    const caller = await callFrom('127.0.0.1', '911', phoneCalling(user, 'secret'));
    expect(await caller.done).toBe(0);
    expect(await first.done).toBe(0);
    expect(second.messages()).toContain('INVITE sip:911@');
    expect(second.messages()).toMatch(/^From: .*\+15551230001/m);
    expect(second.messages()).toContain('X-Dispatchable-Location: Suite 4, 12 Main St, Springfield');
    const key = await until('a note', () => read('keys', 'fd-emergency-log'));
    await until('its outcome', async () => (await read('get', 'fd-emergency-log', key)).endsWith(`,${user},911,ANSWER,trunk-b`) || undefined);
    await fdDb('delete', 'fd-emergency-log', key);
    await until('the note is taken', async () => (await read('keys', 'fd-emergency-log')) === '' || undefined);
  });

  test('a caller from an unknown address is refused', async () => {
    const stranger = await callFrom('127.0.0.9', '+15551230001');
    await until('the challenge', () => stranger.messages().includes('SIP/2.0 401') || undefined);
    expect(await ari('GET', 'channels')).toEqual([]);
  });

  test('a controller cannot write another AstDB family', async () => {
    await fdDb('put', 'endpoints', 'x', 'y');
    await put('fd-failsafe', 'after', '1');
    expect(await asterisk().cli('database get endpoints x')).toContain('not found');
  });
});

describe('with controllers', { timeout: 30_000 }, () => {
  test('the claimed call arrives with kind, origin and dialled number; when its owner dies it is offered again as an orphan', async () => {
    const first = await claiming('frontdesk-one');
    await callFrom(CARRIER_A, '+15551230001');
    const start = await until('the call arrives', () => first.starts[0]);
    expect(start.args).toEqual(['inbound', 'trunk', '+15551230001']);
    const id = start.channel?.id ?? '';
    await ari('POST', `channels/${id}/variable?variable=TIMEOUT(absolute)&value=1`);
    first.socket.terminate();
    const second = await claiming('frontdesk-two');
    const again = await until('the orphan arrives', () => second.starts[0]);
    expect(again).toMatchObject({ args: ['orphan', 'trunk', '+15551230001'], channel: { id } });
  });

  test('an owner that dies and is not replaced leaves the caller to the failsafe', async () => {
    const owner = await claiming('frontdesk-one');
    const failsafe = await sip(answering(), CARRIER_A, portA);
    const caller = await callFrom(CARRIER_B, '+15551230001');
    const start = await until('the call arrives', () => owner.starts[0]);
    await ari('POST', `channels/${start.channel?.id}/variable?variable=TIMEOUT(absolute)&value=1`);
    owner.socket.terminate();
    expect(await caller.done).toBe(0);
    expect(failsafe.messages()).toContain('INVITE sip:+15559990000');
  });
});
