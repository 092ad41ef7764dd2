/**
 * The call detail record: one per call, a fold over the call's facts and nothing else, so it cannot disagree with
 * what happened. `answered` means bridged to a person, not picked up by a prompt.
 */
import type { CallId, LegId, RecordingId, StepId } from '../ids.ts';
import type { Cause, Disposition } from '../cause.ts';
import type { EpochMs, Ms } from '../time.ts';
import type { DialTarget } from '../routing/config.ts';
import type { Plan } from '../routing/plan.ts';
import type { CallFact, EndedBy, MenuOutcome } from '../call/facts.ts';

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
  readonly voicemail: { readonly recordingId: RecordingId; readonly durationMs: Ms | null } | null;
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

export interface CdrRecording {
  readonly recordingId: RecordingId;
  readonly startedAt: EpochMs | null;
  readonly endedAt: EpochMs | null;
  readonly durationMs: Ms | null;
  readonly failed: boolean;
  /** It ended while they still talked: the switch could not write on, or ended it while nobody watched. */
  readonly cut: boolean;
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
    voicemail: null,
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
    case 'CallEnded':
      return { ...cdr, recordings: cdr.recordings.map((one) => cutOrOver(one, at)), endedAt: at, disposition: fact.disposition, cause: fact.cause, endedBy: fact.by };
    case 'StepEntered':
    case 'ExtensionDialed':
    case 'ScreeningAsked':
    case 'WhisperStarted':
    case 'KeyPressed':
    case 'StepsExhausted':
    case 'LegDismissed':
    case 'RingEnded':
    case 'TransferRefused':
      return cdr;
  }
}

function emptyLeg(legId: LegId): CdrLeg {
  return {
    legId, user: '', label: '', target: null, trunk: null, dialedAt: null, rangAt: null, pickedUpAt: null, acceptedAt: null,
    recordingAnnouncedAt: null, connectedAt: null, endedAt: null, disposition: null, cause: null, heldSince: null,
  };
}

/** A reconstructed call may have facts of a leg whose dialling was not seen: it gets its row then. */
function withLeg(cdr: Cdr, legId: LegId, change: (leg: CdrLeg) => CdrLeg): Cdr {
  if (legId === cdr.callId) return cdr;
  const known = cdr.legs.some((leg) => leg.legId === legId);
  const legs = known ? cdr.legs : [...cdr.legs, emptyLeg(legId)];
  return { ...cdr, legs: legs.map((leg) => (leg.legId === legId ? change(leg) : leg)) };
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
