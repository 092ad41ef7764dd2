/**
 * What a desk remembers of those who are not there, and its figures: written behind to the store, a field each, for the
 * controller that runs the desk next. It is as large as what the desk itself remembers (core/queue/memory.ts).
 */
import type { Desk, LeftCall } from '../../core/queue/desk.ts';
import { memoryOf, type DeskMemory } from '../../core/queue/memory.ts';
import { hour, second, type Ms } from '../../core/time.ts';
import type { CancelTimer, Clock } from '../clock.ts';
import { within } from '../within.ts';
import type { KeptFigures } from './desk-figures.ts';

export interface MemoryKeeper {
  /** What was kept before, where it can be had; nothing is written until it settles. */
  recall(): Promise<{ readonly memory: DeskMemory; readonly figures: KeptFigures | null }>;
  /** To be written soon. */
  changed(): void;
  /** Settles once it is written, or cannot be. */
  written(): Promise<void>;
  stop(): void;
}

export interface MemoryKeeperOptions {
  readonly clock: Clock;
  readonly read: () => Promise<ReadonlyMap<string, string>>;
  /** False: desks of a later epoch have begun. */
  readonly write: (changed: ReadonlyMap<string, string>, forgotten: readonly string[]) => Promise<boolean>;
  readonly now: () => { readonly desk: Desk; readonly figures: KeptFigures };
  readonly onAway: (error: unknown) => void;
}

const behindMs: Ms = 250;
const againMs: Ms = second;
const storeLimitMs: Ms = second;
/** Figures that nothing was added to for so long begin anew. */
const figuresMs: Ms = 24 * hour;

const figuresName = 'figures';

export function createMemoryKeeper({ clock, read, write, now, onAway }: MemoryKeeperOptions): MemoryKeeper {
  let kept = new Map<string, string>();
  const texts = new WeakMap<object, string>();
  let isRecalled = false;
  let timer: CancelTimer | null = null;
  let writing: Promise<void> | null = null;
  let dirty = false;
  let stopped = false;

  const textOf = (value: object): string => {
    const text = texts.get(value) ?? JSON.stringify(value);
    texts.set(value, text);
    return text;
  };
  const fields = (): ReadonlyMap<string, string> => {
    const { desk, figures } = now();
    const { left, lastAgents } = memoryOf(desk);
    return new Map([...left.map((one) => [`left ${one.callId}`, textOf(one)] as const), ...lastAgents.map((one) => [`last ${one[0]}`, textOf(one)] as const), [figuresName, JSON.stringify(figures)]]);
  };
  const soon = (ms: Ms): void => {
    if (stopped || !isRecalled) return;
    timer ??= clock.setTimer(clock.now() + ms, () => {
      timer = null;
      void flush();
    });
  };
  const flush = (): Promise<void> => {
    writing ??= writeChanged().finally(() => {
      writing = null;
      if (dirty) soon(againMs);
    });
    return writing;
  };
  const writeChanged = async (): Promise<void> => {
    dirty = false;
    const wanted = fields();
    const changed = new Map([...wanted].filter(([name, text]) => kept.get(name) !== text));
    const forgotten = [...kept.keys()].filter((name) => !wanted.has(name));
    if (changed.size + forgotten.length === 0) return;
    try {
      if (!(await within(clock, storeLimitMs, write(changed, forgotten)))) stopped = true;
      kept = new Map(wanted);
    } catch (error) {
      dirty = true;
      onAway(error);
    }
  };

  return {
    recall: async () => {
      try {
        kept = new Map(await within(clock, storeLimitMs, read()));
        return recalled(kept, clock.now());
      } catch (error) {
        onAway(error);
        return { memory: { left: [], lastAgents: [] }, figures: null };
      } finally {
        isRecalled = true;
        if (dirty) soon(behindMs);
      }
    },
    changed: () => {
      dirty = true;
      soon(behindMs);
    },
    written: async () => {
      if (!isRecalled || stopped) return;
      await writing;
      await flush();
    },
    stop: () => {
      stopped = true;
      timer?.();
    },
  };
}

function recalled(kept: ReadonlyMap<string, string>, now: number): { readonly memory: DeskMemory; readonly figures: KeptFigures | null } {
  const named = (prefix: string): readonly unknown[] => [...kept].filter(([name]) => name.startsWith(prefix)).map(([, text]) => JSON.parse(text) as unknown);
  const [figures = null] = named(figuresName) as readonly KeptFigures[];
  return { memory: { left: named('left ') as readonly LeftCall[], lastAgents: named('last ') as Desk['lastAgents'] }, figures: figures !== null && figures.at > now - figuresMs ? figures : null };
}
