/** M1: keys of a menu that lead somewhere and also begin an extension that it dials. Who presses one waits for the time between keys. */
import type { Menu } from './config.ts';
import { seconds } from './words.ts';

type Keys = Pick<Menu, 'name' | 'dialByExtension' | 'betweenKeysMs'> & { readonly options: Readonly<Record<string, unknown>> };

/** A sentence for each key. */
export function keysThatWait({ name, dialByExtension, betweenKeysMs, options }: Keys, extensions: Iterable<string>): readonly string[] {
  if (!dialByExtension) return [];
  const all = [...extensions].toSorted();
  return Object.keys(options).flatMap((key) => {
    const [first, ...more] = all.filter((extension) => extension.startsWith(key));
    if (first === undefined) return [];
    return [`Key ${key} of the menu “${name}” also begins extension ${first}${more.length === 0 ? '' : ` and ${more.length} more`}: who presses it waits ${seconds(betweenKeysMs)} for another digit. Give it another key, or set dialByExtension to false.`];
  });
}
