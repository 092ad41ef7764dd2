/** The announcement: played to the caller once we have answered, before anything rings. */
import { cancelTimer, command, fact, goTo, newId, startTimer, stepOf, type Draft } from '../call/draft.ts';
import { answerCaller } from '../call/leg-life.ts';
import { promptLimitMs, promptTimer } from '../call/timers.ts';
import type { StepId } from '../ids.ts';
import type { AnnouncementStep } from '../routing/plan.ts';
import { announced } from './call-recording.ts';

export function enterAnnouncement(draft: Draft, id: StepId, step: AnnouncementStep): void {
  answerCaller(draft);
  const promptId = newId(draft, 'p');
  goTo(draft, { phase: 'announcing', step: id, promptId });
  command(draft, { type: 'PlayPrompt', legId: draft.call.caller.legId, promptId, media: step.media });
  startTimer(draft, promptTimer, draft.now + promptLimitMs);
}

/** Heard, or not to be heard: the call goes on. */
export function announcementFinished(draft: Draft, ok: boolean): void {
  const call = draft.call;
  if (call.phase !== 'announcing') return;
  cancelTimer(draft, promptTimer);
  fact(draft, { type: 'AnnouncementPlayed', ok });
  const step = stepOf(draft, call.step);
  if (ok && step?.kind === 'announcement' && step.announcesRecording === true) announced(draft, call.caller.legId);
  draft.outcome = 'done';
}
