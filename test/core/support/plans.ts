/** Plans for tests of the core: an announcement, phones to ring, voicemail, each as asked for. */
import type { StepId } from '../../../control-plane/core/ids.ts';
import type { NightSetting } from '../../../control-plane/core/routing/night.ts';
import type { Attempt, MenuStep, Plan, QueueStep, RingPattern, RingStep, Step } from '../../../control-plane/core/routing/plan.ts';
import { supervisionPlan, type SupervisionMode } from '../../../control-plane/core/routing/supervision.ts';

const base = { ringMs: 20_000, callerId: { number: '+13125550177', name: 'Jo Ray' } } as const;

export function desk(n: number, change: Partial<Attempt> = {}): Attempt {
  return { ...base, user: `u${n}`, label: `desk ${n}`, target: { kind: 'device', device: `10${n}` }, whisper: [], ...change };
}

/** A mobile that is asked for a key, over either of two trunks. */
export function mobile(change: Partial<Attempt> = {}): Attempt {
  return {
    ...base, user: 'ben', label: 'mobile', target: { kind: 'external', number: '+12025550121', trunks: ['t1', 't2'] }, whisper: [],
    screening: { key: '1', prompt: ['file:who', 'file:press-1'], waitMs: 10_000 }, ...change,
  };
}

/** Destinations that ring one after the other, as users of a group do; an attempt that names none is its user's. */
export function walkOf(pattern: RingPattern, attempts: readonly Attempt[], options: PlanOptions = {}): Plan {
  const plan = planOf(attempts.map((attempt) => ({ destination: attempt.user, ...attempt })), options);
  const ring = plan.steps['ring'];
  return ring?.kind === 'ring' ? { ...plan, steps: { ...plan.steps, ring: { ...ring, pattern, group: 'front' } } } : plan;
}

export interface PlanOptions {
  readonly announcement?: boolean;
  readonly voicemail?: boolean;
}

export function planOf(attempts: readonly Attempt[], { announcement = false, voicemail = true }: PlanOptions = {}): Plan {
  const noAnswer = voicemail ? 'voicemail' : 'hang-up';
  const steps: Record<string, Step> = {
    ring: { kind: 'ring', pattern: 'simultaneous', attempts, ringMs: 25_000, taken: ['file:taken'], on: { noAnswer } },
    voicemail: { kind: 'voicemail', greeting: ['file:greeting'], maxMs: 120_000, silenceMs: 5000, on: { done: 'hang-up' } },
    'hang-up': { kind: 'hang-up', cause: 'normal' },
    announcement: { kind: 'announcement', media: ['file:recorded-line'], on: { done: 'ring' } },
  };
  return {
    version: 1, hash: 'h1', account: { id: 'c1', name: 'Riverside Dental' }, number: { e164: '+12025550110', label: 'Main line' },
    first: announcement ? 'announcement' : 'ring', steps, reasons: [], maxCallMs: 3_600_000,
  };
}

/** A menu, asked twice: no key leads to voicemail, other keys to a hang-up. Its prompt is named after it. */
export function menu(name: string, options: Readonly<Record<string, StepId>>, change: Partial<MenuStep> = {}): MenuStep {
  return {
    kind: 'menu', prompt: [`file:${name}`], invalid: ['file:invalid'], options, tries: 2, waitMs: 5000, betweenKeysMs: 2000,
    on: { noKey: 'voicemail', invalid: 'hang-up', noAnswer: 'voicemail' }, ...change,
  };
}

/** The first of the menus is where a call begins; desk 1 rings at the step `ring`. */
export function planOfMenus(menus: Readonly<Record<StepId, MenuStep>>, change: Partial<Plan> = {}): Plan {
  const plan = planOf([desk(1)]);
  return { ...plan, first: Object.keys(menus)[0] ?? '', ...change, steps: { ...plan.steps, ...menus, ...change.steps } };
}

const said = (text: string): Step => ({ kind: 'announcement', media: [`file:${text}`], on: { done: 'hang-up' } });

/** An agent is rung for `offer` on these phones; who is not there leads back to the queue. */
export function ringOf(attempts: readonly Attempt[]): RingStep {
  return { kind: 'ring', pattern: 'simultaneous', attempts, ringMs: 15_000, taken: ['file:taken'], on: { noAnswer: 'queue' } };
}

export function planOfQueue(step: Partial<QueueStep> = {}): Plan {
  const queue: QueueStep = {
    kind: 'queue', queue: 'front', priority: 0, sticky: false, greeting: ['file:welcome'], music: ['file:music'], exitKey: '0',
    on: { exitKey: 'exit', full: 'full', empty: 'empty', maxWait: 'max-wait', closed: 'closed' }, ...step,
  };
  return {
    ...planOf([]), first: 'queue',
    steps: { queue, exit: said('exit'), full: said('full'), empty: said('empty'), 'max-wait': said('max-wait'), closed: said('closed'), 'hang-up': { kind: 'hang-up', cause: 'normal' } },
  };
}

/** A supervisor's phone was rung to hear the agent of another call. */
export function planOfSupervision(mode: SupervisionMode = 'listen'): Plan {
  return supervisionPlan({ id: 'c1', name: 'Riverside Dental' }, { callId: 'c3', legId: 'c3--l1', mode, by: 'key1' }, 3_600_000);
}

/** A phone dials a code of the night switch. */
export function planOfNight(setting: NightSetting): Plan {
  return {
    ...planOf([]), first: 'night-switch', maxCallMs: 300_000,
    steps: { 'night-switch': { kind: 'setting', setting: { of: 'night-switch', to: setting }, note: 'dialled by Mara', on: { set: 'set', notSet: 'not-set' } }, set: said('set'), 'not-set': said('not-set'), 'hang-up': { kind: 'hang-up', cause: 'normal' } },
  };
}
