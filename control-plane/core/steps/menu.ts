/**
 * The voice menu (M1): the caller hears the prompt and presses keys. A key during the prompt stops it.
 *
 *   prompt ─over─> no key yet ─key─> keys ─an option, an extension─> the step it leads to
 *     │ └──────────────key────────────^ └─nowhere─> the prompt again ─last try─> on.invalid
 *     └─ no key in time ─> the prompt again ─last try─> on.noKey
 *
 * Keys that were pressed before the menu asked are taken before its prompt plays: who knows the way need not listen.
 */
import type { CallIn } from '../call/call.ts';
import { cancelTimer, change, command, fact, goTo, newId, startTimer, type Draft } from '../call/draft.ts';
import type { CallEvent } from '../call/events.ts';
import { askForExtension } from '../call/extend-plan.ts';
import { answerCaller } from '../call/leg-life.ts';
import { menuTimer, planLimitMs, promptLimitMs, promptTimer } from '../call/timers.ts';
import type { StepId } from '../ids.ts';
import { queueDigit } from './queue.ts';
import { supervisorDigit } from './supervise.ts';
import type { MenuStep } from '../routing/plan.ts';
import type { Media } from '../routing/config.ts';

/** What is kept of keys that no menu has asked for yet. */
const mostTyped = 16;

export function enterMenu(draft: Draft, id: StepId, step: MenuStep): void {
  answerCaller(draft);
  goTo(draft, { phase: 'menu', step: id, promptId: null, digits: '', tries: 0 });
  while (draft.call.typed !== '' && takesKeys(draft)) {
    const [key = '', ...later] = draft.call.typed;
    change(draft, { typed: later.join('') });
    press(draft, key);
  }
  // Some of them were pressed, and more may follow; or they led nowhere, and it has asked.
  const { call } = draft;
  if (call.phase === 'menu' && call.promptId === null && call.digits === '') ask(draft, step.prompt);
}

