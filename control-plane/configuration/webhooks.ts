/** Where the events of an account are sent to. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { eventTypes } from '../events/types.ts';
import { rule, words } from './fields.ts';

const longestUrl = 1000;

const webhookUrl = rule(
  z.string('must be text').max(longestUrl, `must be at most ${longestUrl} characters`).meta({ example: 'https://crm.clinic.example/frontdesk' }),
  (value) => {
    const url = URL.parse(value);
    return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === '' && url.hash === '';
  },
  'is not an address that can be posted to', 'Write it as https://host/path, without user, password and #.',
);

/** Standard Webhooks: 24 to 64 bytes. */
const webhookSecret = z.string('must be text').regex(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/, 'must be whsec_ and 24 to 64 bytes in base64; leave it out and one is made.');

export const webhook = z.strictObject({
  name: words(60),
  url: webhookUrl,
  types: rule(
    z.array(z.enum(eventTypes, `must be one of: ${eventTypes.join(', ')}`), 'must be a list').min(1, 'must name a type; leave it out for all of them'),
    (list) => new Set(list).size === list.length, 'names a type twice', 'Name each once.',
  ).optional().meta({ description: 'All when absent. A `gap` is always sent.' }),
  enabled: z.boolean('must be true or false').default(true).meta({ description: 'Enabled again, it goes on where it was, as far as events are kept.' }),
  secret: webhookSecret.optional().meta({ description: 'Signs what is sent. Made when absent, and shown once; then it stays until another is given.' }),
});

export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
