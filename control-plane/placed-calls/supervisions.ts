/**
 * Supervisions (Q8): a phone of the account is rung, and once it is answered, its call hears another
 * (core/steps/supervise.ts). What it is to hear is known here alone, under the id of the call: no phone can dial itself into
 * one. Each is in the audit log with whose key asked for it: before the phone rings, and no phone rings while that cannot be
 * written; when it began, each change of its mode, when it ended.
 */
import { randomBytes } from 'node:crypto';
import type { ClinicConfig, PhoneConfig } from '../configuration/clinics.ts';
import type { Call, CallPhase } from '../core/call/call.ts';
import type { CallFact } from '../core/call/facts.ts';
import { isSupervision, supervisionId, type CallId, type LegId } from '../core/ids.ts';
import type { Attempt, Plan, SuperviseStep } from '../core/routing/plan.ts';
import { sipName } from '../core/routing/sip-name.ts';
import { supervisionModes, supervisionPlan } from '../core/routing/supervision.ts';
import { second, type EpochMs, type Ms } from '../core/time.ts';
import type { AskedSupervision, BegunSupervision, Supervision, Supervisions } from '../http/ports.ts';
import type { SwitchAdmin } from '../media/switch-admin.ts';
import type { Controller } from '../runtime/controller.ts';
import { replay } from '../runtime/replay.ts';
import { shareSupervisions } from './shared-supervisions.ts';
import type { AuditEntry, AuditStore, ControllerLink, LiveJournals } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';

interface Options {
  readonly instance: string;
  readonly admin: Pick<SwitchAdmin, 'callSupervisor' | 'endSupervisor' | 'glimpse'>;
  readonly controller: Pick<Controller, 'call' | 'calls' | 'deliver' | 'health' | 'observe'>;
  /** Of calls that other controllers have. */
  readonly live: Pick<LiveJournals, 'read'>;
  readonly link: ControllerLink;
  /** As they are now. */
  readonly clinics: () => readonly ClinicConfig[];
  readonly audit: Pick<AuditStore, 'write'>;
  readonly log: Log;
  readonly now: () => EpochMs;
}

export interface RunningSupervisions extends Supervisions {
  /** Of a supervision that this controller began, and nobody else's call. */
  planOf(callId: CallId): Plan | undefined;
  stop(): void;
}

const ringMs: Ms = 30 * second;
/** From the answer to the offer. */
const offerMs: Ms = 5 * second;

const doing: Readonly<Record<Exclude<CallPhase, 'connected' | 'ended'>, string>> = {
  offered: 'has only just come in', announcing: 'hears an announcement', menu: 'is in a menu', queued: 'waits in a queue', setting: 'sets the night switch', ordering: 'is about to ring', ringing: 'is ringing',
  connecting: 'is being connected', supervising: 'is a supervision itself', greeting: 'hears the greeting of the voicemail', beeping: 'is about to leave a message', recording: 'leaves a message', ending: 'is ending',
};

/** Those that ring, or have not come in yet. */
interface Rung {
  readonly shown: Supervision;
  readonly plan: Plan;
  readonly expiry: NodeJS.Timeout;
}

