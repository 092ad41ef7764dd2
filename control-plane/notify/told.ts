/** What has been told, shared by controllers, so that the next to lead does not tell it again. */
import type { SharedMemory } from '../store/ports.ts';

export interface Told {
  /** No, when it cannot be known: twice is better than never. Neither rejects. */
  has(key: string): Promise<boolean>;
  add(key: string): Promise<void>;
}

const remembered = 200;

export function rememberTold(memory: SharedMemory, name: string): Told {
  const read = async (): Promise<readonly string[]> => {
    try {
      const all: unknown = JSON.parse((await memory.read(name)) ?? '[]');
      return Array.isArray(all) ? all.filter((one) => typeof one === 'string') : [];
    } catch {
      return [];
    }
  };
  return {
    has: async (key) => (await read()).includes(key),
    add: async (key) => {
      await memory.write(name, JSON.stringify([...(await read()), key].slice(-remembered))).catch(() => undefined);
    },
  };
}
