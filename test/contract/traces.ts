/**
 * Traces: what a switch said in one contract test, with roles in place of ids, so that a real switch's and the
 * simulated one's can be compared. `caller`, `l1`, `p2`, … are the id's own endings.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { callIdOf } from '../../control-plane/core/ids.ts';
import type { Heard } from './media-driver-fixture.ts';

/** One event: its type, whose, and what else is the switch's word (a cause, a digit). */
export type TraceEvent = readonly [type: string, ...roles: string[]];

export interface Trace {
  readonly switch: string;
  readonly test: string;
  readonly events: readonly TraceEvent[];
}

const folder = new URL('./traces/', import.meta.url);

/** An id by its role. */
function roleOf(id: string): string {
  const callId = callIdOf(id);
  return id === callId ? 'caller' : id.slice(callId.length + 2);
}

export function traceOf(heard: readonly Heard[]): readonly TraceEvent[] {
  return heard.flatMap((one): TraceEvent[] => {
    if (one.kind === 'link') return [];
    if (one.kind === 'offer') return [['CallOffered', one.offer.orphan ? 'orphan' : 'new']];
    const { type, ...rest } = one.event;
    // Durations differ by nature.
    const roles = Object.entries(rest).filter(([key]) => key !== 'durationMs').map(([key, value]) => (key.endsWith('Id') ? roleOf(String(value)) : String(value)));
    return [[type, ...roles]];
  });
}

/** For a real switch's `heardInTest`: writes the trace to be committed when RECORD_TRACES=1. */
export function recordTrace(name: string, test: string, heard: readonly Heard[]): void {
  if (process.env['RECORD_TRACES'] !== '1') return;
  mkdirSync(folder, { recursive: true });
  const trace: Trace = { switch: name, test, events: traceOf(heard) };
  const slug = `${name}-${test}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  writeFileSync(new URL(`${slug}.json`, folder), `${JSON.stringify(trace, null, 1)}\n`);
}

export function committedTraces(): readonly Trace[] {
  return readdirSync(folder).filter((file) => file.endsWith('.json')).map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Trace);
}

/** The subject whose events the switch keeps in order: the simulated switch permutes anything beyond it. */
function subjectOf([type, first, second]: TraceEvent): string {
  if (type === 'CallOffered') return 'caller';
  return (type === 'PromptFinished' ? second : first) ?? '';
}

/** Whether permuting events of different subjects can turn one into the other. */
export function sameUpToOrder(a: readonly TraceEvent[], b: readonly TraceEvent[]): boolean {
  const bySubject = (events: readonly TraceEvent[]): string => {
    const lines = new Map<string, string[]>();
    for (const event of events) lines.set(subjectOf(event), [...(lines.get(subjectOf(event)) ?? []), event.join(' ')]);
    return JSON.stringify([...lines].sort(([x], [y]) => x.localeCompare(y)));
  };
  return bySubject(a) === bySubject(b);
}
