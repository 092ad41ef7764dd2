/** The clinic's plan file: what makes the calls of kinds.ts go the way they are meant to go. */
import { agents, areaCodes, extensionDigits, failsafe, groups, mobile, switchboard, unheardMs, waitOf, type Kind, type KindName, type Phones } from './kinds.ts';

export const passwordOf = (extension: string): string => `chaos-${extension}-secret`;

export const userOf = (device: string): string => `user-${device.replace('+', '')}`;
const user = (device: string): object => ({ to: 'user', id: userOf(device) });
const to = (target: string, id: string): { readonly route: object } => ({ route: { to: target, id } });
const allDay = { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '24:00' } as const;
/** One who is rung in a group rings for as long as it takes. */
const ringSeconds = '120';

const group = (id: string, pattern: string, extensions: readonly string[], more: object = {}): object => ({ id, name: id, pattern, destinations: extensions.map((one) => ({ target: user(one), ringSeconds })), ...more });

export interface PlanOptions {
  readonly kinds: readonly Kind[];
  readonly phones: readonly Phones[];
  readonly trunk: { readonly host: string; readonly port: number };
  /** As long as callers are to wait in a prompt. */
  readonly prompt: string;
  readonly lengthMs: number;
}

/** JSON is YAML. */
export function planOf({ kinds, phones, trunk, prompt, lengthMs }: PlanOptions): string {
  const leads: Readonly<Record<KindName, object>> = {
    talks: { users: [userOf('201')] }, leaves: { users: [userOf('202')] }, rings: { users: [userOf('203')] },
    screened: { users: [userOf(mobile)], callConnect: 'external', acceptKey: '1' },
    announced: { users: [userOf('205')], announcement: { file: prompt } },
    voicemail: { voicemail: { greeting: { sound: 'vm-goodbye' }, maxSeconds: '300', silenceSeconds: '60' } },
    menu: to('menu', 'main'), turns: to('ring-group', 'turns'), walks: to('ring-group', 'walks'), least: to('ring-group', 'least'),
    extension: to('receiving-number', 'switchboard'), chained: to('ring-group', 'unheard'),
    queued: to('queue', 'unserved'), served: to('queue', 'served'),
    routed: { ...to('router', 'by-caller'), hours: { schedule: 'always', closed: { to: 'hang-up' } } },
  };
  const menu = (id: string, target: object): object => ({ id, name: id, prompt: { file: prompt }, options: { 1: target }, waitSeconds: '60' });
  const extensions = phones.flatMap((one) => one.extensions);
  return JSON.stringify({
    account: { id: 'chaos', name: 'Chaos Dental', failsafe, outbound: { concurrentCalls: '1000' } },
    trunks: [{ id: 'carrier', host: trunk.host, port: String(trunk.port), dtmf: 'info' }],
    users: [...extensions, mobile].map((device) => ({
      id: userOf(device), name: `User ${device}`, devices: [{ ...(device === mobile ? { mobile } : { extension: device, password: passwordOf(device) }), label: device }],
    })),
    receivingNumbers: [{ id: 'switchboard', label: switchboard, number: switchboard, dialExtension: { digits: extensionDigits, delaySeconds: String(Math.min(60, Math.round(waitOf(lengthMs) / 1000))) } }],
    menus: [menu('main', { to: 'menu', id: 'more' }), menu('more', user('206'))],
    ringGroups: [
      group('turns', 'round-robin', groups.turns), group('least', 'least-connected', groups.least), group('walks', 'sequential', ['221', '222']),
      group('near', 'simultaneous', ['241']), group('far', 'simultaneous', ['242']),
      group('unheard', 'simultaneous', ['231'], { ringSeconds: String(unheardMs / 1000), noAnswer: { to: 'ring-group', id: 'busy' } }),
      group('busy', 'simultaneous', ['221'], { noAnswer: user('232') }),
    ],
    queues: [
      // whose only agent never logs in
      { id: 'unserved', name: 'Unserved', strategy: 'top-down', agents: [{ user: userOf('201') }], joinNeeds: 'nobody', stayNeeds: 'nobody', maxWaitSeconds: String(Math.round(waitOf(lengthMs) / 1000)), maxWait: user('251') },
      { id: 'served', name: 'Served', strategy: 'longest-idle', agents: agents.map((one) => ({ user: userOf(one) })), wrapUpSeconds: '0', joinNeeds: 'nobody', stayNeeds: 'nobody' },
    ],
    routers: [{
      id: 'by-caller', name: 'By caller',
      rules: [{ when: { all: [{ field: 'caller.number', startsWith: `+1${areaCodes[0]}` }, { field: 'schedule.always', is: 'open' }] }, target: { to: 'ring-group', id: 'near' } }],
      default: { to: 'ring-group', id: 'far' },
    }],
    schedules: [{ id: 'always', name: 'Always', week: [allDay] }],
    numbers: kinds.map(({ name, e164 }) => ({ e164, name, timeoutSeconds: '120', callConnect: 'off', ...leads[name] })),
  }, null, 2);
}
