/** What `frontdesk doctor` finds of a switch: its version, its modules, and what phones cannot have on it. */
import { access, constants } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { connectAri } from '../media/asterisk/ari/ari-client.ts';
import { missingModules } from '../media/asterisk/ari/missing-modules.ts';
import { transfersOn } from '../media/asterisk/admin/transfers.ts';
import { requiredModules } from '../media/asterisk/required-modules.ts';
import { createSwitchStore } from '../media/freeswitch/admin/switch-store.ts';
import { connectEsl, type EslClient } from '../media/freeswitch/esl/esl-client.ts';
import { unusable } from '../media/freeswitch/freeswitch-driver.ts';
import { quiet, type Finding } from './finding.ts';

export async function theSwitch(config: Config): Promise<readonly Finding[]> {
  const found = [
    ...(config.asteriskUrl === undefined ? [] : await asterisk(config.asteriskUrl, config.transfers)),
    ...(config.freeswitchUrl === undefined ? [] : await freeSwitch(config.freeswitchUrl)),
  ];
  return found.length > 0 ? found : [{ what: 'switch', state: 'ok', text: 'the local stack starts one (set ASTERISK_URL or FREESWITCH_URL to look at yours)' }];
}

async function asterisk(url: string, setting: Config['transfers']): Promise<readonly Finding[]> {
  const connected = await connectAri({ url, app: 'frontdesk-doctor', eventFilter: [], onEvent: () => undefined, onLink: () => undefined, log: quiet });
  if (!connected.ok) return [{ what: 'switch', state: 'stops calls', text: connected.message }];
  const { client } = connected;
  const modules = await missingModules(client, requiredModules);
  const transfers = await transfersOn(client, setting).catch(() => null);
  await client.close();
  const version: Finding = { what: 'switch', state: 'ok', text: `Asterisk ${client.version}` };
  const phones: readonly Finding[] = transfers === null || transfers.allowed || setting === 'off' ? [] : [{ what: 'transfers', state: 'warning', text: `phones cannot transfer calls: ${transfers.why}.` }];
  if (!modules.ok) return [version, { what: 'modules', state: 'stops calls', text: modules.message }];
  if (modules.missing.length > 0) return [version, { what: 'modules', state: 'stops calls', text: `not loaded: ${modules.missing.join(', ')}; load them in modules.conf.` }];
  return [version, { what: 'modules', state: 'ok', text: `all ${requiredModules.length} are loaded` }, ...phones];
}

async function freeSwitch(url: string): Promise<readonly Finding[]> {
  const connected = await connectEsl({ url, events: [], onEvent: () => undefined, onLink: () => undefined, log: quiet });
  if (!connected.ok) return [{ what: 'switch', state: 'stops calls', text: connected.message }];
  const { client } = connected;
  const found = await Promise.all([modulesOf(client), storeOf(client), recordingsOf(client)]);
  await client.close();
  return [{ what: 'switch', state: 'ok', text: `FreeSWITCH ${client.version}` }, ...found];
}

async function modulesOf(client: EslClient): Promise<Finding> {
  const problem = await unusable(client);
  return problem === undefined ? { what: 'modules', state: 'ok', text: 'all that are needed are loaded' } : { what: 'modules', state: 'stops calls', text: problem };
}

async function storeOf(client: EslClient): Promise<Finding> {
  try {
    const phones = await createSwitchStore(client).list('fd-phone');
    return { what: 'phones', state: 'ok', text: `${phones.size} are known to the switch` };
  } catch (error) {
    return { what: 'phones', state: 'stops calls', text: error instanceof Error ? error.message : String(error) };
  }
}

async function recordingsOf(client: EslClient): Promise<Finding> {
  const folder = await client.api('global_getvar', { name: 'recordings_dir' });
  if (!folder.ok || folder.text === '') return { what: 'folder', state: 'stops calls', text: 'The switch does not say where it keeps recordings: its freeswitch.xml must set recordings_dir.' };
  const seen = await access(folder.text, constants.R_OK | constants.W_OK | constants.X_OK).then(() => true, () => false);
  return seen
    ? { what: 'folder', state: 'ok', text: `${folder.text} is where the switch keeps recordings` }
    : { what: 'folder', state: 'warning', text: `${folder.text}, where the switch keeps recordings, cannot be read and emptied here: recordings stay there. Share it with this machine under the same name.` };
}
