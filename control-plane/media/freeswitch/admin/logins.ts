/**
 * Who logs in, as mod_sofia tells it of each password that it was given, to register or to call (`sofia::register_attempt`). The
 * event names the address itself; what the caller has written stands in other headers. By other requests nobody logs in
 * (freeswitch/scripts/directory.lua): of those mod_sofia tells nothing.
 */
import type { SwitchLogin } from '../../switch-admin.ts';
import { headerOf, type EslEvent } from '../esl/decode-frame.ts';

export const loginEvent = 'sofia::register_attempt';

export interface HeardLogins {
  onEvent(event: EslEvent): void;
  /** What was heard since the last time, with the name that was tried as the caller wrote it. */
  take(): readonly SwitchLogin[];
}

/** A nonce that is too old is no guess. */
const kinds: Readonly<Record<string, SwitchLogin['kind']>> = { SUCCESS: 'proven', RENEWED: 'proven', FORBIDDEN: 'failed' };
/** Of more, which nobody has taken, the oldest are forgotten. */
const most = 10_000;

export function hearLogins(): HeardLogins {
  let heard: SwitchLogin[] = [];
  return {
    onEvent(event) {
      const [kind, address] = [kinds[headerOf(event, 'auth-result') ?? ''], headerOf(event, 'network-ip')];
      if (kind === undefined || address === undefined) return;
      heard.push({ kind, address, endpoint: headerOf(event, 'username') ?? '' });
      if (heard.length > 2 * most) heard = heard.slice(-most);
    },
    take() {
      const taken = heard;
      heard = [];
      return taken;
    },
  };
}