/** A key of the caller: for the menu, or for one that may follow. What no phone has is no key. */
export function callerDigit(draft: Draft, digit: string): void {
  const { call } = draft;
  if (!/^[0-9*#A-D]$/.test(digit)) return;
  if (queueDigit(draft, digit) || supervisorDigit(draft, digit)) return;
  if (takesKeys(draft)) press(draft, digit);
  else if ((call.phase === 'announcing' || call.phase === 'menu') && call.typed.length < mostTyped) change(draft, { typed: call.typed + digit });
}

/** Heard, or not to be heard: the caller has the time to press a key either way. */
export function menuPromptFinished(draft: Draft): void {
  const asked = inMenu(draft);
  if (asked === undefined) return;
  cancelTimer(draft, promptTimer);
  goTo(draft, { ...placeOf(asked.call), promptId: null });
  startTimer(draft, menuTimer, draft.now + asked.step.waitMs);
}

/** No key, or no further one; or nobody has said what the extension leads to. */
export function menuTimedOut(draft: Draft): void {
  const asked = inMenu(draft);
  if (asked === undefined) return;
  const { call, step } = asked;
  if (call.planning !== null) {
    change(draft, { planning: null });
    tried(draft, 'invalid');
  } else if (call.digits === '') {
    tried(draft, 'noKey');
  } else {
    lead(draft, meaning(step, call.digits, true));
  }
}

export function menuExtensionPlanned(draft: Draft, { first, why }: Extract<CallEvent, { type: 'ExtensionPlanned' }>): void {
  cancelTimer(draft, menuTimer);
  if (first === null) tried(draft, 'invalid', why);
  else leave(draft, 'extension', first, why);
}

/** After an outage: the prompt from its start, and not as another try. Who was in the middle of an extension goes on with it. */
export function resumeMenu(draft: Draft): void {
  const asked = inMenu(draft);
  // Of the answer that is asked for again, the timer is armed.
  if (asked === undefined || asked.call.planning !== null) return;
  const { call, step } = asked;
  cancelTimer(draft, menuTimer);
  if (call.digits !== '') {
    goTo(draft, { ...placeOf(call), promptId: null });
    startTimer(draft, menuTimer, draft.now + step.betweenKeysMs);
    return;
  }
  goTo(draft, { ...placeOf(call), tries: Math.max(0, call.tries - 1) });
  ask(draft, step.prompt);
}

/** The caller is gone. */
export function menuLeft(draft: Draft): void {
  const { call } = draft;
  if (call.phase === 'menu') fact(draft, { type: 'MenuTried', step: call.step, keys: call.digits, outcome: 'left', to: null });
}

function takesKeys({ call, outcome }: Draft): boolean {
  return call.phase === 'menu' && call.planning === null && outcome === null;
}

function press(draft: Draft, key: string): void {
  const asked = inMenu(draft);
  if (asked === undefined) return;
  const { call, step } = asked;
  const digits = call.digits + key;
  fact(draft, { type: 'KeyPressed', legId: call.caller.legId, digit: key });
  if (call.promptId !== null) command(draft, { type: 'StopPrompt', promptId: call.promptId });
  cancelTimer(draft, promptTimer);
  cancelTimer(draft, menuTimer);
  goTo(draft, { ...placeOf(call), promptId: null, digits });
  lead(draft, meaning(step, digits, false));
}

/** What keys come to: an option, an extension, or nothing; undefined while more may follow. */
type Meaning = { readonly key: string } | { readonly extension: string } | 'nowhere' | undefined;

/** `over`: no key followed in time. A `#` after digits says so, too. */
function meaning({ options, extensions }: MenuStep, keys: string, over: boolean): Meaning {
  const dialled = keys.replace(/(?<=.)#$/, '');
  if (extensions !== undefined && mayBegin(extensions, dialled)) {
    if (!over && dialled === keys && dialled.length < extensions.longest) return undefined;
    if (!Object.hasOwn(options, dialled)) return dialled.length < extensions.shortest ? 'nowhere' : { extension: dialled };
  }
  return Object.hasOwn(options, dialled) ? { key: dialled } : 'nowhere';
}

function mayBegin({ firstDigits, longest }: NonNullable<MenuStep['extensions']>, dialled: string): boolean {
  return /^\d+$/.test(dialled) && dialled.length <= longest && firstDigits.includes(dialled.charAt(0));
}

function lead(draft: Draft, to: Meaning): void {
  const asked = inMenu(draft);
  if (asked === undefined) return;
  const { step } = asked;
  if (to === undefined) {
    startTimer(draft, menuTimer, draft.now + step.betweenKeysMs);
  } else if (to === 'nowhere') {
    tried(draft, 'invalid');
  } else if ('extension' in to) {
    askForExtension(draft, to.extension, step.on.noAnswer);
    startTimer(draft, menuTimer, draft.now + planLimitMs);
  } else {
    leave(draft, 'option', step.options[to.key] ?? '');
  }
}

/** This try led nowhere: the prompt again, or the way out after the last. */
function tried(draft: Draft, outcome: 'noKey' | 'invalid', why?: string): void {
  const asked = inMenu(draft);
  if (asked === undefined) return;
  const { call, step } = asked;
  // What was typed ahead was meant for where these keys did not lead.
  change(draft, { typed: '' });
  if (call.tries >= step.tries) {
    leave(draft, outcome, step.on[outcome], why);
    return;
  }
  fact(draft, { type: 'MenuTried', step: call.step, keys: call.digits, outcome, to: null, ...(why === undefined ? {} : { why }) });
  ask(draft, outcome === 'invalid' ? [...step.invalid, ...step.prompt] : step.prompt);
}

function leave(draft: Draft, outcome: 'option' | 'extension' | 'noKey' | 'invalid', to: StepId, why?: string): void {
  const { call } = draft;
  if (call.phase !== 'menu') return;
  fact(draft, { type: 'MenuTried', step: call.step, keys: call.digits, outcome, to, ...(why === undefined ? {} : { why }) });
  draft.outcome = { to };
}

function ask(draft: Draft, media: readonly Media[]): void {
  const promptId = newId(draft, 'p');
  const { call } = draft;
  if (call.phase !== 'menu') return;
  goTo(draft, { ...placeOf(call), promptId, digits: '', tries: call.tries + 1 });
  command(draft, { type: 'PlayPrompt', legId: call.caller.legId, promptId, media });
  startTimer(draft, promptTimer, draft.now + promptLimitMs);
}

type InMenu = CallIn<'menu'>;

function inMenu({ call }: Draft): { readonly call: InMenu; readonly step: MenuStep } | undefined {
  const step = call.phase === 'menu' ? call.plan.steps[call.step] : undefined;
  return call.phase === 'menu' && step?.kind === 'menu' ? { call, step } : undefined;
}

function placeOf({ phase, step, promptId, digits, tries }: InMenu): Pick<InMenu, 'phase' | 'step' | 'promptId' | 'digits' | 'tries'> {
  return { phase, step, promptId, digits, tries };
}
