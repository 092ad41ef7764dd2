/** What is true of every call, after every event and at its end, whatever happened. Each is named by what it would look like on the phone. */
import { isDeepStrictEqual } from 'node:util';
import { callIdOf, isCallRecording, isOffer } from '../../control-plane/core/ids.ts';
import type { Call } from '../../control-plane/core/call/call.ts';
import type { CallEvent } from '../../control-plane/core/call/events.ts';
import type { Cdr, CdrMenuTry } from '../../control-plane/core/cdr/cdr.ts';
import type { transition as theTransition, Transition } from '../../control-plane/core/call/transition.ts';
import type { SimulatedSwitch } from '../../control-plane/media/simulated/switch.ts';
import { destinationsOf } from '../../control-plane/core/routing/destinations.ts';
import type { Attempt, Plan } from '../../control-plane/core/routing/plan.ts';
import { replay } from '../../control-plane/runtime/replay.ts';
import { isTransferring, recordedMedia } from './scenario.ts';
import type { Disk } from './stores.ts';

export class Broken extends Error {
  override readonly name = 'Broken';
}

export function must(holds: boolean, sentence: string, detail?: unknown): void {
  if (!holds) throw new Broken(detail === undefined ? sentence : `${sentence}: ${JSON.stringify(detail)}`);
}

const attemptOf = (call: Call, legId: string): Attempt | undefined => {
  const leg = call.legs[legId];
  const step = leg === undefined ? undefined : call.plan.steps[leg.step];
  return step?.kind === 'ring' && leg !== undefined ? step.attempts[leg.attempt] : undefined;
};

const acceptable = (call: Call, sim: SimulatedSwitch): boolean => {
  if (call.phase !== 'connecting' && call.phase !== 'connected') return true;
  const key = attemptOf(call, call.winner)?.screening?.key;
  if (key === undefined) return true;
  return sim.acts().some(({ legId, did }) => legId === call.winner && typeof did === 'object' && 'press' in did && (key === 'any' || did.press === key));
};

