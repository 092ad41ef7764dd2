/**
 * The composition root: environment and plan in, a running Frontdesk out. Only this file knows every part.
 */
import { join } from 'node:path';
import { agentsByRegistration } from './phones/agents-by-registration.ts';
import { agentState } from './phones/agent-state.ts';
import { apiDeps } from './api-deps.ts';
import { keepBans } from './bans/keep-bans.ts';
import type { Config } from './config.ts';
import { runCallbacks } from './placed-calls/callbacks.ts';
import { openConfiguration, readPlans } from './open-configuration.ts';
import { openSwitch } from './open-switch.ts';
import { keepCalls } from './kept-calls/keep-calls.ts';
import { createRecentCallers } from './contacts/recent-callers.ts';
import type { ClinicConfig } from './configuration/clinics.ts';
import { compileFor, findNumber } from './core/routing/compile.ts';
import type { Call } from './core/call/call.ts';
import { callsOut } from './core/call/calls-out.ts';
import type { Offer } from './core/call/events.ts';
import { isCallback, isSupervision, isSynthetic } from './core/ids.ts';
import { compileExtension, planExtension } from './core/routing/extension.ts';
import { compileAgentCode } from './core/routing/agent-code.ts';
import { compileNightCode } from './core/routing/night-code.ts';
import type { Account, CallFacts } from './core/routing/config.ts';
import type { EpochMs } from './core/time.ts';
import type { Plan } from './core/routing/plan.ts';
import { textsOfCaller, textsToPrepare } from './core/routing/whisper.ts';
import { openGeo } from './geo/geo-of.ts';
import { localTime } from './hours/local-time.ts';
import { createApi } from './http/api.ts';
import { createAdminKey } from './http/auth.ts';
import { exposeMetrics } from './expose-metrics.ts';
import { followCallers } from './kept-calls/follow-callers.ts';
import { openEvents } from './follow-events.ts';
import { startHttpServer, type Readiness } from './http/server.ts';
import { lockDataDir } from './local-stack/data-dir.ts';
import { diskError } from './local-stack/errors.ts';
import { keepRunning } from './local-stack/keep-running.ts';
import { cacheDirFor, startLocalStack, type LocalStack, type ToolName } from './local-stack/local-stack.ts';
import { keepSwitchInformed } from './phones/keep-switch-informed.ts';
import { lateDatabase } from './late-database.ts';
import { followCalls } from './kept-calls/live-calls.ts';
import { createMailer } from './notify/mail.ts';
import { openNotices } from './notify/notices.ts';
import { partyOfPhone } from './phones/party-of-phone.ts';
import { registrationsOf } from './phones/registrations-of.ts';
import { speechReady, startHoldMusic, startSpeech } from './start-speech.ts';
import { settingChanger } from './phone-codes/change-setting.ts';
import { configureDesks, desksPort, runDesks } from './run-desks.ts';
import { makeSyntheticCalls, withoutSynthetic } from './placed-calls/synthetic-calls.ts';
import { makeSupervisions, type RunningSupervisions } from './placed-calls/supervisions.ts';
import { makeTestCalls } from './placed-calls/test-calls.ts';
import { watchRegistrations, type RegistrationWatch } from './phones/watch-registrations.ts';
import { watchWrongPins, type WrongPins } from './phone-codes/wrong-pins.ts';
import { realClock } from './runtime/clock.ts';
import { createController, type Controller } from './runtime/controller.ts';
import { syntheticPlan } from './runtime/synthetic-plan.ts';
import { leaseMs } from './runtime/lease.ts';
import { openFileArchive } from './store/files/call-archive.ts';
import { createAudioFiles } from './store/media-files/audio-files.ts';
import type { Speech } from './store/media-files/speech.ts';
import { openDatabase } from './store/postgres/open-database.ts';
import { redisCallbackNews } from './store/redis/callback-news.ts';
import { redisCallerNews } from './store/redis/caller-news.ts';
import { connectRedis } from './store/redis/connect.ts';
import { redisJournals } from './store/redis/live-journals.ts';
import { redisOccupancy } from './store/redis/occupancy.ts';
import { redisOwnership } from './store/redis/ownership.ts';
import { redisLink } from './store/redis/controller-link.ts';
import { redisMemory } from './store/redis/shared-memory.ts';
import { redisTurns } from './store/redis/turns.ts';
import { redisWrongPins } from './store/redis/wrong-pins.ts';
import { monitorEventLoopLately } from './telemetry/event-loop.ts';
import type { Log } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { watchDisk } from './kept-calls/watch-disk.ts';