export function makeSupervisions({ instance, admin, controller, live, link, clinics, audit, log, now }: Options): RunningSupervisions {
  const rung = new Map<CallId, Rung>();

  const forget = (id: CallId): void => {
    clearTimeout(rung.get(id)?.expiry);
    rung.delete(id);
  };
  const here = (id: CallId): Call | undefined => controller.call(id);
  /** Also another controller's. */
  const callOf = async (id: CallId): Promise<Call | undefined> => here(id) ?? replay(await live.read(id).catch(() => []))?.call;

  const note = (call: Call, step: SuperviseStep, what: string, at: EpochMs, details: Readonly<Record<string, unknown>>): void => {
    const entry = entryOf({ id: call.id, account: call.plan.account.id, call: step.callId, leg: step.legId, phone: call.offer.caller.number, by: step.by }, what, at, details);
    audit.write(entry).catch((error: unknown) => { log.error({ entry, error: String(error) }, 'An entry of the audit log could not be written'); });
  };
  const onFact = (call: Call, fact: CallFact, at: EpochMs): void => {
    const step = stepOf(call);
    if (step === undefined) return;
    shared.changed();
    if (fact.type === 'Supervising') note(call, step, call.answeredAt === at ? 'began' : 'changed', at, { mode: fact.mode });
    else if (fact.type === 'CallEnded') note(call, step, 'ended', at, { began: call.answeredAt, by: fact.by });
  };
  const unobserve = controller.observe({ onFact, onCdr: ({ callId }) => { forget(callId); } });

  /** Those of this controller. */
  const own = (): readonly Supervision[] => {
    const inCall = controller.calls().flatMap((call) => {
      const one = shownOf(call);
      return one === undefined ? [] : [one];
    });
    return [...inCall, ...[...rung.values()].map(({ shown }) => shown).filter(({ id }) => here(id) === undefined)];
  };

  const begin = async (asked: AskedSupervision): Promise<BegunSupervision> => {
    const { account, call: callId, mode, phone, by } = asked;
    const call = await callOf(callId);
    if (call?.plan.account.id !== account || call.phase === 'ended') return wrong('call', 'there is no such call going on. GET /api/v1/live-calls lists those that are.');
    if (call.phase !== 'connected') return { ok: false, why: 'busy', sentence: `The call ${doing[call.phase]}: only one in which two talk can be supervised.` };
    const leg = legOf(call, asked, partyOfPhone);
    if (leg === undefined) return asked.leg === undefined ? wrong('agent', 'is not in this call. Leave it out for the one who was called.') : wrong('leg', 'is not one of the two who talk. Leave it out for the one who was called.');
    const phones = clinics().find((clinic) => clinic.account.id === account)?.phones ?? [];
    const own = phones.find(({ extension }) => extension === phone);
    if (own === undefined) return wrong('phone', 'is no phone of this account that registers. GET …/devices lists them.');
    if (phonesOf(call).includes(own.sipUser)) return { ok: false, why: 'busy', sentence: `Phone ${phone} is in this call itself: name another.` };
    if (controller.health().link !== 'up') return { ok: false, why: 'away', sentence: 'The switch is away, so no phone can be rung: it is tried again all the time, and /readyz says when it is back.' };
    try {
      const seen = (await admin.glimpse()).find(({ device }) => device === own.sipUser);
      if (seen === undefined || seen.contacts.length === 0) return { ok: false, why: 'busy', sentence: `Phone ${phone} is not registered, so it cannot be rung.` };
    } catch (error) {
      return away(error);
    }
    return ring({ call, leg, own, mode, by });
  };

  const ring = async ({ call, leg, own, mode, by }: { readonly call: Call; readonly leg: LegId; readonly own: PhoneConfig; readonly mode: Supervision['mode']; readonly by: string }): Promise<BegunSupervision> => {
    const { account } = call.plan;
    const id = supervisionId(randomBytes(6).toString('hex'), instance);
    const shown: Supervision = { id, account: account.id, call: call.id, leg, mode, phone: own.extension, by, state: 'ringing', since: null };
    await audit.write(entryOf(shown, 'rung', now(), { mode }));
    try {
      const expiry = setTimeout(() => { if (here(id) === undefined) forget(id); }, ringMs + offerMs).unref();
      rung.set(id, { shown, plan: supervisionPlan(account, { callId: call.id, legId: leg, mode, by }, call.plan.maxCallMs), expiry });
      shared.changed();
      if ((await admin.callSupervisor({ callId: id, phone: own.sipUser, extension: own.extension, shown: { number: own.extension, name: `Supervision: ${mode}` }, ringMs, besides: leg })) === 'rings') return { ok: true, supervision: shown };
      forget(id);
      return { ok: false, why: 'away', sentence: 'The dialplan of the switch is older than Frontdesk: load asterisk/extensions.conf anew.' };
    } catch (error) {
      forget(id);
      return away(error);
    }
  };

  function partyOfPhone(name: string): { readonly account: string; readonly user: string } | undefined {
    return clinics().flatMap(({ account, phones }) => phones.filter(({ sipUser }) => sipUser === name).map(({ user }) => ({ account: account.id, user })))[0];
  }

  const changeHere = (account: string, id: CallId, mode: Supervision['mode']): BegunSupervision => {
    const one = own().find((each) => each.id === id && each.account === account);
    if (one === undefined) return { ok: false, why: 'busy', sentence: 'This supervision is over, or on its way to another controller: look at the list, and try again.' };
    if (one.state !== 'on') return { ok: false, why: 'busy', sentence: `The phone ${one.phone} has not been answered: end this supervision, and begin another.` };
    controller.deliver(id, { type: 'ModeAsked', mode });
    const call = here(id);
    return { ok: true, supervision: (call === undefined ? undefined : shownOf(call)) ?? one };
  };
  const shared = shareSupervisions({ controller: instance, link, own, change: changeHere, onRingEnded: forget, tell: (callId, event) => controller.deliver(callId, event), now });
  const isThere = async (account: string, id: CallId): Promise<boolean> => {
    const one = shared.all().find((each) => each.id === id);
    if (one !== undefined) return one.account === account;
    const call = isSupervision(id) ? await callOf(id) : undefined;
    return call?.plan.account.id === account && call.phase !== 'ended';
  };

  return {
    begin,
    list: (account) => shared.all().filter((one) => account === null || one.account === account),
    change: async (account, id, mode) => {
      if (own().some((each) => each.id === id && each.account === account)) return changeHere(account, id, mode);
      const asked = shared.change(account, id, mode);
      if (asked !== null) return asked;
      return (await isThere(account, id)) ? { ok: false, why: 'busy', sentence: 'This supervision is on its way from one controller to another: try again in a moment.' } : null;
    },
    end: async (account, id) => {
      if (!(await isThere(account, id))) return { ok: true, ended: false };
      try {
        const ended = await admin.endSupervisor(id);
        forget(id);
        shared.ringEnded(id);
        shared.changed();
        return { ok: true, ended };
      } catch (error) {
        return { ok: false, sentence: error instanceof Error ? error.message : String(error) };
      }
    },
    planOf: (callId) => rung.get(callId)?.plan,
    stop: () => {
      unobserve();
      shared.stop();
      for (const id of rung.keys()) forget(id);
    },
  };
}

