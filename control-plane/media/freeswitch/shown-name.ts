import { callerText } from '../caller-text.ts';
import { harmless } from './esl/esl-text.ts';

/**
 * A name as a phone is to show it, for `origination_caller_id_name`. mod_sofia (tried on 1.11.1) takes of a name what stands between
 * `:`, `/` and `@`, undoes percent-encoding after that, takes what stands in quotes alone, and writes the rest into a quoted string
 * (RFC 3261 section 25.1) as it is.
 */
export function shownName(name: string): string {
  return harmless(callerText(name, 80)).replaceAll('"', "'").replaceAll('\\', '\\\\').replace(/[%:/@]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}
