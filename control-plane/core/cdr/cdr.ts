/**
 * The call detail record: one per call, a fold over the call's facts and nothing else, so it cannot disagree with
 * what happened. `answered` means bridged to a person, not picked up by a prompt.
 */
import type { CallId, LegId, RecordingId, StepId } from '../ids.ts';
import type { Cause, Disposition } from '../cause.ts';
import type { EpochMs, Ms } from '../time.ts';
import type { AgentAction, DialTarget } from '../routing/config.ts';
import type { NightSetting } from '../routing/night.ts';
import type { Plan, PlannedCallback } from '../routing/plan.ts';
import type { SupervisionMode } from '../routing/supervision.ts';
import type { CallFact, EndedBy, MenuOutcome, OfferEnd, QueueLeaveWhy, TransferKind, TransferOutcome } from '../call/facts.ts';

export interface Cdr {
  readonly callId: CallId;
  readonly account: string;
  readonly number: { readonly e164: string; readonly label: string };
  readonly plan: string;
  readonly caller: { readonly number: string; readonly name: string };
  readonly dialled: string;
  readonly origin: 'trunk' | 'phone';
  readonly startedAt: EpochMs;
  /** When the caller's leg was picked up by us, for a prompt or for a person. */
  readonly pickedUpAt: EpochMs | null;
  readonly announcementAt: EpochMs | null;
  /** What the caller did in menus, try by try. */
  readonly menus: readonly CdrMenuTry[];
  /** When the caller was bridged to a person. */
  readonly answeredAt: EpochMs | null;
  readonly answeredBy: LegId | null;
  readonly heldMs: Ms;
  readonly endedAt: EpochMs | null;
  readonly disposition: Disposition | null;
  readonly cause: Cause | null;
  readonly endedBy: EndedBy | null;
  /** When the caller had heard that the call is recorded. */
  readonly recordingAnnouncedAt: EpochMs | null;
  /** Of both voices; more than one where it was interrupted. */
  readonly recordings: readonly CdrRecording[];
  /** Why a call that was to be recorded was not. */
  readonly notRecorded: 'not-announced' | null;
  /** In which order destinations were to be rung, and why, for each ring step that rings one after the other. */
  readonly orders: readonly { readonly step: StepId; readonly order: readonly string[]; readonly why: string }[];
  /** Each time that it waited in a queue. */
  readonly queues: readonly CdrQueueVisit[];
  /** A code of the night switch was dialled. `ok` null: the caller left before it was known. */
  readonly nightSwitch: { readonly setting: NightSetting; readonly ok: boolean | null; readonly why: string | null } | null;
  /** A code for an agent was dialled. `ok` as above. */
  readonly agentCode: { readonly agent: string; readonly action: AgentAction; readonly ok: boolean | null; readonly why: string | null } | null;
  readonly voicemail: { readonly recordingId: RecordingId; readonly durationMs: Ms | null } | null;
  readonly transfers: readonly CdrTransfer[];
  /** It called back who had waited in a queue; null of every other call. */
  readonly callback: PlannedCallback | null;
  /** The caller was a supervisor, who heard another call; null of every other call. */
  readonly supervision: CdrSupervision | null;
  /** Who heard this call. */
  readonly supervisedBy: readonly CdrSupervisedBy[];
  /** It was the consultation of an attended transfer: who was reached went on in that call. */
  readonly continuedAs: CallId | null;
  readonly legs: readonly CdrLeg[];
  /** Of the number, and of what the call was led to. */
  readonly tags: readonly string[];
  /** Facts are missing: the call was taken over from what the switch still had of it. */
  readonly reconstructed: boolean;
}

export interface CdrMenuTry {
  readonly step: StepId;
  readonly at: EpochMs;
  readonly keys: string;
  readonly outcome: MenuOutcome;
  /** The step they led to; null where the caller was asked again, or left. */
  readonly to: StepId | null;
}

export interface CdrQueueVisit {
  readonly queue: string;
  readonly joinedAt: EpochMs;
  /** Null for one whose end is not known. */
  readonly leftAt: EpochMs | null;
  /** Null while it waits. */
  readonly outcome: QueueLeaveWhy | null;
  /** It was not let in: it has waited for nothing. */
  readonly refused?: true;
  /** The agent it was connected to. */
  readonly agent: string | null;
  /** Under which the caller is called back. */
  readonly callback?: string;
  /** To whom it was offered, and what became of that. */
  readonly offers: readonly { readonly offerId: string; readonly agent: string; readonly at: EpochMs; readonly endedAt: EpochMs | null; readonly outcome: OfferEnd | null; readonly why: string | null }[];
}