/** After one event. */
export function checkStep(before: Call, event: CallEvent, after: Transition, sim: SimulatedSwitch): void {
  const { call } = after;
  const legs = Object.values(call.legs);
  const at = { event: event.type, phase: call.phase };
  must(call.phase === 'ended' || Object.keys(call.timers).length > 0, 'a call that has not ended has a timer', at);
  must(call.phase === 'queued' || legs.filter((leg) => leg.phase === 'accepted' || leg.phase === 'bridged').length <= 1, 'one callee has the call', at);
  checkQueue(before, event, after, at);
  must(acceptable(call, sim), 'who was asked for a key has the call only by pressing it', at);
  if (call.phase === 'ringing' || call.phase === 'ordering') must('round' in call.timers, 'the round has its timer for as long as it rings', at);
  if (call.phase === 'ordering') must('order' in call.timers, 'an order is not waited for without a timer', at);
  if (call.phase === 'setting') must('setting' in call.timers, 'the night switch is not waited for without a timer', at);
  if (before.phase === 'setting' && 'step' in call && call.step === 'set' && event.type !== 'CallAdopted') must(event.type === 'SettingSettled' && event.ok, 'the night switch is said to be set only when it is', at);
  if (call.phase === 'setting' && event.type === 'CallAdopted') must(after.commands.some(({ type }) => type === 'ChangeSetting'), 'the night switch is asked for again by the one who takes the call over', at);
  must(call.phase === 'ringing' || !Object.keys(call.timers).some((id) => id.startsWith('delay:')), 'nobody is to be rung later once the ringing is over', at);
  checkWalk(before, event, after);
  if (call.phase === 'connecting' || call.phase === 'connected') {
    must(!legs.some((leg) => leg.phase === 'dialing' || leg.phase === 'ringing' || leg.phase === 'screening'), 'nobody rings on once one has the call', at);
  }
  checkMenu(before, event, after, at);
  for (const leg of legs) {
    if ((leg.phase === 'dialing' || leg.phase === 'ringing') && call.phase !== 'ended') must(`leg:${leg.id}` in call.timers || (call.phase === 'supervising' && 'connect' in call.timers), 'a leg that rings has a timer', at);
    if (leg.phase === 'extending' && call.phase !== 'ended') must(`extension:${leg.id}` in call.timers, 'a leg whose extension is dialled has a timer', at);
    if (leg.phase === 'screening' && call.phase !== 'ended') must(`screening:${leg.id}` in call.timers, 'a leg that is asked for a key has a timer', at);
  }
  for (const { id, phase } of legs) {
    const was = before.legs[id]?.phase;
    if (event.type === 'CallAdopted' || (was !== 'dialing' && was !== 'ringing') || (phase !== 'screening' && phase !== 'accepted')) continue;
    must(attemptOf(call, id)?.dialExtension === undefined, 'nobody is behind a switchboard before the extension is dialled', at);
  }
  for (const one of after.commands) {
    if (one.type === 'HangUpLeg' && one.cause === 'answered-elsewhere') {
      // One that was told so may still be there when the phones ring again.
      const toldBefore = ['ending', 'dismissed'].includes(before.legs[one.legId]?.phase ?? '');
      must(toldBefore || before.phase !== 'ringing' || call.phase !== 'ringing' || event.type === 'CallAdopted', 'a phone is told "answered elsewhere" only when somebody has the call', at);
    }
  }
  if (event.type === 'CallAdopted') {
    for (const id of event.seen.recordings.filter(isCallRecording)) {
      const ended = after.commands.some((one) => one.type === 'StopRecording' && one.recordingId === id);
      must(ended || call.callRecording?.id === id, 'a recording that runs is taken up or ended', at);
    }
    const { caller } = event.seen;
    const there = new Set([...event.seen.legs.map((leg) => leg.legId), ...(caller === null ? [] : [caller.legId ?? call.id])]);
    for (const leg of Object.values(before.legs)) {
      if (!there.has(leg.id)) must(call.legs[leg.id]?.phase === 'ended', 'a leg the switch has lost is ended', at);
    }
  }
  if (event.type === 'LegEnded' && event.legId === before.caller.legId && before.phase !== 'ending') {
    for (const leg of Object.values(before.legs)) {
      if (leg.phase === 'ended' || leg.phase === 'ending') continue;
      must(after.commands.some((one) => one.type === 'HangUpLeg' && one.legId === leg.id), 'no phone rings on after the caller has left', { ...at, leg: leg.phase });
    }
  }
  if (before.phase === 'connected' && before.callRecording !== null && call.phase !== 'connected' && event.type !== 'CallAdopted') {
    must(after.commands.some((one) => one.type === 'StopRecording' && one.recordingId === before.callRecording?.id), 'a recording ends with the bridge', at);
  }
  if (before.phase === 'connected' && call.phase === 'ending') {
    const left = event.type === 'LegEnded' && (event.legId === before.caller.legId || event.legId === before.winner);
    must(left || isElsewhere(call, event) || event.type === 'CallAdopted' || (event.type === 'TimerFired' && event.id === 'max-call'), 'who talks goes on talking until one of the two hangs up', at);
  }
  if (isElsewhere(before, event) && before.phase === 'connected') {
    must(call.phase !== 'connected' && !after.commands.some((one) => one.type === 'HangUpLeg' && one.legId === event.legId), 'who was asked goes on in the call that was transferred, and the call in which it was asked is over', at);
  }
  const { transfer } = call;
  if (transfer?.phase === 'over' && before.transfer?.phase === 'under-way' && (call.phase === 'greeting' || (call.phase === 'ending' && call.by === 'frontdesk')) && event.type !== 'CallAdopted' && !after.facts.some((fact) => fact.type === 'StepsExhausted')) {
    must(transfer.recall === null || legs.some(({ step }) => step === transfer.recall), 'a caller whom nobody takes goes back to the phone that transferred them, before anywhere else', at);
  }
  const ends = after.facts.filter((fact) => fact.type === 'CallEnded').length;
  must(ends === (before.phase !== 'ended' && call.phase === 'ended' ? 1 : 0), 'a call ends once', at);
}

