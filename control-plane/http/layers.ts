/**
 * Where the boxes of a drawing stand: in rows, so that arrows lead down, with a row for the arrows' labels between two
 * rows of boxes. After Sugiyama, Tagawa and Toda (1981): an arrow over several rows is a chain of invisible points, rows
 * are ordered by where their neighbours stand, and what leads back up is laid out as if it led down.
 */
import type { Arrow } from '../core/routing/drawing.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Placed {
  /** Its middle. */
  readonly x: number;
  /** Its top. */
  readonly y: number;
}

export interface Layout extends Size {
  /** As the boxes were given. */
  readonly boxes: readonly Placed[];
  /** As the arrows were given: lines from box to box, which leave the label room between them, and its middle. */
  readonly arrows: readonly { readonly lines: readonly (readonly Placed[])[]; readonly label: Placed }[];
}

interface Node extends Size {
  x: number;
  readonly above: Node[];
  readonly below: Node[];
}

const labelHeight = 18;
const rowGap = 20;
const nodeGap = 22;
/** Of an arrow that passes a row of boxes. */
const passWidth = 6;
const margin = 12;
const sweeps = 8;

/** Boxes in an order in which most arrows lead to later ones, and none to itself; `labelWidth` 0 of an arrow without a label. */
export function layersOf(boxes: readonly Size[], arrows: readonly Arrow[], labelWidth: (arrow: Arrow) => number): Layout {
  const down = arrows.map(({ from, to }) => ({ top: Math.min(from, to), bottom: Math.max(from, to) }));
  const depths = boxes.map(() => 0);
  boxes.forEach((_, i) => {
    for (const { top, bottom } of down) if (top === i && bottom !== i) depths[bottom] = Math.max(depths[bottom] ?? 0, (depths[i] ?? 0) + 1);
  });
  const rows: Node[][] = Array.from({ length: 2 * Math.max(0, ...depths) + 2 }, () => []);
  const add = (row: number, size: Size): Node => {
    const node: Node = { ...size, x: 0, above: [], below: [] };
    rows[row]?.push(node);
    return node;
  };
  const nodes = boxes.map((size, i) => add(2 * (depths[i] ?? 0), size));
  const chains = down.map(({ top, bottom }, i) => {
    const [first, last] = [2 * (depths[top] ?? 0) + 1, 2 * (depths[bottom] ?? 0)];
    const between = Array.from({ length: last - first }, (_, at) => add(first + at, at === 0 ? { width: labelWidth(arrows[i] as Arrow), height: labelHeight } : { width: passWidth, height: 0 }));
    const chain = [nodes[top], ...between, nodes[bottom]].filter((node) => node !== undefined);
    chain.forEach((node, at) => {
      const next = chain[at + 1];
      if (next === undefined) return;
      node.below.push(next);
      next.above.push(node);
    });
    return chain;
  });

  for (const row of rows) spread(row);
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    for (const row of rows) order(row, ({ above }) => above);
    for (const row of rows.toReversed()) order(row, ({ below }) => below);
  }
  for (let sweep = 0; sweep < sweeps; sweep += 1) for (const row of sweep % 2 === 0 ? rows : rows.toReversed()) settle(row);

  const left = Math.min(...rows.flat().map(({ x, width }) => x - width / 2)) - margin;
  const width = Math.max(...rows.flat().map((node) => node.x + node.width / 2)) + margin - left;
  const spans = new Map<Node, readonly [number, number]>();
  let y = margin;
  for (const row of rows) {
    if (row.length === 0) continue;
    const height = Math.max(...row.map((node) => node.height));
    for (const node of row) spans.set(node, [y, y + height]);
    y += height + rowGap;
  }
  const top = (node: Node): Placed => ({ x: node.x - left, y: spans.get(node)?.[0] ?? 0 });
  const bottom = (node: Node): Placed => ({ x: node.x - left, y: spans.get(node)?.[1] ?? 0 });
  return {
    width, height: y - rowGap + margin, boxes: nodes.map(top),
    arrows: arrows.map((arrow, i) => {
      const [start, label, ...rest] = chains[i] ?? [];
      const [inner, end] = [rest.slice(0, -1), rest.at(-1)];
      if (start === undefined || label === undefined || end === undefined) return { lines: [], label: { x: 0, y: 0 } };
      const out = [{ ...top(start), y: top(start).y + start.height }, top(label)];
      const on = [bottom(label), ...inner.flatMap((node) => [top(node), bottom(node)]), top(end)];
      const lines = labelWidth(arrow) === 0 ? [[...out, ...on]] : [out, on];
      return { lines: arrow.from < arrow.to ? lines : lines.map((line) => line.toReversed()).toReversed(), label: { x: label.x - left, y: (top(label).y + bottom(label).y) / 2 } };
    }),
  };
}

function spread(row: readonly Node[]): void {
  let x = 0;
  for (const node of row) {
    node.x = x + node.width / 2;
    x += node.width + nodeGap;
  }
  for (const node of row) node.x -= (x - nodeGap) / 2;
}

function order(row: Node[], neighbours: (node: Node) => readonly Node[]): void {
  const wanted = new Map(row.map((node) => [node, mean(neighbours(node)) ?? node.x]));
  row.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
  spread(row);
}

/** Each as near to the middle of its neighbours as the others of the row leave it room. */
function settle(row: readonly Node[]): void {
  const wanted = row.map((node) => mean([...node.above, ...node.below]) ?? node.x);
  const room = (a: Node, b: Node): number => (a.width + b.width) / 2 + nodeGap;
  const pushed = (from: readonly Node[], x: readonly number[], sign: 1 | -1): readonly number[] => {
    const placed: number[] = [];
    from.forEach((node, i) => {
      const before = from[i - 1];
      const least = before === undefined ? -Infinity : sign * (placed[i - 1] ?? 0) + room(before, node);
      placed.push(sign * Math.max(sign * (x[i] ?? 0), least));
    });
    return placed;
  };
  const right = pushed(row, wanted, 1);
  const left = pushed(row.toReversed(), wanted.toReversed(), -1).toReversed();
  row.forEach((node, i) => { node.x = ((right[i] ?? 0) + (left[i] ?? 0)) / 2; });
}

function mean(nodes: readonly Node[]): number | undefined {
  return nodes.length === 0 ? undefined : nodes.reduce((sum, { x }) => sum + x, 0) / nodes.length;
}
