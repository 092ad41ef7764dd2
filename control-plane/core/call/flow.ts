/** From step to step: which step follows an outcome is the plan's word, never a step's. */
import type { StepId } from '../ids.ts';
import type { Step } from '../routing/plan.ts';
import { enterAnnouncement } from '../steps/announcement.ts';
import { enterHangUp } from '../steps/hang-up.ts';
import { enterMenu } from '../steps/menu.ts';
import { enterSetting } from '../steps/setting.ts';
import { enterQueue } from '../steps/queue.ts';
import { enterRing } from '../steps/ring.ts';
import { enterSupervise } from '../steps/supervise.ts';
import { enterVoicemail } from '../steps/voicemail.ts';
import { cancelTimer, change, fact, stepOf, type Draft, type Outcome } from './draft.ts';
import { endCall } from './ending.ts';
import { promptTimer } from './timers.ts';

/** Steps that end at once (a ring with nobody to ring) may follow each other, but not for ever. */
const stepsAtOnce = 20;
/** A caller may go round in menus, but not for ever. */
const mostSteps = 100;

/** Goes on to the next step for as long as the one in hand has ended. */
export function follow(draft: Draft): void {
  for (let i = 0; draft.outcome !== null; i++) {
    const { call, outcome } = draft;
    draft.outcome = null;
    enterStep(draft, i < stepsAtOnce && 'step' in call ? following(stepOf(draft, call.step), outcome) : undefined);
  }
}

function following(step: Step | undefined, outcome: Outcome): StepId | undefined {
  if (typeof outcome === 'object') return outcome.to;
  if (step?.kind === 'ring') return outcome === 'noAnswer' ? step.on.noAnswer : undefined;
  return step?.kind === 'announcement' || step?.kind === 'voicemail' ? step.on.done : undefined;
}

/** Enters a step; a plan that leads nowhere ends the call as failed. */
export function enterStep(draft: Draft, wanted: StepId | undefined): void {
  const id = counted(draft, wanted);
  const step = id === undefined ? undefined : stepOf(draft, id);
  cancelTimer(draft, promptTimer);
  if (id === undefined || step === undefined) {
    endCall(draft, 'temporary-failure', 'failed', 'frontdesk');
    return;
  }
  fact(draft, { type: 'StepEntered', step: id, kind: step.kind });
  // Keys are kept on the way to a menu alone.
  if (step.kind !== 'announcement' && step.kind !== 'menu') change(draft, { typed: '' });
  switch (step.kind) {
    case 'announcement':
      enterAnnouncement(draft, id, step);
      return;
    case 'menu':
      enterMenu(draft, id, step);
      return;
    case 'queue':
      enterQueue(draft, id, step);
      return;
    case 'setting':
      enterSetting(draft, id, step);
      return;
    case 'ring':
      enterRing(draft, id, step);
      return;
    case 'supervise':
      enterSupervise(draft, id, step);
      return;
    case 'voicemail':
      enterVoicemail(draft, id, step);
      return;
    case 'hang-up':
      enterHangUp(draft, step);
  }
}

/** The step that is wanted, or after too many the plan's last; what follows that one is few. */
function counted(draft: Draft, wanted: StepId | undefined): StepId | undefined {
  const { stepsTaken, plan } = draft.call;
  change(draft, { stepsTaken: stepsTaken + 1 });
  if (stepsTaken !== mostSteps) return stepsTaken > mostSteps + stepsAtOnce ? undefined : wanted;
  fact(draft, { type: 'StepsExhausted', steps: mostSteps });
  return plan.last;
}