/** One of the two is in the bridge of another call. */
function isElsewhere({ id }: Call, event: CallEvent): event is Extract<CallEvent, { type: 'LegBridged' }> {
  return event.type === 'LegBridged' && callIdOf(event.bridgeId) !== id;
}

/** Q1 to Q5. */
function checkQueue(before: Call, event: CallEvent, { call, commands, facts }: Transition, at: object): void {
  const { visit } = call;
  const offers = visit?.offers ?? {};
  if (call.phase === 'queued') {
    must(visit !== null && visit.service === null && 'desk' in call.timers, 'who waits in a queue says so to its desk, again and again', at);
    must(call.promptId !== null || 'music' in call.timers, 'who waits in a queue hears something, or will', at);
  } else must(Object.keys(offers).length === 0, 'a call that does not wait is offered to nobody', at);
  for (const leg of Object.values(call.legs)) {
    if (!isOffer(leg.step) || leg.phase === 'ending' || leg.phase === 'ended' || leg.phase === 'dismissed') continue;
    const hasTheCall = (call.phase === 'connecting' || call.phase === 'connected') && call.winner === leg.id;
    must(hasTheCall || leg.step in offers, 'an agent is rung for an offer that is open, or has the call', { ...at, leg: leg.phase });
  }
  for (const [offerId, { accepted }] of Object.entries(offers)) {
    const legs = Object.values(call.legs).filter(({ step }) => step === offerId);
    if (accepted === null) must(legs.some(({ phase }) => ['dialing', 'ringing', 'extending', 'screening'].includes(phase)), 'an offer that is open rings somewhere', at);
    else must(legs.some(({ id, phase }) => id === accepted.legId && phase === 'accepted'), 'who has accepted an offer is there', at);
  }
  const ended = Object.keys(before.visit?.offers ?? {}).filter((offerId) => !(offerId in offers) && visit?.service?.offerId !== offerId);
  const heard = commands.flatMap((one) => (one.type === 'TellDesk' ? [one.message] : []));
  const byDesk = event.type === 'DeskSaid' || (event.type === 'LegDigit' && call.phase !== 'queued') || call.phase === 'connecting';
  for (const offerId of ended) must(byDesk || heard.some((message) => message.type === 'CallLeft' || message.type === 'CallbackRequested' || ('offerId' in message && message.offerId === offerId)), 'the desk hears what became of an offer', at);
  if (before.phase === 'queued' && call.phase === 'ending' && event.type !== 'DeskSaid') must(heard.some(({ type }) => type === 'CallLeft' || (event.type === 'CallAdopted' && (type === 'AgentReleased' || type === 'OfferBridgeFailed'))), 'the desk hears that a caller has left', at);
  const leavesForCallback = facts.some((one) => one.type === 'QueueLeft' && one.why === 'callback');
  must(!leavesForCallback || event.type === 'DeskSaid' || (event.type === 'CallbackKept' && event.ok && heard.some(({ type }) => type === 'CallbackRequested')), 'who is to be called back is let go once that is kept, and the desk hears so', at);
  const asks = commands.some(({ type }) => type === 'KeepCallback');
  must(!asks || event.type === 'CallAdopted' || (event.type === 'LegDigit' && before.visit?.callback?.id === null), 'who is called back has confirmed it by a second key', at);
  for (const message of heard) if (message.type === 'OfferCleared') must(Object.values(call.legs).every(({ step, phase }) => step !== message.offerId || phase === 'ended'), 'an offer is cleared once nothing rings for it', at);
  const gone = event.type === 'LegEnded' ? before.legs[event.legId] : undefined;
  const isLetGo = gone?.phase === 'ending' && gone.cause === 'canceled' && isOffer(gone.step) && Object.values(call.legs).every(({ step, phase }) => step !== gone.step || phase === 'ended');
  if (isLetGo) must(heard.some((message) => message.type === 'OfferCleared' && message.offerId === gone.step), 'the desk hears when what was taken back rings no more', at);
  const connects = before.phase === 'connecting' && call.phase === 'connected' && before.visit?.service?.connectedAt === null && visit?.service?.offerId === before.visit.service.offerId;
  if (connects) must(heard.some(({ type }) => type === 'OfferConnected'), 'the desk hears that the two talk', at);
  const isDone = before.visit?.service?.connectedAt != null && visit === null;
  if (isDone) must(heard.some(({ type }) => type === 'AgentReleased'), 'the desk hears that an agent is done', at);
  // With the bridge that fails the caller is back in the place, not in another.
  if (before.visit !== null && visit?.n === before.visit.n && event.type !== 'DeskSaid' && event.type !== 'CallAdopted') must(visit.enteredAt === before.visit.enteredAt, 'who waits keeps the place', at);
}

