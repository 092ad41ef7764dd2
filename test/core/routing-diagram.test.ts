/** A plan drawn: every step a call can reach is a box, every outcome an arrow, and no name changes the drawing. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../control-plane/core/routing/compile.ts';
import { mermaidOf } from '../../control-plane/core/routing/diagram.ts';
import { drawingOf } from '../../control-plane/core/routing/drawing.ts';
import { exitsOf, inOrder } from '../../control-plane/core/routing/plan-graph.ts';
import type { Step } from '../../control-plane/core/routing/plan.ts';
import { callFrom, clinic } from './routing-fixture.ts';
import { anyPlan, anyText } from './support/any-plan.ts';

const text = String.raw`"(?:[\p{L}\p{N} ,+-]|#\d+;|<br\/>)*"`;
const node = new RegExp(String.raw`^  n\d+(?:\(\[${text}\]\)|\[${text}\])$`, 'u');
const edge = new RegExp(String.raw`^  n(\d+) -->(?:\|${text}\|)? n(\d+)$`, 'u');

/** Narrower than Mermaid's own grammar: a heading, boxes, arrows between them, and no character with a meaning in any label. */
function readDiagram(diagram: string): { readonly boxes: number; readonly arrows: readonly (readonly [number, number])[] } {
  const [heading, ...lines] = diagram.split('\n');
  expect(heading).toBe('flowchart TD');
  // Mermaid takes the first for the beginning of an entity, the second after “style” for one of its statements
  expect(diagram).not.toMatch(/[ﬂ:]/);
  const boxes = lines.filter((line) => node.test(line));
  const arrows = lines.filter((line) => edge.test(line));
  expect(lines.filter((line) => !node.test(line) && !edge.test(line))).toEqual([]);
  return { boxes: boxes.length, arrows: arrows.map((line) => { const [, from, to] = edge.exec(line) ?? []; return [Number(from), Number(to)] as const; }) };
}

/** What a reader of the diagram sees in its boxes. */
const shown = (diagram: string): readonly string[] =>
  diagram.split('\n').filter((line) => node.test(line)).flatMap((line) => (/"(.*)"/.exec(line)?.[1] ?? '').split('<br/>')).map((label) => label.replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))));

const followers = (step: Step | undefined): readonly string[] => (step === undefined ? [] : exitsOf(step).flatMap((exit) => ('to' in exit ? [exit.to] : [])));

describe('the order of steps', () => {
  it('has each step once, and none that no call can reach', () => {
    fc.assert(fc.property(anyPlan, (plan) => {
      const ids = inOrder(plan).map(([id]) => id);
      expect([new Set(ids).size, ids[0]]).toEqual([ids.length, plan.first]);
      const reached = new Set([plan.first, ...(plan.last === undefined ? [] : [plan.last])]);
      for (const id of reached) for (const next of followers(plan.steps[id])) reached.add(next);
      expect(new Set(ids)).toEqual(reached);
    }));
  });

  it('puts what several steps lead to after all of them', () => {
    const { steps, ...plan } = compile(clinic(), callFrom());
    const shared = { ...plan, first: 'hello', steps: { ...steps, hello: { kind: 'announcement', media: [], on: { done: 'ring' } }, ring: { ...steps['ring'], on: { noAnswer: 'again' } }, again: { ...steps['ring'], on: { noAnswer: 'voicemail' } } } } as typeof plan & { steps: typeof steps };
    expect(inOrder(shared).map(([id]) => id)).toEqual(['hello', 'ring', 'again', 'voicemail', 'hang-up']);
  });
});

describe('the diagram', () => {
  it('of a common plan reads as the plan does', () => {
    const diagram = mermaidOf(drawingOf(compile(clinic({ announcementText: 'Hello' }), callFrom())));
    expect(diagram.split('\n')).toEqual([
      'flowchart TD',
      '  n0(["Call to +12025550110<br/>Main line"])',
      '  n1["Announcement"]',
      '  n2["Ring all at once, 30 s<br/>ana, desk, extension 101<br/>ben, desk, extension 102<br/>ben, mobile, +12025550121, on a key"]',
      '  n3["Voicemail<br/>a message of at most 180 s"]',
      '  n4(["Hang up<br/>cause normal"])',
      '  n5(["Connected"])',
      '  n0 --> n1',
      '  n1 -->|"done"| n2',
      '  n2 -->|"accepted"| n5',
      '  n2 -->|"no answer"| n3',
      '  n3 -->|"done"| n4',
    ]);
  });

  it('is one diagram whatever people are called, with the same boxes and arrows', () => {
    fc.assert(fc.property(anyPlan, (plan) => {
      const drawing = drawingOf(plan);
      const read = readDiagram(mermaidOf(drawing));
      expect(read.boxes).toBe(drawing.boxes.length);
      expect(read.arrows).toEqual(drawing.arrows.map(({ from, to }) => [from, to]));
      expect(drawing.arrows.every(({ from, to }) => from < drawing.boxes.length && to < drawing.boxes.length)).toBe(true);
    }), { numRuns: 500 });
  });

  it('shows names as they are written, but for what cannot be shown and what is too long', () => {
    fc.assert(fc.property(anyPlan, (plan) => {
      const drawing = drawingOf(plan);
      expect(shown(mermaidOf(drawing))).toEqual(drawing.boxes.flatMap(({ lines }) => lines.map((line) => line.replaceAll('ﬂ', 'fl').replace(/\$(?=\$)/g, '$ '))));
    }));
    fc.assert(fc.property(anyText, (label) => {
      const [, line = ''] = drawingOf({ ...compile(clinic(), callFrom()), number: { e164: '+1', label: `x${label}` } }).boxes[0]?.lines ?? [];
      expect(Array.from(line).length).toBeLessThanOrEqual(44);
      expect(line).not.toMatch(/\p{Cc}|\p{Cs}/u);
    }));
    fc.assert(fc.property(fc.stringMatching(/^[A-Za-zÀ-ž]{1,40}$/), (label) => {
      expect(drawingOf({ ...compile(clinic(), callFrom()), number: { e164: '+1', label } }).boxes[0]?.lines).toEqual(['Call to +1', label]);
    }));
  });
});
