/** Legs between this switch and another beside it: the channels of its endpoint. */
import type { BesideAnother } from '../../switch-admin.ts';
import type { AriResult } from '../ari/ari-result.ts';
import type { Endpoint } from '../ari/ari-types.generated.ts';
import { reasonCode } from '../hang-up-cause.ts';
import type { Ari } from './switch-database.ts';

export function createRelayedLegs(ari: Ari): BesideAnother {
  const endpointOf = async (peer: string): Promise<Pick<Endpoint, 'state' | 'channel_ids'>> => {
    const found = await ari.request('endpoints.get', { tech: 'PJSIP', resource: peer });
    // It has not been told of the other yet.
    return !found.ok && found.error === 'gone' ? { channel_ids: [] } : answered(found);
  };
  return {
    process: async () => answered(await ari.request('asterisk.getInfo', { only: ['status'] })).status?.startup_time ?? '',
    reaches: async (peer) => (await endpointOf(peer)).state !== 'offline',
    relayed: async (peer) => (await endpointOf(peer)).channel_ids,
    async endRelayed(legs) {
      const ended = await Promise.all(legs.map((channelId) => ari.request('channels.hangup', { channelId, reason_code: reasonCode('out-of-order') })));
      for (const one of ended) if (!one.ok && one.error !== 'gone') answered(one);
    },
  };
}

function answered<Body>(result: AriResult<Body>): Body {
  if (!result.ok) throw new Error(`The switch does not say or do what is asked of legs to the other: ${result.message}`);
  return result.body;
}
