/**
 * Faults put into the core on purpose: each is one a PBX has had (FIELD-NOTES, "Faults of others"). The model test is
 * worth what it finds, so each must be found. A patch must match its source exactly once, or the mutant is out of date.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Mutant {
  readonly name: string;
  /** Below control-plane/, or for a desk below its core/queue/. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const mutants: readonly Mutant[] = [
  { name: 'the answer wins, without the key', file: 'core/steps/ring.ts', from: 'if (screening === undefined) accept(draft, leg);', to: 'if (screening === undefined || true) accept(draft, leg);' },
  { name: 'a late timer is obeyed', file: 'core/call/transition.ts', from: 'if (at === undefined) return;', to: '' },
  { name: 'a sibling is not cancelled', file: 'core/steps/ring.ts', from: 'if (other.id !== leg.id && isTrying(other)) dismiss(draft, other);', to: 'void other; void dismiss;' },
  { name: 'an answer clears the timer of the round', file: 'core/steps/ring.ts', from: '  markPickedUp(draft, leg);\n', to: '  markPickedUp(draft, leg);\n  cancelTimer(draft, roundTimer);\n' },
  { name: 'a second acceptance is bridged too', file: 'core/steps/ring.ts', from: "    fact(draft, { type: 'LegAccepted', legId: leg.id, won: false });\n    return;", to: '    accept(draft, leg);\n    return;' },
  { name: 'a leg the switch has lost is kept', file: 'core/call/adopt.ts', from: "  if (leg.phase === 'ended') return;\n  if (leg.phase === 'dialing'", to: "  if (leg.phase !== 'dialing') return;\n  if (leg.phase === 'dialing'" },
  { name: 'the end of a call is recorded twice', file: 'core/call/ending.ts', from: "  goTo(draft, { phase: 'ended' });", to: "  fact(draft, { type: 'CallEnded', cause: call.cause, disposition: call.disposition, by: call.by });\n  goTo(draft, { phase: 'ended' });" },
  { name: 'the caller left, and the phones ring on', file: 'core/call/ending.ts', from: 'for (const leg of legsOf(draft)) askToEnd(draft, leg, causeOfRelease(leg));', to: "for (const leg of legsOf(draft)) leg.phase === 'ringing' || leg.phase === 'dialing' ? endLeg(draft, leg, 'canceled') : askToEnd(draft, leg, causeOfRelease(leg));" },
  { name: 'the bridge is forgotten when the call ends', file: 'core/call/ending.ts', from: "command(draft, { type: 'DestroyBridge', bridgeId: call.bridgeId });", to: 'void 0;' },
  { name: 'any key accepts, whatever was asked for', file: 'core/steps/screening.ts', from: "return key !== undefined && (key === 'any' || key === digit);", to: 'return key !== undefined && digit !== key;' },
  { name: 'a guard is not raised before the bridge', file: 'core/steps/whisper.ts', from: "  for (const legId of [call.caller.legId, call.winner]) command(draft, { type: 'SetGuard', legId, ms: call.plan.maxCallMs });\n", to: '' },
  { name: 'the end of a bridge is asked for once', file: 'runtime/executor.ts', from: 'tries >= mostTries', to: 'tries >= 1' },
  { name: 'a call is recorded before both have heard so', file: 'core/steps/call-recording.ts', from: 'if (recording.announced && !(', to: 'if (recording.announced && false && !(' },
  { name: 'a whisper that failed counts as heard', file: 'core/steps/whisper.ts', from: 'if (heard && attemptOf', to: 'if (attemptOf' },
  { name: 'a recording is not stopped with its call', file: 'core/call/ending.ts', from: '  stopCallRecording(draft);\n  for (const leg', to: '  for (const leg' },
  { name: 'a recording that runs is forgotten after a restart', file: 'core/steps/call-recording.ts', from: 'for (const id of running) {', to: 'for (const id of running.slice(0, 0)) {' },
  { name: 'a key does not stop the prompt of a menu', file: 'core/steps/menu.ts', from: "  if (call.promptId !== null) command(draft, { type: 'StopPrompt', promptId: call.promptId });\n", to: '' },
  { name: 'a key that is typed early is lost', file: 'core/steps/menu.ts', from: 'change(draft, { typed: call.typed + digit });', to: 'void 0;' },
  { name: 'a menu asks although the key was typed early', file: 'core/steps/menu.ts', from: "while (draft.call.typed !== '' && takesKeys(draft)) {", to: 'while (draft.call.typed === takesKeys.name) {' },
  { name: 'a try of a menu is not counted', file: 'core/steps/menu.ts', from: 'tries: call.tries + 1 });', to: 'tries: call.tries });' },
  { name: 'a key that leads nowhere leads on', file: 'core/steps/menu.ts', from: "{ key: dialled } : 'nowhere';", to: "{ key: dialled } : { key: '1' };" },
  { name: 'a menu waits for ever for the second key', file: 'core/steps/menu.ts', from: '    startTimer(draft, menuTimer, draft.now + step.betweenKeysMs);\n  } else', to: '  } else' },
  { name: 'a caller in a menu is not asked again after a restart', file: 'core/steps/menu.ts', from: '  goTo(draft, { ...placeOf(call), tries: Math.max(0, call.tries - 1) });\n  ask(draft, step.prompt);\n', to: '' },
  { name: 'the walk stops at a destination that is busy', file: 'core/steps/walk.ts', from: 'if (now === undefined) {', to: "if (now === undefined || legsOf(draft).some((leg) => leg.phase === 'ended' && leg.cause === 'busy')) {" },
  { name: 'the next destination does not wait for the present one', file: 'core/steps/walk.ts', from: '|| legsOf(draft).some(isTrying) ', to: '' },
  { name: 'the walk is over when its winner is lost', file: 'core/steps/whisper.ts', from: '&& !ringOn(draft)) leaveRing', to: ') leaveRing' },
  { name: 'who was to be rung later is rung after the end', file: 'core/steps/ring.ts', from: '  cancelDelays(draft);\n  cancelLegTimers', to: '  void cancelDelays;\n  cancelLegTimers' },
  { name: 'a call that asks again has another turn', file: 'store/memory-turns.ts', from: 'known !== undefined && known.until >= now()', to: 'known !== undefined && known.until < 0' },
  { name: 'a late order is obeyed', file: 'core/steps/ordering.ts', from: "if (draft.call.phase !== 'ordering' || ", to: "if (!('step' in draft.call) || " },
  { name: 'a night switch that could not be set is said to be', file: 'core/steps/setting.ts', from: 'to: ok ? asked.step.on.set : asked.step.on.notSet', to: 'to: asked.step.on.set' },
  { name: 'the switchboard has the call', file: 'core/steps/ring.ts', from: '} else if (extension === undefined) {', to: '} else if (extension === undefined || true) {' },
  { name: 'a transfer to nobody lets go of the call', file: 'core/steps/transfer.ts', from: "if (!isThere || call.phase !== 'connected') {", to: "if (first === null ? false : !isThere || call.phase !== 'connected') {" },
  { name: 'a phone that transferred stays in the call', file: 'core/steps/transfer.ts', from: "  if (leg !== undefined) hangUp(draft, leg, 'transferred');\n", to: '' },
  { name: 'a transfer that nobody takes is never offered back', file: 'core/steps/transfer.ts', from: 'recallStep ?? noAnswerOf(call.plan, call.step)', to: 'noAnswerOf(call.plan, call.step)' },
  { name: 'who was asked goes with the consultation', file: 'core/steps/transfer.ts', from: "if (leg === undefined) servedEnded(draft, 'transferred');\n  else endLeg", to: 'void servedEnded;\n  if (leg !== undefined) endLeg' },
  { name: 'a consultation has who was asked back', file: 'core/call/transition.ts', from: 'if (callIdOf(event.bridgeId) === draft.call.id) legBridged', to: 'if (callIdOf(event.bridgeId) !== event.type) legBridged' },
  { name: 'who asks to be called back need not confirm it', file: 'core/steps/queue.ts', from: '    say(draft, callback.asks);\n  } else if (', to: '    say(draft, callback.asks);\n    change(draft, { visit: { ...visit, callback: { askedAt: draft.now, id: `${call.id}-q0` } } });\n    keepCallback(draft);\n  } else if (' },
  { name: 'who is to be called back is let go before that is kept', file: 'core/steps/queue.ts', from: '  if (!ok) {\n    change(draft, { visit: withoutCallback(visit) });', to: "  if (id === '') {\n    change(draft, { visit: withoutCallback(visit) });" },
  { name: 'what a callback began with stays in it', file: 'core/steps/ring.ts', from: "if (before !== undefined) hangUp(draft, before, 'normal');", to: 'void before;' },
  { name: 'the record is written twice', file: 'runtime/controller.ts', from: '    const closed = archive.writeCdr(cdr).then(', to: '    void archive.writeCdr(cdr);\n    const closed = archive.writeCdr(cdr).then(' },
];

export interface Verdict {
  readonly killed: boolean;
  readonly said: string;
}

/** Puts the fault into a copy of the sources. */
export function patch(copy: string, { name, file, from, to }: Mutant): void {
  const path = join(copy, file);
  const parts = readFileSync(path, 'utf8').split(from);
  if (parts.length !== 2) throw new Error(`The mutant "${name}" matches ${parts.length - 1} places of ${file}: bring it up to date`);
  writeFileSync(path, parts.join(to));
}

/** Hunts in a patched copy of the product, in a process of its own. */
export async function hunt(mutant: Mutant, runs: number): Promise<Verdict> {
  const root = new URL('../../', import.meta.url).pathname;
  const copy = mkdtempSync(join(tmpdir(), 'frontdesk-mutant-'));
  try {
    for (const part of ['control-plane/core', 'control-plane/media', 'control-plane/runtime', 'control-plane/store', 'control-plane/telemetry', 'test/model', 'test/support/virtual-clock.ts', 'package.json']) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    patch(join(copy, 'control-plane'), mutant);
    return await huntIn(copy, runs);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function huntIn(copy: string, runs: number): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(copy, 'test/model/hunt.ts'), String(runs), '1'], { cwd: copy, timeout: 240_000 });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.on('error', reject);
    // 3 is hunt's own word for a broken invariant: a mutant that does not even load is not killed.
    child.on('close', (code) => resolve({ killed: code === 3, said }));
  });
}
