/** M6, the documents of the night switch: what it is set to, one of an account, and what an account does about it. */
import { z } from 'zod';
import { nightSettings, type NightSwitch } from '../core/routing/night.ts';
import type { TargetDoc } from './documents.ts';
import { instant, words } from './fields.ts';
import type { ConfigObject } from './objects.ts';
import { optional } from './optional.ts';

export const nightSwitch = z.strictObject({
  mode: z.enum(nightSettings, `must be one of: ${nightSettings.join(', ')}`).meta({ description: '`open` takes the others back.' }),
  until: instant.optional().meta({ description: 'Then it ends by itself; when absent, when it is set to open.' }),
  note: words(100).optional().meta({ description: 'Why, for those who see the board.' }),
});

/** Its id: there is one of an account. */
export const nightSwitchId = 'night';

/** Of an account. `target`: where a call may be led. */
export function nightRules(target: z.ZodType<TargetDoc>) {
  return z.strictObject({
    closed: target.optional().meta({ description: 'Where calls go while it is set to closed; as at any other time when absent.' }),
    emergency: target.optional().meta({ description: 'Where calls go while it is set to emergency; as at any other time when absent.' }),
  });
}

export function nightSwitchOf({ body: { mode, until, note }, updatedAt }: ConfigObject<'night-switch'>): NightSwitch {
  return { setting: mode, since: updatedAt, ...optional('until', until === undefined ? undefined : Date.parse(until)), ...optional('note', note) };
}
