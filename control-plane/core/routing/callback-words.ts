/** Q6: what is said of callbacks. Each sentence is a text that is spoken beforehand; numbers are said digit by digit. */
import type { CallFacts, Media } from './config.ts';

const keyNames: Readonly<Record<string, string>> = { '*': 'star', '#': 'pound' };
const atText = 'You can keep your place in line and be called back at';
const keptText = 'Thank you. You will be called back when it is your turn. Goodbye.';
const sorryText = 'You cannot be called back. Please stay on the line: you keep your place.';
/** With which who is called back says that they are there, and no mailbox. */
export const reachedKey = '1';

/** Texts to have spoken where callers may ask for it. */
export function callbackTexts(account: { readonly name: string }, key: string): readonly string[] {
  return [atText, confirmText(key), keptText, sorryText, reachedText(account)];
}

export interface CallbackWords {
  readonly asks: readonly Media[];
  readonly sorry: readonly Media[];
  readonly kept: Media;
}

/** Undefined while a part of it is not ready: half a question is none. */
export function callbackWords(key: string, number: string, spoken: CallFacts['whisperMedia']): CallbackWords | undefined {
  const [at, confirm, kept, sorry] = [atText, confirmText(key), keptText, sorryText].map(spoken);
  if (at === undefined || confirm === undefined || kept === undefined || sorry === undefined) return undefined;
  return { asks: [at, ...numberMedia(number), confirm], sorry: [sorry], kept };
}

function confirmText(key: string): string {
  return `To confirm, press ${keyNames[key] ?? key} again.`;
}

export function reachedText({ name }: { readonly name: string }): string {
  return `This is ${name}. You asked to be called back. Press ${reachedKey} to be connected.`;
}

/** With the sounds that the switch brings; nothing of a number that was withheld. */
export function numberMedia(number: string): readonly Media[] {
  const digits = number.replace(/\D/g, '').slice(0, 15);
  // North American numbers are said without their country code, as people there say them.
  const national = digits.length === 11 && digits.startsWith('1') ? digits.slice(1) : digits;
  return Array.from(national, (digit): Media => `sound:digits/${digit}`);
}
