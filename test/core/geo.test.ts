/** M2: where a number is. */
import examples from 'libphonenumber-js/examples.mobile.json' with { type: 'json' };
import { getCountries, getCountryCallingCode } from 'libphonenumber-js/max';
import { describe, expect, it } from 'vitest';
import { countryOf } from '../../control-plane/core/routing/calling-codes.ts';
import { openGeo } from '../../control-plane/geo/geo-of.ts';

const geoOf = await openGeo();

describe('A number is in', () => {
  it.each([
    ['+14155550177', 'US US-CA 415'], ['+12125550177', 'US US-NY 212'], ['+12025550110', 'US US-DC 202'], ['+12065550110', 'US US-WA 206'], ['+16045550110', 'CA CA-BC 604'],
    ['+19055550110', 'CA CA-ON 905'], ['+19024225550', 'CA CA-NS 902'], ['+19028925550', 'CA CA-PE 902'], ['+18674565550', 'CA CA-YT 867'], ['+18675365550', 'CA - 867'], ['+17825550110', 'CA - 782'],
    ['+12425550110', 'BS - 242'], ['+17875550110', 'PR - 787'], ['+18005550110', 'US - -'], ['+19005550110', 'US - -'],
    ['+442079460018', 'GB - 20'], ['+441614960018', 'GB - 161'], ['+441632960018', 'GB - -'], ['+4930123456', 'DE - 30'], ['+498912345678', 'DE - 89'], ['+491701234567', 'DE - -'], ['+390612345678', 'IT - 06'],
    ['+393123456789', 'IT - -'], ['+33123456789', 'FR - 1'], ['+81312345678', 'JP - 3'], ['+61293741234', 'AU - 2'], ['+4532123456', 'DK - -'], ['+34912345678', 'ES - -'],
    ['+441534440018', 'JE - 1534'], ['+441534960018', 'JE - -'], ['+77011234567', 'KZ - -'], ['+870773123456', '- - -'],
  ])('%s: %s', (number, place) => {
    const { country = '-', region = '-', areaCode = '-' } = geoOf(number, 'US');
    expect(`${country} ${region} ${areaCode}`).toBe(place);
  });

  it.each([
    ['4155550177', 'US', 'US-CA'], ['14155550177', 'US', 'US-CA'], ['030123456', 'DE', '30'], ['4930123456', 'DE', '30'], ['anonymous', 'US', undefined], ['', 'US', undefined], ['101', 'US', undefined], ['4155550177', 'XX', 'US-CA'],
  ])('the account’s country, or its own, without a plus: %s in %s', (number, home, where) => {
    const { region, areaCode } = geoOf(number, home);
    expect(region ?? areaCode).toBe(where);
  });

  it('the same place when it is asked again, after thousands of others', () => {
    const first = geoOf('+14155550177', 'US');
    expect(geoOf('+14155550177', 'US')).toBe(first);
    for (let n = 0; n < 5000; n += 1) geoOf(`+1212555${String(n).padStart(4, '0')}`, 'US');
    expect(geoOf('+14155550177', 'US')).toEqual(first);
    expect(geoOf('+14155550177', 'US')).not.toBe(first);
  });
});

it('An example of each country is in the country that the guard of outbound calls says, but for islands that share a code', () => {
  const differing = getCountries().flatMap((country) => {
    const number = `+${getCountryCallingCode(country)}${examples[country]}`;
    const [told, guarded] = [geoOf(number, 'US').country, countryOf(number)];
    return told === guarded ? [] : [`${number} ${told} ${guarded}`];
  });
  expect(differing).toEqual(['+24740123 AC SH', '+447781123456 GG GB', '+447797712345 JE GB', '+2908999 TA SH']);
});
