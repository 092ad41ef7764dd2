/** M6: the night switch of an account, set by a code on a phone or over the API, for a time or until it is set anew. */
import type { EpochMs } from '../time.ts';

/** What an account is set to; `open` takes the others back. */
export const nightSettings = ['open', 'closed', 'emergency'] as const;
export type NightSetting = (typeof nightSettings)[number];

/** What a call meets: `normal` is what routes say without the switch. */
export const modes = ['normal', 'closed', 'emergency'] as const;
export type Mode = (typeof modes)[number];

export interface NightSwitch {
  readonly setting: NightSetting;
  /** Then it is as if it had never been set. */
  readonly until?: EpochMs;
  readonly since: EpochMs;
  /** Who set it: a phone, or an API key. */
  readonly by?: string;
  readonly note?: string;
}

export interface EffectiveMode {
  readonly mode: Mode;
  /** A sentence, for explain and the board. */
  readonly why: string;
  /** When it ends by itself. */
  readonly until?: EpochMs;
}

export function modeAt(night: NightSwitch | undefined, at: EpochMs): EffectiveMode {
  if (night === undefined) return { mode: 'normal', why: 'the night switch was never set' };
  const { setting, until, by, note } = night;
  const set = `the night switch was set to ${setting}${by === undefined ? '' : ` by ${by}`}`;
  if (setting === 'open') return { mode: 'normal', why: set };
  if (until !== undefined && at >= until) return { mode: 'normal', why: `${set}, and that time is over` };
  const why = note === undefined ? set : `${set}: ${note}`;
  return until === undefined ? { mode: setting, why } : { mode: setting, why, until };
}