export interface CdrRecording {
  readonly recordingId: RecordingId;
  readonly startedAt: EpochMs | null;
  readonly endedAt: EpochMs | null;
  readonly durationMs: Ms | null;
  readonly failed: boolean;
  /** It ended while they still talked: the switch could not write on, or ended it while nobody watched. */
  readonly cut: boolean;
}

/** By one of the two who talked. */
export interface CdrTransfer {
  readonly at: EpochMs;
  readonly kind: TransferKind;
  /** The leg that asked for it; the caller's own has the call's id. */
  readonly by: LegId;
  readonly to: string;
  /** Of an attended one: the call in which it was asked about, which has a record of its own. */
  readonly consultation: CallId | null;
  /** Null while it is under way. */
  readonly outcome: TransferOutcome | 'refused' | null;
  /** It was refused. */
  readonly why: string | null;
}

/** In one mode. */
interface CdrPeriod {
  readonly mode: SupervisionMode;
  readonly from: EpochMs;
  /** Null while it goes on. */
  readonly to: EpochMs | null;
}

export interface CdrSupervision {
  readonly callId: CallId;
  readonly legId: LegId;
  /** The API key that asked for it. */
  readonly by: string;
  /** One after the other; empty when it never began. */
  readonly periods: readonly CdrPeriod[];
}

/** `supervision` is the supervisor's own call, which has a record of its own. */
export interface CdrSupervisedBy extends Pick<CdrSupervision, 'by' | 'periods'> {
  readonly supervision: CallId;
}

export interface CdrLeg {
  readonly legId: LegId;
  readonly user: string;
  readonly label: string;
  readonly target: DialTarget | null;
  readonly trunk: string | null;
  readonly dialedAt: EpochMs | null;
  readonly rangAt: EpochMs | null;
  readonly pickedUpAt: EpochMs | null;
  readonly acceptedAt: EpochMs | null;
  readonly recordingAnnouncedAt: EpochMs | null;
  readonly connectedAt: EpochMs | null;
  readonly endedAt: EpochMs | null;
  readonly disposition: Disposition | null;
  readonly cause: Cause | null;
  readonly heldSince: EpochMs | null;
}

const cutBeforeMs: Ms = 500;

export function emptyCdr(callId: CallId, plan: Plan): Cdr {
  return {
    callId,
    account: plan.account.id,
    number: plan.number,
    plan: plan.hash,
    caller: { number: '', name: '' },
    dialled: '',
    origin: 'trunk',
    startedAt: 0,
    pickedUpAt: null,
    announcementAt: null,
    menus: [],
    answeredAt: null,
    answeredBy: null,
    heldMs: 0,
    endedAt: null,
    disposition: null,
    cause: null,
    endedBy: null,
    recordingAnnouncedAt: null,
    recordings: [],
    notRecorded: null,
    orders: [],
    queues: [],
    nightSwitch: null,
    agentCode: null,
    voicemail: null,
    transfers: [],
    callback: plan.callback ?? null,
    supervision: null,
    supervisedBy: [],
    continuedAs: null,
    legs: [],
    tags: plan.tags ?? [],
    reconstructed: false,
  };
}

