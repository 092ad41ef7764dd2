/** M6, the documents of the night switch: what it is set to, one of an account, and what an account does about it. */
import { z } from 'zod';
import { nightSettings, type NightSwitch } from '../core/routing/night.ts';
import type { TargetDoc } from './documents.ts';
import { id, instant, pattern, rule, words } from './fields.ts';
import type { ConfigObject } from './objects.ts';
import { optional } from './optional.ts';

export const nightSwitch = z.strictObject({
  mode: z.enum(nightSettings, `must be one of: ${nightSettings.join(', ')}`).meta({ description: '`open` takes the others back.' }),
  until: instant.optional().meta({ description: 'Then it ends by itself; when absent, when it is set to open.' }),
  note: words(100).optional().meta({ description: 'Why, for those who see the board.' }),
});

/** Its id: there is one of an account. */
export const nightSwitchId = 'night';

export const dialCode = pattern(/^\*\d{1,4}$/, 'is not a code to dial.', 'Use * and one to four digits, such as *28.', '*28');

/** Of an account. `target`: where a call may be led. */
export function nightRules(target: z.ZodType<TargetDoc>) {
  return z.strictObject({
    codes: rule(
      z.strictObject({ open: dialCode.optional(), closed: dialCode.optional(), emergency: dialCode.optional() }),
      (codes) => new Set(Object.values(codes)).size === Object.values(codes).length, 'has one code for two modes', 'Give each its own.',
    ).optional().meta({ description: 'Dialled on a phone of the account, they set the night switch. No extension begins with a star.' }),
    users: rule(z.array(id, 'must be a list of user ids').min(1, 'must name a user'), (ids) => new Set(ids).size === ids.length, 'names a user twice', 'Name each once.')
      .optional().meta({ description: 'Whose phones may dial the codes; all of the account where absent.' }),
    closed: target.optional().meta({ description: 'Where calls go while it is set to closed; as at any other time when absent.' }),
    emergency: target.optional().meta({ description: 'Where calls go while it is set to emergency; as at any other time when absent.' }),
  });
}

export function nightSwitchOf({ body: { mode, until, note }, updatedAt }: ConfigObject<'night-switch'>): NightSwitch {
  return { setting: mode, since: updatedAt, ...optional('until', until === undefined ? undefined : Date.parse(until)), ...optional('note', note) };
}
