/** A plan drawn as SVG: text, lines and boxes alone, in the colour of the text around it. */
import type { Arrow, Box, Drawing } from '../core/routing/drawing.ts';
import { layersOf, type Placed, type Size } from './layers.ts';

const lineHeight = 18;
const padding = 10;
/** Of an average letter at 13 px; of the heading, which is bold, a little more. */
const letterWidth = 7;
const headingWidth = 8;
const headSize = 5;

export function pictureOf(drawing: Drawing): string {
  const arrows = drawing.arrows.filter(({ from, to }) => from !== to);
  const boxes = drawing.boxes.map((box, i): Box => {
    const again = drawing.arrows.find(({ from, to }) => from === i && to === i);
    return again === undefined ? box : { ...box, lines: [...box.lines, `${again.label}: again`] };
  });
  const layout = layersOf(boxes.map(sizeOf), arrows, ({ label }: Arrow) => widthOf(label));
  const parts = [
    ...arrows.map(({ label }, i) => {
      const arrow = layout.arrows[i];
      return arrow === undefined ? '' : arrowSvg(arrow.lines) + (label === '' ? '' : labelSvg(label, arrow.label));
    }),
    ...boxes.map((box, i) => boxSvg(box, layout.boxes[i] ?? { x: 0, y: 0 })),
  ];
  const [width, height] = [Math.ceil(layout.width), Math.ceil(layout.height)];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="The steps of the call" font-family="system-ui, sans-serif" font-size="13" fill="currentColor">${parts.join('')}</svg>`;
}

function sizeOf({ lines }: Box): Size {
  return { width: Math.max(90, ...lines.map((line, i) => widthOf(line) * (i === 0 ? headingWidth / letterWidth : 1) + 2 * padding)), height: lines.length * lineHeight + 2 * padding - 4 };
}

/** Letters of East Asia, and pictures, are twice as wide. */
function widthOf(text: string): number {
  return Array.from(text).reduce((sum, letter) => sum + (/[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\ufe30-\uff60]|[\u{1f000}-\u{3ffff}]/u.test(letter) ? 2 : 1), 0) * letterWidth;
}

function boxSvg({ kind, lines }: Box, { x, y }: Placed): string {
  const { width, height } = sizeOf({ kind, lines });
  const round = kind === 'call' || kind === 'connected' || kind === 'extension' || kind === 'hang-up';
  const rows = lines.map((line, i) => `<tspan x="${at(x)}" y="${at(y + padding + 12 + i * lineHeight)}"${i === 0 ? ' font-weight="600"' : ''}>${escape(line)}</tspan>`);
  return `<rect x="${at(x - width / 2)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" rx="${round ? 16 : 4}" fill="${kind === 'connected' ? '#2e8b57' : 'currentColor'}" fill-opacity="${kind === 'connected' ? 0.25 : 0.05}" stroke="currentColor" stroke-opacity="0.6"/><text text-anchor="middle">${rows.join('')}</text>`;
}

function labelSvg(label: string, { x, y }: Placed): string {
  return `<text text-anchor="middle" x="${at(x)}" y="${at(y + 4)}" font-size="12" font-style="italic">${escape(label)}</text>`;
}

/** The last of the lines ends in a head. */
function arrowSvg(lines: readonly (readonly Placed[])[]): string {
  const [end, before] = [lines.at(-1)?.at(-1), lines.at(-1)?.at(-2)];
  if (end === undefined || before === undefined) return '';
  const up = end.y < before.y ? 1 : -1;
  return `<path d="${lines.map(curve).join('')}" fill="none" stroke="currentColor" stroke-opacity="0.45"/>`
    + `<path d="M${at(end.x)} ${at(end.y)}l${-headSize} ${up * 2 * headSize}h${2 * headSize}z"/>`;
}

function curve([start, ...points]: readonly Placed[]): string {
  let from = start ?? { x: 0, y: 0 };
  const parts = points.map((to) => {
    const bend = (to.y - from.y) / 2;
    const part = from.x === to.x ? `L${at(to.x)} ${at(to.y)}` : `C${at(from.x)} ${at(from.y + bend)} ${at(to.x)} ${at(to.y - bend)} ${at(to.x)} ${at(to.y)}`;
    from = to;
    return part;
  });
  return `M${at(start?.x ?? 0)} ${at(start?.y ?? 0)}${parts.join('')}`;
}

function at(n: number): string {
  return String(Math.round(n * 10) / 10);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
