/**
 * Sets what we know against what the switch has, after a time in which events may have been missed: each link up,
 * the first one included. The switch is the truth, journals are hints, marks on the switch stand in for lost ones.
 *
 *   on the switch  known here   journal   →
 *   yes            yes          –           CallAdopted with what was seen
 *   yes            no           some        replayed, adopted, CallAdopted
 *   yes            no           none        a new call from its marks, adopted, CallAdopted
 *   yes            no           CDR written what is left of it is ended
 *   legs only      no           none        what is left of it is ended
 *   yes            no           newer       a new call from its marks; left alone where those are newer too
 *   no             yes          –           CallAdopted with nothing seen: it ends, with its CDR
 *   no             no           some        the same, from its journal
 *   no             no           newer       left to a controller that can read it
 *
 * Newer: of a version that this build does not know (core/call/version.ts). A call is never dropped for that.
 *
 * Of all that, a controller looks only at calls that are its own: see store/ports.ts, Ownership.
 */
import { newCall, type Call } from '../core/call/call.ts';
import type { CallOnSwitch, Offer } from '../core/call/events.ts';
import { emptyCdr } from '../core/cdr/cdr.ts';
import type { CallId } from '../core/ids.ts';
import type { EpochMs } from '../core/time.ts';
import type { Plan } from '../core/routing/plan.ts';
import type { MediaDriver, SwitchSnapshot } from '../media/media-driver.ts';
import type { CallArchive, LiveJournals } from '../store/ports.ts';
import { CallRunner, type RunnerContext } from './call-runner.ts';
import type { Guard } from './guard.ts';
import type { Registry } from './registry.ts';
import { stateVersion } from '../core/call/version.ts';
import { replay, versionOf } from './replay.ts';

type SeenCall = SwitchSnapshot['calls'][number];

export interface ReconcileParts {
  readonly driver: MediaDriver;
  readonly registry: Registry;
  readonly guard: Guard;
  readonly runners: RunnerContext;
  readonly live: LiveJournals;
  readonly archive: CallArchive;
  readonly planOf: (offer: Offer, startedAt: EpochMs) => Plan;
  readonly linkIsUp: () => boolean;
  /** How often it was not certain which calls are this controller's. What was asked for before is answered by what is asked after. */
  readonly doubts: () => number;
  /** Calls of a newer version, left to others: not to be claimed again. */
  readonly leftAlone: Set<CallId>;
  /** lost: another has it. over: it has ended, and its record is safe. unknown: nobody here knows of it. */
  readonly onNotOurs: (callId: CallId, why: 'lost' | 'over' | 'unknown') => void;
  /** What the store says is this controller's; nothing when it cannot be asked. */
  readonly listMine: () => Promise<readonly CallId[]>;
  /** Which of these calls are this controller's to look after, and which are over. */
  readonly claim: (calls: readonly { readonly callId: CallId; readonly believed: string | null }[]) => Promise<Verdict>;
}

export interface Verdict {
  readonly mine: ReadonlySet<CallId>;
  /** Whoever had them has finished them. */
  readonly over: ReadonlySet<CallId>;
  /** It cannot be told now: they are left as they are, and asked about again. */
  readonly undecided: ReadonlySet<CallId>;
}

/** all: every call. strangers: those that nobody here knows. Calls by id: they are ours, by the word of the switch or of a claim. */
export type Scope = 'all' | 'strangers' | ReadonlySet<CallId>;

/** Calls taken over at a time: each asks the switch for several things. */
const atOnce = 16;

const nothing: CallOnSwitch = { caller: null, legs: [], bridges: [], recordings: [] };

