/**
 * One call as one party sees it: what it was told, what it heard, and what the test makes it do.
 *
 * Commands reach SIPp as datagrams that are no SIP request of the switch's (ANSWER, HANGUP, …): same Call-ID, and the
 * headers of the last message SIPp received, since its [last_…] keywords then still mean the switch's message.
 */
import type { AudioSocket, AudioStream } from './rtp.ts';
import { cseqMethod, endReason, header, mediaAddress, parseIdentity, type EndReason, type Identity, type SipMessage } from './sip-message.ts';
import { isMostlyTone, isSilent } from './tone.ts';
import { until } from './until.ts';

/**
 * ringing: this party's phone rings, or this caller waits. connected: 200 and ACK have passed. ended: BYE, CANCEL or
 * a refusal has passed, whichever side began it.
 */
export type CallState = 'ringing' | 'connected' | 'ended';
/** busy is 486, declined 603, unavailable 480. */
export type Refusal = 'busy' | 'declined' | 'unavailable';
export type Trigger = 'ANSWER' | 'BUSY' | 'DECLINE' | 'UNAVAILABLE' | 'HANGUP' | 'HOLD' | 'RESUME' | 'TRANSFER';

export interface SipCall {
  readonly id: string;
  /** Of which party: "phone 101". */
  readonly party: string;
  readonly messages: readonly SipMessage[];
  state(): CallState;
  /** Who hung up, canceled or refused; undefined until ended. */
  endedBy(): 'party' | 'switch' | undefined;
  /** The final answer to the INVITE: 200, 486, 487, … */
  status(): number | undefined;
  /** Epoch milliseconds of the state's first message, by SIPp's clock. */
  at(state: CallState): number | undefined;
  /** From header of the INVITE: what the called phone shows. */
  callerId(): Identity;
  /** P-Asserted-Identity of the INVITE. */
  assertedId(): Identity | undefined;
  /** A header of the INVITE. */
  header(name: string): string | undefined;
  /** Reason of the CANCEL or BYE received; undefined when none came. */
  releaseReason(): EndReason | undefined;
  /** The switch canceled it and said that it was answered elsewhere. */
  wasAnsweredElsewhere(): boolean;

  answer(): Promise<void>;
  reject(how: Refusal): Promise<void>;
  /** CANCEL while a caller waits, BYE once connected. Resolves when the call has ended. */
  hangUp(): Promise<void>;
  /** Re-INVITE with sendonly, and back. Resolves with the switch's answer. */
  hold(): Promise<void>;
  resume(): Promise<void>;
  /** Sends REFER; resolves with the status of the switch's reply. `consulted`: to whom the phone talks with in that call. */
  transfer(target: string, consulted?: SipCall): Promise<number>;
  /** How another call names this one to the switch: the value of Replaces (RFC 3891). */
  replaces(): string;
  /** Of the transfer asked for last, as its NOTIFY says (RFC 3515 section 2.4.5); undefined before the first. */
  transferStatus(): number | undefined;
  /** Sends the command and waits for nothing, for races. */
  tell(trigger: Trigger, detail?: string): void;

  /** Until the far end's address is known there is none: early media or an answer. */
  audio(): AudioStream | undefined;
  /** Plays a tone, in Hz, or silence, from now on. */
  play(sound: number | 'silence'): void;
  press(keys: string): Promise<void>;
  /** In the last 200 ms. */
  hears(hz: number): boolean;
  hearsNothing(): boolean;
  /** Keys the switch sent, as one string. */
  keys(): string;

  ringing(within?: number): Promise<void>;
  connected(within?: number): Promise<void>;
  ended(within?: number): Promise<void>;
}

/** The part the party uses to feed it. */
export interface FedCall extends SipCall {
  take(message: SipMessage): void;
}

export interface CallContext {
  readonly party: string;
  readonly audio: AudioSocket;
  readonly tell: (datagram: string) => void;
  /** Sound from the answer on. */
  readonly sound: number | 'silence';
  /** Sees every message after the call has taken it. */
  readonly onMessage: (call: SipCall, message: SipMessage) => void;
}

const REFUSALS: Readonly<Record<Refusal, Trigger>> = { busy: 'BUSY', declined: 'DECLINE', unavailable: 'UNAVAILABLE' };
const HEARING_MS = 200;

