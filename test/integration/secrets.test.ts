/**
 * No secret is in what controller and switch print and log, at the log level debug: through starts, calls, logins right
 * and wrong, writes taken and refused, and the loss of the switch, of Redis and of the database.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { firstKeyOf, openApi, readinessOf, type Api } from '../support/api.ts';
import { answersAfter, rings } from '../support/behaviour.ts';
import { stackProcesses } from '../support/cli.ts';
import type { Controller } from '../support/controller.ts';
import { guess } from '../support/guesser.ts';
import { startMailServer, type MailServer } from '../support/mail-server.ts';
import { postgresServer, type PostgresServer } from '../support/postgres-server.ts';
import { ownLoopbackAddress } from '../support/sipp.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const made = (what: string): string => `${what}-${randomBytes(8).toString('hex')}`;
const secrets = {
  phone: made('phone'), otherPhone: made('phone'), refusedPhone: 'aaaaaaaaaaaaaaaa', trunk: made('trunk'), otherTrunk: made('trunk'), guessed: made('guess'), mail: made('mail'),
  mediaKey: randomBytes(32).toString('hex'), oldMediaKey: randomBytes(32).toString('hex'), wrongKey: `fd_${randomBytes(6).toString('hex')}_${randomBytes(24).toString('hex')}`,
};
let site: Site;
let postgres: PostgresServer;
let mail: MailServer;
let databaseUrl: string;
let controller: Controller;
let api: Api;
let firstKey: string;
const dataDir = (): string => join(site.folder, 'controller');
const outputs: string[] = [];

const start = async (): Promise<void> => {
  controller = await site.startController({
    planFile: '', dataDir: dataDir(),
    env: {
      FRONTDESK_LOG_LEVEL: 'debug', DATABASE_URL: databaseUrl, FRONTDESK_MEDIA_KEY: secrets.mediaKey, FRONTDESK_MEDIA_KEYS_OLD: secrets.oldMediaKey,
      FRONTDESK_SMTP_URL: `smtp://clinic:${secrets.mail}@127.0.0.1:${mail.port}`, ...(site.onFreeSwitch ? {} : { FRONTDESK_SECURITY_LOG: site.asterisk.securityLog }),
    },
  });
};

beforeAll(async () => {
  [site, postgres, mail] = await Promise.all([openSite(), postgresServer(), startMailServer()]);
  databaseUrl = await postgres.createDatabase();
  await start();
  firstKey = firstKeyOf(controller);
  api = openApi(() => controller.httpUrl, firstKey);
}, SITE_START_MS);
afterAll(async () => {
  await site.close();
  await mail.stop();
  await postgres.dispose();
});

const NUMBER = '+15550130';
const asksForTheApi = async (): Promise<readonly string[]> => {
  await api.write('POST', '/accounts', { id: 'clinic', name: 'The Clinic', alerts: { notify: ['owner@clinic.example'], graceSeconds: 1 } });
  await api.write('POST', '/accounts/clinic/users', { id: 'ann', name: 'Ann' });
  await api.write('POST', '/accounts/clinic/devices', { id: 'desk', user: 'ann', extension: '101', password: secrets.otherPhone });
  await api.write('PATCH', '/accounts/clinic/devices/desk', { password: secrets.phone });
  await api.write('POST', '/accounts/clinic/trunks', { id: 'carrier', ...site.trunkAddress('carrier'), username: 'clinic', password: secrets.otherTrunk, register: true, qualifySeconds: 1 });
  await api.write('PATCH', '/accounts/clinic/trunks/carrier', { password: secrets.trunk });
  await api.write('POST', '/accounts/clinic/numbers', { id: 'main', e164: NUMBER, name: 'Main', users: ['ann'] });
  await api.get('/accounts/clinic/devices/desk/credentials');
  await api.get('/documents');
  const made = (await api.write('POST', '/api-keys', { name: 'a program', role: 'account-admin', account: 'clinic' })).json as { readonly id: string; readonly secret: string };
  const refused = [
    await api.ask('POST', '/accounts/clinic/devices', { id: 'weak', user: 'ann', extension: '102', password: secrets.refusedPhone }),
    await api.ask('POST', '/accounts/clinic/trunks', { id: 'odd', host: 'sip.example', username: 'clinic', password: `${secrets.trunk} ; with a space` }),
    await api.ask('POST', `/documents?password=${secrets.trunk}`, { documents: [{ account: 'clinic', kind: 'trunk', id: 'carrier', body: { password: secrets.trunk } }] }),
    await api.as(secrets.wrongKey).ask('GET', `/accounts?key=${made.secret}`),
    await fetch(`${controller.httpUrl}/api/v1/accounts`, { headers: { authorization: `Basic ${btoa(made.secret)}`, cookie: made.secret } }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([422, 422, 400, 401, 401]);
  expect((await api.as(made.secret).ask('GET', '/accounts/clinic/devices')).status).toBe(200);
  await api.write('DELETE', `/api-keys/${made.id}`);
  return [made.secret];
};

const calls = async (): Promise<void> => {
  await until(async () => site.switch.knows('101'), { describe: 'the switch knows the phone' });
  const desk = await site.phone('101', rings(), { password: secrets.phone });
  const caller = await site.call({ from: '+12065550199', to: NUMBER });
  const ring = await desk.nextCall();
  await ring.answer();
  await caller.call.connected();
  await caller.call.hangUp();
  await ring.ended();
  // the carrier of the test answers, asked or not; a call out shows it the trunk's account
  await site.carrier(answersAfter(20));
  const out = await site.callFromPhone('101', { to: '+12065550177', password: secrets.phone, hangUpAfterMs: 200, giveUpAfterMs: 2_000 });
  await out.call.ended(6_000);
  await guess({ remote: site.sip, from: ownLoopbackAddress(), user: '101', password: secrets.guessed, times: 11 });
  await until(() => controller.output().includes('wrong SIP passwords came from'), { describe: 'the guesses are told', within: 10_000 });
  await site.afterTest();
};

/** What is running, and all text that was logged. */
const texts = (): readonly (readonly [string, string])[] => {
  const folders = [dataDir(), join(site.folder, 'stack')];
  const files = folders.flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /(\.log|\.ndjson|log\/[^/]+)$/.test(name)).map((name) => join(folder, name)));
  const commands = [{ pid: controller.pid }, ...stackProcesses(join(site.folder, 'stack'))].map(({ pid }): [string, string] => [`command line of ${pid}`, readFileSync(`/proc/${pid}/cmdline`, 'utf8')]);
  return [...outputs.map((text): [string, string] => ['output of a controller', text]), ...[...files, ...(site.onFreeSwitch ? [site.switchLog] : [])].map((file): [string, string] => [file, readFileSync(file, 'latin1')]), ...commands];
};