/** A start that cannot succeed; `message` is for the person who started it. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export interface Frontdesk {
  readonly controller: Controller;
  /** As they are now. */
  clinics(): readonly ClinicConfig[];
  readonly stack: LocalStack | undefined;
  readonly httpPort: number;
  readonly switchName: string;
  readonly switchVersion: string;
  readiness(): Readiness;
  /**
   * Takes no call any more, from this moment on. Another controller has the calls within a second; where there is none
   * they are waited for as long as the configuration says, and then stay on the switch if it is not ours. Everything
   * started here ends.
   */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly config: Config;
  readonly log: Log;
  readonly progress: (line: string) => void;
  /** Fetched with the first download. */
  readonly tools?: readonly ToolName[];
  /** An empty database gets the example clinic. */
  readonly withExample?: boolean;
}

const starting = (): Readiness => ({ ready: false, reasons: ['Frontdesk is starting.'], details: {} });

const nothingToScrape = (): Promise<string> => Promise.resolve('# Frontdesk is starting.\n');

const linkReason = {
  up: '',
  down: 'The link to the switch is down; it is tried again.',
  replaced: 'Another controller has taken this name (FRONTDESK_INSTANCE): stop one of the two, and start this one again.',
} as const;

/** Rejects with StartError, LocalStackError or SwitchRefusedError, each a sentence, or a line per problem of a plan; nothing is left running then. */
export async function startFrontdesk({ config, log, progress, tools = [], withExample = false }: StartOptions): Promise<Frontdesk> {
  const undo: (() => Promise<unknown> | void)[] = [];
  // One part that cannot be stopped must not keep the others running.
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) {
      try {
        await step();
      } catch (error) {
        log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'A part could not be stopped in order');
      }
    }
  };
  try {
    return await start();
  } catch (error) {
    await stop();
    throw diskError(error, config.dataDir);
  }

  async function start(): Promise<Frontdesk> {
    const refuse = (message: string): Error => new StartError(message);
    const plan = await readPlans(config, withExample, refuse);
    const lock = await lockDataDir(config.dataDir);
    undo.push(() => lock.release());
    // Before the switch: a port in use is said at once, and who waits for readiness gets an answer meanwhile.
    let readiness: () => Readiness = starting;
    let scrape = nothingToScrape;
    const http = await startHttpServer(config.httpPort, () => readiness(), config.httpBind, () => scrape()).catch((error: unknown) => {
      throw new StartError(error instanceof Error ? error.message : String(error), { cause: error });
    });
    undo.push(() => http.close());
    const metrics = createMetrics();
    const loop = monitorEventLoopLately();
    undo.push(() => loop.stop());

    const audioFiles = createAudioFiles(join(config.dataDir, 'audio'));
    const database = lateDatabase(() => openDatabase({ url: config.databaseUrl, dataDir: config.dataDir, templates: cacheDirFor(config), log }), log);
    undo.push(() => database.close());
    const running = await openConfiguration({ config, database, audioFiles, log, plan, refuse });
    undo.push(() => running.stop());

    const stack = await startStack(config, tools, progress);
    if (stack !== undefined) undo.push(() => stack.stop());
    const programs = stack === undefined ? undefined : keepRunning(stack, log);
    undo.push(() => { programs?.stop(); });
    const redisUrl = config.redisUrl ?? stack?.redis?.url;
    const attached = openSwitch({ config, stack, log, metrics, spoken: (text) => speech?.media(text) });
    if (attached === undefined || redisUrl === undefined) throw new StartError('There is no switch: set ASTERISK_URL or FREESWITCH_URL, or let the local stack start one.');

    const speech = await startSpeech(config, stack, attached.speechFiles, log, progress);
    const holdMusic = await startHoldMusic(config, log);
    const archive = withoutSynthetic(await openFileArchive({ dir: config.dataDir, log, metrics }));
    undo.push(() => archive.stop());
    const redis = connectRedis(redisUrl, log);
    undo.push(() => { redis.disconnect(); });
    const live = redisJournals({ redis, controller: config.instance, log, metrics });
    undo.push(() => live.stop());
    const memory = redisMemory(redis);
    const events = openEvents({ config, redis, database, running, controller: () => controller, log, metrics });
    undo.push(() => events.stop());
    const ownership = redisOwnership({ redis, controller: config.instance, leaseMs, log });

    const disk = await watchDisk(config.dataDir, log);
    undo.push(() => { disk.stop(); });
    const driver = disk.withoutRecording(attached.driver);
    const recent = createRecentCallers();
    const geoOf = await openGeo();
    let watching: RegistrationWatch | undefined;
    const known: KnownCallers = {
      contact: running.contacts.contactOf, lastCallAt: recent.lastCallAt,
      placeOf: (account, number) => geoOf(number, running.clinics().find((clinic) => clinic.account.id === account)?.country ?? ''),
      agent: (account, user) => agentState({ clinics: running.clinics(), registrations: watching?.seen() ?? [], busy: (of, who) => controller.availability(of, who) === 'busy' }, account, user),
      loggedIn: (account) => desks.agents(account).map(({ id: agent, devices }) => ({ agent, devices })),
      pinsRefused: (account, user) => wrongPins?.isRefused(account, user) === true,
      ...holdMusic,
    };
    let supervisions: RunningSupervisions | undefined;
    const callbacks = runCallbacks({
      instance: config.instance, store: database.callbacks, news: redisCallbackNews(redis), admin: { beginCallback: (call) => driver.admin.beginCallback(call) }, controller: () => controller, desks: () => desks, numberOf: (id, account) => running.configuration.get({ account, kind: 'number', id })?.body.e164, clinics: () => running.clinics(), log, metrics, now: () => Date.now(),
      factsOf: (offer) => factsOf(() => controller.calls(), speech, known, offer, Date.now()),
    });
    undo.push(() => callbacks.stop());
    let wrongPins: WrongPins | undefined;
    const clock = realClock();
    const controller = createController({
      driver, clock, live, archive, ownership, log, metrics, controller: config.instance,
      turns: redisTurns(redis), occupancy: redisOccupancy({ redis, controller: config.instance, lifeMs: leaseMs }), partyOfPhone: (phone) => partyOfPhone(running.clinics(), phone),
      compilePlan: (offer, at) => isSupervision(offer.callId) ? supervisions?.planOf(offer.callId) : isCallback(offer.callId) ? callbacks.planOf(offer) : planOf(running.clinics(), factsOf(() => controller.calls(), speech, known, offer, clock.wallAt(at)), speech, offer),
      planExtension: ({ plan, offer }, asked) => planExtension(accountsOf(running.clinics()), plan.account.id, asked, offer.caller),
      onDesk: ({ plan }, message) => { desks.tell(plan.account.id, message); },
      callbacks,
      changeSetting: settingChanger({ configuration: running.configuration, desks: () => desks, audit: database.audit, log }),
    });
    const desks = runDesks({
      controller, instance: config.instance, redis, clinics: () => running.clinics(), spoken: (text) => speech?.media(text), callbacks, log, metrics,
      factsOf: ({ offer }) => factsOf(() => controller.calls(), speech, known, offer, Date.now()),
    });
    running.onChange(configureDesks(desks, () => running.clinics()));
    controller.observe({ onStep: () => { desks.changed(); } });
    callbacks.start();
    undo.push(desks.observe(events.onDeskFact));
    await speechReady(speech, running.clinics(), attached.soundTexts, progress);
    running.onChange(() => { void speech?.prepare(running.clinics().flatMap((clinic) => textsToPrepare(clinic.account))); });

    const mailer = config.smtpUrl === undefined ? undefined : createMailer(config.smtpUrl, config.mailFrom);
    undo.push(() => { mailer?.close(); });
    const notices = await openNotices(config.dataDir, log, mailer);
    wrongPins = watchWrongPins({ store: redisWrongPins(redis), notices, publish: events.publish, notify: (id) => running.clinics().find(({ account }) => account.id === id)?.alerts.notify ?? [], log, now: () => Date.now() });
    undo.push(() => wrongPins?.stop());
    controller.observe({ onFact: wrongPins.onFact });
    const kept = await keepCalls({ config, database, controller, archive, disk, stored: attached.recordings, notices, running, onVoicemail: events.onVoicemail, log, metrics });
    undo.push(() => kept.stop());
    const calls = followCalls(controller, archive, live, events.onCallFact);
    undo.push(() => { calls.stop(); });
    undo.push(controller.observe({ onCdr: events.onCdr }));
    undo.push(followCallers({ recent, controller, news: redisCallerNews(redis, log), cdrs: database.cdrs, opened: database.opened, log }));
    undo.push(() => controller.stop());
    undo.push(() => desks.stop());
    let draining = false;
    const stopInOrder = async (): Promise<void> => {
      draining = true;
      // followers go on with another controller, by the id of what they had last
      api.endStreams();
      try {
        await controller.stop({ drainMs: config.drainMs });
        // Its calls are others' by now.
        await desks.stop();
      } finally {
        await stop();
      }
    };
    await controller.start();
    desks.start();
    kept.fetchLeftBehind();
    const apart = separateConfigurations(config, controller);
    if (apart !== null) log.error({ others: controller.others() }, apart);

    const informing = await keepSwitchInformed({ config, log, clinics: () => running.clinics(), driver, provisioned: attached.provisioned, notices, controller, memory }).catch((error: unknown) => {
      throw new StartError(error instanceof Error ? error.message : String(error), { cause: error });
    });
    undo.push(() => informing.stop());
    running.onChange(() => { informing.changed(); });
    const registrations = await watchRegistrations({ dataDir: config.dataDir, log, clinics: () => running.clinics(), driver, notices, controller, memory, onLook: agentsByRegistration({ clinics: () => running.clinics(), desks, memory, log }) });
    watching = registrations;
    undo.push(() => registrations.stop());
    registrations.onChange(events.onRegistration);
    const webhooks = events.serveWebhooks();
    undo.push(() => webhooks.stop());

    const bans = await keepBans({ dataDir: config.dataDir, never: config.neverBan, driver: attached.driver, notices, log });
    undo.push(() => bans.stop());
    running.onChange(() => { bans.changed(); });

    const everyMs = config.syntheticMs;
    const synthetics = everyMs === null ? [] : attached.each.map(({ name, admin }) => makeSyntheticCalls({ everyMs, instance: config.instance, admin, on: name, controller, clinics: () => running.clinics(), notices, log, metrics }));
    for (const synthetic of synthetics) undo.push(() => synthetic.stop());

    const testCalls = makeTestCalls({ instance: config.instance, admin: driver.admin, controller, memory, spoken: (text) => speech?.media(text), log, now: () => Date.now() });
    undo.push(() => { testCalls.stop(); });
    const supervising = makeSupervisions({ instance: config.instance, admin: driver.admin, controller, live, link: redisLink(redis, 'supervisions', config.instance, log), clinics: () => running.clinics(), audit: database.audit, log, now: () => Date.now() });
    supervisions = supervising;
    undo.push(() => { supervising.stop(); });

    const api = createApi(apiDeps({
      dataDir: config.dataDir, running, database, calls, audioFiles, log, recordings: kept.recordings, spoken: (text) => speech?.media(text),
      callsOut: (account) => callsOut(controller.calls(), account), known,
      sipBans: bans, testCalls, desks: desksPort(desks), supervisions: supervising, callbacks, events: events.feed, webhooksPrivate: config.webhooksPrivate, metrics,
      registrations: { list: () => registrationsOf(running.clinics(), driver.admin), onChange: registrations.onChange },
    }));
    undo.push(() => { api.close(); });
    http.mount(api.listener);
    const adminKey = await createAdminKey(database.keys, { wanted: config.newAdminKey }).catch(() => null);
    if (adminKey !== null) progress(`An API key of an agency admin; it is not shown again: ${adminKey}`);
    readiness = (): Readiness => {
      const health = controller.health();
      // Without these no call is taken, or none is recorded.
      const stopping = [
        ...(draining ? [drainReason(controller, config.drainMs)] : []),
        ...(programs?.problems('asterisk') ?? []),
        ...(health.link === 'up' ? [] : [linkReason[health.link]]),
        ...(health.reconciled || health.link !== 'up' ? [] : ['The calls on the switch have not been looked at yet.']),
        ...[archive.problem()].filter((problem) => problem !== null),
      ];
      const lesser = [
        ...(programs?.problems('redis') ?? []),
        ...[clock.problem()].filter((problem) => problem !== null),
        ...attached.problems(),
        ...informing.problems(),
        ...[separateConfigurations(config, controller)].filter((problem) => problem !== null),
        ...[bans.problem()].filter((problem) => problem !== null),
        ...(redis.status === 'ready' ? [...[health.lease].filter((problem) => problem !== null), ...desks.problems()] : ['Redis is away: calls go on, their live journals wait.']),
        ...[database.problem(), running.problem(), running.contacts.problem()].filter((problem) => problem !== null),
        ...kept.problems(),
        ...webhooks.problems(),
        ...synthetics.map((synthetic) => synthetic.problem()).filter((problem) => problem !== null),
      ];
      const { p99Ms, maxMs } = loop.read();
      return {
        ready: stopping.length === 0,
        reasons: [...stopping, ...lesser],
        details: { draining, takesOver: controller.takesOver(), switch: driver.health().version, calls: health.calls, commandsInFlight: health.commandsInFlight, eventLoopDelayMs: { p99: p99Ms, max: maxMs }, metrics: metrics.read() },
      };
    };
    scrape = exposeMetrics({
      metrics, loop, controller, readiness: () => readiness(), registrations: () => registrations.seen(), unsentNotices: () => notices.unsent(),
      databaseIsUp: () => database.problem() === null, redisIsUp: () => redis.status === 'ready', desks,
    });
    return { controller, clinics: () => running.clinics(), stack, httpPort: http.port, switchName: attached.name, switchVersion: driver.health().version, readiness, stop: stopInOrder };
  }
}

