/** Where a call comes from, as the dialplan and its channel say. */
import type { Offer } from '../../core/call/events.ts';
import type { Channel } from './ari/ari-types.generated.ts';

/** chan_pjsip names a channel by its endpoint and a number of its own: `PJSIP/elm.101-0000002a`. */
const channelName = /^PJSIP\/(.+)-[0-9a-f]{8}$/;

/** `origin` as the dialplan passes it. The endpoint is who proved to be the caller, whatever its From says. */
export function originOf(origin: string | undefined, { name }: Pick<Channel, 'name'>): Pick<Offer, 'origin' | 'phone'> {
  if (origin !== 'phone') return { origin: 'trunk' };
  const phone = channelName.exec(name)?.[1];
  return { origin, ...(phone === undefined ? {} : { phone }) };
}