const found = (wanted: readonly string[]): readonly string[] => texts().flatMap(([where, text]) => wanted.filter((one) => text.includes(one)).map((one) => `${one} in ${where}`));

test('No secret of calls, phones, trunks, keys, databases or mail is printed or logged', async () => {
  const keys = await asksForTheApi();
  await calls();

  await site.restart();
  await until(async () => (await readinessOf(controller)).status === 200, { describe: 'the switch is back', within: 20_000 });
  await postgres.stop('immediate');
  expect((await api.ask('POST', '/accounts/clinic/devices', { id: 'late', user: 'ann', extension: '109', password: secrets.otherPhone })).status).toBe(503);
  await until(async () => (await readinessOf(controller)).reasons.some((reason) => reason.includes('database')), { describe: 'the database is missed', within: 20_000 });
  await postgres.start();
  outputs.push(controller.output());
  await controller.stop();
  await start();
  outputs.push(controller.output());

  const [ofSwitch, redis] = [new URL(site.switchUrl).password, new URL(site.redisUrl).password];
  const all = [...Object.values(secrets), ...keys, ofSwitch, redis, new URL(databaseUrl).password];
  const forms = all.flatMap((secret) => [secret, encodeURIComponent(secret), btoa(secret), btoa(`frontdesk:${secret}`), btoa(`clinic:${secret}`)]);
  expect(found(forms)).toEqual([]);

  // the search would have found them: this key is shown on purpose, and these lines are where secrets could have been
  const places = [firstKey, ...(site.onFreeSwitch ? ['SIP auth failure'] : ['SecurityEvent="ChallengeResponseFailed"', 'wrong SIP passwords came from']), 'The link to the switch is up', 'Redis', 'redis-server'];
  expect(places.filter((one) => found([one]).length === 0)).toEqual([]);
  expect(all.filter((secret) => secret.length < 12)).toEqual([]);
});
