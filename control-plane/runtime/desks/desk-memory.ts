/**
 * What a desk remembers of those who are not there, and its figures: written behind to the store, a field each, for the
 * controller that runs the desk next. It is as large as what the desk itself remembers (core/queue/memory.ts).
 */
import { z } from 'zod';
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
  /** By these names is kept what nobody wrote like that; with the next that is written it is forgotten. */
  readonly onUnreadable: (names: readonly string[]) => void;
}

const behindMs: Ms = 250;
const againMs: Ms = second;
const storeLimitMs: Ms = second;
/** Figures that nothing was added to for so long begin anew. */
const figuresMs: Ms = 24 * hour;

const figuresName = 'figures';

const leftSchema = z.object({
  callId: z.string(), visit: z.number(), why: z.literal('abandoned'), leftAt: z.number(),
  place: z.object({
    callId: z.string(), visit: z.number(), queue: z.string(), priority: z.number(), enteredAt: z.number(), joinedAt: z.number(), number: z.string().nullable(), sticky: z.string().nullable(),
    callback: z.object({ key: z.string(), number: z.string(), notBefore: z.number() }).nullable(),
  }),
});
const lastSchema = z.tuple([z.string(), z.string(), z.number()]);
const figuresSchema = z.object({
  since: z.number(), at: z.number(),
  queues: z.record(z.string(), z.object({ entered: z.number(), regained: z.number(), refused: z.number(), answered: z.number(), answeredInTime: z.number(), abandoned: z.number(), sentOn: z.number(), waitedMs: z.number(), longestWaitMs: z.number() })),
});

export function createMemoryKeeper({ clock, read, write, now, onAway, onUnreadable }: MemoryKeeperOptions): MemoryKeeper {
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
        const { memory, figures, unreadable } = recalled(kept, clock.now());
        if (unreadable.length > 0) onUnreadable(unreadable);
        return { memory, figures };
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

function recalled(kept: ReadonlyMap<string, string>, now: number): { readonly memory: DeskMemory; readonly figures: KeptFigures | null; readonly unreadable: readonly string[] } {
  const unreadable: string[] = [];
  const named = <T>(prefix: string, schema: z.ZodType<T>): readonly T[] => [...kept].filter(([name]) => name.startsWith(prefix)).flatMap(([name, text]) => {
    try {
      return [schema.parse(JSON.parse(text))];
    } catch {
      unreadable.push(name);
      return [];
    }
  });
  const left: readonly LeftCall[] = named('left ', leftSchema);
  const lastAgents: Desk['lastAgents'] = named('last ', lastSchema);
  const [figures = null]: readonly (KeptFigures | null)[] = named(figuresName, figuresSchema);
  return { memory: { left, lastAgents }, figures: figures !== null && figures.at > now - figuresMs ? figures : null, unreadable };
}
