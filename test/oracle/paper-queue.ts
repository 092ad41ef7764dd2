/**
 * Whose phone rings next, worked out from a paper on which everything was noted down that happened in one queue, by reading
 * all of it again each time. It shares no code with control-plane, and must not.
 */
export interface Note {
  readonly at: number;
  readonly agent: string;
  readonly call: string;
  readonly did: 'asked' | 'declined' | 'connected' | 'ended' | 'break' | 'back';
  /** Of `asked`: who else could have been. */
  readonly couldHave?: readonly string[];
}

export interface PaperQueue {
  readonly rule: 'ring-all' | 'round-robin' | 'least-recent' | 'fewest-calls' | 'longest-idle' | 'weighted' | 'top-down' | 'sticky';
  /** As listed, the upper tier first; all tiers have joined. */
  readonly tiers: readonly (readonly string[])[];
  readonly shares: Readonly<Record<string, number>>;
  readonly wrapUp: number;
  readonly rest: number;
}

function whoIsFree({ tiers, wrapUp, rest }: PaperQueue, paper: readonly Note[], now: number): readonly string[] {
  return tiers.flat().filter((agent) => {
    let [onBreak, busy, notBefore] = [false, false, 0];
    for (const { agent: whose, did, at } of paper) {
      if (whose !== agent) continue;
      if (did === 'break') onBreak = true;
      if (did === 'back') onBreak = false;
      if (did === 'asked') busy = true;
      if (did === 'declined') [busy, notBefore] = [false, Math.max(notBefore, at + rest)];
      if (did === 'ended') [busy, notBefore] = [false, Math.max(notBefore, at + wrapUp)];
    }
    return !onBreak && !busy && now >= notBefore;
  });
}

/**
 * Who of the free may be asked for this call now: the upper tier first, and first those who have not declined it; by sticky
 * also who had the caller last.
 */
export function whoMayBeAsked(queue: PaperQueue, paper: readonly Note[], call: string, now: number, lastHad: string | undefined): readonly string[] {
  const free = whoIsFree(queue, paper, now);
  let declined = new Set<string>();
  for (const note of paper) {
    if (note.call !== call) continue;
    if (note.did === 'declined') declined.add(note.agent);
    // it went round once
    if (note.did === 'asked' && declined.has(note.agent)) declined = new Set();
  }
  const tiers = queue.rule === 'ring-all' ? [queue.tiers.flat()] : queue.tiers;
  for (const passOver of [declined, new Set<string>()]) {
    for (const tier of tiers) {
      const could = tier.filter((agent) => free.includes(agent) && !passOver.has(agent));
      if (could.length === 0) continue;
      const knows = queue.rule === 'sticky' && lastHad !== undefined && free.includes(lastHad) && !passOver.has(lastHad) && !could.includes(lastHad);
      return knows ? [...could, lastHad] : could;
    }
  }
  return [];
}

const last = (paper: readonly Note[], agent: string, ...did: readonly Note['did'][]): Note | undefined => paper.filter((note) => note.agent === agent && did.includes(note.did)).at(-1);

/** Of those who may be asked the one who is. */
export function whoIsAsked(queue: PaperQueue, paper: readonly Note[], could: readonly string[], lastHad: string | undefined): string | undefined {
  const listed = queue.tiers.flat();
  /** The one of whom the number is smallest; the first in the list of several. */
  const least = (of: (agent: string) => number): string | undefined => {
    let best: string | undefined;
    for (const agent of listed) if (could.includes(agent) && (best === undefined || of(agent) < of(best))) best = agent;
    return best;
  };
  const endOfLast = (agent: string): number => last(paper, agent, 'ended')?.at ?? 0;
  switch (queue.rule) {
    case 'ring-all':
    case 'top-down':
      return least(() => 0);
    case 'round-robin': {
      const before = listed.indexOf(paper.filter(({ did }) => did === 'asked').at(-1)?.agent ?? '');
      for (let i = 1; i <= listed.length; i++) {
        const next = listed[(before + i) % listed.length] ?? '';
        if (could.includes(next)) return next;
      }
      return undefined;
    }
    case 'least-recent':
      return least(endOfLast);
    case 'fewest-calls': {
      const calls = (agent: string): number => paper.filter((note) => note.agent === agent && note.did === 'connected').length;
      const fewest = could.filter((agent) => could.every((other) => calls(agent) <= calls(other)));
      return listed.filter((agent) => fewest.includes(agent)).reduce<string | undefined>((best, agent) => (best === undefined || endOfLast(agent) < endOfLast(best) ? agent : best), undefined);
    }
    case 'sticky':
      if (lastHad !== undefined && could.includes(lastHad)) return lastHad;
      return whoIsAsked({ ...queue, rule: 'longest-idle' }, paper, could, undefined);
    case 'longest-idle':
      return least((agent) => {
        const note = last(paper, agent, 'declined', 'ended', 'back');
        return note === undefined ? 0 : note.did === 'ended' ? note.at + queue.wrapUp : Math.max(note.at, endOfLast(agent) === 0 ? 0 : endOfLast(agent) + queue.wrapUp);
      });
    case 'weighted': {
      const owed = new Map<string, number>();
      const pay = (who: readonly string[]): void => {
        for (const agent of who) owed.set(agent, (owed.get(agent) ?? 0) + (queue.shares[agent] ?? 0));
      };
      for (const note of paper) {
        if (note.did !== 'asked') continue;
        pay(note.couldHave ?? []);
        owed.set(note.agent, (owed.get(note.agent) ?? 0) - (note.couldHave ?? []).reduce((sum, agent) => sum + (queue.shares[agent] ?? 0), 0));
      }
      pay(could);
      return least((agent) => -(owed.get(agent) ?? 0));
    }
  }
}
