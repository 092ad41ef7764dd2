/**
 * A plan in words: what `frontdesk explain` prints. It takes the very plan a call would run (compile.ts), so it
 * cannot say anything else than what would happen.
 */
import type { CallFacts, Media } from './config.ts';
import { destinationsOf, type Destination } from './destinations.ts';
import { inOrder } from './plan-graph.ts';
import type { Attempt, MenuStep, Plan, QueueStep, RingStep, Step } from './plan.ts';
import { strategyText, tierTexts } from './shown-queue.ts';
import { actionWords, count, seconds } from './words.ts';

/** What a prompt says: a text, or the name of a file; undefined where that is not known. */
export type Words = (media: Media) => string | undefined;

/** Remembers of each text which audio it was given, so that the plan can be told in its words. */
export function rememberTexts(audioOf: CallFacts['whisperMedia']): { readonly whisperMedia: CallFacts['whisperMedia']; readonly words: Words } {
  const texts = new Map<Media, string>();
  return {
    whisperMedia: (text) => {
      const media = audioOf(text);
      if (media !== undefined) texts.set(media, text);
      return media;
    },
    words: (media) => texts.get(media),
  };
}

/** The plan as it may be shown: what is heard by its words, or by the name of its file, and not by where that lies. */
export function withoutPlaces(plan: Plan, words: Words): Plan {
  const shown = (one: unknown): unknown => (typeof one === 'string' && isFile(one) ? `file:${quoted(words(one)) ?? fileName(one)}` : one);
  return JSON.parse(JSON.stringify(plan), (_, value: unknown) => (Array.isArray(value) ? value.map(shown) : value)) as Plan;
}

/** Lines of text, without a final newline. Control characters of caller names never reach the terminal. */
export function explain(plan: Plan, words: Words = () => undefined): string {
  const heard: Heard = (media) => media.map((one) => quoted(words(one)) ?? (isFile(one) ? `file:${fileName(one)}` : one)).join(' + ');
  const number = plan.number.label === '' ? plan.number.e164 : `${plan.number.e164} “${plan.number.label}”`;
  const of = plan.account.name === '' ? '' : ` of ${plan.account.name}`;
  const lines = [`${number}${of}`, `plan ${plan.hash}, calls end after ${seconds(plan.maxCallMs)}`, '', 'Steps'];
  inOrder(plan).forEach(([id, step], index) => {
    lines.push(`  ${index + 1}. ${id}`, ...stepLines(step, heard).map((line) => `       ${line}`));
  });
  lines.push('', 'Why');
  for (const reason of plan.reasons) lines.push(`  ${reason.taken ? '+' : '-'} ${reason.subject}: ${reason.why}`);
  return lines.map((line) => line.replace(/\p{Cc}/gu, '?')).join('\n');
}

type Heard = (media: readonly Media[]) => string;

function isFile(text: string): text is `file:${string}` {
  return text.startsWith('file:');
}

function fileName(file: `file:${string}`): string {
  return file.replace(/^file:(.*\/)?/, '');
}

function quoted(words: string | undefined): string | undefined {
  return words === undefined ? undefined : `“${words}”`;
}

function stepLines(step: Step, heard: Heard): readonly string[] {
  switch (step.kind) {
    case 'announcement':
      return [`the caller hears ${heard(step.media)}`, `done → ${step.on.done}`];
    case 'menu':
      return menuLines(step, heard);
    case 'queue':
      return queueLines(step, heard);
    case 'ring':
      return [
        `rings ${patternText(step)}, for ${seconds(step.ringMs)} in all:`,
        ...(step.pattern === 'simultaneous' ? step.attempts.flatMap((attempt) => attemptLines(attempt, heard)) : destinationsOf(step).flatMap((destination) => destinationLines(step, destination, heard))),
        step.serve === undefined ? 'accepted → connected, the others stop ringing' : `accepted → ${step.serve}`,
        `no answer → ${step.on.noAnswer}`,
      ];
    case 'voicemail':
      return [
        `the caller hears ${heard(step.greeting)} and a beep, and leaves a message`,
        `at most ${seconds(step.maxMs)}, or until ${seconds(step.silenceMs)} of silence`,
        `done → ${step.on.done}`,
      ];
    case 'setting':
      return [step.setting.of === 'night-switch' ? `sets the night switch to ${step.setting.to}` : `agent ${step.setting.agent}: ${actionWords[step.setting.action]}`, `set → ${step.on.set}`, `not set → ${step.on.notSet}`];
    case 'supervise':
      return [`hears ${step.legId} of call ${step.callId}, at first to ${step.mode}`];
    case 'hang-up':
      return [`cause ${step.cause}`];
  }
}

