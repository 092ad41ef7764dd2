/**
 * What controllers say to each other of their desks (ControllerLink). All of it may be lost, or come twice or late: what a desk
 * does is fenced by its epoch, and what calls say is about something that is used once (core/queue/events.ts).
 */
import type { DeskMessage } from '../../core/call/commands.ts';
import type { DeskView } from '../../core/call/desk-view.ts';
import type { CallId } from '../../core/ids.ts';
import type { DeskCommand } from '../../core/queue/commands.ts';
import type { AgentId, DeviceId, QueueId } from '../../core/queue/config.ts';
import type { OfferId, Status, WaitingCall } from '../../core/queue/desk.ts';
import type { QueueFigures } from '../../core/queue/figures.ts';
import type { EpochMs } from '../../core/time.ts';
import type { KeptAgent } from '../../store/ports.ts';
import type { Clock } from '../clock.ts';

export type Saying =
  /** Every now and then, to all. `told`: how often it has told of agents. */
  | { readonly type: 'DesksLed'; readonly epoch: number; readonly told: number }
  /** Answered by `ThisIsThere`. `agents`: records are wanted too. */
  | { readonly type: 'WhatIsThere'; readonly epoch: number; readonly ask: number; readonly agents: boolean }
  | { readonly type: 'ThisIsThere'; readonly ask: number; readonly n: number; readonly there: There }
  | { readonly type: 'CallTells'; readonly account: string; readonly message: DeskMessage }
  /** For whoever has the calls. */
  | { readonly type: 'DeskTells'; readonly epoch: number; readonly account: string; readonly commands: readonly CallsCommand[] }
  /** `n`, of `ThisIsThere` too, grows with each of them: of two the later holds, whichever comes last. */
  | { readonly type: 'CallsMeasured'; readonly n: number; readonly measured: readonly MeasuredCall[]; readonly settled: boolean }
  | { readonly type: 'AgentsAre'; readonly epoch: number; readonly told: number; readonly account: string; readonly agents: readonly KeptAgent[] }
  | { readonly type: 'Please'; readonly id: string; readonly request: Request }
  | { readonly type: 'Answered'; readonly id: string; readonly answer: Answer };

export type Heard = Saying & { readonly from: string };

/** Those that are of one call. */
export type CallsCommand = Extract<DeskCommand, { readonly callId: CallId }>;

/** Who is in a live call, by user and by device: one for each offer that brought somebody there, and one for all others. */
export interface MeasuredCall {
  readonly account: string;
  readonly callId: CallId;
  /** Null: by no offer of a queue. */
  readonly offer: OfferId | null;
  readonly users: readonly AgentId[];
  readonly devices: readonly DeviceId[];
}

/** What a controller has. */
export interface There {
  /** False: it is finding its calls again just now, and may have more. */
  readonly settled: boolean;
  /** All that live. */
  readonly calls: readonly CallId[];
  readonly views: readonly { readonly account: string; readonly view: DeskView }[];
  readonly measured: readonly MeasuredCall[];
  readonly agents: Readonly<Record<string, readonly KeptAgent[]>>;
}

export type Request =
  | { readonly type: 'ChooseStatus'; readonly account: string; readonly agent: AgentId; readonly status: Status; readonly at: EpochMs }
  | { readonly type: 'LogIn'; readonly account: string; readonly agent: AgentId; readonly devices: readonly DeviceId[]; readonly at: EpochMs }
  | { readonly type: 'BeReady'; readonly account: string; readonly agent: AgentId }
  | { readonly type: 'ShowQueue'; readonly account: string; readonly queue: QueueId };

export type Answer = { readonly ok: true; readonly queue: QueueShown | null } | { readonly ok: false; readonly why: 'no such queue' };

export interface QueueShown {
  readonly id: QueueId;
  /** First in line first. */
  readonly waiting: readonly WaitingCall[];
  readonly figures: QueueFigures;
  /** When the figures begin. */
  readonly since: EpochMs;
}

/** Numbers that grow from report to report, also from one process to the next. */
export function reportNumbers(clock: Clock): () => number {
  let n = 0;
  return () => (n = Math.max(n + 1, clock.now()));
}

/** Null: what another release says otherwise is not understood. */
export function heardOf(text: string): Heard | null {
  try {
    const heard = JSON.parse(text) as Partial<Heard> | null;
    return typeof heard === 'object' && heard !== null && typeof heard.type === 'string' && typeof heard.from === 'string' ? (heard as Heard) : null;
  } catch {
    return null;
  }
}
