/**
 * What a plan is recognised by: the way that a call goes. Steps, whom they ring, when and for how long, and what follows
 * them; not who calls, nor what anybody hears.
 */
import { textHash } from '../ids.ts';
import type { Attempt, Plan, Step } from './plan.ts';

export function seal(plan: Omit<Plan, 'version' | 'hash'>): Plan {
  const { account, number, first, last, steps, maxCallMs, tags } = plan;
  const ways = [`${account.id} ${number.e164} ${first} ${last ?? ''} ${maxCallMs} ${tags?.join() ?? ''}`];
  for (const id of Object.keys(steps)) ways.push(id, wayOf(steps[id]));
  return { version: 1, hash: textHash(ways.join('\n')), ...plan };
}

function wayOf(step: Step | undefined): string {
  switch (step?.kind) {
    case 'announcement': return `announcement ${step.on.done}${step.announcesRecording === true ? ' recorded' : ''}`;
    case 'ring': return `${step.pattern} ${step.group ?? ''} ${step.ringMs} ${step.on.noAnswer} ${step.attempts.map(tryOf).join()}${step.serve === undefined ? '' : ` ${step.serve}`}`;
    case 'menu': {
      const { options, extensions, tries, waitMs, betweenKeysMs, on } = step;
      const dialled = extensions === undefined ? '' : `${extensions.firstDigits} ${extensions.shortest} ${extensions.longest}`;
      return `menu ${tries} ${waitMs} ${betweenKeysMs} ${on.noKey} ${on.invalid} ${on.noAnswer} ${dialled} ${Object.keys(options).map((key) => `${key} ${options[key]}`).join()}`;
    }
    case 'queue': return `queue ${step.queue} ${step.priority} ${step.sticky} ${step.exitKey ?? ''} ${Object.values(step.on).join(' ')}${step.callback === undefined ? '' : ` ${step.callback.key}`}`;
    case 'voicemail': return `voicemail ${step.maxMs} ${step.silenceMs} ${step.on.done}`;
    case 'setting': return `setting ${Object.values(step.setting).join(' ')} ${step.on.set} ${step.on.notSet}`;
    case 'supervise': return `supervise ${step.callId} ${step.legId} ${step.mode} ${step.by}`;
    case 'hang-up': return step.cause;
    case undefined: return '';
  }
}

function tryOf({ target, destination, delayMs, ringMs, screening, recording, tags, dialExtension }: Attempt): string {
  const way = `${target.kind === 'device' ? target.device : `${target.number} ${target.trunks.join('/')}`} ${ringMs} ${destination ?? ''} ${screening?.key ?? ''}`;
  if (delayMs === undefined && recording === undefined && tags === undefined && dialExtension === undefined) return way;
  return `${way} ${delayMs ?? ''} ${recording?.announced ?? ''} ${tags?.join('/') ?? ''} ${dialExtension?.digits ?? ''} ${dialExtension?.delayMs ?? ''}`;
}
