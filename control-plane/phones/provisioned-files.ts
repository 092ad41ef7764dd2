/** What was written to a switch, kept in the data directory to know later what to remove: of each kind of switch in another file. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface ProvisionedFiles {
  /** Null where there is nothing that can be read. */
  read(): Promise<object | null>;
  write(provisioned: object): Promise<void>;
}

export function provisionedIn(dataDir: string, name: string): ProvisionedFiles {
  const file = join(dataDir, name);
  return {
    async read() {
      try {
        return JSON.parse(await readFile(file, 'utf8')) as object;
      } catch {
        return null;
      }
    },
    write: (provisioned) => writeFile(file, JSON.stringify(provisioned), { mode: 0o600 }),
  };
}

/** Of several switches, by their names. */
export function provisionedInEach(files: Readonly<Record<string, ProvisionedFiles>>): ProvisionedFiles {
  return {
    async read() {
      return Object.fromEntries(await Promise.all(Object.entries(files).map(async ([name, file]) => [name, await file.read()] as const)));
    },
    async write(provisioned) {
      const each = new Map(Object.entries(provisioned as Readonly<Record<string, object | null>>));
      await Promise.all(Object.entries(files).map(async ([name, file]) => {
        const one = each.get(name) ?? null;
        if (one !== null) await file.write(one);
      }));
    },
  };
}
