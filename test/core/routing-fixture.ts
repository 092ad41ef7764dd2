/** A clinic with two desk phones and a mobile, and the facts of a call to it, for tests of routing. */
import type { QueueConfig } from '../../control-plane/core/queue/config.ts';
import type { Account, CallFacts, Contact, Queue, TrackingNumber } from '../../control-plane/core/routing/config.ts';
import { defaultVoicemail } from '../../control-plane/core/routing/config.ts';
import { localTime } from '../../control-plane/hours/local-time.ts';
import { defaultOutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';

export const mainNumber: TrackingNumber = {
  e164: '+12025550110',
  label: 'Main line',
  users: ['ana', 'ben'],
  ringMs: 30_000,
  callConnect: 'external',
  voicemail: defaultVoicemail,
};

export function clinic(change: Partial<TrackingNumber> = {}): Account {
  return {
    id: 'c1',
    name: 'Riverside Dental',
    users: [
      { id: 'ana', name: 'Ana', devices: [{ id: '101', label: 'desk', target: { kind: 'device', device: '101' } }] },
      {
        id: 'ben', name: 'Ben', devices: [
          { id: '102', label: 'desk', target: { kind: 'device', device: '102' } },
          { id: 'ben-1', label: 'mobile', target: { kind: 'external', number: '+12025550121', trunks: ['t1', 't2'] } },
        ],
      },
      { id: 'cy', name: 'Cy', devices: [] },
    ],
    outbound: defaultOutboundRules('US'),
    numbers: [{ ...mainNumber, ...change }],
  };
}

/** A queue of that clinic: Ana is asked, and after half a minute Ben. */
export function queue(change: Partial<Queue> = {}, desk: Partial<QueueConfig> = {}): Queue {
  const id = change.id ?? 'desk';
  return {
    id, name: 'Front desk', priority: 0, ...change,
    desk: {
      id, strategy: 'longest-idle', fallback: 'longest-idle', stickyWaitMs: 15_000, tiers: [{ agents: [{ agent: 'ana', share: 1 }], delayMs: 30_000 }, { agents: [{ agent: 'ben', share: 1 }], delayMs: 30_000 }],
      weight: 1, offerMs: 20_000, wrapUpMs: 0, rejectDelayMs: 1000, busyDelayMs: 1000, noAnswerDelayMs: 1000, pauseAfterMissed: null, maxWaitMs: null, maxLength: null, maxCallbackMs: null,
      joinNeeds: null, stayNeeds: null, stayMs: 60_000, serviceLevelMs: 20_000, announce: null, ...desk,
    },
  };
}

/** A call from a named caller while everything that can be spoken is ready. */
export function callFrom(change: Partial<CallFacts> = {}): CallFacts {
  return { callId: 'call', dialled: '+12025550110', callerNumber: '+13125550177', callerName: 'Jo Ray', at: 1_795_000_000_000, localTime: (timezone) => localTime(timezone, 1_795_000_000_000), callsOut: () => 0, contact: () => undefined, whisperMedia: (text) => `file:${text}`, ...change };
}

/** The contacts of that clinic, by number. */
export function knowing(contacts: Readonly<Record<string, Contact>>): Pick<CallFacts, 'contact'> {
  return { contact: (account, number) => (account === 'c1' && Object.hasOwn(contacts, number) ? contacts[number] : undefined) };
}

export const silent = { whisperMedia: () => undefined } as const;