/** Rejects when the switch could not be asked; calls held by the caller then stay held. */
export async function reconcile(parts: ReconcileParts, scope: Scope): Promise<void> {
  const { registry, driver, runners } = parts;
  const named = typeof scope === 'string' ? null : scope;
  const doubts = parts.doubts();
  const isCurrent = (): boolean => parts.linkIsUp() && parts.doubts() === doubts;
  // A call offered from here on is in the snapshot or not, by chance: it is none of this reconcile's.
  const known = new Set<CallId>();
  for (const runner of registry.all()) {
    if (scope === 'strangers' || (named !== null && !named.has(runner.id))) continue;
    known.add(runner.id);
    runner.hold();
  }
  registry.keepUnknown();
  // Before the switch is asked: a call that has a journal is there by then, or has ended. One that begins while it is asked would seem to have.
  const [journals, left] = await Promise.all([named === null ? runners.journal.listOpen() : [], scope === 'all' ? parts.listMine() : []]);
  const snapshot = await driver.snapshot(named ?? undefined);
  const { isAway = () => false } = snapshot;
  const seenIds = new Set(snapshot.calls.map((call) => call.callId));
  const seenCalls = snapshot.calls.filter(({ callId }) => known.has(callId) || ((named === null ? !parts.leftAlone.has(callId) : named.has(callId)) && registry.get(callId) === undefined));
  // What is on a switch that is away stays held, or unknown, until that is back.
  const unseen = [...known].filter((callId) => !seenIds.has(callId) && !isAway(callId));
  const isOpen = (callId: CallId): boolean => !seenIds.has(callId) && !isAway(callId) && registry.get(callId) === undefined && !parts.leftAlone.has(callId);
  const open = named === null ? [...new Set([...journals, ...left])].filter(isOpen) : [...named].filter((callId) => !seenIds.has(callId) && !isAway(callId) && !known.has(callId));
  const { mine, over, undecided } = named === null
    ? await parts.claim([...seenCalls.map(({ callId, owner }) => ({ callId, believed: owner })), ...[...unseen, ...open].map((callId) => ({ callId, believed: null }))])
    : { mine: named, over: new Set<CallId>(), undecided: new Set<CallId>() };
  if (!isCurrent()) return;

  const foreign: SeenCall[] = [];
  for (const seen of seenCalls) {
    const runner = registry.get(seen.callId);
    if (over.has(seen.callId) && runner === undefined) reap(parts, seen, 'its call has ended');
    else if (!mine.has(seen.callId)) letGo(parts, seen.callId);
    else if (runner === undefined) foreign.push(seen);
    else if (seen.owner !== null && seen.owner !== runners.controller && known.has(seen.callId)) {
      // Another had it meanwhile: what is known here is of the past, and the switch tells the other of it.
      letGo(parts, seen.callId);
      foreign.push(seen);
    } else if (known.has(seen.callId)) tellSeen(parts, runner, seen);
  }
  for (const callId of unseen) {
    if (mine.has(callId)) registry.get(callId)?.adopted(nothing);
    else if (!undecided.has(callId)) letGo(parts, callId);
  }
  await inParallel(foreign, (seen) => takeOver(parts, seen, snapshot, isCurrent));
  for (const callId of open) if (over.has(callId)) parts.archive.letGo(callId);
  await inParallel(open.filter((callId) => mine.has(callId)), (callId) => finish(parts, callId, isCurrent));
}

/** Another controller has the call. */
export function letGo(parts: ReconcileParts, callId: CallId): void {
  const { registry, runners, guard, archive, live, onNotOurs } = parts;
  archive.letGo(callId);
  live.letGo(callId);
  const runner = registry.get(callId);
  if (runner === undefined) {
    // Its events may come here all the same.
    registry.letGo(callId);
    return;
  }
  runners.metrics.count('calls_let_go_total');
  runners.log.warn({ call: callId }, 'Another controller has taken this call');
  guard.forget(callId);
  registry.letGo(callId);
  onNotOurs(callId, 'lost');
  runners.onLeft(runner);
}

function tellSeen(parts: ReconcileParts, runner: CallRunner, seen: CallOnSwitch): void {
  const { caller, legs, bridges, recordings } = seen;
  runner.adopted({ caller, legs, bridges, recordings });
  parts.guard.renewNow(runner);
}

function isOurs(parts: ReconcileParts, callId: CallId): boolean {
  return parts.registry.get(callId) !== undefined || parts.registry.endedLately(callId);
}

/** A call on the switch that this process does not know. */
async function takeOver(parts: ReconcileParts, seen: SeenCall, snapshot: SwitchSnapshot, isCurrent: () => boolean): Promise<void> {
  const { registry, archive, runners, driver, live } = parts;
  const { callId } = seen;
  try {
    if (registry.get(callId) !== undefined) return;
    if (registry.endedLately(callId) || (await archive.hasCdr(callId))) {
      // Remembered, or its caller's next offer would be taken for a new call.
      registry.remove(callId);
      reap(parts, seen, 'its call has ended');
      live.close(callId);
      parts.onNotOurs(callId, 'over');
      return;
    }
    const past = await fromJournal(parts, callId);
    if (registry.get(callId) !== undefined) return;
    if (seen.newer === true || (past === 'newer' && (seen.caller?.mark ?? null) === null)) {
      leaveAlone(parts, callId);
      return;
    }
    if (past === 'newer') runners.log.error({ call: callId }, `The journal of this call is of a newer version of Frontdesk than this (${stateVersion}): the call goes on by what the switch has of it, and its record lacks what was before. Finish the upgrade of this controller, or stop it until it is upgraded`);
    const restored = past === 'newer' ? null : past;
    if (restored === null && seen.caller === null) {
      reap(parts, seen, 'no call is known for it');
      parts.onNotOurs(callId, 'unknown');
      return;
    }
    const runner = restored ?? fromMarks(parts, seen);
    if (runner.call.phase === 'ended') {
      endReplayed(parts, runner);
      reap(parts, seen, 'its call has ended');
      return;
    }
    runner.hold();
    registry.add(runner);
    for (const event of registry.takeKept(callId)) runner.deliver(event);
    try {
      await driver.adopt(callId, snapshot);
    } catch (error) {
      runners.log.error({ call: callId, error: String(error) }, 'The switch did not hand over a call; going on with what it obeys');
    }
    // Another has it by now; or what was seen is old, since the link was lost meanwhile or it was not certain whose the call is: it stays held, and the next reconcile knows it.
    if (registry.get(callId) !== runner || !isCurrent()) return;
    runners.metrics.count('calls_adopted_total');
    runners.log.info({ call: callId, phase: runner.call.phase, journal: restored !== null }, 'A call was taken over');
    tellSeen(parts, runner, seen);
  } catch (error) {
    runners.metrics.count('reconcile_failures_total');
    runners.log.error({ call: callId, error: error instanceof Error ? error.stack : String(error) }, 'A call could not be taken over');
  }
}