function entryOf({ id, account, call, leg, phone, by }: Pick<Supervision, 'id' | 'account' | 'call' | 'leg' | 'phone' | 'by'>, what: string, at: EpochMs, details: Readonly<Record<string, unknown>>): AuditEntry {
  return { at, actor: by, account, action: `supervision.${what}`, subject: `supervision/${id}`, outcome: 'ok', address: '', details: { call, leg, phone, ...details } };
}

function away(error: unknown): BegunSupervision {
  return { ok: false, why: 'away', sentence: error instanceof Error ? error.message : String(error) };
}

function wrong(field: 'call' | 'leg' | 'agent' | 'phone', message: string): BegunSupervision {
  return { ok: false, why: 'wrong', field, sentence: message };
}

function stepOf({ id, plan }: Call): SuperviseStep | undefined {
  const step = isSupervision(id) ? plan.steps[plan.first] : undefined;
  return step?.kind === 'supervise' ? step : undefined;
}

function shownOf(call: Call): Supervision | undefined {
  const step = stepOf(call);
  if (step === undefined || call.phase === 'ending' || call.phase === 'ended') return undefined;
  const { id, plan, offer, phase, answeredAt: since } = call;
  const spy = phase === 'supervising' ? call.legs[call.spy] : undefined;
  return {
    id, account: plan.account.id, call: step.callId, leg: step.legId, mode: supervisionModes[spy?.attempt ?? -1] ?? step.mode, phone: offer.caller.number, by: step.by,
    state: phase === 'offered' || since === null ? 'ringing' : 'on', since,
  };
}

/** Whom the supervisor hears: the party that is named, or the one who was called. */
function legOf(call: Extract<Call, { phase: 'connected' }>, { account, leg, agent }: AskedSupervision, userOfPhone: (phone: string) => { readonly account: string; readonly user: string } | undefined): LegId | undefined {
  const { winner, caller, visit, offer } = call;
  if (leg !== undefined) return leg === winner || leg === caller.legId ? leg : undefined;
  if (agent === undefined) return winner;
  if (attemptOf(call)?.user === agent || visit?.service?.agent === agent) return winner;
  const phoned = caller.legId === call.id && offer.phone !== undefined ? userOfPhone(offer.phone) : undefined;
  return caller.attempt?.user === agent || (phoned?.account === account && phoned.user === agent) ? caller.legId : undefined;
}

function attemptOf(call: Extract<Call, { phase: 'connected' }>): Attempt | undefined {
  const leg = call.legs[call.winner];
  const step = leg === undefined ? undefined : call.plan.steps[leg.step];
  return step?.kind === 'ring' ? step.attempts[leg?.attempt ?? -1] : undefined;
}

/** By their names on the switch. */
function phonesOf(call: Extract<Call, { phase: 'connected' }>): readonly string[] {
  const targets = [attemptOf(call)?.target, call.caller.attempt?.target].filter((target) => target !== undefined);
  const phones = targets.flatMap((target) => (target.kind === 'device' ? [sipName(target.sipPrefix, target.device)] : []));
  return call.caller.legId === call.id && call.offer.phone !== undefined ? [...phones, call.offer.phone] : phones;
}
