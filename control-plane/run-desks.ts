/** The queues of all accounts: their desks, among the controllers of the switch; what a desk needs of the configuration. */
import type { Redis } from 'ioredis';
import type { ClinicConfig } from './configuration/clinics.ts';
import type { Call } from './core/call/call.ts';
import type { DeskCommand } from './core/queue/commands.ts';
import type { Account, CallFacts, Media } from './core/routing/config.ts';
import { indexOf } from './core/routing/index-of.ts';
import { offerRing } from './core/routing/offer-ring.ts';
import { positionMedia } from './core/routing/queue-position.ts';
import { deskQueuesOf } from './core/routing/queue-step.ts';
import type { RingStep } from './core/routing/plan.ts';
import { DeskAwayError, type Desks as DesksPort } from './http/ports.ts';
import type { Controller } from './runtime/controller.ts';
import { realClock } from './runtime/clock.ts';
import { callsHere, type PhoneOf } from './runtime/desks/calls-here.ts';
import type { DeskCallbacks } from './runtime/desks/desk-callbacks.ts';
import { createDesks, type Desks } from './runtime/desks/desks.ts';
import { DesksAwayError } from './runtime/desks/requests.ts';
import { redisAgentRecords } from './store/redis/agent-records.ts';
import { redisLink } from './store/redis/controller-link.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

interface RunDesksOptions {
  readonly controller: Controller;
  readonly instance: string;
  readonly redis: Redis;
  readonly clinics: () => readonly ClinicConfig[];
  /** Of a call as it arrived, but for what is asked of now. */
  readonly factsOf: (call: Call) => CallFacts;
  readonly spoken: (text: string) => Media | undefined;
  readonly callbacks?: DeskCallbacks;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Not started: it is once the calls of this controller are known. */
export function runDesks({ controller, instance, redis, clinics, factsOf, spoken, callbacks, log, metrics }: RunDesksOptions): Desks {
  const accountOf = (id: string): Account | undefined => clinics().find(({ account }) => account.id === id)?.account;
  const ringOf = (call: Call, { queue, agent, devices, ringMs }: Extract<DeskCommand, { type: 'OfferCall' }>): RingStep | null => {
    const account = accountOf(call.plan.account.id);
    return account === undefined || call.visit === null ? null : offerRing(account, { queue, agent, devices, ringMs, step: call.visit.step }, factsOf(call));
  };
  const desks = createDesks({
    controller: instance, clock: realClock(), lease: controller.lease, link: redisLink(redis, 'desks', instance, log), records: redisAgentRecords(redis), ...(callbacks === undefined ? {} : { callbacks }), log, metrics,
    here: callsHere({ controller, phoneOf: (name) => phoneOf(clinics(), name), offerRing: ringOf, positionMedia: (_account, _queue, position, waitMs) => positionMedia(position, waitMs, spoken), log }),
  });
  return desks;
}

/** Each account's queues, and none of one that is gone. Returns what is called after a change. */
export function configureDesks(desks: Pick<Desks, 'configure'>, clinics: () => readonly ClinicConfig[]): () => void {
  let before = new Set<string>();
  const configure = (): void => {
    const accounts = clinics().map(({ account }) => account);
    for (const gone of before) if (!accounts.some(({ id }) => id === gone)) desks.configure(gone, []);
    for (const account of accounts) desks.configure(account.id, deskQueuesOf(account));
    before = new Set(accounts.map(({ id }) => id));
  };
  configure();
  return configure;
}

/** As the API asks for them. */
export function desksPort(desks: Desks): DesksPort {
  return {
    agents: (account) => Promise.resolve(desks.agents(account)),
    queue: (account, id) => asked(desks.queue(account, id)),
    chooseStatus: (account, agent, status) => asked(desks.chooseStatus(account, agent, status)),
    logIn: (account, agent, devices) => asked(desks.logIn(account, agent, devices)),
    logOut: (account, agent) => asked(desks.logOut(account, agent)),
    ready: (account, agent) => asked(desks.ready(account, agent)),
  };
}

function asked<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    throw error instanceof DesksAwayError ? new DeskAwayError(error.message, { cause: error }) : error;
  });
}

function phoneOf(clinics: readonly ClinicConfig[], name: string): PhoneOf | undefined {
  for (const { account } of clinics) {
    const phone = indexOf(account).phones.get(name);
    if (phone?.device.target.kind === 'device') return { account: account.id, user: phone.user.id, device: phone.device.target.device };
  }
  return undefined;
}
