/**
 * What is played to a leg. The switch runs one application of ours on a leg at a time: what follows is begun here when it says
 * that the one before has ended, so that a prompt whose turn has not come is stopped without asking anybody.
 */
import { randomUUID } from 'node:crypto';
import { callIdOf, type LegId, type PromptId } from '../../core/ids.ts';
import type { EslClient } from './esl/esl-client.ts';
import type { EslFailure, EslResult } from './esl/esl-result.ts';
import type { TellLeg } from './leg-events.ts';
import { unknownRun, type Leg, type Prompt } from './legs.ts';
import { handVariable } from './variables.ts';

/** To the end of the longest: after that the end of its application is not waited for. */
const queued = { until: 'queued', timeoutMs: 5000 } as const;

function execute(esl: EslClient, leg: Leg, application: string, argument: string): Promise<EslResult> {
  // Else this would wait for its end.
  if (leg.run === unknownRun) stopRun(esl, leg);
  leg.run = randomUUID();
  return esl.execute(leg.id, application, argument, { ...queued, id: leg.run, order: callIdOf(leg.id) });
}

/** Ends what runs on the leg, and takes back what has not begun (`all`). */
export function stopRun(esl: EslClient, leg: Leg): void {
  if (leg.run === undefined) return;
  leg.run = undefined;
  leg.filled = false;
  void esl.api('uuid_break', { leg: leg.id, all: 'all' }, { order: callIdOf(leg.id) });
}

/** Plays what has no end, until something else is played or it is stopped. */
export async function fill(esl: EslClient, leg: Leg, path: string): Promise<EslResult> {
  const begun = execute(esl, leg, 'playback', path);
  // Not before: what is not known to have ended is stopped first.
  leg.filled = true;
  return begun;
}

/** One that the switch refuses is told by the result alone; what waits behind it goes on. */
export async function play(esl: EslClient, hand: string, leg: Leg, prompt: Prompt, tell: TellLeg): Promise<EslResult> {
  if (leg.filled) stopRun(esl, leg);
  leg.prompts.push(prompt);
  if (leg.prompts.length > 1) return { ok: true, text: '' };
  const begun = await begin(esl, leg, prompt);
  if (begun.ok) return begun;
  passOver(esl, hand, leg, prompt, begun, tell);
  forget(leg, prompt.id);
  return begun;
}

/** Stopped is played, whether its turn had come or not. */
export function stopPrompt(esl: EslClient, hand: string, leg: Leg, promptId: PromptId, tell: TellLeg): void {
  const isHeard = leg.prompts[0]?.id === promptId;
  forget(leg, promptId);
  if (isHeard) {
    stopRun(esl, leg);
    beginNext(esl, hand, leg, tell);
  }
  tellFinished(leg.id, promptId, true, tell);
}

/** The leg is needed for something else. */
export function stopPrompts(esl: EslClient, leg: Leg, tell: TellLeg): void {
  stopRun(esl, leg);
  for (const { id } of leg.prompts.splice(0)) tellFinished(leg.id, id, true, tell);
}

/** The application that ran on the leg has ended; `played` says whether it could do what it was for. */
export function runEnded(esl: EslClient, hand: string, leg: Leg, played: boolean, tell: TellLeg): void {
  leg.run = undefined;
  leg.filled = false;
  const [prompt] = leg.prompts;
  if (prompt === undefined) return;
  const heard = prompt.sounds.shift();
  if (!played && heard?.otherwise !== undefined) prompt.sounds.unshift({ path: heard.otherwise() });
  if (prompt.sounds.length > 0) {
    beginNext(esl, hand, leg, tell);
    return;
  }
  leg.prompts.shift();
  beginNext(esl, hand, leg, tell);
  tellFinished(leg.id, prompt.id, played, tell);
}

/** Of a leg that has ended. */
export function tellUnplayed(leg: Leg, tell: TellLeg): void {
  for (const { id } of leg.prompts.splice(0)) tellFinished(leg.id, id, false, tell);
}

async function begin(esl: EslClient, leg: Leg, prompt: Prompt): Promise<EslResult> {
  const [sound] = prompt.sounds;
  return sound === undefined ? { ok: false, error: 'rejected', message: 'There is nothing to play.', sent: false } : execute(esl, leg, 'playback', sound.path);
}

/** What the core has not asked for in this moment: another controller may have taken the leg over while this one was stopped. */
async function follow(esl: EslClient, hand: string, leg: Leg, prompt: Prompt): Promise<EslResult> {
  const taker = await esl.api('uuid_getvar', { leg: leg.id, name: handVariable }, { order: callIdOf(leg.id) });
  if (!taker.ok) return taker;
  if (taker.text !== '_undef_' && taker.text !== hand) leg.prompts.splice(0);
  if (leg.prompts[0] !== prompt || leg.run !== undefined) return { ok: false, error: 'gone', message: 'It is not to be played any more.', sent: false };
  return begin(esl, leg, prompt);
}

/** Before anybody is told of the end of what was before: what they ask for then comes behind it, or is begun by them. */
function beginNext(esl: EslClient, hand: string, leg: Leg, tell: TellLeg): void {
  const [next] = leg.prompts;
  if (next === undefined || leg.afterEnd !== undefined) return;
  void follow(esl, hand, leg, next).then((begun) => {
    if (!begun.ok && passOver(esl, hand, leg, next, begun, tell)) tellFinished(leg.id, next.id, false, tell);
  });
}

/** What the switch has refused: no event will tell of it. False where it is not to be told here. */
function passOver(esl: EslClient, hand: string, leg: Leg, prompt: Prompt, refusal: EslFailure, tell: TellLeg): boolean {
  // It was stopped meanwhile; or its leg has gone, whose end tells of it and of what waits behind it.
  if (leg.prompts[0] !== prompt || (refusal.error === 'gone' && refusal.sent)) return false;
  if (refusal.error === 'unreachable') {
    leg.prompts.splice(0);
    return false;
  }
  leg.prompts.shift();
  // Without a reply it may have begun all the same.
  if (!leg.filled) stopRun(esl, leg);
  beginNext(esl, hand, leg, tell);
  return true;
}

function forget(leg: Leg, promptId: PromptId): void {
  const place = leg.prompts.findIndex(({ id }) => id === promptId);
  if (place >= 0) leg.prompts.splice(place, 1);
}

function tellFinished(legId: LegId, promptId: PromptId, ok: boolean, tell: TellLeg): void {
  tell(callIdOf(promptId), { type: 'PromptFinished', legId, promptId, ok });
}
