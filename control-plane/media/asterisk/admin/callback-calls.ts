/**
 * Calls that call back: each begins as a call to one of our numbers from the one who is called back, whom nobody is yet; the
 * controller that claims it rings them (core/routing/callback-plan.ts).
 */
import type { CallbackCalls } from '../../switch-admin.ts';
import { hasDialplan } from './dialplan-version.ts';
import type { Ari } from './switch-database.ts';

const dialplanWithCallbacks = 6;
/** By then somebody was reached, or the try is over. */
const longestSeconds = 120;

export function createCallbackCalls(ari: Ari): CallbackCalls {
  return {
    async beginCallback({ callId, dialled, number }) {
      if (!(await hasDialplan(ari, dialplanWithCallbacks))) return 'unknown';
      const begun = await ari.request('channels.originate', {
        endpoint: `Local/${dialled}@fd-callback/n`, context: 'fd-callback', extension: 'over', priority: 1, timeout: longestSeconds, callerId: `<${number}>`,
        // An id that begins as the other is taken for the same.
        channelId: `far-${callId}`, otherChannelId: callId,
      });
      if (!begun.ok) throw new Error(`The switch does not begin the callback: ${begun.message}`);
      return 'begun';
    },
  };
}
