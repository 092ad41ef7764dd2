/** What is asked of a desk by way of any controller: asked again until the desk that runs has answered, or the time is over. */
import type { Desk } from '../../core/queue/desk.ts';
import type { DeskEvent } from '../../core/queue/events.ts';
import { second, type EpochMs, type Ms } from '../../core/time.ts';
import type { CancelTimer, Clock } from '../clock.ts';
import type { DeskFigures } from './desk-figures.ts';
import type { DeskRunner } from './desk-runner.ts';
import type { Answer, Request, Saying } from './messages.ts';

/** Nobody has answered. What was asked may have been done: asked again, it is the same. */
export class DesksAwayError extends Error {
  override readonly name = 'DesksAwayError';
  constructor() {
    super('The queues of this account did not answer within 3 s. They may be on their way from one controller to another: ask again in a moment; /readyz says what is not as it should be.');
  }
}

export interface Requests {
  ask(request: Request): Promise<Answer>;
  /** Of another controller. Null: no desk here can say. */
  take(id: string, request: Request): Promise<Answer | null>;
  answered(id: string, answer: Answer): void;
  stop(): void;
}

export interface RequestsOptions {
  readonly clock: Clock;
  readonly controller: string;
  readonly say: (saying: Saying) => void;
  readonly open: (account: string) => DeskRunner | null;
  readonly isRunning: () => boolean;
  readonly isConfigured: (account: string, queue: string) => boolean;
  readonly figuresOf: (account: string) => DeskFigures;
}

const answerLimitMs: Ms = 3 * second;
const againMs: Ms = 250;
/** Lately done: asked again because its answer was lost. */
const rememberedRequests = 1000;

export function createRequests({ clock, controller, say, open, isRunning, isConfigured, figuresOf }: RequestsOptions): Requests {
  let n = clock.now();
  const waiting = new Map<string, { readonly settle: (answer: Answer) => void; readonly fail: () => void }>();
  const done = new Set<string>();

  const take = async (id: string, request: Request): Promise<Answer | null> => {
    const { account } = request;
    if (request.type === 'ShowQueue' && isRunning() && !isConfigured(account, request.queue)) return { ok: false, why: 'no such queue' };
    const runner = open(account);
    if (runner === null) return null;
    if (request.type === 'ShowQueue') {
      const figures = figuresOf(account);
      return { ok: true, queue: { id: request.queue, waiting: runner.desk().queues[request.queue]?.waiting ?? [], figures: figures.of(request.queue), since: figures.since() } };
    }
    if (!done.has(id)) {
      const event = eventOf(request, runner.desk());
      if (event === null) return null;
      runner.apply(event);
      done.add(id);
      const [oldest] = done;
      if (done.size > rememberedRequests && oldest !== undefined) done.delete(oldest);
    }
    // Not before another desk would know of it.
    return (await runner.kept()) ? { ok: true, queue: null } : null;
  };

  return {
    take,
    ask: (request) => new Promise((resolve, reject) => {
      const id = `${controller}.${++n}`;
      const until = clock.now() + answerLimitMs;
      let timer: CancelTimer | null = null;
      const over = (): void => {
        waiting.delete(id);
        timer?.();
      };
      const settle = (answer: Answer): void => {
        if (!waiting.has(id)) return;
        over();
        resolve(answer);
      };
      const fail = (): void => {
        over();
        reject(new DesksAwayError());
      };
      const attempt = (): void => {
        if (clock.now() >= until) {
          fail();
          return;
        }
        timer = clock.setTimer(clock.now() + againMs, attempt);
        if (!isRunning()) say({ type: 'Please', id, request });
        void take(id, request).then((answer) => { if (answer !== null) settle(answer); });
      };
      waiting.set(id, { settle, fail });
      attempt();
    }),
    answered: (id, answer) => { waiting.get(id)?.settle(answer); },
    stop: () => { for (const { fail } of waiting.values()) fail(); },
  };
}

/** Null: what a newer release asks for. */
function eventOf(request: Exclude<Request, { type: 'ShowQueue' }>, desk: Desk): DeskEvent | null {
  const { agent } = request;
  const known = desk.agents[agent];
  switch (request.type) {
    case 'ChooseStatus':
      return { type: 'AgentStatusChosen', agent, status: request.status, at: after(request.at, known?.statusAt) };
    case 'LogIn':
      // Who had the phone before has it no more.
      return { type: 'AgentLoggedIn', agent, devices: request.devices, at: after(request.at, Math.max(known?.devicesAt ?? 0, ...Object.values(desk.agents).filter(({ devices }) => devices.some((one) => request.devices.includes(one))).map(({ devicesAt }) => devicesAt))) };
    case 'BeReady':
      return { type: 'AgentReady', agent };
    default:
      return null;
  }
}

/** Whoever asks later means it, also by a clock that is behind. */
function after(at: EpochMs, before: EpochMs | undefined): EpochMs {
  return Math.max(at, (before ?? 0) + 1);
}
