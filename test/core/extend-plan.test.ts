import { describe, expect, it } from 'vitest';
import { draftOf } from '../../control-plane/core/call/draft.ts';
import { askForExtension } from '../../control-plane/core/call/extend-plan.ts';
import type { RingStep } from '../../control-plane/core/routing/plan.ts';
import { given, Story } from './support/given.ts';
import { desk, planOf } from './support/plans.ts';

const plan = planOf([desk(1)]);
const ring = (n: number): RingStep => ({ kind: 'ring', pattern: 'simultaneous', attempts: [desk(n)], ringMs: 20_000, taken: [], on: { noAnswer: 'voicemail' } });

/** A call that rings, and wants extension 102. */
function asking(): Story {
  const draft = draftOf(given(plan).offered().call, 0);
  askForExtension(draft, '102', 'voicemail');
  const story = new Story(plan, draft.call);
  story.commands = draft.commands;
  return story;
}

describe('A plan that is added to while its call runs', () => {
  it('is asked for by the extension, and has the steps that come in answer', () => {
    const story = asking();
    const request = story.call.planning?.request ?? '';
    expect(story.commands).toEqual([{ type: 'PlanExtension', request, extension: '102', noAnswer: 'voicemail' }]);
    story.when({ type: 'ExtensionPlanned', request, steps: { [request]: ring(2) }, first: request, why: '' });
    expect(story.call.plan).toEqual({ ...plan, steps: { ...plan.steps, [request]: { ...ring(2), added: true } } });
    expect(story.call).toMatchObject({ phase: 'ringing', step: 'ring', planning: null });
  });

  it('takes no answer that was not asked for, none twice, and none in the place of a step it has', () => {
    const story = asking();
    const request = story.call.planning?.request ?? '';
    const answer = { type: 'ExtensionPlanned', request, steps: { ring: ring(2) }, first: request, why: '' } as const;
    story.when({ ...answer, request: 'extension-99', steps: { another: ring(3) } }).when(answer).when({ ...answer, steps: { late: ring(3) } });
    expect(story.call.plan).toEqual(plan);
  });

  it('is asked for again after its answer was lost', () => {
    const story = asking();
    const asked = story.call.planning;
    expect(story.adopted().commands).toContainEqual(asked);
  });
});
