/** Passwords that are made here: long, and without letters and digits that are mistaken for each other when typed into a phone. */
import { randomInt } from 'node:crypto';

const length = 20;
const alphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

export function newSecret(): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}
