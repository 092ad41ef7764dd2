/**
 * Agents who answer at once, and callers who keep a queue longer than there are agents, in this process. An agent says its
 * own mark, over and over, until a caller hears it; that is when the two are connected. Then it talks for a while and hangs
 * up, and from there it is measured: until its phone is rung again, and until the next caller hears it.
 */
import { createSocket, type Socket } from 'node:dgram';
import type { Ms } from '../../control-plane/core/time.ts';
import type { Address } from '../support/premises.ts';
import { until } from '../support/until.ts';
import { header, mediaAddress, type SipMessage } from '../support/sip-message.ts';
import { openLine, sdpOf, targetOf, type Dialog, type Line } from './sip-line.ts';

export interface Served {
  /** From the end of the agent's call before: to its phone being rung; null for its first. */
  readonly rungMs: Ms | null;
  /** From its answer to a caller's hearing it. */
  readonly joinedMs: Ms;
  /** From the end of the agent's call before to the next caller's hearing it. */
  readonly connectedMs: Ms | null;
}

export interface PartiesPlan {
  readonly remote: Address;
  /** Where the agents' phones have registered. */
  readonly phones: Address;
  readonly carrierHost: string;
  /** A call that is over is placed again, to the same. */
  readonly calls: readonly string[];
  /** On average; half of it to half as much again, so that nothing falls in step with a look once a second. */
  readonly talkMs: Ms;
}

export interface Parties {
  readonly served: readonly Served[];
  /** What went wrong, a line each. */
  readonly problems: readonly string[];
  /** Calls that have been answered. */
  waiting(): number;
  resent(): number;
  /** Nothing is measured any more, and all hang up. */
  end(): Promise<void>;
}

interface AgentCall {
  readonly agent: string;
  readonly dialog: Dialog;
  readonly rungMs: Ms | null;
  readonly freeAt: number | undefined;
  readonly answeredAt: number;
  heard: boolean;
  timer: NodeJS.Timeout | null;
}

/** Of 20 ms of ulaw, sent more often than that: so much is the measure's grain. */
const everyMs: Ms = 4;
const sound = 160;
const deafAfterMs: Ms = 10_000;
const overWithinMs: Ms = 10_000;

async function audio(host: string): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 8_388_608 });
  await new Promise<void>((resolve) => { socket.bind(0, host, resolve); });
  return socket;
}