/** M1. */
function checkMenu(before: Call, event: CallEvent, { call, commands }: Transition, at: object): void {
  const pressed = event.type === 'LegDigit' && event.legId === call.id;
  if (pressed && before.phase === 'menu' && before.promptId !== null) {
    must(commands.some((one) => one.type === 'StopPrompt' && one.promptId === before.promptId), 'a key stops the prompt of a menu', at);
  }
  if (pressed && before.phase === 'announcing') must(call.typed === (before.typed + event.digit).slice(0, 16), 'a key that is typed early is kept', at);
  if (call.phase !== 'menu') return;
  must((call.promptId === null ? 'menu' : 'prompt') in call.timers, 'a menu has the timer of its prompt, or of the key it waits for', at);
  must(call.typed === '' || call.planning !== null, 'a menu takes what was typed early', at);
}

/** Where destinations ring one after the other. */
function checkWalk(before: Call, event: CallEvent, { call, facts }: Transition): void {
  const step = 'step' in call ? call.plan.steps[call.step] : undefined;
  if (step?.kind === 'ring') {
    const places = destinationsOf(step).map(({ attempts }) => attempts);
    const rung = Object.values(call.legs).filter((leg) => ['dialing', 'ringing', 'extending', 'screening'].includes(leg.phase)).map((leg) => places.findIndex((attempts) => attempts.includes(leg.attempt)));
    must(new Set(rung).size <= 1, 'one destination rings at a time', { event: event.type, rung });
    must(call.phase !== 'ringing' || !call.next.some((place) => rung.includes(place)), 'who rings is not to be rung again', { event: event.type, rung });
  }
  const ended = facts.find((fact) => fact.type === 'RingEnded');
  const ring = ended === undefined ? undefined : before.plan.steps[ended.step];
  if (ring?.kind !== 'ring' || event.type === 'CallAdopted' || ring.attempts.some(({ delayMs }) => delayMs !== undefined)) return;
  if (before.phase !== 'ringing' && before.phase !== 'connecting') return;
  const inTime = 'round' in before.timers && !(event.type === 'TimerFired' && event.id === 'round');
  must(!inTime || before.next.length === 0, 'a round ends before its time only when all have been rung', { event: event.type, next: before.next });
}

/** Who was dialled was dialled in the order that the record tells. */
function checkOrder(cdr: Cdr, plan: Plan): void {
  const [told] = cdr.orders;
  const step = told === undefined ? undefined : plan.steps[told.step];
  if (told === undefined || step?.kind !== 'ring') return;
  const destinations = destinationsOf(step);
  const places = cdr.legs.map(({ user }) => told.order.indexOf(destinations.find(({ attempts }) => attempts.some((index) => step.attempts[index]?.user === user))?.id ?? ''));
  must(places.every((place, i) => place >= 0 && place >= (places[i - 1] ?? 0)), 'destinations are rung in the order that the record tells', { order: told.order, legs: cdr.legs.map(({ user }) => user) });
}

/** By the phones themselves: a walk that goes on elsewhere, with whatever journal, does not go back. */
function checkNoWayBack(sim: SimulatedSwitch, callId: string, plan: Plan): void {
  for (const step of Object.values(plan.steps)) {
    if (step.kind !== 'ring' || step.pattern === 'simultaneous') continue;
    const destinations = destinationsOf(step);
    const placeOf = (party: string): number => destinations.findIndex(({ attempts }) => attempts.some((index) => {
      const target = step.attempts[index]?.target;
      return (target?.kind === 'device' ? target.device : target?.number) === party;
    }));
    const rung = sim.acts().filter(({ legId, did }) => did === 'ring' && legId !== callId && callIdOf(legId) === callId).map(({ party }) => placeOf(party));
    const turns = rung.filter((place, i) => place !== rung[i - 1]);
    must(new Set(turns).size === turns.length, 'nobody is rung again once another has been', turns);
  }
}