const triggerText = (trigger: Trigger, detail: string, last: SipMessage): string => {
  const lines: string[] = [`${trigger} sip:party@test SIP/2.0`];
  for (const [name, values] of last.headers) {
    if (!['content-length', 'content-type', 'x-detail'].includes(name)) for (const value of values) lines.push(`${name.replace(/(^|-)[a-z]/g, (c) => c.toUpperCase()).replace('Call-Id', 'Call-ID').replace('Cseq', 'CSeq')}: ${value}`);
  }
  return [...lines, `X-Detail: ${detail}`, 'Content-Length: 0', '', ''].join('\r\n');
};

const isTrigger = (message: SipMessage): boolean => message.headers.has('x-detail');

export const createCall = (id: string, context: CallContext): FedCall => {
  const messages: SipMessage[] = [];
  const times: Partial<Record<CallState, number>> = {};
  let state: CallState = 'ringing';
  let endedBy: 'party' | 'switch' | undefined;
  let status: number | undefined;
  let lastReceived: SipMessage | undefined;
  let stream: AudioStream | undefined;
  let sound = context.sound;

  const invite = (): SipMessage | undefined => messages.find(({ method }) => method === 'INVITE');
  const enter = (next: CallState, at: number): void => {
    if (state === 'ended') return;
    state = next;
    times[next] ??= at;
  };
  const end = (message: SipMessage, by: 'party' | 'switch'): void => {
    endedBy ??= by;
    enter('ended', message.at);
    stream?.stop();
  };
  const listen = (message: SipMessage): void => {
    const remote = message.direction === 'received' ? mediaAddress(message) : undefined;
    if (remote === undefined) return;
    const next = context.audio.stream(remote);
    if (next !== stream) stream?.stop();
    stream = next;
    // a phone that rings is silent; a caller is heard from early media on, as carriers do it
    stream.play(sound);
  };
  let pendingMedia: SipMessage | undefined;

  const take = (message: SipMessage): void => {
    if (isTrigger(message)) return;
    messages.push(message);
    if (message.direction === 'received') lastReceived = message;
    const ours = message.direction === 'sent';
    const calling = invite()?.direction === 'sent';
    if (mediaAddress(message) !== undefined && !ours) pendingMedia = message;
    const answersInvite = message.status !== undefined && cseqMethod(message) === 'INVITE';
    if (answersInvite && (message.status === 180 || message.status === 183)) times.ringing ??= message.at;
    if (answersInvite && (message.status ?? 0) >= 200 && state === 'ringing') {
      status = message.status;
      // to a phone that calls these are a question
      if (status === 401 || status === 407) status = undefined;
      else if (status !== undefined && status >= 300) end(message, ours ? 'party' : 'switch');
    }
    if (message.method === 'CANCEL') endedBy ??= ours ? 'party' : 'switch';
    if (message.method === 'ACK' && status === 200) enter('connected', message.at);
    if (message.method === 'BYE') end(message, ours ? 'party' : 'switch');
    if (pendingMedia !== undefined && state !== 'ended' && (calling || status === 200)) {
      listen(pendingMedia);
      pendingMedia = undefined;
    }
    context.onMessage(call, message);
  };

  const tell = (trigger: Trigger, detail = ''): void => {
    if (lastReceived === undefined) throw new Error(`${context.party} has received nothing in this call yet, so ${trigger} has no headers`);
    context.tell(triggerText(trigger, detail, lastReceived));
  };
  const reach = async (wanted: CallState, within?: number): Promise<void> => {
    await until(() => state === wanted || (wanted !== 'ended' && state === 'ended'), { describe: `${context.party} is ${wanted}`, ...(within === undefined ? {} : { within }) });
    if (state !== wanted) throw new Error(`${context.party} should be ${wanted}, but its call ended with ${status ?? 'no answer'} by the ${endedBy ?? 'switch'}`);
  };
  const reply = (method: string, from: number, describe: string): Promise<SipMessage> =>
    until(() => messages.slice(from).find((m) => m.direction === 'received' && (m.status ?? 0) >= 200 && cseqMethod(m) === method), { describe });
  const asked = async (trigger: Trigger, method: string, detail = ''): Promise<number> => {
    const from = messages.length;
    tell(trigger, detail);
    return (await reply(method, from, `the switch replies to ${method} of ${context.party} (${trigger})`)).status ?? 0;
  };
  const reinvite = async (trigger: Trigger): Promise<void> => {
    const answer = await asked(trigger, 'INVITE');
    if (answer !== 200) throw new Error(`The switch answered the re-INVITE of ${context.party} with ${answer}`);
  };
  const rings = async (within?: number): Promise<void> => {
    await until(() => times.ringing !== undefined || state !== 'ringing', { describe: `${context.party} hears or gives ringing`, ...(within === undefined ? {} : { within }) });
  };
  const heard = (): Int16Array => stream?.heard(HEARING_MS) ?? new Int16Array(0);
  const released = (): SipMessage | undefined => messages.find((m) => m.direction === 'received' && (m.method === 'CANCEL' || m.method === 'BYE'));
  const releaseReason = (): EndReason | undefined => {
    const message = released();
    return message === undefined ? undefined : endReason(message);
  };
  const inviteHeader = (name: string): string | undefined => {
    const message = invite();
    return message === undefined ? undefined : header(message, name);
  };

  const call: FedCall = {
    id,
    party: context.party,
    messages,
    take,
    state: () => state,
    endedBy: () => (state === 'ended' ? endedBy : undefined),
    status: () => status,
    at: (which) => times[which],
    callerId: () => parseIdentity(inviteHeader('from') ?? ''),
    assertedId: () => {
      const value = inviteHeader('p-asserted-identity');
      return value === undefined ? undefined : parseIdentity(value);
    },
    header: inviteHeader,
    releaseReason,
    wasAnsweredElsewhere: () => released()?.method === 'CANCEL' && releaseReason()?.completedElsewhere === true,
    answer: async () => {
      // told before it rings a phone would not understand
      await rings();
      tell('ANSWER');
      await reach('connected');
    },
    reject: async (how) => {
      await rings();
      tell(REFUSALS[how]);
      await reach('ended');
    },
    hangUp: async () => {
      // RFC 3261 §9.1: no CANCEL before the first response.
      await until(() => lastReceived !== undefined || state === 'ended', { describe: `${context.party} has been answered anything` });
      if (state === 'ended') return;
      tell('HANGUP');
      await reach('ended');
    },
    hold: () => reinvite('HOLD'),
    resume: () => reinvite('RESUME'),
    transfer: (target, consulted) => asked('TRANSFER', 'REFER', consulted === undefined ? target : `${target}?Replaces=${encodeURIComponent(consulted.replaces())}`),
    replaces: () => {
      const answered = messages.findLast((message) => cseqMethod(message) === 'INVITE' && message.status !== undefined && message.status > 100);
      const tagOf = (name: string): string => /;tag=([^;>\s]+)/.exec(answered === undefined ? '' : (header(answered, name) ?? ''))?.[1] ?? '';
      const [own, theirs] = invite()?.direction === 'sent' ? ['from', 'to'] : ['to', 'from'];
      return `${answered === undefined ? '' : header(answered, 'call-id')};to-tag=${tagOf(theirs)};from-tag=${tagOf(own)}`;
    },
    transferStatus: () => {
      const since = messages.slice(messages.findLastIndex(({ method }) => method === 'REFER'));
      const told = since.findLast(({ method, direction }) => method === 'NOTIFY' && direction === 'received')?.body;
      const status = /^SIP\/2\.0 (\d{3})/.exec(told ?? '')?.[1];
      return status === undefined ? undefined : Number(status);
    },
    tell,
    audio: () => stream,
    play: (next) => {
      sound = next;
      stream?.play(next);
    },
    press: async (keys) => {
      if (stream === undefined) throw new Error(`${context.party} has no audio yet: wait until it is connected`);
      await stream.press(keys);
    },
    hears: (hz) => isMostlyTone(heard(), hz),
    hearsNothing: () => isSilent(heard()),
    keys: () => (stream?.keys ?? []).map(({ key }) => key).join(''),
    ringing: rings,
    connected: (within) => reach('connected', within),
    ended: (within) => reach('ended', within),
  };
  return call;
};
