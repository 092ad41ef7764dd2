import { afterAll, beforeAll } from 'vitest';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { openAsterisk, openPhones, type Phones } from './media-driver-asterisk.ts';
import { mediaDriverContract } from './media-driver-suite.ts';
import { recordTrace } from './traces.ts';

let site: Site;
let phones: Phones;
beforeAll(async () => {
  site = await openSite({ createTrunks: true });
  phones = await openPhones(site);
}, SITE_START_MS);
afterAll(() => site.close());

mediaDriverContract({
  name: 'asterisk', timeoutMs: 20_000,
  open: () => openAsterisk(site, phones),
  heardInTest: (test, heard) => { recordTrace('asterisk', test, heard); },
});