/** A timer that is not armed changes nothing. */
export function checkLateTimers(transition: typeof theTransition, call: Call, armedOnce: Iterable<string>, now: number): void {
  for (const id of armedOnce) {
    if (id in call.timers) continue;
    const { call: after, commands, facts } = transition(call, { type: 'TimerFired', id }, { now });
    must(commands.length === 0 && facts.length === 0 && isDeepStrictEqual(after, call), 'a timer that fires late is ignored', { id, phase: call.phase });
  }
}

/** An order that nobody waits for changes nothing. */
export function checkLateOrder(transition: typeof theTransition, call: Call, now: number): void {
  if (call.phase === 'ordering') return;
  const { call: after, commands, facts } = transition(call, { type: 'DestinationsOrdered', step: 'ring', order: ['d0'], why: 'late' }, { now });
  must(commands.length === 0 && facts.length === 0 && isDeepStrictEqual(after, call), 'an order that comes late is ignored', { phase: call.phase });
}

/** Who answers is who the call is for. */
function callsBack({ steps }: Plan): boolean {
  return Object.values(steps).some((step) => step.kind === 'ring' && step.serve !== undefined);
}

/** At any moment, on the switch itself. */
export function checkSwitch(sim: SimulatedSwitch, callId: string, plan: Plan): void {
  const announced = Object.values(plan.steps).some((step) => step.kind === 'ring' && step.attempts.some((attempt) => attempt.recording?.announced === true));
  for (const recording of sim.callRecordings(callId)) {
    for (const legId of recording.legIds) must(!announced || sim.heard(legId).includes(recordedMedia), 'nobody is recorded who has not heard so', recording);
  }
  for (const bridge of sim.bridgesOf(callId)) {
    // Once the caller has transferred who they had called, or who was called back is served, those are two who were called.
    const led = callsBack(plan) || sim.acts().some((act) => act.legId === callId && isTransferring(act));
    // A supervisor's old ear is let go once the new one is there.
    const hears = Object.values(plan.steps).some(({ kind }) => kind === 'supervise');
    must(bridge.legIds.filter((legId) => legId !== callId).length <= (hears ? 3 : led ? 2 : 1), 'one callee is bridged to a caller', bridge);
  }
}

