/**
 * Supervisions of all controllers of the switch: each tells the others of its own, whole, when they change and every
 * second, so that any of them lists all, and hands on what is asked of one to who has it. Calls are told who hears them, by
 * the controller that has them, for their records.
 */
import type { CallEvent } from '../core/call/events.ts';
import type { CallId } from '../core/ids.ts';
import type { SupervisionMode } from '../core/routing/supervision.ts';
import { second, type EpochMs, type Ms } from '../core/time.ts';
import type { BegunSupervision, Supervision } from '../http/ports.ts';
import type { ControllerLink } from '../store/ports.ts';

/** What they say. All of it may be lost. */
type Saying =
  | { readonly type: 'SupervisionsAre'; readonly supervisions: readonly Supervision[] }
  | { readonly type: 'ChangeMode'; readonly ask: string; readonly account: string; readonly id: CallId; readonly mode: SupervisionMode }
  | { readonly type: 'ModeChanged'; readonly ask: string; readonly result: BegunSupervision }
  /** Its phone rings no more. */
  | { readonly type: 'RingEnded'; readonly id: CallId };

interface Options {
  readonly controller: string;
  readonly link: ControllerLink;
  /** Of this controller. */
  readonly own: () => readonly Supervision[];
  readonly change: (account: string, id: CallId, mode: SupervisionMode) => BegunSupervision;
  readonly onRingEnded: (id: CallId) => void;
  /** False: the call is not this controller's. */
  readonly tell: (callId: CallId, event: CallEvent) => boolean;
  readonly now: () => EpochMs;
}

export interface SharedSupervisions {
  /** Own ones, and of the others what they told lately. */
  all(): readonly Supervision[];
  /** Asks whoever has it; null: nobody tells of it. */
  change(account: string, id: CallId, mode: SupervisionMode): Promise<BegunSupervision> | null;
  ringEnded(id: CallId): void;
  /** Own ones have changed. */
  changed(): void;
  stop(): void;
}

const tellEveryMs: Ms = second;
/** Calls of a controller that has died are others' by then. */
const forgetAfterMs: Ms = 10 * second;
const answerLimitMs: Ms = 2 * second;
const noAnswer: BegunSupervision = { ok: false, why: 'away', sentence: 'The controller that has this supervision does not answer: try again shortly, or press 4 to listen, 5 to coach or 6 to barge on the supervisor’s phone.' };

export function shareSupervisions({ controller, link, own, change, onRingEnded, tell, now }: Options): SharedSupervisions {
  const others = new Map<string, { readonly supervisions: readonly Supervision[]; readonly at: EpochMs }>();
  const asking = new Map<string, (result: BegunSupervision) => void>();
  /** Who hears which call, as the calls here were told. */
  const told = new Map<CallId, Supervision>();
  let asked = 0;
  let toldOfSome = false;
  let soon = false;

  const say = (saying: Saying, to: string | null = null): void => { link.say(to, JSON.stringify({ ...saying, from: controller })); };
  const elsewhere = (): readonly { readonly from: string; readonly one: Supervision }[] => [...others].flatMap(([from, { supervisions, at }]) => (now() - at < forgetAfterMs ? supervisions.map((one) => ({ from, one })) : []));
  /** Told by two, one of them has taken it over. */
  const all = (): readonly Supervision[] => [...new Map([...elsewhere().map(({ one }) => one), ...own()].map((one) => [one.id, one])).values()];
  const tellCalls = (): void => {
    const hearing = new Map(all().filter(({ state }) => state === 'on').map((one) => [one.id, one]));
    for (const one of hearing.values()) {
      if (told.get(one.id)?.mode !== one.mode && tell(one.call, { type: 'SupervisionTold', supervision: one.id, by: one.by, mode: one.mode })) told.set(one.id, one);
    }
    for (const { id, call, by } of told.values()) {
      if (hearing.has(id)) continue;
      told.delete(id);
      tell(call, { type: 'SupervisionTold', supervision: id, by, mode: null });
    }
  };
  const look = (): void => {
    soon = false;
    const supervisions = own();
    if (supervisions.length > 0 || toldOfSome) say({ type: 'SupervisionsAre', supervisions });
    toldOfSome = supervisions.length > 0;
    tellCalls();
  };
  const unlisten = link.listen((text) => {
    const saying = sayingOf(text);
    if (saying === null) return;
    switch (saying.type) {
      case 'SupervisionsAre':
        others.set(saying.from, { supervisions: saying.supervisions, at: now() });
        tellCalls();
        return;
      case 'ChangeMode':
        say({ type: 'ModeChanged', ask: saying.ask, result: change(saying.account, saying.id, saying.mode) }, saying.from);
        return;
      case 'ModeChanged':
        asking.get(saying.ask)?.(saying.result);
        return;
      case 'RingEnded':
        onRingEnded(saying.id);
    }
  });
  const timer = setInterval(look, tellEveryMs).unref();

  return {
    all,
    change: (account, id, mode) => {
      const found = elsewhere().findLast(({ one }) => one.id === id && one.account === account);
      if (found === undefined) return null;
      const ask = `${controller}.${++asked}`;
      return new Promise((resolve) => {
        const settle = (result: BegunSupervision): void => {
          clearTimeout(limit);
          asking.delete(ask);
          resolve(result);
        };
        const limit = setTimeout(settle, answerLimitMs, noAnswer).unref();
        asking.set(ask, settle);
        say({ type: 'ChangeMode', ask, account, id, mode }, found.from);
      });
    },
    ringEnded: (id) => { say({ type: 'RingEnded', id }); },
    changed: () => {
      if (soon) return;
      soon = true;
      // Not within the transition that it is told of.
      queueMicrotask(look);
    },
    stop: () => {
      unlisten();
      clearInterval(timer);
      for (const settle of asking.values()) settle(noAnswer);
    },
  };
}

/** Null: what another release says otherwise is not understood. */
function sayingOf(text: string): (Saying & { readonly from: string }) | null {
  try {
    const said = JSON.parse(text) as Partial<Saying & { readonly from: string }> | null;
    return typeof said === 'object' && said !== null && typeof said.type === 'string' && typeof said.from === 'string' ? (said as Saying & { readonly from: string }) : null;
  } catch {
    return null;
  }
}
