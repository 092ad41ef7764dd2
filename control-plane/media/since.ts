/** Since when something is as it is seen to be, for what a switch does not keep the time of. */
export interface Since {
  /** When it was first asked for, since it was last forgotten. */
  of(what: string): number;
  /** Forgets all others. */
  keepOnly(these: readonly string[]): void;
}

export function createSince(now: () => number): Since {
  const times = new Map<string, number>();
  return {
    of(what) {
      const known = times.get(what) ?? now();
      times.set(what, known);
      return known;
    },
    keepOnly(these) {
      for (const what of times.keys()) if (!these.includes(what)) times.delete(what);
    },
  };
}