/** After the last moment: what is left, and what was written. */
export function checkEnd(sim: SimulatedSwitch, disk: Disk, callId: string, plan: Plan, knowledge: { readonly journalCut: boolean; readonly talkedMs: number; readonly unsure: boolean }): void {
  const left = Object.values(sim.leftovers()).flat();
  must(left.length === 0, 'nothing is left on the switch', left);
  must(disk.live.size === 0, 'no live journal outlives its call', [...disk.live.keys()]);
  const cdrs = disk.cdrs.filter((cdr) => cdr.callId === callId);
  const begun = disk.archive.has(callId);
  must(cdrs.length <= 1, 'a call has one CDR', cdrs.length);
  must(cdrs.length === 1 || !begun, 'a call that a controller took has a CDR');
  const [cdr] = cdrs;
  if (cdr === undefined) return;
  must(cdr.endedAt !== null && cdr.disposition !== null && cdr.cause !== null && cdr.endedBy !== null, 'a CDR is complete', cdr);
  must((cdr.disposition === 'answered') === (cdr.answeredAt !== null), 'a CDR says answered when, and only when, caller and callee were connected', cdr);
  checkMenus(cdr, sim, disk, knowledge);
  if (!knowledge.journalCut && sim.heard(callId).includes('sound:set')) must((cdr.nightSwitch ?? cdr.agentCode)?.ok === true, 'who heard that it is set has it in the record', cdr);
  for (const one of cdr.queues) {
    must(knowledge.journalCut || one.outcome !== null, 'a visit to a queue has an end in the record', one);
    must(knowledge.journalCut || one.offers.every(({ outcome }) => outcome !== null), 'an offer has an end in the record', one);
    must(one.outcome !== 'connected' || one.agent !== null, 'who was connected from a queue has an agent in the record', one);
  }
  const { transfers } = cdr;
  must(knowledge.journalCut || transfers.every(({ outcome }) => outcome !== null), 'a transfer in the record has an end', transfers);
  // A leg may have come to another call between its wish and the answer.
  const wished = new Set(disk.cdrs.flatMap((one) => one.transfers.flatMap(({ by, outcome }) => (outcome === 'refused' ? [] : [by]))));
  const letGo = sim.notices().filter((one) => one.callId === callId && one.saw === 'transferred');
  must(knowledge.journalCut || letGo.every(({ legId }) => wished.has(legId)), 'a transfer that a phone was told of is in the record', transfers);
  const recorded = cdr.recordings.map((one) => one.recordingId);
  if (!knowledge.journalCut) must(sim.callRecordingsMade(callId).every((id) => recorded.includes(id)), 'a CDR names every recording of its call', cdr.recordings);
  const transferred = sim.acts().some((act) => act.callId === callId && isTransferring(act));
  // With the journal lost and the mark refused, or gone to another call, nobody knows of the bridge: a recording that runs is taken up all the same.
  if (!(knowledge.journalCut && (knowledge.unsure || transferred))) must(cdr.recordings.every(({ startedAt }) => startedAt === null || (cdr.answeredAt !== null && startedAt >= cdr.answeredAt)), 'a recording starts at the bridge', cdr);
  must(cdr.legs.every((leg) => leg.endedAt !== null), 'no leg outlives its call', cdr.legs);
  if (knowledge.talkedMs > 1500 && !knowledge.journalCut && !knowledge.unsure) must(cdr.answeredAt !== null, 'who talked is recorded as answered', cdr);
  // From a menu a call may come to its phones again, from a queue to agents whom it has rung, and by a transfer to others.
  if (!Object.values(plan.steps).some(({ kind }) => kind === 'menu' || kind === 'queue') && !transferred) {
    if (!knowledge.journalCut) checkOrder(cdr, plan);
    if (!knowledge.unsure) checkNoWayBack(sim, callId, plan);
  }
  const records = disk.archive.get(callId) ?? [];
  const again = replay(records);
  must(again !== null && again.matches, 'a journal replays to the same commands', again?.firstDifference);
  if (!knowledge.journalCut) must(isDeepStrictEqual(again?.cdr, cdr), 'the CDR is what the journal says', { cdr, again: again?.cdr });
}

/** What the record says of menus, against what the caller did and what the plan says. */
function checkMenus({ callId, menus }: Cdr, sim: SimulatedSwitch, disk: Disk, { journalCut, unsure }: { readonly journalCut: boolean; readonly unsure: boolean }): void {
  const opened = disk.archive.get(callId)?.[0];
  const steps = opened?.kind === 'opened' ? opened.plan.steps : {};
  const pressed = sim.acts().flatMap(({ legId, did }) => (legId === callId && typeof did === 'object' && 'press' in did ? [did.press] : []));
  // Who was called may be served since.
  if (sim.acts().some((act) => act.legId === callId && isTransferring(act))) return;
  let visit: CdrMenuTry[] = [];
  let next = 0;
  for (const one of menus) {
    const step = steps[one.step];
    if (step?.kind !== 'menu') throw new Broken(`a menu of the record is one of the plan: ${one.step}`);
    if (one.outcome === 'option') must(one.to === step.options[one.keys.replace(/#$/, '')], 'a key leads where the plan says', one);
    for (const key of one.keys) {
      next = pressed.indexOf(key, next) + 1;
      must(next > 0 || unsure, 'nobody presses a key but the caller', { menus, pressed });
    }
    visit = [...visit, one];
    // Keys typed early are a try that nobody was asked for.
    must(journalCut || visit.length <= step.tries + 1, 'a menu asks no more often than the plan says', visit);
    if (one.to !== null) visit = [];
  }
}
