import { describe, expect, test } from 'vitest';
import { assert, boolean, property, stringMatching } from 'fast-check';
import { countryOf } from '../../control-plane/core/routing/calling-codes.ts';
import { defaultOutboundRules, guardOutbound, type OutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';

const american = defaultOutboundRules('US');
const reasonFor = (number: string, rules: OutboundRules = american, callsOut = 0): string => {
  const decision = guardOutbound(number, rules, callsOut);
  return decision.allowed ? 'allowed' : decision.reason;
};
const allowedThough = (number: string, premium: boolean): boolean => guardOutbound(number, { countries: ['US'], premium, concurrentCalls: 1 }, 0).allowed;

describe('a number is in the country', () => {
  test.each([
    ['+12025550110', 'US'], ['+14165550110', 'CA'], ['+18765550110', 'JM'], ['+16585550110', 'JM'], ['+17875550110', 'PR'], ['+18095550110', 'DO'], ['+14415550110', 'BM'],
    ['+442079460018', 'GB'], ['+441534960018', 'JE'], ['+74951234567', 'RU'], ['+77011234567', 'KZ'], ['+35818123456', 'AX'], ['+358401234567', 'FI'],
    ['+390669812345', 'VA'], ['+390612345678', 'IT'], ['+59991234567', 'CW'], ['+5997171234', 'BQ'], ['+8613812345678', 'CN'], ['+886212345678', 'TW'], ['+85212345678', 'HK'],
    ['+252611234567', 'SO'], ['+24712345', 'SH'],
  ])('%s is in %s', (number, country) => {
    expect(countryOf(number)).toBe(country);
  });

  test.each(['+2101234567', '+8831234567', '+9991234567', '+8811234567'])('%s is in none', (number) => {
    expect(countryOf(number)).toBeNull();
  });
});

describe('a call over a trunk', () => {
  test('leaves for the account’s own country, and for free numbers', () => {
    expect(reasonFor('+12025550110')).toBe('allowed');
    expect(reasonFor('+18005550110')).toBe('allowed');
    expect(reasonFor('+18005550110', defaultOutboundRules('CA'))).toBe('allowed');
    expect(reasonFor('+18005550110', defaultOutboundRules('DE'))).toBe('country');
  });

  test('does not leave for other countries, one of the same calling code included', () => {
    expect(reasonFor('+18765550110')).toBe('country');
    expect(reasonFor('+14165550110')).toBe('country');
    expect(reasonFor('+442079460018')).toBe('country');
    expect(reasonFor('+442079460018', { ...american, countries: ['US', 'GB'] })).toBe('allowed');
    expect(guardOutbound('+25261234567', american, 0)).toEqual({ allowed: false, reason: 'country', detail: '+25261234567 is in SO; calls are allowed to US.' });
  });

  test.each([
    '+19005550110', '+12129765501', '+17005550110', '+15005550110', '+449098790000', '+447012345678', '+448712345678', '+49900123456', '+33899123456', '+97912345678',
    '+883510012345', '+8816123456', '+870773123456',
  ])('does not leave for the premium number %s, unless premium is allowed', (number) => {
    const countries = ['US', 'GB', 'DE', 'FR'];
    expect(reasonFor(number, { ...american, countries })).toBe('premium');
    expect(reasonFor(number, { ...american, countries, premium: true })).toBe('allowed');
  });

  test('a premium number of a country that is not allowed stays refused', () => {
    expect(reasonFor('+449098790000', { ...american, premium: true })).toBe('country');
  });

  test('does not leave when as many as may are out', () => {
    expect(reasonFor('+12025550110', american, 9)).toBe('allowed');
    expect(reasonFor('+12025550110', american, 10)).toBe('concurrent-calls');
  });

  test.each(['', '911', '12025550110', '+1202555011', '+11025550110', '+12021550110', '+0123456789', '+1234567890123456', '+1202555011x', '+12025550110;phone-context=x'])('does not leave for “%s”', (number) => {
    expect(reasonFor(number)).toBe('not-a-number');
  });

  test('leaves for no number whose country is not on the list, whatever its digits', () => {
    expect(() => {
      assert(property(stringMatching(/^\+[1-9][0-9]{6,14}$/), boolean(), (number, premium) => !allowedThough(number, premium) || [...(premium ? [null] : []), 'US'].includes(countryOf(number))), { numRuns: 2_000 });
    }).not.toThrow();
  });
});
