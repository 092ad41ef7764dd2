import { expect, test } from 'vitest';
import { eventOf, eventTypes, inPhase, phases } from './support/phases.ts';

function cell(phase: (typeof phases)[number], type: (typeof eventTypes)[number]): string {
  const story = inPhase[phase]();
  expect(story.call.phase).toBe(phase);
  const event = eventOf[type](story);
  if (event.type === 'TimerFired') story.timer(event.id);
  else story.when(event);
  const commands = story.commands.map((one) => ('id' in one ? `${one.type}(${one.id.replace('c7--', '')})` : one.type));
  const what = [story.call.phase === phase ? '' : `→ ${story.call.phase}`, ...commands, ...story.facts.map((one) => `“${one.type}”`)].filter((one) => one !== '');
  return `${phase.padEnd(12)}${type.padEnd(20)}${what.length === 0 ? '·' : what.join(' ')}`;
}

test('every event in every phase does what the table says', async () => {
  const table = phases.map((phase) => eventTypes.map((type) => cell(phase, type)).join('\n')).join('\n\n');
  await expect(`${table}\n`).toMatchFileSnapshot('phase-event-table.txt');
});
