/**
 * `frontdesk freeswitch <folder>`: the configuration of freeswitch/, filled in, for a FreeSWITCH of one's own. Port and password of
 * the event socket are those of FREESWITCH_URL, so that controller and switch have the same.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { isAbsolute, join, resolve } from 'node:path';
import { isNetwork } from '../configuration/fields.ts';
import { diskError } from '../local-stack/errors.ts';
import { renderFreeSwitch } from '../local-stack/render-freeswitch.ts';
import { StartError } from '../main.ts';
import { parseEslUrl } from '../media/freeswitch/esl/esl-address.ts';
import { say } from './say.ts';
import { configOrError } from './start.ts';
import { argumentsOf, UsageError } from './usage-error.ts';

const templates = join(import.meta.dirname, '../../freeswitch');
/** Of its first lines. */
const ours = "Frontdesk's FreeSWITCH";

export async function freeswitch(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(args, {
    sip: { type: 'string', default: '127.0.0.1:5060' }, external: { type: 'string' }, rtp: { type: 'string', default: '16384-32766' },
    listen: { type: 'string' }, from: { type: 'string', default: 'loopback.auto' }, as: { type: 'string' },
    recordings: { type: 'string', default: '/var/lib/freeswitch/recordings' }, sounds: { type: 'string', default: '/usr/share/freeswitch/sounds' }, log: { type: 'string', default: '/var/log/freeswitch' },
  });
  const [folder, surplus] = positionals;
  if (folder === undefined || surplus !== undefined) throw new UsageError('Into which folder? For example: frontdesk freeswitch /etc/freeswitch --sip 203.0.113.10:5060');
  const { freeswitchUrl } = configOrError();
  if (freeswitchUrl === undefined) throw new StartError('FREESWITCH_URL is not set: the port and the password that the event socket is to have are taken from it. For example: freeswitch://:password@127.0.0.1:8021');
  const parsed = parseEslUrl(freeswitchUrl);
  if (!parsed.ok) throw new StartError(parsed.message);
  const { address } = parsed;
  if (!/^[\w.:/,-]+$/.test(address.password)) throw new StartError('The password in FREESWITCH_URL may hold letters, digits, and . _ : / , - only: it is written into the configuration.');
  const etcDir = resolve(folder);
  refuseForeign(etcDir);
  const seenAs = absolute('--as', values.as ?? etcDir);
  const listen = values.listen ?? (address.host === 'localhost' ? '127.0.0.1' : address.host);
  if (isIP(listen) === 0) throw new UsageError(`The event socket cannot listen at “${listen}”: say at which IP address of the switch it is to listen, with --listen.`);
  if (values.external !== undefined && isIP(values.external) === 0) throw new UsageError(`--external “${values.external}” is no IP address.`);
  if (!/^(loopback|localnet|rfc1918)\.auto$/.test(values.from) && !values.from.split(',').every((one) => one.includes('/') && isNetwork(one))) throw new UsageError(`--from “${values.from}” is neither loopback.auto, localnet.auto or rfc1918.auto, nor networks such as 192.0.2.0/24, with commas between.`);
  const recordingsDir = absolute('--recordings', values.recordings);
  try {
    renderFreeSwitch(templates, {
      etcDir, seenAs, recordingsDir, soundsDir: absolute('--sounds', values.sounds), logDir: absolute('--log', values.log),
      systemName: 'frontdesk', logLevel: 'info', esl: { bind: listen, port: address.port, password: address.password, from: values.from },
      sip: { ...placeOf(values.sip), ...(values.external === undefined ? {} : { external: values.external }) }, rtp: rangeOf(values.rtp),
    });
  } catch (error) {
    throw writingError(error, etcDir);
  }
  say(`Written to ${etcDir}, for its owner alone: the password is in it. Start the switch as that user with -conf ${seenAs} -scripts ${join(seenAs, 'scripts')}, share ${recordingsDir} with the controller, then: frontdesk doctor`);
  return 0;
}

/** The configuration of another FreeSWITCH is nobody's to overwrite. */
function refuseForeign(etcDir: string): void {
  const file = join(etcDir, 'freeswitch.xml');
  try {
    if (!existsSync(file) || readFileSync(file, 'utf8').includes(ours)) return;
  } catch (error) {
    throw writingError(error, etcDir);
  }
  throw new StartError(`${file} is not Frontdesk’s: choose a folder of its own, or move that configuration away.`);
}

function writingError(error: unknown, etcDir: string): unknown {
  const told = diskError(error, etcDir);
  return told instanceof Error && told !== error ? new StartError(told.message.replace(' (FRONTDESK_DATA_DIR)', ''), { cause: error }) : error;
}

function absolute(option: string, path: string): string {
  if (!isAbsolute(path)) throw new UsageError(`${option} “${path}” must be a path from the root on, as the switch sees it.`);
  return path;
}

/** `auto`, for an address that the switch finds by itself, or an IPv4 address of it; `:port` may follow. */
function placeOf(text: string): { readonly bind: string; readonly port: number } {
  const [, bind = '', port = '5060'] = /^([^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if ((bind !== 'auto' && isIP(bind) !== 4) || bind === '0.0.0.0' || !isPort(port)) {
    throw new UsageError(`--sip “${text}” must be one address of the switch and a port, such as 203.0.113.10:5060; or auto:5060, where the switch finds its address itself.`);
  }
  return { bind, port: Number(port) };
}

function rangeOf(text: string): { readonly from: number; readonly to: number } {
  const [, from = '', to = ''] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? [];
  if (!isPort(from) || !isPort(to) || Number(from) + 1 >= Number(to)) throw new UsageError(`--rtp “${text}” must be a range of ports, such as 16384-32766.`);
  return { from: Number(from), to: Number(to) };
}

function isPort(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}