function drainReason(controller: Controller, drainMs: number): string {
  const calls = controller.calls().length;
  if (calls === 0) return 'Frontdesk is stopping: it takes no new calls.';
  const others = controller.others();
  const then = others.length > 0 ? `go to ${others.join(' or ')}` : drainMs > 0 ? `have up to ${drainMs / 1000} s to end` : 'stay on the switch';
  return `Frontdesk is stopping: it takes no new calls, and the ${calls} it has ${then}.`;
}

function separateConfigurations({ databaseUrl }: Config, controller: Pick<Controller, 'others'>): string | null {
  const others = controller.others();
  if (others.length === 0 || databaseUrl !== undefined) return null;
  return `Another controller serves this switch (${others.join(', ')}), and DATABASE_URL is not set: each has a configuration and records of its own. Set DATABASE_URL to one Postgres for all of them.`;
}

async function startStack(config: Config, tools: readonly ToolName[], progress: (line: string) => void): Promise<LocalStack | undefined> {
  const need = { asterisk: config.asteriskUrl === undefined && config.freeswitchUrl === undefined, redis: config.redisUrl === undefined };
  if (!need.asterisk && !need.redis) return undefined;
  return startLocalStack({
    dataDir: config.dataDir,
    bind: config.bind,
    need,
    tools: ['flite', ...tools],
    progress,
    ...(config.cacheDir === undefined ? {} : { cacheDir: config.cacheDir }),
    ...(config.externalAddress === undefined ? {} : { externalAddress: config.externalAddress }),
    ...(config.sipPort === undefined ? {} : { sipPort: config.sipPort }),
  });
}

