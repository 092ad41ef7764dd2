import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { createFreeSwitchDriver } from '../../control-plane/media/freeswitch/freeswitch-driver.ts';
import { wavHeader } from '../../control-plane/store/media-files/wav.ts';
import { openFreeSwitchSite, type FreeSwitchSite } from '../support/freeswitch-site.ts';
import { withoutFreeSwitch } from '../support/freeswitch.ts';
import { SITE_START_MS } from '../support/site.ts';
import { backOff, number, openReal, quiet, type Phones } from './media-driver-real.ts';
import { mediaDriverContract } from './media-driver-suite.ts';
import { recordTrace } from './traces.ts';

if (withoutFreeSwitch !== undefined) process.stderr.write(`Skipped: the contract of a media driver on FreeSWITCH. ${withoutFreeSwitch}.\n`);

describe.skipIf(withoutFreeSwitch !== undefined)('With a FreeSWITCH', () => {
  let site: FreeSwitchSite;
  let phones: Phones;
  beforeAll(async () => {
    site = await openFreeSwitchSite();
    const [reception, nurse] = await Promise.all([site.phone('reception'), site.phone('nurse')]);
    phones = { reception, nurse };
    writeFileSync(join(site.switch.soundsDir, 'long.wav'), Buffer.concat([wavHeader({ channels: 1, rate: 8000 }, 20 * 16_000), Buffer.alloc(20 * 16_000)]));
  }, SITE_START_MS);
  afterAll(() => site.close());

  mediaDriverContract({
    name: 'freeswitch', timeoutMs: 20_000, dialsAtOnce: true,
    open: () => openReal({
      url: site.switch.url, sipHost: site.switch.sipHost, phones,
      createDriver: (url) => createFreeSwitchDriver({ url, instance: 'contract', log: quiet, backOff }),
      madeLeg: null,
      audio: { short: 'tone:accept', long: 'sound:long', missing: 'sound:there-is-none' },
      call: () => site.call({ from: '+15550100', name: 'Ann', to: number }),
      callFromPhone: (name, to) => site.callFromPhone(name, { to }),
      leftovers: () => site.channels(),
      clear: () => site.clear(),
    }),
    heardInTest: (test, heard) => { recordTrace('freeswitch', test, heard); },
  });
});
