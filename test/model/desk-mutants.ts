/** Faults put into the desk on purpose: each is one a call centre has had. The model test is worth what it finds of them. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as fc from 'fast-check';
import type { transition } from '../../control-plane/core/queue/transition.ts';
import { scene } from './desk-scene.ts';
import { runDesk } from './desk-world.ts';
import { patch, type Mutant } from './mutants.ts';

/** `file` below control-plane/core/queue/. */
export const deskMutants: readonly Mutant[] = [
  { name: 'an offer is not released', file: 'offers.ts', from: 'if (agentOf(draft, agent).offer === offerId) changeAgent(draft, agent, { offer: null });', to: "if (outcome === 'accepted' || outcome === 'timed-out') changeAgent(draft, agent, { offer: null });" },
  { name: 'an agent is asked while the last offer still rings', file: 'presence.ts', from: 'agent.offer !== null || isClearing(agent, now)', to: 'agent.offer !== null' },
  { name: 'an offer that nobody says is cleared keeps its agent', file: 'presence.ts', from: 'clearing !== null && clearing.until > now', to: 'clearing !== null' },
  { name: 'a caller is put back at the tail', file: 'service.ts', from: '{ ...place, heardAt: draft.now,', to: '{ ...place, enteredAt: draft.now, heardAt: draft.now,' },
  { name: 'a wrap-up ends early in a second queue', file: 'presence.ts', from: "return agent.wrapUpUntil > now ? 'wrap-up' : 'idle';", to: "return agent.wrapUpUntil > now && Object.keys(agent.taken).length < 2 ? 'wrap-up' : 'idle';" },
  { name: 'a shorter wrap-up takes the place of a longer', file: 'rebuild.ts', from: 'Math.max(known.wrapUpUntil, record.wrapUpUntil)', to: 'record.wrapUpUntil' },
  { name: 'an agent is asked again before the delay is over', file: 'presence.ts', from: ' && agent.restUntil <= now', to: '' },
  { name: 'a head whom nobody may serve blocks the rest', file: 'dispatch.ts', from: '      offerTo(draft, lane, call, free);', to: '      const [was] = [draft.n];\n      offerTo(draft, lane, call, free);\n      if (draft.n === was && call.offers.length === 0) lane.next = lane.line.length;' },
  { name: 'the heavier queue has to wait', file: 'dispatch.ts', from: '.toSorted((a, b) => b - a)', to: '.toSorted((a, b) => a - b)' },
  { name: 'the others ring on when one has accepted', file: 'outcomes.ts', from: "if (other !== undefined) withdraw(draft, other, 'rescinded', 'taken');", to: 'void other;' },
  { name: 'an agent on a call of their own is asked', file: 'presence.ts', from: 'agent.service !== null || callsBeside(agent, now).length > 0', to: 'agent.service !== null' },
  { name: 'a report that comes late is believed', file: 'agents.ts', from: 'if (n <= before.measured) return;', to: '' },
  { name: 'an acceptance that nobody connects is waited for without end', file: 'deadlines.ts', from: 'service.acceptedAt + connectLimitMs > now) continue;', to: 'service.acceptedAt > 0) continue;' },
  { name: 'an offer that nobody speaks of stays', file: 'deadlines.ts', from: 'if (offer.deadline <= now) offerNotHeardOf(draft, offer);', to: 'void [offer, offerNotHeardOf];' },
  { name: 'a join that comes late makes a caller of nobody', file: 'joining.ts', from: 'if (toldAgain(draft, joins) || ', to: 'toldAgain(draft, joins);\n  if (' },
  { name: 'a callback is held twice', file: 'callback.ts', from: 'return Object.values(draft.queues).some(({ waiting }) => waiting.some(isHeld));', to: 'return false && isHeld;' },
  { name: 'a callback is lost with the hang-up', file: 'leaving.ts', from: " && !(call.callback !== null && why === 'abandoned')) leave", to: ') leave' },
  { name: 'a callback is made once more when its caller is there', file: 'joining.ts', from: "    sendOn(draft, held, 'called-again');\n", to: '' },
  { name: 'a callback is made again before its pause is over', file: 'dispatch.ts', from: ' || (call.callback !== null && call.callback.notBefore > draft.now)', to: '' },
  { name: 'for a callback all agents are kept', file: 'dispatch.ts', from: "config.strategy === 'ring-all' && call.callback === null;", to: "config.strategy === 'ring-all';" },
  { name: 'calls are forgotten when the desk is taken over', file: 'rebuild.ts', from: 'callsFound(draft, found.calls.toSorted(compare));', to: 'callsFound(draft, found.calls.toSorted(compare).slice(1));' },
  { name: 'offers are made before it is known what there is', file: 'desk.ts', from: "return { ...desk, epoch, phase: 'taking-over', alarmAt: null };", to: 'return { ...desk, epoch, alarmAt: null };' },
  { name: 'an offer that has ended is taken up again', file: 'rebuild.ts', from: ' || isEnded(draft, offerId) || ', to: ' || ' },
  { name: 'a talk that is over is found again', file: 'rebuild.ts', from: 'if (isEnded(draft, offerId) || agent.service !== null)', to: 'if (agent.service !== null)' },
  { name: 'who has declined is asked before the others', file: 'dispatch.ts', from: 'left.find((tier)', to: 'joined.find((tier)' },
  { name: 'who has declined is rung again while the others are', file: 'dispatch.ts', from: '? left.flat() :', to: '? joined.flat() :' },
  { name: 'the next tier is not thought of', file: 'deadlines.ts', from: 'if (call.enteredAt + ms > now) first', to: 'if (call.enteredAt + ms > now && ms < 0) first' },
  { name: 'an acceptance is not taken twice, and not answered twice', file: 'outcomes.ts', from: "  if (service !== undefined && service !== null) {\n    if (service.connectedAt === null) command", to: '  if (service !== undefined && service !== null) {\n    if (service.connectedAt !== null) command' },
];

/** The first thing that a faulty desk was caught at; null where it was not within so many scenes. */
export async function huntDesk(mutant: Mutant, runs: number): Promise<string | null> {
  const copy = mkdtempSync(join(tmpdir(), 'frontdesk-desk-'));
  try {
    const core = new URL('../../control-plane/core/', import.meta.url).pathname;
    for (const part of ['queue', 'time.ts', 'ids.ts']) cpSync(join(core, part), join(copy, part), { recursive: true });
    writeFileSync(join(copy, 'package.json'), '{ "type": "module" }');
    patch(join(copy, 'queue'), mutant);
    const patched = (await import(/* @vite-ignore */ pathToFileURL(join(copy, 'queue/transition.ts')).href)) as { readonly transition: typeof transition; };
    const { takenOver } = (await import(/* @vite-ignore */ pathToFileURL(join(copy, 'queue/desk.ts')).href)) as typeof import('../../control-plane/core/queue/desk.ts');
    const result = fc.check(fc.property(scene, (one) => runDesk(one, patched.transition, new Map(), takenOver)), { numRuns: runs, seed: 1, endOnFailure: true });
    return result.failed ? String(result.errorInstance) : null;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
