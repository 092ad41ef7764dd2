/**
 * M2: where a caller's number is. Country and area code are told by the metadata of libphonenumber; the region, in North
 * America alone, by its digits (regions.ts). A number is where it was given out, whoever has it now.
 */
import type { PhoneNumber } from 'libphonenumber-js/max';
import { countryOf } from '../core/routing/calling-codes.ts';
import type { Geo } from '../core/routing/conditions.ts';
import { regionOf } from './regions.ts';

/** `home`: ISO 3166-1 alpha-2, of numbers without `+`. What is not known is absent. */
export type GeoOf = (number: string, home: string) => Geo;

/** Numbers kept with what is known of them: a caller is asked of more than once. */
const mostKept = 5000;

/** Loads the metadata (a tenth of a second, 17 MB); a lookup takes some ten microseconds then. */
export async function openGeo(): Promise<GeoOf> {
  const { parsePhoneNumberFromString, Metadata, isSupportedCountry } = await import('libphonenumber-js/max');
  const metadata = new Metadata();
  const open = new Map<string, boolean>();
  /** Whether national numbers of the country are dialled without their area code nearby: they have a prefix for elsewhere. */
  const hasAreaCodes = (country: string): boolean => {
    let has = open.get(country);
    if (has === undefined && isSupportedCountry(country)) {
      metadata.selectNumberingPlan(country);
      has = Boolean((metadata.numberingPlan as unknown as { readonly nationalPrefix: () => unknown }).nationalPrefix());
      open.set(country, has);
    }
    return has ?? false;
  };
  const look = (number: string, home: string): Geo => {
    const text = number.replace(/[^\d+]/g, '');
    const parsed = parsePhoneNumberFromString(text, isSupportedCountry(home) ? home : 'US');
    if (parsed === undefined || (!text.startsWith('+') && !parsed.isValid())) return {};
    return geoOfParsed(parsed, hasAreaCodes);
  };
  const kept = new Map<string, Geo>();
  return (number, home) => {
    const key = `${home} ${number}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const geo = look(number, home);
    const [oldest] = kept.keys();
    if (kept.size >= mostKept && oldest !== undefined) kept.delete(oldest);
    kept.set(key, geo);
    return geo;
  };
}

function geoOfParsed(parsed: PhoneNumber, hasAreaCodes: (country: string) => boolean): Geo {
  const { countryCallingCode, nationalNumber } = parsed;
  // a number that nobody can have yet, such as one of a new area code, is in its country all the same
  const country = parsed.country ?? countryOf(parsed.number) ?? undefined;
  if (country === undefined) return {};
  if (countryCallingCode === '1') {
    const type = parsed.getType();
    if (nationalNumber.length !== 10 || (type !== undefined && !placed.has(type))) return { country };
    const region = regionOf(nationalNumber);
    return { country, ...(region?.startsWith(`${country}-`) === true ? { region } : {}), areaCode: nationalNumber.slice(0, 3) };
  }
  // Italian area codes begin with the 0 that others have as a prefix
  if (!placed.has(parsed.getType() ?? '') || !(hasAreaCodes(country) || nationalNumber.startsWith('0'))) return { country };
  const areaCode = parsed.formatInternational().split(' ')[1];
  return areaCode === undefined ? { country } : { country, areaCode };
}

/** Of numbers that belong to a place. */
const placed: ReadonlySet<string> = new Set(['FIXED_LINE', 'FIXED_LINE_OR_MOBILE']);
