/** Calls that are going on, as the API shows them: each record as far as it has come, and the phase it is in. */
import type { Call } from '../core/call/call.ts';
import type { CallFact } from '../core/call/facts.ts';
import { emptyCdr, foldCdr, type Cdr } from '../core/cdr/cdr.ts';
import { isSynthetic, type CallId } from '../core/ids.ts';
import type { EpochMs } from '../core/time.ts';
import type { CallChange, Calls, LiveCall } from '../http/ports.ts';
import type { Controller } from '../runtime/controller.ts';
import type { CallArchive, LiveJournals } from '../store/ports.ts';

export interface LiveCalls extends Calls {
  stop(): void;
}

/** `onFact`: told with the record that the fact is in already; not of synthetic calls. */
export function followCalls(controller: Controller, archive: CallArchive, live: LiveJournals, onFact: (record: Cdr, fact: CallFact, at: EpochMs) => void): LiveCalls {
  const records = new Map<CallId, Cdr>();
  const listeners = new Set<(change: CallChange) => void>();
  const tell = (change: CallChange): void => { for (const listener of listeners) listener(change); };
  const shown = (call: Call): LiveCall => ({ ...(records.get(call.id) ?? recordOf(call)), phase: call.phase });
  const unobserve = controller.observe({
    onFact: (call, fact, at) => {
      if (isSynthetic(call.id)) return;
      const known = records.get(call.id);
      const record = foldCdr(known ?? recordOf(call), fact, at);
      records.set(call.id, record);
      onFact(record, fact, at);
      tell({ type: known === undefined ? 'started' : 'changed', call: shown(call), ...(known !== undefined && fact.type === 'Supervised' ? { ofSupervision: true } : {}) });
    },
    onCdr: (cdr) => {
      if (isSynthetic(cdr.callId)) return;
      records.delete(cdr.callId);
      tell({ type: 'ended', call: { ...cdr, phase: 'ended' } });
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

/** Of a call that was taken over, whose earlier facts were not seen here. */
function recordOf(call: Call): Cdr {
  const { caller, dialled, origin } = call.offer;
  return { ...emptyCdr(call.id, call.plan), caller, dialled, origin, startedAt: call.startedAt };
}
