/**
 * What a phone sets by a code: the night switch (M6), or an agent (Q2). It is asked for and answered by an event. The
 * caller hears ringing until it is known what became of it, and is then told.
 */
import type { CallIn } from '../call/call.ts';
import { cancelTimer, command, fact, goTo, startTimer, type Draft } from '../call/draft.ts';
import type { CallEvent } from '../call/events.ts';
import { settingLimitMs, settingTimer } from '../call/timers.ts';
import type { StepId } from '../ids.ts';
import type { SettingStep } from '../routing/plan.ts';

export function enterSetting(draft: Draft, id: StepId, step: SettingStep): void {
  goTo(draft, { phase: 'setting', step: id });
  fact(draft, { type: 'SettingAsked', setting: step.setting });
  ask(draft, id, step);
}

/** After an outage: the answer may have been lost with the controller that had it. */
export function resumeSetting(draft: Draft): void {
  const asked = beingSet(draft);
  if (asked !== undefined) ask(draft, asked.call.step, asked.step);
}

/** One that comes too late, or for another step, changes nothing. */
export function settingSettled(draft: Draft, { step: id, ok, why }: Extract<CallEvent, { type: 'SettingSettled' }>): void {
  const asked = beingSet(draft);
  if (asked?.call.step !== id) return;
  cancelTimer(draft, settingTimer);
  fact(draft, { type: 'SettingSettled', ok, why });
  draft.outcome = { to: ok ? asked.step.on.set : asked.step.on.notSet };
}

export function settingTimedOut(draft: Draft): void {
  const asked = beingSet(draft);
  if (asked !== undefined) settingSettled(draft, { type: 'SettingSettled', step: asked.call.step, ok: false, why: 'it was not heard of in time' });
}

function ask(draft: Draft, id: StepId, { setting, note }: SettingStep): void {
  command(draft, { type: 'RingLeg', legId: draft.call.id });
  command(draft, { type: 'ChangeSetting', step: id, setting, note });
  startTimer(draft, settingTimer, draft.now + settingLimitMs);
}

function beingSet({ call }: Draft): { readonly call: CallIn<'setting'>; readonly step: SettingStep } | undefined {
  const step = call.phase === 'setting' ? call.plan.steps[call.step] : undefined;
  return call.phase === 'setting' && step?.kind === 'setting' ? { call, step } : undefined;
}
