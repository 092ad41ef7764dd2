/** The drawing of a plan as a page shows it. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawingOf } from '../../control-plane/core/routing/drawing.ts';
import { layersOf } from '../../control-plane/http/layers.ts';
import { pictureOf } from '../../control-plane/http/picture.ts';
import { anyPlan } from '../core/support/any-plan.ts';

describe('the picture of a plan', () => {
  it('is SVG of text, boxes and lines, whatever names are in it', () => {
    fc.assert(fc.property(anyPlan, (plan) => {
      const drawing = drawingOf(plan);
      const picture = pictureOf(drawing);
      const tags = [...picture.matchAll(/<(\/?)([a-z]+)((?: [a-zA-Z:-]+="[^"<]*")*)(\/?)>/g)];
      // what is no tag is text without a character of markup
      expect(picture.split(/<\/?[a-z]+(?: [a-zA-Z:-]+="[^"<]*")*\/?>/).join('')).not.toMatch(/[<>\p{Cc}\p{Cs}]|&(?!amp;|lt;|gt;)/u);
      expect(new Set(tags.map(([, , name]) => name))).toEqual(new Set(['svg', 'rect', 'text', 'tspan', 'path']));
      // tags that close what was opened last are taken away in pairs
      let nested = tags.filter(([, , , , empty]) => empty !== '/').map(([, closing, name]) => `${closing}${name}`).join(' ');
      for (let before = ''; before !== nested;) [before, nested] = [nested, nested.replace(/(?:^| )([a-z]+) \/\1(?= |$)/g, '').trim()];
      expect(nested).toBe('');
      expect(tags.filter(([, closing, name]) => name === 'rect' && closing === '').length).toBe(drawing.boxes.length);
      // a name may be any of these
      expect(tags.map(([tag]) => tag).join('')).not.toMatch(/NaN|Infinity|undefined/);
    }), { numRuns: 300 });
  });

  it('has no two boxes on one place, all inside it, and arrows from box to box', () => {
    fc.assert(fc.property(anyPlan, fc.nat(), (plan, seed) => {
      const { boxes, arrows: all } = drawingOf(plan);
      const arrows = all.filter(({ from, to }) => from !== to);
      const sizes = boxes.map((_, i) => ({ width: 60 + ((seed + 37 * i) % 200), height: 20 + ((seed + 11 * i) % 90) }));
      const layout = layersOf(sizes, arrows, ({ label }) => label.length * 7);
      const sides = layout.boxes.map(({ x, y }, i) => {
        const { width = 0, height = 0 } = sizes[i] ?? {};
        return { left: x - width / 2, right: x + width / 2, top: y, bottom: y + height };
      });
      for (const [i, a] of sides.entries()) {
        expect(a.left >= 0 && a.right <= layout.width && a.top >= 0 && a.bottom <= layout.height).toBe(true);
        for (const b of sides.slice(i + 1)) expect(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top).toBe(true);
      }
      for (const [i, { from, to }] of arrows.entries()) {
        const points = (layout.arrows[i]?.lines ?? []).flat();
        const on = (point: { x: number; y: number } | undefined, box: (typeof sides)[number] | undefined): boolean =>
          point !== undefined && box !== undefined && point.x >= box.left - 0.01 && point.x <= box.right + 0.01 && point.y >= box.top - 0.01 && point.y <= box.bottom + 0.01;
        expect(on(points[0], sides[from])).toBe(true);
        expect(on(points.at(-1), sides[to])).toBe(true);
      }
    }));
  });
});
