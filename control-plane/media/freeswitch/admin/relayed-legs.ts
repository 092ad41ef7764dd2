/** Legs between this switch and another beside it, which is a gateway, and known by its address when it calls. */
import type { BesideAnother } from '../../switch-admin.ts';
import { switchCause } from '../hang-up-cause.ts';
import type { EslResult } from '../esl/esl-result.ts';
import type { Esl } from './switch-store.ts';
import { readGateways } from './whereabouts.ts';

/** Below what the client lets wait. */
const askedAtOnce = 100;

export function createRelayedLegs(esl: Esl): BesideAnother {
  const all = async (): Promise<readonly string[]> => {
    const listed = JSON.parse(answered(await esl.api('show', { what: 'channels', as: { raw: 'as json' } }, { order: 'store' }))) as { readonly rows?: readonly { readonly uuid: string }[] };
    return (listed.rows ?? []).map(({ uuid }) => uuid);
  };
  /** `sip_gateway_name` is the switch's, of those that it calls; `fd_trunk` the directory's, of those that call. */
  const isOf = async (leg: string, peer: string): Promise<boolean> => {
    const names = await Promise.all(['sip_gateway_name', 'fd_trunk'].map((name) => esl.api('uuid_getvar', { leg, name }, { order: leg })));
    return names.some((name) => name.ok && name.text === peer);
  };
  return {
    process: async () => answered(await esl.api('global_getvar', { name: 'core_uuid' })),
    reaches: async (peer) => (await readGateways(esl)).find(({ name }) => name === peer)?.up !== false,
    async relayed(peer) {
      const [legs, found] = [await all(), [] as string[]];
      for (let from = 0; from < legs.length; from += askedAtOnce) {
        const some = legs.slice(from, from + askedAtOnce);
        const are = await Promise.all(some.map((leg) => isOf(leg, peer)));
        found.push(...some.filter((_, i) => are[i] === true));
      }
      return found;
    },
    async endRelayed(legs) {
      const ended = await Promise.all(legs.map((leg) => esl.api('uuid_kill', { leg, cause: switchCause('out-of-order') }, { order: leg })));
      for (const one of ended) if (!one.ok && one.error !== 'gone') answered(one);
    },
  };
}

function answered(result: EslResult): string {
  if (!result.ok) throw new Error(`The switch does not say or do what is asked of legs to the other: ${result.message}`);
  return result.text;
}
