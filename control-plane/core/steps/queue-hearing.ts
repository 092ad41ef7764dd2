/** What a caller hears in a queue: words, and else music, over and over. */
import type { CallIn, Visit } from '../call/call.ts';
import { cancelTimer, command, goTo, newId, startTimer, stepOf, type Draft } from '../call/draft.ts';
import { deskTimer, messageTimer, musicAgainMs, musicTimer, promptLimitMs, promptTimer, stillHereMs } from '../call/timers.ts';
import type { StepId } from '../ids.ts';
import type { Media } from '../routing/config.ts';
import type { QueueStep } from '../routing/plan.ts';

/** From the start, or back from an agent who was lost. */
export function wait(draft: Draft, id: StepId, words: readonly Media[]): void {
  const step = stepOf(draft, id);
  goTo(draft, { phase: 'queued', step: id, promptId: null, hears: 'words', toSay: words, said: 0 });
  startTimer(draft, deskTimer, draft.now + stillHereMs);
  if (step?.kind === 'queue' && step.messages !== undefined) startTimer(draft, messageTimer, draft.now + step.messages.everyMs);
  playNext(draft);
}

/** Heard next: at once where music plays, after what is being said otherwise. Newer words of the same kind take the place of older. */
export function say(draft: Draft, media: readonly Media[]): void {
  const { call } = draft;
  if (call.phase !== 'queued' || media.length === 0) return;
  goTo(draft, { ...placeOf(call), toSay: media });
  if (call.promptId === null) playNext(draft);
  // Its end is what the words are played on.
  else if (call.hears === 'music') command(draft, { type: 'StopPrompt', promptId: call.promptId });
}

function playNext(draft: Draft): void {
  const queued = inQueue(draft);
  if (queued === undefined) return;
  const { call, step } = queued;
  cancelTimer(draft, musicTimer);
  const hears = call.toSay.length > 0 ? 'words' : 'music';
  const media = hears === 'words' ? call.toSay : step.music;
  if (media.length === 0) {
    goTo(draft, { ...placeOf(call), promptId: null, hears, toSay: [] });
    return;
  }
  const promptId = newId(draft, 'p');
  goTo(draft, { ...placeOf(call), promptId, hears, toSay: [] });
  command(draft, { type: 'PlayPrompt', legId: call.caller.legId, promptId, media });
  startTimer(draft, promptTimer, draft.now + promptLimitMs);
}

/** Music that cannot be played is tried again after a moment. */
export function queuePromptFinished(draft: Draft, ok: boolean): void {
  const { call } = draft;
  if (call.phase !== 'queued') return;
  cancelTimer(draft, promptTimer);
  const failed = !ok && call.hears === 'music' && call.toSay.length === 0;
  goTo(draft, { ...placeOf(call), promptId: null });
  if (failed) startTimer(draft, musicTimer, draft.now + musicAgainMs);
  else playNext(draft);
}

export function musicAgain(draft: Draft): void {
  if (draft.call.phase === 'queued' && draft.call.promptId === null) playNext(draft);
}

export function messageDue(draft: Draft): void {
  const queued = inQueue(draft);
  if (queued?.step.messages === undefined) return;
  const { call, step: { messages } } = queued;
  startTimer(draft, messageTimer, draft.now + messages.everyMs);
  goTo(draft, { ...placeOf(call), said: call.said + 1 });
  say(draft, messages.media[call.said % messages.media.length] ?? []);
}

type Queued = CallIn<'queued'>;

export function inQueue({ call }: Draft): { readonly call: Queued; readonly visit: Visit; readonly step: QueueStep } | undefined {
  const step = call.phase === 'queued' ? call.plan.steps[call.step] : undefined;
  return call.phase === 'queued' && call.visit !== null && step?.kind === 'queue' ? { call, visit: call.visit, step } : undefined;
}

function placeOf({ phase, step, promptId, hears, toSay, said }: Queued): Pick<Queued, 'phase' | 'step' | 'promptId' | 'hears' | 'toSay' | 'said'> {
  return { phase, step, promptId, hears, toSay, said };
}
