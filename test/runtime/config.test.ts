/** What the environment may say, and what is made of it. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig, type Config } from '../../control-plane/config.ts';
import { loadPlanFiles } from '../../control-plane/store/plan-files/load.ts';

const given = (env: Record<string, string>): Config => {
  const read = readConfig(env);
  if (!read.ok) throw new Error(read.problems.join('\n'));
  return read.config;
};
const problems = (env: Record<string, string>): readonly string[] => {
  const read = readConfig(env);
  return read.ok ? [] : read.problems;
};
const warnings = (env: Record<string, string>): readonly string[] => {
  const read = readConfig(env);
  return read.ok ? read.warnings : [];
};

describe('Nothing set', () => {
  test('is a clinic that serves this machine alone', () => {
    expect(given({})).toMatchObject({
      dataDir: resolve('.frontdesk'), instance: 'main', bind: '127.0.0.1', httpPort: 8088, logLevel: undefined,
      sipPort: undefined, externalAddress: undefined, asteriskUrl: undefined, freeswitchUrl: undefined, redisUrl: undefined,
    });
    expect(given({}).planFiles).toEqual([expect.stringMatching(/dialplans\/riverside-dental\.yaml$/)]);
    expect(Object.isFrozen(given({}))).toBe(true);
  });

  test('and a variable left empty is the same', () => {
    expect(given({ FRONTDESK_HTTP_PORT: '', ASTERISK_URL: '', FRONTDESK_PLAN: '', FRONTDESK_DATA_DIR: '' })).toEqual(given({}));
  });
});

test('Paths are taken from where the command was given, once', () => {
  expect(given({ FRONTDESK_DATA_DIR: 'clinic/data', FRONTDESK_CACHE_DIR: '../cache' })).toMatchObject({ dataDir: resolve('clinic/data'), cacheDir: resolve('../cache') });
});

test('Several plans have commas between, with or without spaces', () => {
  expect(given({ FRONTDESK_PLAN: 'a.yaml, b.yaml,,c.yaml,' }).planFiles).toEqual(['a.yaml', 'b.yaml', 'c.yaml']);
  expect(problems({ FRONTDESK_PLAN: ' , ' })).toEqual(['FRONTDESK_PLAN must name a plan file, or several with commas between.']);
});

describe('A value that cannot be', () => {
  const refused: readonly (readonly [string, readonly string[]])[] = [
    ['FRONTDESK_HTTP_PORT', ['-1', '65536', '8e3', '0x50', ' 80', '80.5', 'http']],
    ['FRONTDESK_SIP_PORT', ['0', '70000', 'sip']],
    ['FRONTDESK_BIND', ['localhost', '10.0.0', '10.0.0.1:5060', '*']],
    ['FRONTDESK_EXTERNAL_ADDRESS', ['sip:1.2.3.4', 'a b', 'pbx.example:5060', '1.2.3.4\n[evil]']],
    ['FRONTDESK_INSTANCE', ['A', 'a_b', 'a'.repeat(31), 'ä']],
    ['FRONTDESK_LOG_LEVEL', ['WARN', 'trace']],
    ['FRONTDESK_LOG_NUMBERS', ['true', '1']],
    ['FRONTDESK_WEBHOOKS_PRIVATE', ['yes', 'true']],
    ['FRONTDESK_DRAIN_SECONDS', ['-1', '1.5', '30s', '100000']],
    ['FRONTDESK_SYNTHETIC_CALL', ['no', '0', '-5', '1.5']],
    ['FRONTDESK_DATA_DIR', ['a\nb']],
    ['ASTERISK_URL', ['127.0.0.1:8088', 'ws://u:p@host', 'http://host:8088', 'http://u@host', 'http://']],
    ['REDIS_URL', ['localhost:6379', 'http://host', 'redis://']],
  ];

  test.each(refused)('of %s is refused by its name, and not repeated', (name, values) => {
    for (const value of values) {
      const [problem, ...more] = problems({ [name]: value });
      expect([value, problem, more]).toEqual([value, expect.stringMatching(new RegExp(`^${name} must .+\\.$`)), []]);
      expect(value.length > 8 && problem?.includes(value)).toBe(false);
    }
  });

  test('does not hide another', () => {
    expect(problems(Object.fromEntries(refused.map(([name, [value]]) => [name, value ?? ''])))).toHaveLength(refused.length);
  });
});

test('What can be is taken', () => {
  expect(given({
    FRONTDESK_BIND: '::', FRONTDESK_EXTERNAL_ADDRESS: 'pbx.clinic.example', FRONTDESK_SIP_PORT: '5060', FRONTDESK_HTTP_PORT: '0', FRONTDESK_INSTANCE: 'a-1', FRONTDESK_LOG_LEVEL: 'silent',
    REDIS_URL: 'rediss://:p%40ss@redis.clinic.example:6380/2',
  })).toMatchObject({ bind: '::', externalAddress: 'pbx.clinic.example', sipPort: 5060, httpPort: 0, instance: 'a-1', logLevel: 'silent', redisUrl: 'rediss://:p%40ss@redis.clinic.example:6380/2' });
  expect(given({ ASTERISK_URL: 'https://frontdesk:secret@pbx:8089/prefix' }).asteriskUrl).toBe('https://frontdesk:secret@pbx:8089/prefix');
});

test('What waits for calls to end is only a switch that ends with them, unless it is said; and Frontdesk calls itself each minute', () => {
  const waits = (env: Readonly<Record<string, string>>): number => given(env).drainMs;
  expect([waits({}), waits({ ASTERISK_URL: 'http://u:p@h:8088' }), waits({ ASTERISK_URL: 'http://u:p@h:8088', FRONTDESK_DRAIN_SECONDS: '20' }), waits({ FRONTDESK_DRAIN_SECONDS: '0' })]).toEqual([30_000, 0, 20_000, 0]);
  expect([given({}).syntheticMs, given({ FRONTDESK_SYNTHETIC_CALL: 'off' }).syntheticMs, given({ FRONTDESK_SYNTHETIC_CALL: '10' }).syntheticMs]).toEqual([60_000, null, 10_000]);
});

test('A mistyped name is told, with the one it may have meant; of others the environment is full', () => {
  expect(warnings({ FRONTDESK_HTTPPORT: '80', FRONTDESK_COLOUR: 'red', PATH: '/bin', FRONTDESK_KEEP_TRACES: '1' })).toEqual([
    'FRONTDESK_HTTPPORT is not a setting; did you mean FRONTDESK_HTTP_PORT?',
    'FRONTDESK_COLOUR is not a setting.',
  ]);
});

test('What only the local switch is told is pointed out beside a switch of one’s own', () => {
  expect(warnings({ ASTERISK_URL: 'http://u:p@h:8088', FRONTDESK_BIND: '0.0.0.0' })).toEqual(['FRONTDESK_BIND has no effect beside ASTERISK_URL: that switch has its own configuration.']);
  expect(warnings({ FRONTDESK_BIND: '0.0.0.0' })).toEqual([]);
  expect(warnings({ FREESWITCH_URL: 'freeswitch://:p@h', FRONTDESK_NEVER_BAN: '203.0.113.7' })).toEqual([]);
  expect(warnings({ FREESWITCH_URL: 'freeswitch://:p@h', FRONTDESK_SECURITY_LOG: '/var/log/security.log' })).toEqual(['FRONTDESK_SECURITY_LOG has no effect beside FREESWITCH_URL: it is of an Asterisk.']);
});

test('Calls of a switch of one’s own outlive a controller, whichever it is', () => {
  expect(given({ FREESWITCH_URL: 'freeswitch://:p%40ss@pbx:8021' })).toMatchObject({ freeswitchUrl: 'freeswitch://:p%40ss@pbx:8021', asteriskUrl: undefined, drainMs: 0 });
  expect(problems({ FREESWITCH_URL: 'freeswitch://pbx:8021' })).toEqual(['FREESWITCH_URL must look like freeswitch://:password@host:8021, with the password of event_socket.conf.xml.']);
});

test('Two switches are served side by side when each is said to the other', () => {
  const urls = { FREESWITCH_URL: 'freeswitch://:p@h', ASTERISK_URL: 'http://u:p@h:8088' };
  const places = { FRONTDESK_ASTERISK_SIP: '10.0.0.5:5060', FRONTDESK_FREESWITCH_SIP: '[2001:db8::5]:5080' };
  expect(given({ ...urls, ...places })).toMatchObject({ drainMs: 0, sideBySide: { asterisk: { host: '10.0.0.5', port: 5060 }, freeswitch: { host: '2001:db8::5', port: 5080 } } });
  expect(given({ ...urls, ...places, FRONTDESK_ASTERISK_SIP: 'pbx.clinic.example:5060' }).sideBySide?.asterisk).toEqual({ host: 'pbx.clinic.example', port: 5060 });
  expect(problems(urls)).toEqual([expect.stringMatching(/^ASTERISK_URL and FREESWITCH_URL are both set, so FRONTDESK_ASTERISK_SIP and FRONTDESK_FREESWITCH_SIP must say/)]);
  expect(problems({ ...urls, FRONTDESK_ASTERISK_SIP: '10.0.0.5:5060' })).toHaveLength(1);
  for (const wrong of ['10.0.0.5', ':5060', '10.0.0.5:0', '10.0.0.5:65536', 'sip:10.0.0.5:5060', '2001:db8::5:5060', '[10.0.0.5]:5060', 'a b:5060']) {
    expect(problems({ ...urls, ...places, FRONTDESK_ASTERISK_SIP: wrong })).toEqual(['FRONTDESK_ASTERISK_SIP must look like 10.0.0.5:5060, an address or a name and a port.']);
  }
  expect(given({ FREESWITCH_URL: urls.FREESWITCH_URL, ...places }).sideBySide).toBeUndefined();
  expect(warnings({ FREESWITCH_URL: urls.FREESWITCH_URL, FRONTDESK_ASTERISK_SIP: '10.0.0.5:5060' })).toEqual(['FRONTDESK_ASTERISK_SIP has no effect: it is for ASTERISK_URL and FREESWITCH_URL side by side.']);
  expect(warnings({ ...urls, ...places, FRONTDESK_NEVER_BAN: '203.0.113.7', FRONTDESK_BIND: '0.0.0.0' })).toEqual(['FRONTDESK_BIND has no effect beside ASTERISK_URL: that switch has its own configuration.']);
});

test('The example clinics load without a problem, each alone and together, and an example warns of nothing', async () => {
  const dir = join(import.meta.dirname, '../../dialplans');
  const files = readdirSync(dir).filter((name) => name.endsWith('.yaml')).map((name) => join(dir, name));
  expect(files).toHaveLength(3);
  for (const some of [...files.map((file) => [file]), files]) {
    const loaded = await loadPlanFiles(some);
    expect(loaded).toMatchObject({ ok: true, config: { warnings: [] } });
    expect(loaded.ok ? loaded.config.clinics : []).toHaveLength(some.length);
  }
});