function queueLines({ queue, priority, sticky, greeting, music, messages, callback, exitKey, on, shown }: QueueStep, heard: Heard): readonly string[] {
  return [
    `waits in queue ${queue}${priority === 0 ? '' : `, with priority ${priority}`}${sticky ? ', for who had this caller last if that one is there' : ''}`,
    ...(shown === undefined ? [] : [`agents are asked ${strategyText(shown)}:`, ...tierTexts(shown).map((tier) => `- ${tier}`)]),
    ...(greeting.length === 0 ? [] : [`the caller hears ${heard(greeting)} first`]),
    `the caller hears ${music.length === 0 ? 'nothing' : heard(music)}${messages === undefined ? '' : `, and every ${seconds(messages.everyMs)} ${messages.media.map(heard).join(', then ')}`}`,
    'an agent accepts → connected',
    ...(callback === undefined || callback.number === null || on.callback === undefined ? [] : [`key ${callback.key}, and again → ${on.callback}, and ${callback.number} is called back in the place`]),
    ...(exitKey === undefined ? [] : [`key ${exitKey} → ${on.exitKey}`]),
    `no room → ${on.full}`, `nobody there → ${on.empty}`, `waited too long → ${on.maxWait}`, `no such queue → ${on.closed}`,
  ];
}

function menuLines({ prompt, invalid, options, extensions, tries, waitMs, betweenKeysMs, on }: MenuStep, heard: Heard): readonly string[] {
  const again = (why: string): string => (tries === 1 ? why : `${why}: asked again, at most ${count(tries, 'time')} in all; then`);
  return [
    `the caller hears ${heard(prompt)}, which a key stops, and has ${seconds(waitMs)} after it`,
    ...Object.entries(options).map(([key, to]) => `key ${key} → ${to}`),
    ...(extensions === undefined ? [] : [
      `an extension, ${lengths(extensions)} beginning with ${extensions.firstDigits.split('').join(' ')}, no more than ${seconds(betweenKeysMs)} between its keys: rings it`,
      `    no answer there → ${on.noAnswer}`,
    ]),
    `${again(`other keys${tries === 1 || invalid.length === 0 ? '' : `, hears ${heard(invalid)}`}`)} → ${on.invalid}`,
    `${again('no key')} → ${on.noKey}`,
  ];
}

function lengths({ shortest, longest }: { readonly shortest: number; readonly longest: number }): string {
  return shortest === longest ? count(longest, 'digit') : `${shortest} to ${count(longest, 'digit')}`;
}

function patternText({ pattern, group }: RingStep): string {
  switch (pattern) {
    case 'simultaneous':
      return 'at once';
    case 'sequential':
      return 'one after the other, as listed';
    case 'round-robin':
      return `one after the other, from the one whose turn it is in ${group ?? 'no group'}`;
    case 'least-connected':
      return 'one after the other, fewest live calls first; who talks is skipped while another does not';
  }
}

function destinationLines({ attempts }: RingStep, { id, attempts: indices }: Destination, heard: Heard): readonly string[] {
  return [`${id}:`, ...indices.flatMap((index) => (attempts[index] === undefined ? [] : attemptLines(attempts[index], heard))).map((line) => `  ${line}`)];
}

function attemptLines(attempt: Attempt, heard: Heard): readonly string[] {
  const { target, callerId } = attempt;
  const where = target.kind === 'device' ? `extension ${target.device}` : `${target.number} over ${target.trunks.join(', then ')}`;
  const shown = [callerId.name, callerId.number].filter((part) => part !== '').join(' ') || 'no caller ID';
  const from = attempt.delayMs === undefined || attempt.delayMs === 0 ? '' : ` from ${seconds(attempt.delayMs)} on`;
  const lines = [`- ${[attempt.user, attempt.label].filter((part) => part !== '').join(', ')}: ${where}, ${seconds(attempt.ringMs)}${from}, shows ${shown}`];
  if (attempt.dialExtension !== undefined) lines.push(`    answered, the extension ${attempt.dialExtension.digits} is dialled after ${seconds(attempt.dialExtension.delayMs)}`);
  if (attempt.screening !== undefined) {
    const key = attempt.screening.key === 'any' ? 'any key' : `key ${attempt.screening.key}`;
    lines.push(`    hears ${heard(attempt.screening.prompt)}; ${key} within ${seconds(attempt.screening.waitMs)} accepts`);
    if (attempt.whisper.length > 0) lines.push(`    then hears ${heard(attempt.whisper)}`);
  } else if (attempt.whisper.length > 0) {
    lines.push(`    answering accepts; hears ${heard(attempt.whisper)} before the caller`);
  } else {
    lines.push('    answering accepts');
  }
  if (attempt.recording !== undefined) lines.push(attempt.recording.announced ? '    the call is recorded, once both have heard so' : '    the call is recorded');
  return lines;
}
