/**
 * What follows when a phone dials a code of its account: something is set, and whoever dialled hears what became of it.
 *
 *   the setting's step ─set─> set ─done─> hang-up
 *          └─not set─> not-set ─done─> hang-up
 *   one who may not: refused ─done─> declined
 */
import type { StepId } from '../ids.ts';
import { minute, type Ms } from '../time.ts';
import type { Account, CallFacts, Media } from './config.ts';
import type { OwnedDevice } from './index-of.ts';
import type { Plan, Reason, Setting, Step, WrongPin } from './plan.ts';
import { seal } from './seal.ts';

const maxCallMs: Ms = 5 * minute;

export interface Code {
  readonly account: Account;
  readonly by: OwnedDevice;
  /** As records show it. */
  readonly dialled: string;
  /** There was more, which no record is to show. */
  readonly secret?: true;
  readonly wrongPin?: WrongPin;
  readonly label: string;
  readonly reasons: readonly Reason[];
  /** Said before the call is hung up. */
  readonly outcome: { readonly setting: Setting; readonly set: string; readonly notSet: string } | { readonly refused: string };
}

export function codePlan({ account, by: { user, device }, dialled, secret, wrongPin, label, reasons: known, outcome }: Code, facts: CallFacts): Plan {
  const reasons: Reason[] = [...known];
  const say = (text: string, otherwise: Media, id: StepId): Step => {
    const media = facts.whisperMedia(text);
    reasons.push({ subject: id, taken: true, why: media === undefined ? 'a tone, since the audio that says it is not ready' : `says “${text}”` });
    return { kind: 'announcement', media: [media ?? otherwise], on: { done: 'hang-up' } };
  };
  const note = `dialled by ${user.name} on ${device.label}, extension ${device.id}`.slice(0, 100);
  const steps: Readonly<Record<StepId, Step>> = 'setting' in outcome
    ? {
      [outcome.setting.of]: { kind: 'setting', setting: outcome.setting, note, on: { set: 'set', notSet: 'not-set' } },
      set: say(outcome.set, 'sound:beep', 'set'),
      'not-set': say(outcome.notSet, 'sound:beeperr', 'not-set'),
      'hang-up': { kind: 'hang-up', cause: 'normal' },
    }
    : { refused: say(outcome.refused, 'sound:beeperr', 'refused'), 'hang-up': { kind: 'hang-up', cause: 'declined' } };
  return seal({
    account: { id: account.id, name: account.name }, number: { e164: dialled, label }, ...(secret === undefined ? {} : { secret }), ...(wrongPin === undefined ? {} : { wrongPin }),
    first: 'setting' in outcome ? outcome.setting.of : 'refused', steps, reasons, maxCallMs,
  });
}
