/**
 * What is written into commands is read back the same: by a reader that parts and unquotes text as the switch does
 * (switch_utils.c, switch_event.c of 1.11). That the switch does so too is shown in `esl-client-switch.test.ts`.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { harmless, maxVariablesAtOnce, originateVariables, unfit, variableList, writeArguments } from '../../control-plane/media/freeswitch/esl/esl-text.ts';
import { separated, variablesOf } from '../support/esl-reader.ts';
import { fuzzBudget } from '../support/fuzz.ts';

/** Letters that mean something to the switch come up more often than by chance. */
const nasty = fc.constantFrom('\\', "'", '"', ',', ';', '=', ' ', '{', '}', '[', ']', '^^', '|', '&', '(', ')', '<', '>', ':_:', '$', '%', '\t', 'n', 's', 'r', 't', 'ü', '€', '🙂', 'a', '0', 'ARRAY::', '|:', 'undef');
const anyText = fc.oneof(fc.array(nasty, { maxLength: 12 }).map((parts) => parts.join('')), fc.string({ unit: 'grapheme', maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 20 }));
const names = ['origination_caller_id_name', 'sip_h_X-Frontdesk', 'a', 'fd_call', 'last'];

const write = (args: Record<string, string>): string => {
  const written = writeArguments('uuid_setvar', args);
  if (!written.ok) throw new Error(written.message);
  return written.text;
};

describe('Text on its way to the switch', () => {
  test('arguments are as many as were given, and each is what was given', () => {
    fc.assert(fc.property(fc.array(anyText.filter((text) => unfit(text) === undefined), { minLength: 1, maxLength: 5 }), (values) => {
      const written = write(Object.fromEntries(values.map((value, i) => [`a${i}`, value])));
      expect(separated(written, ' ')).toEqual(values);
      expect(written).not.toMatch(/[\r\n\0]/);
    }), fuzzBudget('ESL arguments', 600).parameters);
  });

  test('the variables of an originate arrive as they are, behind them the dial string; or are refused by their name', () => {
    fc.assert(fc.property(fc.array(anyText.filter((text) => text !== ''), { maxLength: names.length }), (values) => {
      const given = Object.fromEntries(values.map((value, i) => [names[i] ?? '', value]));
      const written = originateVariables(given);
      const [, blamed = ''] = /^The variable (\S+) /.exec(written.ok ? '' : written.message) ?? [];
      expect(written.ok || !originateVariables({ [blamed]: given[blamed] ?? '' }).ok).toBe(true);
      if (!written.ok) return;
      const [leg = '', action] = separated(write({ leg: `${written.text}sofia/gateway/carrier/+15550100`, action: '&park()' }), ' ');
      expect(action).toBe('&park()');
      expect(variablesOf(leg)).toEqual({ variables: given, rest: 'sofia/gateway/carrier/+15550100' });
    }), fuzzBudget('ESL originate variables', 600).parameters);
  });

  test('so do those that are set together', () => {
    fc.assert(fc.property(fc.array(anyText, { minLength: 1, maxLength: names.length }), (values) => {
      const given = Object.fromEntries(values.map((value, i) => [names[i] ?? '', value]));
      const written = variableList(given);
      if (!written.ok) return;
      expect(Object.fromEntries(separated(written.text, ';').map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]))).toEqual(given);
    }), fuzzBudget('ESL variables set together', 400).parameters);
  });

  test('whatever a caller calls himself, made harmless it is taken, and a plain name is left alone', () => {
    fc.assert(fc.property(anyText, (text) => {
      const name = harmless(text);
      expect(originateVariables({ name }).ok && variableList({ name }).ok && unfit(name) === undefined).toBe(true);
      expect(harmless(name)).toBe(name);
    }), fuzzBudget('ESL callers', 400).parameters);
    expect(harmless("Dr. O'Neil, Zoë (\"Zo\") \\ 100 % & $5 [x]")).toBe("Dr. O'Neil, Zoë (\"Zo\") \\ 100 % & $5 [x]");
  });

  test.each([
    ['a brace without its partner', { name: 'a}b{' }, 'The variable name holds a brace without its partner.'],
    ['the mark between originates', { name: 'a:_:b' }, 'The variable name holds :_:'],
    ['a line break', { name: 'a\nb' }, 'The variable name holds a line break.'],
    ['an expansion', { name: '${sip_auth_password}' }, 'The variable name holds ${'],
    ['a list', { name: 'ARRAY::a|:b' }, 'The variable name begins with ARRAY::'],
    ['half a letter', { name: 'a\uD800' }, 'The variable name holds half a character.'],
    ['a name that is none', { 'a,b=c': 'd' }, 'The variable a,b=c has a name of other than'],
  ])('%s is refused with a sentence', (_, variables, words) => {
    expect(originateVariables(variables)).toMatchObject({ ok: false, message: expect.stringContaining(words) });
  });

  test('more variables than the switch takes at once are refused', () => {
    const many = Object.fromEntries(Array.from({ length: maxVariablesAtOnce + 1 }, (_, i) => [`v${i}`, 'x']));
    expect(variableList(many)).toMatchObject({ ok: false, message: expect.stringContaining('61 variables') });
  });
});
