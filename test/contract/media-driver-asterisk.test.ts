import { afterAll, beforeAll } from 'vitest';
import { createAsteriskDriver } from '../../control-plane/media/asterisk/asterisk-driver.ts';
import { rings } from '../support/behaviour.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { backOff, number, openReal, quiet, type Phones } from './media-driver-real.ts';
import { mediaDriverContract } from './media-driver-suite.ts';
import { recordTrace } from './traces.ts';

let site: Site;
let phones: Phones;
beforeAll(async () => {
  site = await openSite({ createTrunks: true, switch: 'asterisk' });
  const [reception, nurse] = await Promise.all([site.phone('reception', rings(), { create: true }), site.phone('nurse', rings(), { create: true })]);
  phones = { reception, nurse };
}, SITE_START_MS);
afterAll(() => site.close());

mediaDriverContract({
  name: 'asterisk', timeoutMs: 20_000,
  open: () => openReal({
    url: site.asterisk.url, sipHost: site.asterisk.sipHost, phones,
    createDriver: (url) => createAsteriskDriver({ url, instance: 'contract', log: quiet, backOff }),
    madeLeg: /"StasisStart"[^]*--l\d/,
    audio: { short: 'tone:accept', long: 'sound:demo-instruct', missing: 'sound:there-is-none' },
    call: () => site.call({ from: '+15550100', name: 'Ann', to: number }),
    callFromPhone: (name, to) => site.callFromPhone(name, { to }),
    leftovers: async () => [...await site.switch.channels(), ...await site.switch.bridges()].map(({ id }) => id),
    clear: async () => {
      await site.switch.clear();
      await site.expectNothingLeft();
    },
  }),
  heardInTest: (test, heard) => { recordTrace('asterisk', test, heard); },
});
