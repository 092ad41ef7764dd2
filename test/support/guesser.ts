/**
 * Who guesses SIP passwords: over UDP, each guess from a port of its own, and with one password. A request without one, and then
 * the same with what the switch asks for (RFC 2617, RFC 3261 section 22).
 */
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';

export interface Guesses {
  readonly remote: { readonly host: string; readonly port: number };
  /** Address they come from. */
  readonly from: string;
  readonly user: string;
  readonly password: string;
  readonly times?: number;
  readonly method?: 'REGISTER' | 'INVITE' | 'SUBSCRIBE' | 'MESSAGE';
  /** Headers beside those that are needed. */
  readonly more?: readonly string[];
}

const patienceMs = 10_000;

/** The last answer to each, in order. A call is to nobody: with a right password 404. */
export async function guess({ times = 1, ...one }: Guesses): Promise<readonly number[]> {
  const answers: number[] = [];
  for (let time = 0; time < times; time += 1) answers.push(await guessOnce(one));
  return answers;
}

async function guessOnce({ remote, from, user, password, method = 'REGISTER', more = [] }: Omit<Guesses, 'times'>): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => { socket.bind(0, from, resolve); });
  const { port } = socket.address();
  const tag = randomBytes(6).toString('hex');
  const uri = method === 'REGISTER' ? `sip:${remote.host}` : `sip:nobody@${remote.host}`;
  const own = { REGISTER: ['Expires: 60'], INVITE: [], SUBSCRIBE: ['Event: message-summary', 'Expires: 60'], MESSAGE: [] }[method];
  const request = (name: string, cseq: number, heads: readonly string[], to = ''): void => {
    socket.send([
      `${name} ${uri} SIP/2.0`, `Via: SIP/2.0/UDP ${from}:${port};branch=z9hG4bK${tag}${cseq}`, `From: <sip:${user}@${remote.host}>;tag=${tag}`, `To: <sip:${user}@${remote.host}>${to}`,
      `Call-ID: ${tag}@${from}`, `CSeq: ${cseq} ${name}`, `Contact: <sip:${user}@${from}:${port}>`, 'Max-Forwards: 70', ...heads, 'Content-Length: 0', '', '',
    ].join('\r\n'), remote.port, remote.host);
  };
  const answerTo = (cseq: number, heads: readonly string[]): Promise<string> => new Promise((resolve, reject) => {
    const again = setInterval(() => { request(method, cseq, heads); }, 500);
    const late = setTimeout(() => { done(() => { reject(new Error(`The switch does not answer the ${method} of ${from}`)); }); }, patienceMs);
    const done = (then: () => void): void => {
      clearInterval(again);
      clearTimeout(late);
      socket.off('message', hear);
      then();
    };
    const hear = (datagram: Buffer): void => {
      const text = datagram.toString('latin1');
      if (statusOf(text) < 200 || !text.includes(`CSeq: ${cseq} ${method}`)) return;
      done(() => { resolve(text); });
    };
    socket.on('message', hear);
    request(method, cseq, heads);
  });
  const over = (answer: string, cseq: number): void => {
    if (method === 'INVITE') request('ACK', cseq, [], /^To:[^\r]*(;tag=[^\r;]+)/im.exec(answer)?.[1]);
  };
  try {
    const asked = await answerTo(1, [...own, ...more]);
    over(asked, 1);
    const [, header = '', challenge = ''] = /^(WWW|Proxy)-Authenticate: Digest ([^\r]*)/im.exec(asked) ?? [];
    if (challenge === '') return statusOf(asked);
    const credentials = `${/^proxy$/i.test(header) ? 'Proxy-' : ''}Authorization: Digest ${digest(challenge, { user, password, method, uri })}`;
    const answer = await answerTo(2, [...own, ...more, credentials]);
    over(answer, 2);
    return statusOf(answer);
  } finally {
    await new Promise<void>((resolve) => { socket.close(resolve); });
  }
}

const statusOf = (answer: string): number => Number(/^SIP\/2\.0 (\d{3})/.exec(answer)?.[1] ?? 0);
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

function digest(challenge: string, { user, password, method, uri }: { readonly user: string; readonly password: string; readonly method: string; readonly uri: string }): string {
  const of = (name: string): string => new RegExp(`\\b${name}="?([^",]*)`, 'i').exec(challenge)?.[1] ?? '';
  const [realm, nonce, opaque] = [of('realm'), of('nonce'), of('opaque')];
  const response = md5(`${md5(`${user}:${realm}:${password}`)}:${nonce}:00000001:0a4f113b:auth:${md5(`${method}:${uri}`)}`);
  return `username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="0a4f113b"${opaque === '' ? '' : `, opaque="${opaque}"`}`;
}
