/** What the containers publish: SIP and RTP, and the controller's HTTP; each on this host alone until told otherwise. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const service = z.looseObject({
  ports: z.array(z.string()).default([]), networks: z.array(z.string()).default([]), network_mode: z.string().optional(), privileged: z.boolean().optional(),
  environment: z.record(z.string(), z.unknown()).optional(), profiles: z.array(z.string()).optional(),
});
const compose = z.looseObject({ services: z.record(z.string(), service), networks: z.record(z.string(), z.looseObject({ internal: z.boolean().optional() }).nullable()).default({}) });
const read = (name: string): z.output<typeof compose> => compose.parse(parse(readFileSync(join(import.meta.dirname, '../..', name), 'utf8')));

/** As compose reads it, with these variables set. */
const filled = (text: string, set: Readonly<Record<string, string>> = {}): string => text.replace(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name: string, otherwise: string | undefined) => set[name] ?? otherwise ?? '');
const site = read('docker-compose.yml');
const published = (set: Readonly<Record<string, string>> = {}): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(Object.entries(site.services).flatMap(([name, { ports }]) => (ports.length === 0 ? [] : [[name, ports.map((port) => filled(port, set))]])));

describe('The containers', () => {
  test('publish SIP, RTP and HTTP on this host alone', () => {
    expect(published()).toEqual({
      asterisk: ['127.0.0.1:5060:5060/udp', '127.0.0.1:5060:5060/tcp', '127.0.0.1:5061:5061/tcp', '127.0.0.1:16384-16583:16384-16583/udp'],
      freeswitch: ['127.0.0.1:5080:5080/udp', '127.0.0.1:5080:5080/tcp', '127.0.0.1:16584-16783:16584-16783/udp'],
      controller: ['127.0.0.1:8088:8088'],
    });
  });

  test('publish SIP and RTP alone beyond it when they are opened', () => {
    const open = published({ FRONTDESK_BIND: '0.0.0.0' });
    expect(Object.values(open).flat().filter((port) => port.startsWith('0.0.0.0:'))).toEqual([
      '0.0.0.0:5060:5060/udp', '0.0.0.0:5060:5060/tcp', '0.0.0.0:5061:5061/tcp', '0.0.0.0:16384-16583:16384-16583/udp',
      '0.0.0.0:5080:5080/udp', '0.0.0.0:5080:5080/tcp', '0.0.0.0:16584-16783:16584-16783/udp',
    ]);
    expect(open['controller']).toEqual(['127.0.0.1:8088:8088']);
  });

  test('have no way around their networks, and the databases no way out', () => {
    const services = Object.entries(site.services);
    expect(services.filter(([, one]) => one.network_mode !== undefined || one.privileged === true)).toEqual([]);
    expect(site.networks).toMatchObject({ control: { internal: true } });
    expect(services.filter(([, { networks }]) => networks.join() === 'control').map(([name]) => name)).toEqual(['postgres', 'redis', 'freeswitch-configuration']);
  });

  test('have a FreeSWITCH only where it is asked for', () => {
    expect(Object.entries(site.services).filter(([, { profiles }]) => profiles !== undefined).map(([name, { profiles }]) => [name, profiles])).toEqual([['freeswitch-configuration', ['freeswitch']], ['freeswitch', ['freeswitch']]]);
  });

  test('get no password that is written in the file, and the trial adds no port', () => {
    const secrets = Object.values(site.services).flatMap(({ environment = {} }) => Object.entries(environment)).filter(([variable]) => /PASSWORD|KEY$|_URL$/.test(variable));
    expect(secrets.length).toBeGreaterThan(6);
    expect(secrets.filter(([, value]) => !/\$\{\w+/.test(String(value)))).toEqual([]);
    expect(Object.values(read('docker/trial.yml').services).flatMap(({ ports }) => ports)).toEqual([]);
  });
});