function accountsOf(clinics: readonly ClinicConfig[]): readonly Account[] {
  return clinics.map((clinic) => clinic.account);
}

type KnownCallers = Pick<CallFacts, 'contact' | 'lastCallAt' | 'placeOf' | 'agent' | 'loggedIn' | 'pinsRefused' | 'holdMusic'>;

function factsOf(calls: () => readonly Call[], speech: Speech | undefined, known: KnownCallers, { callId, dialled, caller }: Offer, at: EpochMs): CallFacts {
  return { callId, dialled, callerNumber: caller.number, callerName: caller.name, at, localTime: (timezone) => localTime(timezone, at), callsOut: (account) => callsOut(calls(), account), whisperMedia: (text) => speech?.media(text), ...known };
}

function planOf(clinics: readonly ClinicConfig[], facts: CallFacts, speech: Speech | undefined, offer: Offer): Plan | undefined {
  if (isSynthetic(offer.callId)) return syntheticPlan;
  const accounts = accountsOf(clinics);
  const between = offer.phone === undefined ? undefined : (compileNightCode(accounts, offer.phone, facts) ?? compileAgentCode(accounts, offer.phone, facts) ?? compileExtension(accounts, offer.phone, facts));
  if (between !== undefined) return between;
  const found = findNumber(accounts, offer.dialled);
  if (found === undefined) return undefined;
  void speech?.prepare(textsOfCaller(found.number, offer.caller.name));
  return compileFor(accounts, facts);
}
