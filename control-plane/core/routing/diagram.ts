/**
 * A plan as a Mermaid flowchart (mermaid.js.org, "Flowcharts"). Names in it are what admins and callers wrote, so no
 * label is taken at its word: whatever is no letter, digit, blank, comma, plus or hyphen becomes Mermaid's `#code;`, and
 * the last two where they would begin a list of Markdown.
 */
import type { Box, Drawing } from './drawing.ts';

const brackets: Readonly<Record<'round' | 'square', readonly [string, string]>> = { round: ['(["', '"])'], square: ['["', '"]'] };
/** A ligature is a letter too; Mermaid writes its own entities with it. */
const unfit = /^[+-]|[^\p{L}\p{N} ,+-]/gu;

export function mermaidOf({ boxes, arrows }: Drawing): string {
  return [
    'flowchart TD',
    ...boxes.map((box, i) => {
      const [open, close] = brackets[shapeOf(box)];
      return `  n${i}${open}${box.lines.map(escaped).join('<br/>')}${close}`;
    }),
    ...arrows.map(({ from, to, label }) => `  n${from} -->${label === '' ? '' : `|"${escaped(label)}"|`} n${to}`),
  ].join('\n');
}

function shapeOf({ kind }: Box): keyof typeof brackets {
  return kind === 'call' || kind === 'connected' || kind === 'hang-up' || kind === 'extension' ? 'round' : 'square';
}

/** The ligature is how Mermaid marks its own entities, two dollars how it marks a formula; both are read after entities are. */
function escaped(text: string): string {
  return text.replaceAll('ﬂ', 'fl').replace(/\$(?=\$)/g, '$ ').replace(unfit, (character) => `#${character.codePointAt(0)};`);
}
