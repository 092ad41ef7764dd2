/** Problems of plan files: where, what, and the way out. */
import { isMap, isPair, isScalar, type Document, type LineCounter, type Node } from 'yaml';

export interface Problem {
  readonly file: string;
  readonly line: number;
  /** `numbers[0].timeoutSeconds`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly wayOut: string;
}

export type Path = readonly (string | number)[];

/** A problem that knows its place in the data, not yet in the file. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly wayOut: string;
}

/** One line each, by file and line. */
export function formatProblems(problems: readonly Problem[]): string {
  return sortProblems(problems)
    .map(({ file, line, path, message, wayOut }) => `${file}:${line}: ${path === '' ? '' : `${path}: `}${message}. ${wayOut}`)
    .join('\n');
}

export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.path.localeCompare(b.path));
}

export function pathText(path: Path): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${part}`)).join('');
}

/** The line of the field, or of the nearest thing around it that is in the file. */
export function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let depth = path.length; depth > 0; depth--) {
    const offset = offsetOf(document, path.slice(0, depth));
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  const start = document.contents?.range?.[0];
  return start === undefined ? 1 : lines.linePos(start).line;
}

function offsetOf(document: Document, path: Path): number | undefined {
  const last = path.at(-1);
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  // Of a field the line of its name: its value may begin further down.
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last);
    if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0];
  }
  return (document.getIn(path, true) as Node | undefined)?.range?.[0];
}
