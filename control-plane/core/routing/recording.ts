/**
 * Whether a call is recorded (N7). Account, number and user may each have a word, and the strongest wins:
 *
 *   never > force > the nearest of yes and no (user, then number, then account) > nobody's word: not recorded
 *
 * `never` beats `force`: who was recorded against a promise cannot be unrecorded, while a recording that is missing is
 * only missing. For the same reason a call whose announcement cannot be played is not recorded, `force` or not.
 */
import type { RecordingRule } from './config.ts';

export interface RecordingRules {
  readonly account?: RecordingRule | undefined;
  readonly number?: RecordingRule | undefined;
  readonly user?: RecordingRule | undefined;
}

export interface RecordingDecision {
  readonly recorded: boolean;
  /** Whose word it was; undefined when nobody has one. */
  readonly why: string | undefined;
}

const nearestFirst = ['user', 'number', 'account'] as const;
const cannotBeOverridden = ['never', 'force'] as const;

export function recordingDecision(rules: RecordingRules): RecordingDecision {
  for (const strong of cannotBeOverridden) {
    const whose = nearestFirst.find((level) => rules[level] === strong);
    if (whose !== undefined) return { recorded: strong === 'force', why: `the ${whose} says ${strong}, which nothing overrides` };
  }
  const nearest = nearestFirst.find((level) => rules[level] !== undefined);
  if (nearest === undefined) return { recorded: false, why: undefined };
  return { recorded: rules[nearest] === 'yes', why: `the ${nearest} says ${rules[nearest]}` };
}
