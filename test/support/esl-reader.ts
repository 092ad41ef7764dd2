/** How FreeSWITCH parts and unquotes text, written from the description of its rules: the other end of esl-text.ts. */

const meant: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', s: ' ' };

/** `switch_separate_string`: the fields of a text, at most `limit`, the last of which has all that is left. */
export function separated(text: string, delimiter: string, limit = 1000): readonly string[] {
  const fields: string[] = [];
  let [at, field, quoted] = [0, '', false];
  while (at < text.length) {
    const letter = text[at] ?? '';
    if (letter === '\\') {
      field += text.slice(at, at + 2);
      at += 2;
      continue;
    }
    if (letter === "'" && (delimiter === ' ' || quoted || text.includes("'", at + 1))) quoted = !quoted;
    if (letter === delimiter && !quoted && fields.length + 1 < limit) {
      fields.push(field);
      field = '';
      // Between words there may be any number of spaces.
      if (delimiter === ' ') at += (/^ */.exec(text.slice(at + 1))?.[0] ?? '').length;
    } else field += letter;
    at += 1;
  }
  // What ends with its delimiter has no empty field behind it.
  if (field !== '') fields.push(field);
  return fields.map((each) => unquoted(each, delimiter === ' ' ? '' : delimiter));
}

function unquoted(text: string, delimiter: string): string {
  let [out, kept, quoted] = ['', 0, false];
  const from = text.search(/[^ ]|$/);
  for (let at = from; at < text.length; at += 1) {
    const [letter = '', next = ''] = [text[at], text[at + 1]];
    if (letter === '\\' && (next === "'" || next === '"' || next === '\\' || (delimiter !== '' && next === delimiter) || next in meant)) {
      out += meant[next] ?? next;
      kept = out.length;
      at += 1;
    } else if (letter === "'" && (quoted || text.includes("'", at + 1))) {
      quoted = !quoted;
      if (quoted) kept = out.length;
    } else {
      out += letter;
      if (letter !== ' ' || quoted) kept = out.length;
    }
  }
  return out.slice(0, kept);
}

/** `switch_event_create_brackets`: the variables before a dial string, and the dial string. Throws where the switch would fail. */
export function variablesOf(leg: string): { readonly variables: Readonly<Record<string, string>>; readonly rest: string } {
  if (leg.includes(':_:')) throw new Error('several originates');
  if (!leg.startsWith('{')) return { variables: {}, rest: leg };
  let [depth, end] = [0, 0];
  do {
    if (leg[end] === '{') depth += 1;
    if (leg[end] === '}') depth -= 1;
    end += 1;
  } while (depth > 0 && end < leg.length);
  if (depth > 0) throw new Error('no end of the variables');
  const pairs = separated(leg.slice(1, end - 1), ',').map((pair) => separated(pair, '=', 2));
  return { variables: Object.fromEntries(pairs.filter((pair) => pair.length === 2)) as Record<string, string>, rest: leg.slice(end) };
}
