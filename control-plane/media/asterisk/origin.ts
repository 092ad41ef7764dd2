/** Where a call comes from, as the dialplan and its channel say. */
import type { Offer } from '../../core/call/events.ts';
import type { Channel } from './ari/ari-types.generated.ts';

/** chan_pjsip names a channel by its endpoint and a number of its own: `PJSIP/elm.101-0000002a`. */
const channelName = /^PJSIP\/(.+)-[0-9a-f]{8}$/;
const offered = /:(trunk|phone):(.*)$/;

/** Of a channel that is with a phone or a trunk. */
export function endpointOf({ name }: Pick<Channel, 'name'>): string | undefined {
  return channelName.exec(name)?.[1];
}

/** How the dialplan offers a caller's call: StasisBroadcast(500,^frontdesk-,kind:origin:dialled). */
export function offeredAs({ dialplan }: Pick<Channel, 'dialplan'>): { readonly origin?: string; readonly dialled?: string } {
  const [, origin, dialled] = offered.exec(dialplan.app_data) ?? [];
  return origin === undefined || dialled === undefined ? {} : { origin, dialled };
}

/** `origin` as the dialplan passes it. The endpoint is who proved to be the caller, whatever its From says. */
export function originOf(origin: string | undefined, channel: Pick<Channel, 'name'>): Pick<Offer, 'origin' | 'phone'> {
  if (origin !== 'phone') return { origin: 'trunk' };
  const phone = endpointOf(channel);
  return { origin, ...(phone === undefined ? {} : { phone }) };
}
