import { createAsteriskDriver } from '../../control-plane/media/asterisk/asterisk-driver.ts';
import { createFreeSwitchDriver } from '../../control-plane/media/freeswitch/freeswitch-driver.ts';
import type { SwitchDriver } from '../../control-plane/media/switch-admin.ts';
import type { Site } from './site.ts';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Of the switch that the site has. */
export function driverOf(site: Site, instance: string): SwitchDriver {
  const { asteriskUrl, freeswitchUrl } = site.attach;
  return freeswitchUrl === undefined ? createAsteriskDriver({ url: asteriskUrl ?? '', instance, log: quiet, securityLog: site.asterisk.securityLog }) : createFreeSwitchDriver({ url: freeswitchUrl, instance, log: quiet });
}
