/** A plan as boxes and arrows, for whatever draws it: a Mermaid flowchart (diagram.ts), the picture on a page. */
import type { StepId } from '../ids.ts';
import { exitsOf, inOrder } from './plan-graph.ts';
import type { Attempt, Plan, RingPattern, Step } from './plan.ts';
import { strategyText, tierTexts } from './shown-queue.ts';
import { actionWords, count, seconds } from './words.ts';

export interface Box {
  readonly kind: Step['kind'] | 'call' | 'connected' | 'extension';
  /** The first says what it is. Free of control characters, and none too long. */
  readonly lines: readonly string[];
}

export interface Arrow {
  /** Indexes of boxes. */
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

/** The first box is the call as it comes in. Two boxes have at most one arrow from the one to the other. */
export interface Drawing {
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
}

const longestLine = 44;
/** Of one box; a ring of more phones says how many more. */
const mostPhones = 8;
const unfit = /\p{Cc}|\p{Cs}|[\u2028-\u202e\u2066-\u2069\ufffe\uffff]/gu;

const patterns: Readonly<Record<RingPattern, string>> = {
  simultaneous: 'Ring all at once', 'round-robin': 'Ring in turn', sequential: 'Ring one after the other', 'least-connected': 'Ring the least busy first',
};

export function drawingOf(plan: Plan): Drawing {
  const { label, e164 } = plan.number;
  const boxes: Box[] = [boxOf('call', `Call to ${e164}`, label === '' ? [] : [label])];
  const steps = inOrder(plan);
  const places = new Map<string, number>();
  const place = (key: string, box: Box): void => { places.set(key, boxes.push(box) - 1); };
  for (const [id, step] of steps) place(stepKey(id), named(id, stepBox(step)));
  const ends = new Set(steps.flatMap(([, step]) => exitsOf(step).flatMap((exit) => ('end' in exit ? [exit.end] : []))));
  if (ends.has('connected')) place('connected', boxOf('connected', 'Connected', []));
  if (ends.has('extension')) place('extension', boxOf('extension', 'That phone rings', []));

  const arrows = new Map<string, Arrow>();
  const draw = (from: number, to: number | undefined, label: string): void => {
    if (to === undefined) return;
    const key = `${from} ${to}`;
    const before = arrows.get(key);
    arrows.set(key, { from, to, label: before === undefined ? label : `${before.label}, ${label}` });
  };
  draw(0, places.get(stepKey(plan.first)), '');
  const led = steps.some(([, step]) => exitsOf(step).some((exit) => 'to' in exit && exit.to === plan.last));
  if (plan.last !== undefined && !led) draw(0, places.get(stepKey(plan.last)), 'in circles');
  for (const [id, step] of steps) for (const exit of exitsOf(step)) draw(places.get(stepKey(id)) ?? 0, places.get('to' in exit ? stepKey(exit.to) : exit.end), exit.on);
  return { boxes, arrows: [...arrows.values()] };
}

/** A step may be called as an end is. */
function stepKey(id: StepId): string {
  return `step ${id}`;
}

/** Steps of an object's own, as `menu.main`, are told apart by it. */
function named(id: StepId, { kind, lines: [heading = '', ...lines] }: Box): Box {
  return id.includes('.') ? boxOf(kind, heading, [id, ...lines]) : { kind, lines: [heading, ...lines] };
}

function stepBox(step: Step): Box {
  switch (step.kind) {
    case 'announcement':
      return boxOf(step.kind, 'Announcement', step.announcesRecording === true ? ['says that the call is recorded'] : []);
    case 'ring': {
      const phones = step.attempts.slice(0, mostPhones).map(phoneText);
      const more = step.attempts.length - phones.length;
      return boxOf(step.kind, `${step.attempts.length === 1 ? 'Ring' : patterns[step.pattern]}, ${seconds(step.ringMs)}`, more === 0 ? phones : [...phones, `and ${count(more, 'phone')} more`]);
    }
    case 'menu':
      return boxOf(step.kind, 'Menu', [`prompt ${step.tries === 1 ? 'once' : `up to ${step.tries} times`}`]);
    case 'queue':
      return boxOf(step.kind, 'Queue', step.shown === undefined ? [step.queue] : [step.shown.name, strategyText(step.shown), ...tierTexts(step.shown)]);
    case 'voicemail':
      return boxOf(step.kind, 'Voicemail', [`a message of at most ${seconds(step.maxMs)}`]);
    case 'setting':
      return step.setting.of === 'night-switch' ? boxOf(step.kind, 'Night switch', [`set to ${step.setting.to}`]) : boxOf(step.kind, 'Agent', [`${step.setting.agent}: ${actionWords[step.setting.action]}`]);
    case 'supervise':
      return boxOf(step.kind, 'Supervise', [step.mode]);
    case 'hang-up':
      return boxOf(step.kind, 'Hang up', [`cause ${step.cause}`]);
  }
}

function phoneText({ user, label, target, screening }: Attempt): string {
  const where = target.kind === 'device' ? `extension ${target.device}` : target.number;
  const named = [user, label].filter((part) => part !== '' && part !== where);
  return `${[...named, where].join(', ')}${screening === undefined ? '' : ', on a key'}`;
}

function boxOf(kind: Box['kind'], heading: string, lines: readonly string[]): Box {
  return { kind, lines: [heading, ...lines].map(fit) };
}

function fit(text: string): string {
  const clean = Array.from(text.replace(unfit, '?').trim());
  return clean.length > longestLine ? `${clean.slice(0, longestLine - 1).join('')}…` : clean.join('');
}
