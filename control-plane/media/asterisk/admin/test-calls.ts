/** Test calls that an admin asks for: a call to a number of ours, placed by the switch as a carrier would. */
import type { CallId } from '../../../core/ids.ts';
import type { Media } from '../../../core/routing/config.ts';
import type { TestCallsOfSwitch } from '../../switch-admin.ts';
import { mediaUri } from '../media-uri.ts';
import { hasDialplan } from './dialplan-version.ts';
import type { Ari } from './switch-database.ts';

const dialplanWithTests = 3;
/** A number may ring for ten minutes, and go on ringing elsewhere. */
const longestSeconds = 900;

export function createTestCalls(ari: Ari): TestCallsOfSwitch {
  return {
    async callAsTest({ callId, dialled, caller, said }) {
      if (!(await hasDialplan(ari, dialplanWithTests))) return 'unknown';
      const placed = await ari.request('channels.originate', {
        endpoint: `Local/${dialled}@fd-test/n`, context: 'fd-test', extension: 'heard', priority: 1, timeout: longestSeconds, callerId: `${caller.name} <${caller.number}>`,
        channelId: farOf(callId), otherChannelId: callId, variables: { FD_SAID: soundOf(said) },
      });
      if (!placed.ok) throw new Error(`The switch does not place the test call: ${placed.message}`);
      return 'placed';
    },
    async endTest(callId) {
      await ari.request('channels.hangup', { channelId: farOf(callId), reason: 'normal' });
    },
    async packetsOf(channelId) {
      const told = await ari.request('channels.rtpstatistics', { channelId });
      return told.ok ? { received: told.body.rxcount, sent: told.body.txcount } : null;
    },
  };
}

/** An id that begins as the other is taken for the same. */
function farOf(callId: CallId): string {
  return `far-${callId}`;
}

/** A name that would mean something to Playback is not played. */
function soundOf(said: Media): string {
  const sound = mediaUri(said).slice('sound:'.length);
  return /^[\w./-]+$/.test(sound) ? sound : 'beep';
}
