/**
 * A call to ourselves, every minute, by the controller that leads: the switch places it as a carrier would, it is claimed,
 * answered, hears a tone to its end and is hung up, all by the same parts as any call. Two failures in a row are told to
 * people, and so is that it goes well again. It is of no account, and leaves no record.
 */
import { randomBytes } from 'node:crypto';
import type { ClinicConfig } from '../configuration/clinics.ts';
import { isSynthetic, syntheticId, type CallId } from '../core/ids.ts';
import { second, type Ms } from '../core/time.ts';
import type { SwitchAdmin } from '../media/switch-admin.ts';
import type { Notices } from '../notify/notices.ts';
import type { Controller } from '../runtime/controller.ts';
import type { CallArchive } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

interface Options {
  readonly everyMs: Ms;
  readonly instance: string;
  readonly admin: Pick<SwitchAdmin, 'callOurselves'>;
  /** Its name, where there are several switches. */
  readonly on?: string | undefined;
  readonly controller: Pick<Controller, 'leads' | 'observe'>;
  /** As they are now. */
  readonly clinics: () => readonly ClinicConfig[];
  readonly notices: Pick<Notices, 'give' | 'send'>;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface SyntheticCalls {
  /** A sentence after two failures in a row, or where none can be made; else null. */
  problem(): string | null;
  stop(): Promise<void>;
}

/** Of a call that takes half a second; who makes them often wants to hear of one soon. */
const longestMs: Ms = 15 * second;
const longestPeriods = 5;
const failuresToTell = 2;
const unknown = 'unknown';

interface UnderWay {
  readonly callId: CallId;
  readonly placedAt: number;
  heard: boolean;
  readonly over: PromiseWithResolvers<string | null>;
}

export function makeSyntheticCalls({ everyMs, instance, admin, on, controller, clinics, notices, log, metrics }: Options): SyntheticCalls {
  const withinMs = Math.min(longestMs, longestPeriods * everyMs);
  const there = on === undefined ? '' : ` on ${on}`;
  let underWay: UnderWay | null = null;
  let failures = 0;
  let why = '';
  let isUnknown = false;
  let busy: Promise<void> | null = null;
  let stopping = false;

  const unobserve = controller.observe({
    onFact: ({ id }, fact) => {
      if (underWay === null || id !== underWay.callId) return;
      if (fact.type === 'CallerAnswered') metrics.time('synthetic_call_setup', performance.now() - underWay.placedAt);
      else if (fact.type === 'AnnouncementPlayed') underWay.heard = fact.ok;
      else if (fact.type === 'CallEnded') underWay.over.resolve(underWay.heard ? null : 'it was not played its prompt to the end');
    },
  });
  /** Null when it went well, or why not; `unknown` when the switch cannot make such calls yet. */
  const callOnce = async (): Promise<string | null> => {
    const call: UnderWay = { callId: syntheticId(randomBytes(6).toString('hex'), instance), placedAt: performance.now(), heard: false, over: Promise.withResolvers() };
    underWay = call;
    const timer = setTimeout(() => { call.over.resolve(`it had not been served after ${withinMs / 1000} s`); }, withinMs);
    try {
      if ((await admin.callOurselves(call.callId)) === 'unknown') return unknown;
      return await call.over.promise;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      clearTimeout(timer);
      underWay = null;
    }
  };
  const tell = async (kind: 'trouble' | 'well', sentence: string): Promise<void> => {
    const notify = [...new Set(clinics().flatMap(({ alerts }) => alerts.notify))];
    await notices.give({ at: new Date().toISOString(), kind, sentence, notify });
    void notices.send();
  };
  const check = async (): Promise<void> => {
    if (!controller.leads()) {
      // whoever leads now knows better
      failures = 0;
      return;
    }
    const failed = await callOnce();
    if (stopping) return;
    isUnknown = failed === unknown;
    if (isUnknown) return;
    metrics.count('synthetic_calls_total');
    if (failed === null) {
      const told = failures >= failuresToTell;
      failures = 0;
      if (told) await tell('well', `A call that Frontdesk makes to itself is served again: calls are taken${there}.`);
      return;
    }
    failures += 1;
    why = failed;
    metrics.count('synthetic_call_failures_total');
    log.warn({ why, failures, ...(on === undefined ? {} : { switch: on }) }, 'A call that Frontdesk made to itself was not served');
    if (failures === failuresToTell) await tell('trouble', `Calls may not be taken${there}: ${failures} calls in a row that Frontdesk made to itself were not served; of the last, ${why}.`);
  };
  const next = (): void => {
    busy ??= check()
      .catch((error: unknown) => { log.error({ error: String(error) }, 'A call of Frontdesk to itself could not be judged'); })
      .finally(() => { busy = null; });
  };
  const timer = setInterval(next, everyMs);
  return {
    problem: () => {
      if (isUnknown) return 'The dialplan of the switch is older than Frontdesk, which cannot make calls to itself until asterisk/extensions.conf is loaded anew.';
      return failures < failuresToTell ? null : `Calls that Frontdesk makes to itself${there} are not served, ${failures} in a row: of the last, ${why}.`;
    },
    stop: async () => {
      stopping = true;
      clearInterval(timer);
      unobserve();
      underWay?.over.resolve('Frontdesk stopped');
      await busy;
    },
  };
}

/** The same archive, which keeps nothing of such calls: their journals are in the live store while they are up. */
export function withoutSynthetic<A extends CallArchive>(archive: A): A {
  return {
    ...archive,
    append: (callId, record) => { if (!isSynthetic(callId)) archive.append(callId, record); },
    writeCdr: (cdr) => (isSynthetic(cdr.callId) ? Promise.resolve() : archive.writeCdr(cdr)),
  };
}
