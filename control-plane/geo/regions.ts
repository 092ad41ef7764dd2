/** Regions of North America by the digits that national numbers begin with. */
import { regionDigits } from './north-america.generated.ts';

const regions: ReadonlyMap<string, string> = new Map(regionDigits.trim().split('\n').flatMap((line) => {
  const [region = '', ...digits] = line.trim().split(' ');
  return digits.map((one): [string, string] => [one, region]);
}));
const longest = Math.max(...[...regions.keys()].map((digits) => digits.length));

/** ISO 3166-2: those that a number can be in. */
export const knownRegions: ReadonlySet<string> = new Set([...regions.values()].filter((region) => region !== '?'));

/** Of a national number of +1; undefined where the data does not say. */
export function regionOf(nationalNumber: string): string | undefined {
  for (let length = longest; length >= 3; length -= 1) {
    const region = regions.get(nationalNumber.slice(0, length));
    if (region !== undefined) return region === '?' ? undefined : region;
  }
  return undefined;
}