/** The record after one more fact, which happened at `at`. */
export function foldCdr(cdr: Cdr, fact: CallFact, at: EpochMs): Cdr {
  switch (fact.type) {
    case 'CallStarted':
      return { ...cdr, caller: fact.caller, dialled: fact.dialled, origin: fact.origin, startedAt: fact.startedAt };
    case 'CallReconstructed':
      return { ...cdr, reconstructed: true };
    case 'CallerAnswered':
      return { ...cdr, pickedUpAt: cdr.pickedUpAt ?? at };
    case 'AnnouncementPlayed':
      return fact.ok ? { ...cdr, announcementAt: at } : cdr;
    case 'MenuTried':
      return { ...cdr, menus: [...cdr.menus, { step: fact.step, at, keys: fact.keys, outcome: fact.outcome, to: fact.to }] };
    case 'DestinationsOrdered':
      return { ...cdr, orders: [...cdr.orders, { step: fact.step, order: fact.order, why: fact.why }] };
    case 'QueueJoined':
      return { ...cdr, queues: [...cdr.queues, { queue: fact.queue, joinedAt: at, leftAt: null, outcome: null, agent: null, offers: [] }] };
    case 'OfferMade':
      return withVisit(cdr, (visit) => ({ ...visit, offers: [...visit.offers, { offerId: fact.offerId, agent: fact.agent, at, endedAt: null, outcome: null, why: null }] }));
    case 'OfferEnded':
      return withVisit(cdr, (visit) => ({
        ...visit, agent: fact.outcome === 'accepted' ? fact.agent : visit.agent === fact.agent ? null : visit.agent,
        offers: visit.offers.map((one) => (one.offerId === fact.offerId ? { ...one, endedAt: at, outcome: fact.outcome, why: fact.why } : one)),
      }));
    case 'CallbackKept':
      return fact.ok ? withVisit(cdr, (visit) => ({ ...visit, callback: fact.id })) : cdr;
    case 'QueueLeft':
      // Of a call that was taken over the join may not have been seen.
      return withVisit(cdr, (visit) => ({ ...visit, joinedAt: at - fact.waitedMs, leftAt: at, outcome: fact.why, ...(fact.refused === undefined ? {} : { refused: fact.refused }) }));
    case 'SettingAsked':
      return fact.setting.of === 'night-switch' ? { ...cdr, nightSwitch: { setting: fact.setting.to, ok: null, why: null } } : { ...cdr, agentCode: { agent: fact.setting.agent, action: fact.setting.action, ok: null, why: null } };
    case 'SettingSettled':
      return { ...cdr, ...(cdr.nightSwitch === null ? {} : { nightSwitch: { ...cdr.nightSwitch, ok: fact.ok, why: fact.why } }), ...(cdr.agentCode === null ? {} : { agentCode: { ...cdr.agentCode, ok: fact.ok, why: fact.why } }) };
    case 'LegDialed':
      return { ...cdr, tags: [...new Set([...cdr.tags, ...(fact.tags ?? [])])], legs: [...cdr.legs, { ...emptyLeg(fact.legId), user: fact.user, label: fact.label, target: fact.target, trunk: fact.trunk ?? null, dialedAt: at }] };
    case 'LegRang':
      return withLeg(cdr, fact.legId, (leg) => ({ ...leg, rangAt: leg.rangAt ?? at }));
    case 'LegPickedUp':
      return withLeg(cdr, fact.legId, (leg) => ({ ...leg, pickedUpAt: leg.pickedUpAt ?? at }));
    case 'LegAccepted':
      return withLeg(cdr, fact.legId, (leg) => ({ ...leg, acceptedAt: leg.acceptedAt ?? at }));
    case 'LegConnected':
      return { ...withLeg(cdr, fact.legId, (leg) => ({ ...leg, connectedAt: at })), answeredAt: cdr.answeredAt ?? at, answeredBy: fact.legId };
    case 'LegHeld':
      return withLeg(cdr, fact.legId, (leg) => ({ ...leg, heldSince: at }));
    case 'LegUnheld':
      return unhold(cdr, fact.legId, at);
    case 'LegEnded':
      return withLeg(unhold(cdr, fact.legId, at), fact.legId, (leg) => ({ ...leg, endedAt: at, disposition: fact.disposition, cause: fact.cause }));
    case 'VoicemailStarted':
      return { ...cdr, voicemail: { recordingId: fact.recordingId, durationMs: null } };
    case 'VoicemailRecorded':
      return { ...cdr, voicemail: { recordingId: fact.recordingId, durationMs: fact.durationMs } };
    case 'VoicemailFailed':
      return { ...cdr, voicemail: null };
    case 'RecordingAnnounced':
      if (fact.legId === cdr.callId) return { ...cdr, recordingAnnouncedAt: cdr.recordingAnnouncedAt ?? at };
      return withLeg(cdr, fact.legId, (leg) => ({ ...leg, recordingAnnouncedAt: leg.recordingAnnouncedAt ?? at }));
    case 'CallRecordingStarted':
      return withRecording(cdr, fact.recordingId, { startedAt: at });
    case 'CallRecordingEnded':
      return withRecording(cdr, fact.recordingId, { endedAt: at, durationMs: fact.durationMs, cut: fact.early === true });
    case 'CallRecordingFailed':
      return withRecording(cdr, fact.recordingId, { endedAt: at, failed: true });
    case 'CallNotRecorded':
      return { ...cdr, notRecorded: fact.why };
    case 'TransferStarted':
      return { ...cdr, transfers: [...cdr.transfers, { at, kind: fact.kind, by: fact.legId, to: fact.to, consultation: fact.consultation ?? null, outcome: null, why: null }] };
    case 'TransferRefused':
      return { ...cdr, transfers: [...cdr.transfers, { at, kind: fact.kind, by: fact.legId, to: fact.to, consultation: null, outcome: 'refused', why: fact.why }] };
    case 'TransferEnded':
      return { ...cdr, transfers: cdr.transfers.map((one) => (one.outcome === null ? { ...one, outcome: fact.outcome } : one)) };
    case 'CallContinued':
      return { ...cdr, continuedAs: fact.as };
    case 'SupervisionAsked':
      return { ...cdr, supervision: { callId: fact.callId, legId: fact.legId, by: fact.by, periods: cdr.supervision?.periods ?? [] } };
    case 'Supervising':
      return cdr.supervision === null ? cdr : { ...cdr, answeredAt: cdr.answeredAt ?? at, supervision: { ...cdr.supervision, periods: [...periodsUntil(cdr.supervision, at), { mode: fact.mode, from: at, to: null }] } };
    case 'Supervised':
      return { ...cdr, supervisedBy: supervisedBy(cdr.supervisedBy, fact, at) };
    case 'CallEnded':
      return { ...cdr, supervisedBy: cdr.supervisedBy.map((one) => ({ ...one, periods: periodsUntil(one, at) })), ...(cdr.supervision === null ? {} : { supervision: { ...cdr.supervision, periods: periodsUntil(cdr.supervision, at) } }), recordings: cdr.recordings.map((one) => cutOrOver(one, at)), endedAt: at, disposition: fact.disposition, cause: fact.cause, endedBy: fact.by };
    case 'StepEntered':
    case 'ExtensionDialed':
    case 'ScreeningAsked':
    case 'WhisperStarted':
    case 'KeyPressed':
    case 'StepsExhausted':
    case 'LegDismissed':
    case 'RingEnded':
      return cdr;
  }
}

