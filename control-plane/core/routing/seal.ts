/**
 * What a plan is recognised by: the way that a call goes. Steps, whom they ring, when and for how long, and what follows
 * them; not who calls, nor what anybody hears.
 */
import { ContentHash } from '../ids.ts';
import type { Attempt, MenuStep, Plan, RingStep, Step } from './plan.ts';

export function seal(plan: Omit<Plan, 'version' | 'hash'>): Plan {
  const { account, number, first, last, steps, maxCallMs, tags } = plan;
  const hash = new ContentHash();
  hash.piece(`${account.id} ${number.e164} ${first} ${last ?? ''} ${maxCallMs} ${tags?.join() ?? ''}`);
  for (const id of Object.keys(steps)) {
    hash.piece(id);
    addWay(hash, steps[id]);
  }
  return { version: 1, hash: hash.end(), ...plan };
}

function addWay(hash: ContentHash, step: Step | undefined): void {
  if (step?.kind === 'ring') addRing(hash, step);
  else if (step?.kind === 'menu') addMenu(hash, step);
  else hash.piece(wayOf(step));
}

/** Large plans are made of rings and menus: no text is made of them. */
function addRing(hash: ContentHash, { pattern, group, ringMs, attempts, serve, on }: RingStep): void {
  hash.piece(pattern);
  hash.piece(group);
  hash.piece(on.noAnswer);
  hash.piece(serve);
  hash.number(ringMs);
  for (const attempt of attempts) addTry(hash, attempt);
}

function addTry(hash: ContentHash, { target, destination, delayMs = 0, ringMs, screening, recording, tags, dialExtension }: Attempt): void {
  if (target.kind === 'device') {
    hash.piece(target.device);
  } else {
    hash.piece(target.number);
    for (const trunk of target.trunks) hash.piece(trunk);
  }
  hash.piece(destination);
  hash.number(delayMs);
  hash.number(ringMs);
  hash.piece(screening?.key);
  if (recording !== undefined || tags !== undefined || dialExtension !== undefined) hash.piece(`${recording?.announced ?? ''} ${tags?.join('/') ?? ''} ${dialExtension?.digits ?? ''} ${dialExtension?.delayMs ?? ''}`);
}

function addMenu(hash: ContentHash, { options, extensions, tries, waitMs, betweenKeysMs, on }: MenuStep): void {
  hash.number(tries);
  hash.number(waitMs);
  hash.number(betweenKeysMs);
  hash.piece(on.noKey);
  hash.piece(on.invalid);
  hash.piece(on.noAnswer);
  for (const key of Object.keys(options)) {
    hash.piece(key);
    hash.piece(options[key]);
  }
  if (extensions !== undefined) hash.piece(`${extensions.firstDigits} ${extensions.shortest} ${extensions.longest}`);
}

function wayOf(step: Exclude<Step, RingStep | MenuStep> | undefined): string {
  switch (step?.kind) {
    case 'announcement': return `announcement ${step.on.done}${step.announcesRecording === true ? ' recorded' : ''}`;
    case 'queue': return `queue ${step.queue} ${step.priority} ${step.sticky} ${step.exitKey ?? ''} ${Object.values(step.on).join(' ')}${step.callback === undefined ? '' : ` ${step.callback.key}`}`;
    case 'voicemail': return `voicemail ${step.maxMs} ${step.silenceMs} ${step.on.done}`;
    case 'setting': return `setting ${Object.values(step.setting).join(' ')} ${step.on.set} ${step.on.notSet}`;
    case 'supervise': return `supervise ${step.callId} ${step.legId} ${step.mode} ${step.by}`;
    case 'hang-up': return step.cause;
    case undefined: return '';
  }
}