/** A journal without a call on the switch: it ended while nobody looked. */
async function finish(parts: ReconcileParts, callId: CallId, isCurrent: () => boolean): Promise<void> {
  const { archive, live, registry, runners } = parts;
  try {
    if (isOurs(parts, callId)) return;
    if (await archive.hasCdr(callId)) {
      live.close(callId);
      parts.onNotOurs(callId, 'over');
      return;
    }
    const runner = await fromJournal(parts, callId);
    if (runner === 'newer') {
      leaveAlone(parts, callId);
      return;
    }
    if (runner === null) parts.onNotOurs(callId, 'unknown');
    if (runner === null || isOurs(parts, callId)) return;
    if (runner.call.phase === 'ended') {
      endReplayed(parts, runner);
      return;
    }
    runner.hold();
    registry.add(runner);
    if (!isCurrent()) return;
    runners.metrics.count('calls_adopted_total');
    runner.adopted(nothing);
  } catch (error) {
    runners.metrics.count('reconcile_failures_total');
    runners.log.error({ call: callId, error: error instanceof Error ? error.stack : String(error) }, 'A call that ended unseen could not be closed');
  }
}

/** A call that this build cannot go on with, or finish: it stays as it is, and is nobody's until one that can takes it. */
function leaveAlone(parts: ReconcileParts, callId: CallId): void {
  const { registry, runners, archive, live, onNotOurs } = parts;
  runners.metrics.count('calls_left_alone_total');
  runners.log.error({ call: callId }, `This call is of a newer version of Frontdesk than this (${stateVersion}): it is left as it is, to a controller of that version. Finish the upgrade of this controller, or start one of the newer version`);
  parts.leftAlone.add(callId);
  registry.letGo(callId);
  archive.letGo(callId);
  live.letGo(callId);
  onNotOurs(callId, 'unknown');
}

/** `newer`: it is there, and this build does not know its version. */
async function fromJournal(parts: ReconcileParts, callId: CallId): Promise<CallRunner | 'newer' | null> {
  const { runners } = parts;
  const records = await runners.journal.recover(callId);
  if (versionOf(records) > stateVersion) return 'newer';
  const past = replay(records, runners.transition);
  if (past === null) return null;
  if (!past.matches) {
    runners.metrics.count('replay_mismatches_total');
    const { record, what } = past.firstDifference ?? {};
    runners.log.error({ call: callId, record, what }, 'A journal replays differently from how it was recorded; going on with the replay');
  }
  return CallRunner.restored(runners, past.call, past.cdr);
}

/** What the switch itself keeps of a call, when nothing else does. */
function fromMarks(parts: ReconcileParts, seen: SeenCall): CallRunner {
  const { runners } = parts;
  const mark = seen.caller?.mark ?? null;
  const offer: Offer = {
    callId: seen.callId,
    dialled: mark?.dialled ?? seen.dialled,
    origin: seen.origin,
    ...(seen.phone === undefined ? {} : { phone: seen.phone }),
    caller: { number: seen.caller?.number ?? '', name: seen.caller?.name ?? '' },
    orphan: false,
  };
  const startedAt = mark?.startedAt ?? runners.clock.now();
  const plan = parts.planOf(offer, startedAt);
  if (mark !== null && mark.plan !== plan.hash) {
    runners.log.warn({ call: seen.callId, number: offer.dialled }, 'The plan changed since this call began and its journal is lost; it goes on by the new plan');
  }
  const call: Call = newCall(offer, plan, startedAt);
  return CallRunner.open(runners, call);
}

/** The crash came between a call's end and its CDR. */
function endReplayed(parts: ReconcileParts, runner: CallRunner): void {
  parts.runners.onEnded(runner, runner.cdr.callId === runner.id ? runner.cdr : emptyCdr(runner.id, runner.call.plan));
}

/** Ends what no live call owns. A caller goes only with its own ended call. */
function reap(parts: ReconcileParts, seen: SeenCall, why: string): void {
  const { executor, metrics, log } = parts.runners;
  const legIds = seen.legs.map((leg) => leg.legId);
  if (seen.caller !== null) legIds.push(seen.caller.legId ?? seen.callId);
  log.warn({ call: seen.callId, legs: legIds.length, bridges: seen.bridges.length, why }, 'Ending what is left on the switch');
  for (const recordingId of seen.recordings) {
    metrics.count('recordings_reaped_total');
    executor.attempt({ type: 'StopRecording', recordingId });
  }
  for (const legId of legIds) {
    metrics.count('legs_reaped_total');
    executor.attempt({ type: 'HangUpLeg', legId, cause: 'canceled' });
  }
  for (const { bridgeId } of seen.bridges) {
    metrics.count('bridges_reaped_total');
    executor.attempt({ type: 'DestroyBridge', bridgeId });
  }
}

async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
