/**
 * What text may go to the switch, and how it is written so that the switch reads back the same. The rules are those of
 * `switch_separate_string`, `switch_event_create_brackets` and mod_event_socket's reading of a command (1.10, 1.11).
 */
import { randomInt } from 'node:crypto';

/** Text in a command's own syntax, sent as it is: the rest of `sched_api`, a list of variables. */
export interface Raw { readonly raw: string }

/** By name, in the order of the command; the names are for messages. */
export type EslArguments = Readonly<Record<string, string | Raw>>;

export type Written = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string };

/**
 * Why a text must not leave here, as the end of a sentence that begins with what it is; undefined when it may.
 * - A line break ends a command, and what follows it is the next.
 * - `${…}` is expanded by the switch, and with it a caller's name could run any command (`${system(…)}`).
 * - A command with `mod_event_socket` and `unload` or `reload` anywhere in it does just that (parse_command).
 */
export function unfit(text: string): string | undefined {
  if (/[\r\n]/.test(text)) return 'holds a line break';
  if (text.includes('\0')) return 'holds a NUL';
  if (text.includes('${')) return 'holds ${, which the switch would expand';
  if (/mod_event_socket/i.test(text)) return 'names mod_event_socket, which the switch could take for an order to unload it';
  return text.isWellFormed() ? undefined : 'holds half a character';
}

/** The arguments of an API command, each quoted, separated by spaces. A refusal names the command and the argument. */
export function writeArguments(command: string, args: EslArguments): Written {
  const parts: string[] = [];
  if (!/^\w+$/.test(command)) return { ok: false, message: `${JSON.stringify(command)} is no name of a command.` };
  for (const [name, value] of Object.entries(args)) {
    const text = typeof value === 'string' ? value : value.raw;
    const why = unfit(text);
    if (why !== undefined) return { ok: false, message: `${command} was not sent: its ${name} ${why}.` };
    parts.push(typeof value === 'string' ? quote(text, ' ') : text);
  }
  return { ok: true, text: parts.join(' ') };
}

const variableName = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** A value that no writing can carry: the end of a sentence. */
function unfitValue(name: string, value: string): string | undefined {
  if (!variableName.test(name)) return 'has a name of other than letters, digits, _, . and -';
  // The switch would make a list of it.
  return unfit(value) ?? (value.startsWith('ARRAY::') ? 'begins with ARRAY::, which the switch would take for a list' : undefined);
}

/**
 * `{name=value,…}` before the dial string of an originate, which goes into the argument as any text does. The switch counts
 * braces there without regard to quotes: a value with one that has no partner is refused.
 */
export function originateVariables(variables: Readonly<Record<string, string>>): Written {
  const written: string[] = [];
  for (const [name, value] of Object.entries(variables)) {
    const why = unfitValue(name, value) ?? (balanced(value) ? undefined : 'holds a brace without its partner')
      ?? (value.includes(':_:') ? 'holds :_:, which parts one originate from the next' : undefined);
    if (why !== undefined) return { ok: false, message: `The variable ${name} ${why}.` };
    written.push(quote(`${name}=${quote(value, '=')}`, ','));
  }
  return { ok: true, text: written.length === 0 ? '' : `{${written.join(',')}}` };
}

/** @public More than these in one `uuid_setvar_multi` and the switch runs the last ones together. */
export const maxVariablesAtOnce = 60;

/** `name=value;…` for `uuid_setvar_multi`, as Raw. An empty value removes the variable. */
export function variableList(variables: Readonly<Record<string, string>>): Written {
  const entries = Object.entries(variables);
  if (entries.length > maxVariablesAtOnce) return { ok: false, message: `${entries.length} variables are more than the ${maxVariablesAtOnce} that are set at once.` };
  for (const [name, value] of entries) {
    const why = unfitValue(name, value);
    if (why !== undefined) return { ok: false, message: `The variable ${name} ${why}.` };
  }
  return { ok: true, text: entries.map(([name, value]) => quote(`${name}=${value}`, ';')).join(';') };
}

/**
 * Text of others (a caller's name) made such that nothing above refuses it: for what is shown, never for what is compared.
 */
export function harmless(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').replaceAll('{', '(').replaceAll('}', ')')
    .replace(/mod_event_socket/gi, 'mod event socket').replaceAll(':_:', ': :').replace(/^ARRAY::/, 'ARRAY: ');
}

/**
 * One field of a text that the switch parts at `delimiter`. It strips quotes and the spaces at both ends, and undoes `\\`,
 * `\'`, `\"`, `\s` and `\` before the delimiter.
 */
function quote(field: string, delimiter: ' ' | ',' | ';' | '='): string {
  if (field === '') return delimiter === ' ' ? "''" : '';
  return field.replace(/[\\' ,;=]/g, (letter) => {
    if (letter === ' ') return '\\s';
    return letter === '\\' || letter === "'" || letter === delimiter ? `\\${letter}` : letter;
  });
}

function balanced(text: string): boolean {
  let depth = 0;
  for (const letter of text) {
    if (letter === '{') depth += 1;
    if (letter === '}') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** Of a connection or a client, to tell its own marks and jobs from those of others. */
export const ownId = (): string => randomInt(2 ** 47).toString(36).padStart(10, '0');
