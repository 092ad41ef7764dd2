import type { Cause } from '../../core/cause.ts';
import type { LegId, PromptId } from '../../core/ids.ts';

/** What must be remembered of a leg while the switch has it: which events were told, and what its thread is busy with. */
export interface Leg {
  readonly id: LegId;
  rang: boolean;
  answered: boolean;
  /** We have asked for its answer; the event may come after the next command. */
  answering: boolean;
  /** Cause of our own hang-up. */
  asked: Cause | undefined;
  /** Hears a ringing tone that a bridge or a recording would not end. */
  ringTone: boolean;
  readonly prompts: Set<PromptId>;
  recording: string | undefined;
  /** Told once the leg has ended; undefined while its end has not begun. */
  afterEnd: (() => void)[] | undefined;
  /** An originate that is not done: told when the leg is in our application, when it is gone, and when the link is. */
  originate: { entered(): void; gone(): void; lost(): void } | undefined;
}

export interface Legs {
  get(id: LegId): Leg | undefined;
  /** The leg, made if it is not known: another instance's, whose events may come before it is adopted. */
  of(id: LegId): Leg;
  delete(id: LegId): void;
  /** Forgets those of `known` that the switch does not have any more. */
  keepOnly(known: readonly LegId[], onSwitch: ReadonlySet<LegId>): void;
  /** The link has gone, and with it the events an originate waits for. */
  linkLost(): void;
  ids(): LegId[];
  size(): number;
}

export function createLegs(): Legs {
  const legs = new Map<LegId, Leg>();
  return {
    get: (id) => legs.get(id),
    of: (id) => {
      let leg = legs.get(id);
      if (leg === undefined) {
        leg = { id, rang: false, answered: false, answering: false, asked: undefined, ringTone: false, prompts: new Set(), recording: undefined, afterEnd: undefined, originate: undefined };
        legs.set(id, leg);
      }
      return leg;
    },
    delete: (id) => { legs.delete(id); },
    keepOnly: (known, onSwitch) => {
      for (const id of known) if (!onSwitch.has(id) && legs.get(id)?.originate === undefined) legs.delete(id);
    },
    linkLost: () => { for (const leg of legs.values()) leg.originate?.lost(); },
    ids: () => [...legs.keys()],
    size: () => legs.size,
  };
}
