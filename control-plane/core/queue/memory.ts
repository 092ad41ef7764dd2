/** What a desk remembers of callers who are not there: known to nobody else, so it is kept for whoever runs the desk next. */
import { hour, type Ms } from '../time.ts';
import type { Desk } from './desk.ts';
import type { Draft } from './draft.ts';
import { rememberMs } from './line.ts';
import { lastAgentsKept } from './service.ts';

/** Hang-ups of the last minute, whose places may be had again; and who had which caller last. */
export type DeskMemory = Pick<Desk, 'left' | 'lastAgents'>;

const lastAgentMs: Ms = 30 * 24 * hour;

export function memoryOf({ left, lastAgents }: Desk): DeskMemory {
  return { left: left.filter(({ why, place }) => why === 'abandoned' && place !== null), lastAgents };
}

/** Of before; what the desk knows itself is newer. */
export function remembered(draft: Draft, { left, lastAgents }: DeskMemory): void {
  const since = draft.now - rememberMs;
  const known = new Set(draft.left.map(({ callId }) => callId));
  draft.left = [...left.filter((one) => one.leftAt >= since && !known.has(one.callId)), ...draft.left].toSorted((a, b) => a.leftAt - b.leftAt);
  const last = new Map<string, Desk['lastAgents'][number]>();
  for (const one of [...lastAgents, ...draft.lastAgents].toSorted(([, , a], [, , b]) => a - b)) {
    last.delete(one[0]);
    if (one[2] > draft.now - lastAgentMs) last.set(one[0], one);
  }
  draft.lastAgents = [...last.values()].slice(-lastAgentsKept);
}