function periodsUntil({ periods }: Pick<CdrSupervision, 'periods'>, at: EpochMs): readonly CdrPeriod[] {
  return periods.map((one) => ({ ...one, to: one.to ?? at }));
}

/** Told again, it is the same. */
function supervisedBy(known: Cdr['supervisedBy'], { supervision, by, mode }: Extract<CallFact, { type: 'Supervised' }>, at: EpochMs): Cdr['supervisedBy'] {
  const one = known.find((other) => other.supervision === supervision) ?? { supervision, by, periods: [] };
  const now = one.periods.at(-1);
  if (mode === (now?.to === null ? now.mode : null)) return known;
  const periods = [...periodsUntil(one, at), ...(mode === null ? [] : [{ mode, from: at, to: null }])];
  return [...known.filter((other) => other.supervision !== supervision), { ...one, periods }];
}

function emptyLeg(legId: LegId): CdrLeg {
  return {
    legId, user: '', label: '', target: null, trunk: null, dialedAt: null, rangAt: null, pickedUpAt: null, acceptedAt: null,
    recordingAnnouncedAt: null, connectedAt: null, endedAt: null, disposition: null, cause: null, heldSince: null,
  };
}

/** A reconstructed call may have facts of a leg whose dialling was not seen: it gets its row then. */
function withLeg(cdr: Cdr, legId: LegId, change: (leg: CdrLeg) => CdrLeg): Cdr {
  // The legs of a supervision are nobody's.
  if (legId === cdr.callId || cdr.supervision !== null) return cdr;
  const known = cdr.legs.some((leg) => leg.legId === legId);
  const legs = known ? cdr.legs : [...cdr.legs, emptyLeg(legId)];
  return { ...cdr, legs: legs.map((leg) => (leg.legId === legId ? change(leg) : leg)) };
}

/** The last one. */
function withVisit(cdr: Cdr, change: (visit: CdrQueueVisit) => CdrQueueVisit): Cdr {
  const visit = cdr.queues.at(-1);
  return visit === undefined ? cdr : { ...cdr, queues: [...cdr.queues.slice(0, -1), change(visit)] };
}

function withRecording(cdr: Cdr, recordingId: RecordingId, fields: Partial<CdrRecording>): Cdr {
  const known = cdr.recordings.find((one) => one.recordingId === recordingId);
  const recording: CdrRecording = { ...(known ?? { recordingId, startedAt: null, endedAt: null, durationMs: null, failed: false, cut: false }), ...fields };
  return { ...cdr, recordings: [...cdr.recordings.filter((one) => one !== known), recording] };
}

/** A recording may end a moment before it is heard of that a party has hung up. */
function cutOrOver(recording: CdrRecording, callEndedAt: EpochMs): CdrRecording {
  return recording.cut && callEndedAt - (recording.endedAt ?? 0) < cutBeforeMs ? { ...recording, cut: false } : recording;
}

function unhold(cdr: Cdr, legId: LegId, at: EpochMs): Cdr {
  const held = cdr.legs.find((leg) => leg.legId === legId)?.heldSince;
  if (held === null || held === undefined) return cdr;
  return { ...withLeg(cdr, legId, (leg) => ({ ...leg, heldSince: null })), heldMs: cdr.heldMs + (at - held) };
}
