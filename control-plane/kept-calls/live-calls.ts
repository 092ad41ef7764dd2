/** Calls that are going on, as the API shows them: each record as far as it has come, and the phase it is in. */
import type { Call } from '../core/call/call.ts';
import type { CallFact } from '../core/call/facts.ts';
import { emptyCdr, type Cdr } from '../core/cdr/cdr.ts';
import { isSynthetic, type CallId } from '../core/ids.ts';
import type { EpochMs } from '../core/time.ts';
import type { CallChange, Calls, LiveCall } from '../http/ports.ts';
import type { Controller } from '../runtime/controller.ts';
import type { CallArchive, LiveJournals } from '../store/ports.ts';

export interface LiveCalls extends Calls {
  stop(): void;
}

/** `onFact`: told with the record that the fact is in already; not of synthetic calls. */
export function followCalls(controller: Pick<Controller, 'calls' | 'record' | 'observe'>, archive: Pick<CallArchive, 'read'>, live: Pick<LiveJournals, 'read'>, onFact: (record: Cdr, fact: CallFact, at: EpochMs) => void): LiveCalls {
  const told = new Set<CallId>();
  const listeners = new Set<(change: CallChange) => void>();
  const tell = (change: CallChange): void => { for (const listener of listeners) listener(change); };
  const shown = (call: Call): LiveCall => shownAs(call, controller.record(call.id) ?? emptyCdr(call.id, call.plan));
  const unobserve = controller.observe({
    onFact: (call, fact, at) => {
      if (isSynthetic(call.id)) return;
      const { phase: _, ...record } = shown(call);
      const known = told.has(call.id);
      told.add(call.id);
      onFact(record, fact, at);
      tell({ type: known ? 'changed' : 'started', call: shown(call), ...(known && fact.type === 'Supervised' ? { ofSupervision: true } : {}) });
    },
    // One that was taken over may have nothing to say for long.
    onStep: (call) => {
      if (isSynthetic(call.id) || call.phase === 'ended' || told.has(call.id)) return;
      told.add(call.id);
      tell({ type: 'started', call: shown(call) });
    },
    onCdr: (cdr) => {
      if (isSynthetic(cdr.callId)) return;
      told.delete(cdr.callId);
      tell({ type: 'ended', call: { ...cdr, phase: 'ended' } });
    },
    onLeft: (call, cdr) => {
      if (told.delete(call.id)) tell({ type: 'left', call: shownAs(call, cdr) });
    },
  });
  return {
    live: () => controller.calls().filter((call) => !isSynthetic(call.id)).map(shown),
    get: (callId) => controller.calls().filter((call) => call.id === callId).map(shown)[0],
    journal: async (callId) => {
      const kept = await archive.read(callId);
      return kept.length > 0 ? kept : live.read(callId).catch(() => []);
    },
    onChange: (changed) => {
      listeners.add(changed);
      return () => { listeners.delete(changed); };
    },
    stop: unobserve,
  };
}

function shownAs({ offer: { caller, dialled, origin }, startedAt, phase }: Call, cdr: Cdr): LiveCall {
  // Of one that was taken over without its journal that fact was not seen.
  return { ...cdr, ...(cdr.startedAt === 0 ? { caller, dialled, origin, startedAt } : {}), phase };
}