export async function openParties({ remote, phones, carrierHost, calls, talkMs }: PartiesPlan): Promise<Parties> {
  const served: Served[] = [];
  const problems: string[] = [];
  const talks = new Map<string, AgentCall>();
  const marks = new Map<number, AgentCall>();
  const freeAt = new Map<string, number>();
  const lines = new Map<string, { readonly dialog: Dialog; readonly to: string }>();
  const [said, heard] = [await audio(phones.host), await audio(carrierHost)];
  let isOver = false;
  let mark = 1;
  let callers = 0;

  const rung = (request: SipMessage): void => {
    const now = performance.now();
    const agent = /^INVITE sip:([^@;>]+)/.exec(request.startLine)?.[1] ?? '';
    const callId = header(request, 'call-id') ?? '';
    const [to, from, target, media] = [header(request, 'to') ?? '', header(request, 'from') ?? '', targetOf(request), mediaAddress(request)];
    if (isOver || target === undefined || media === undefined) {
      agents.answer(request, '480 Temporarily Unavailable', { tag: 'a' });
      return;
    }
    const tag = `a${mark}`;
    const free = freeAt.get(agent);
    agents.answer(request, '180 Ringing', { tag });
    agents.answer(request, '200 OK', { tag, sdp: sdpOf(phones.host, said.address().port) });
    const call: AgentCall = { agent, dialog: { callId, ours: `${to};tag=${tag}`, theirs: from, target }, rungMs: free === undefined ? null : now - free, freeAt: free, answeredAt: performance.now(), heard: false, timer: null };
    talks.set(callId, call);
    say(call, mark++, media);
  };
  const say = (call: AgentCall, own: number, { host, port }: Address): void => {
    marks.set(own, call);
    const packet = Buffer.alloc(12 + sound, 0x2a);
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt32BE(own, 8);
    for (let at = 12; at < packet.length; at += 8) packet.write(`FD${String(own).padStart(6, '0')}`, at, 'latin1');
    let n = 0;
    call.timer = setInterval(() => {
      packet.writeUInt16BE(n & 0xffff, 2);
      packet.writeUInt32BE((n * sound) >>> 0, 4);
      n += 1;
      said.send(Buffer.from(packet), port, host);
      if (n * everyMs < deafAfterMs) return;
      problems.push(`nobody heard ${call.agent}`);
      over(call, true);
    }, everyMs);
  };
  const listen = (packet: Buffer): void => {
    if (packet.length < 12 + sound || packet[12] !== 0x46 || packet[13] !== 0x44) return;
    const own = Number(packet.toString('latin1', 14, 20));
    const call = marks.get(own);
    if (call === undefined) return;
    const now = performance.now();
    marks.delete(own);
    if (call.heard || isOver) return;
    call.heard = true;
    if (call.timer !== null) clearInterval(call.timer);
    served.push({ rungMs: call.rungMs, joinedMs: now - call.answeredAt, connectedMs: call.freeAt === undefined ? null : now - call.freeAt });
    call.timer = setTimeout(() => { over(call, true); }, talkMs * (0.5 + Math.random()));
  };
  const over = (call: AgentCall, byAgent: boolean): void => {
    if (!talks.delete(call.dialog.callId)) return;
    if (call.timer !== null) clearTimeout(call.timer);
    if (!byAgent) {
      freeAt.delete(call.agent);
      return;
    }
    freeAt.set(call.agent, performance.now());
    agents.bye(call.dialog);
  };
  const atAgents = (request: SipMessage): void => {
    if (request.method === 'INVITE') rung(request);
    else if (request.method !== 'ACK') {
      agents.answer(request, '200 OK');
      const call = request.method === 'BYE' ? talks.get(header(request, 'call-id') ?? '') : undefined;
      if (call === undefined) return;
      if (!isOver) problems.push(`the call of ${call.agent} was ended by the switch`);
      over(call, false);
    }
  };
  const atCallers = (request: SipMessage): void => {
    if (request.method === 'ACK') return;
    carrier.answer(request, '200 OK');
    const callId = header(request, 'call-id') ?? '';
    const call = request.method === 'BYE' ? lines.get(callId) : undefined;
    if (call === undefined) return;
    lines.delete(callId);
    place(call.to);
  };
  const place = (to: string): void => {
    if (isOver) return;
    callers += 1;
    const { callId, answered } = carrier.invite({ to, from: `+1202556${String(callers % 10_000).padStart(4, '0')}`, sdp: sdpOf(carrierHost, heard.address().port) });
    void answered.then(({ status, message }) => {
      if (message === null || status >= 300) {
        if (isOver) return;
        problems.push(`a call was answered with ${status}`);
        setTimeout(() => { place(to); }, 200);
        return;
      }
      const dialog = { callId, ours: header(message, 'from') ?? '', theirs: header(message, 'to') ?? '', target: targetOf(message) ?? '' };
      if (isOver) carrier.bye(dialog);
      else lines.set(callId, { dialog, to });
    });
  };
  heard.on('message', listen);
  const agents: Line = await openLine(phones, remote, atAgents);
  const carrier: Line = await openLine({ host: carrierHost, port: 0 }, remote, atCallers);
  // not all in one moment
  for (const [i, to] of calls.entries()) setTimeout(() => { place(to); }, i * 10);

  return {
    served, problems,
    waiting: () => lines.size,
    resent: () => agents.resent() + carrier.resent(),
    end: async () => {
      isOver = true;
      for (const { dialog } of lines.values()) carrier.bye(dialog);
      // who talked with them is hung up by the switch
      await until(() => talks.size === 0 && carrier.unanswered() + agents.unanswered() === 0, { describe: 'the bench’s calls are over', within: overWithinMs });
      await Promise.all([agents.close(), carrier.close(), ...[said, heard].map((socket) => new Promise<void>((resolve) => { socket.close(() => { resolve(); }); }))]);
    },
  };
}
