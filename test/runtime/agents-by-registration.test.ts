/** Q2: agents who are logged in by their phones: which phone that comes or goes means what. */
import { describe, expect, it } from 'vitest';
import { agentsByRegistration, presencesAfter, wishesOf, type Presences } from '../../control-plane/phones/agents-by-registration.ts';
import type { ClinicConfig } from '../../control-plane/configuration/clinics.ts';
import type { QueueConfig } from '../../control-plane/core/queue/config.ts';
import { newAgent, newDesk, type Agent } from '../../control-plane/core/queue/desk.ts';
import { transition } from '../../control-plane/core/queue/transition.ts';
import { defaultOutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';
import type { Registration } from '../../control-plane/http/ports.ts';
import { queue } from '../core/support/desk.ts';

const user = (id: string, ...phones: string[]) => ({ id, name: id, devices: phones.map((device) => ({ id: device, label: device, target: { kind: 'device' as const, device } })) });
const desk: QueueConfig = queue({ agents: ['ana', 'ben'] });
const clinic: Pick<ClinicConfig, 'account' | 'alerts' | 'agentsByRegistration'> = {
  account: { id: 'elm', name: 'Elm', outbound: defaultOutboundRules('US'), numbers: [], users: [user('ana', '101', '102'), user('ben', '103'), user('cat', '104')], queues: new Map([['front', { id: 'front', name: 'Front', desk, priority: 0 }]]) },
  alerts: { notify: [], graceMs: 60_000 }, agentsByRegistration: true,
};
const seen = (...there: readonly string[]): readonly Registration[] => ['101', '102', '103', '104'].map((id) => ({
  account: 'elm', kind: 'device', id, state: there.includes(id) ? 'registered' : 'unregistered', contact: null, roundTripMs: null, since: null, userAgent: null,
}));
const agent = (id: string, more: Partial<Agent>): Readonly<Record<string, Agent>> => ({ [id]: { ...newAgent(id, 0), ...more } });
const there = (...phones: readonly (readonly [string, number])[]): Presences => Object.fromEntries(phones.map(([phone, since]) => [`elm/${phone}`, { since, goneAt: null }]));
const wishes = (presences: Presences, agents: Readonly<Record<string, Agent>> = {}, now = 100_000) => wishesOf(clinic, presences, agents, now).map(({ agent: who, devices, becomesAvailable }) => `${who}: ${devices.join()}${becomesAvailable ? ', available' : ''}`);

describe('A phone that registers', () => {
  it('logs the agent in whose own it is, and makes who was offline available; who is in no queue is nobody’s agent', () => {
    expect(wishes(there(['101', 50], ['103', 50], ['104', 50]))).toEqual(['ana: 101, available', 'ben: 103, available']);
  });

  it('leaves a break a break, and who chose on demand on demand', () => {
    expect(wishes(there(['101', 50]), agent('ana', { status: 'break' }))).toEqual(['ana: 101']);
  });

  it('comes beside the phones on which the agent is logged in and that are there', () => {
    expect(wishes(there(['101', 50], ['102', 90]), agent('ana', { status: 'available', devices: ['101', '104'], devicesAt: 60 }))).toEqual(['ana: 101,102']);
  });

  it('logs nobody in who has logged out since', () => {
    expect(wishes(there(['101', 50]), agent('ana', { status: 'available', devicesAt: 60 }))).toEqual([]);
  });

  it('is not taken from another who is logged in on it', () => {
    expect(wishes(there(['101', 90]), agent('ben', { devices: ['101'], devicesAt: 60 }))).toEqual([]);
  });
});

const on = (...devices: string[]) => agent('ana', { status: 'break', devices, devicesAt: 60 });

describe('An agent', () => {
  it('is logged out when none of the phones is there that the agent is logged in on', () => {
    expect([wishes(there(), on('101')), wishes(there(['103', 1]), on('101', '103')), wishes(there(['102', 10]), on('101'))]).toEqual([['ana: '], [], ['ana: ']]);
  });

  it('who has just logged in on a phone that never was there has the grace time for it', () => {
    expect([wishes(there(), agent('ben', { devices: ['103'], devicesAt: 60_000 })), wishes(there(), agent('ben', { devices: ['103'], devicesAt: 60_000 }), 120_000)]).toEqual([[], ['ben: ']]);
  });
});

describe('A phone', () => {
  it('that is back within the grace time was never gone; later it has come anew', () => {
    const came = presencesAfter({}, [clinic], seen('101'), 1000);
    const gone = presencesAfter(came, [clinic], seen(), 2000);
    expect([came, gone]).toEqual([{ 'elm/101': { since: 1000, goneAt: null } }, { 'elm/101': { since: 1000, goneAt: 2000 } }]);
    expect(presencesAfter(gone, [clinic], seen('101'), 61_999)).toEqual(came);
    expect(presencesAfter(gone, [clinic], seen(), 62_000)).toEqual({});
  });

  it('of an account whose agents log in by hand, and a trunk, are not looked at', () => {
    expect(presencesAfter({}, [{ ...clinic, agentsByRegistration: false }], seen('101'), 1000)).toEqual({});
  });
});

describe('A look at the phones', () => {
  const asked: string[] = [];
  const memory = new Map<string, string>();
  const looking = (role: 'leads' | 'follows' | 'alone') => {
    const open = transition(newDesk(1), { type: 'Rebuilt', found: { epoch: 1, asOf: 0, calls: [], offers: [], services: [], agents: [] } }, { now: 0, random: 0 }).desk;
    return agentsByRegistration({
      clinics: () => [clinic], memory: { read: async (name) => memory.get(name) ?? null, write: async (name, text) => { memory.set(name, text); } },
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
      desks: {
        role: () => role, running: () => [{ account: 'elm', desk: open, figures: undefined as never }],
        logIn: async (_, who, devices) => { asked.push(`${who} in ${devices.join()}`); }, logOut: async (_, who) => { asked.push(`${who} out`); }, chooseStatus: async (_, who, status) => { asked.push(`${who} ${status}`); },
      },
    });
  };

  it('does something where the desks run for everybody, and there alone', async () => {
    await looking('follows')(seen('103'), 1000);
    await looking('alone')(seen('103'), 1000);
    expect([asked, memory.size]).toEqual([[], 0]);
    await looking('leads')(seen('103'), 1000);
    expect(asked).toEqual(['ben available', 'ben in 103']);
    expect(JSON.parse(memory.get('phones-of-agents') ?? '{}')).toEqual({ 'elm/103': { since: 1000, goneAt: null } });
  });
});
