/** The switch that the configuration names, or both, or the one of the local stack. Only this file knows which kinds there are. */
import type { Config } from './config.ts';
import { madeBy } from './core/ids.ts';
import type { Media } from './core/routing/config.ts';
import type { LocalStack } from './local-stack/local-stack.ts';
import { createAsteriskDriver, type AsteriskDriver } from './media/asterisk/asterisk-driver.ts';
import { storedRecordings as recordingsOfAsterisk } from './media/asterisk/stored-recordings.ts';
import { createFreeSwitchDriver, type FreeSwitchDriver } from './media/freeswitch/freeswitch-driver.ts';
import { soundTexts } from './media/freeswitch/sounds.ts';
import { storedRecordings as recordingsOfFreeSwitch } from './media/freeswitch/stored-recordings.ts';
import { sideBySide } from './media/side-by-side/side-by-side.ts';
import type { StoredRecordings, SwitchAdmin, SwitchDriver } from './media/switch-admin.ts';
import type { SwitchTrunk } from './media/switch-setup.ts';
import { provisionedIn, provisionedInEach, type ProvisionedFiles } from './phones/provisioned-files.ts';
import type { SpeechFiles } from './start-speech.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface OpenedSwitch {
  readonly name: 'Asterisk' | 'FreeSWITCH' | 'Asterisk and FreeSWITCH';
  readonly driver: SwitchDriver;
  readonly recordings: StoredRecordings;
  readonly provisioned: ProvisionedFiles;
  readonly speechFiles: SpeechFiles;
  /** Of sounds that it may not have: to have spoken. */
  readonly soundTexts: readonly string[];
  /** Each that calls itself; `name` where there are several. */
  readonly each: readonly { readonly name?: string; readonly admin: Pick<SwitchAdmin, 'callOurselves'> }[];
  /** Of several, those that are away: a sentence each. */
  problems(): readonly string[];
}

interface Options {
  readonly config: Config;
  readonly stack: LocalStack | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly spoken: (text: string) => Media | undefined;
}

/** Connects to nothing yet. Undefined where there is none. */
export function openSwitch(options: Options): OpenedSwitch | undefined {
  const { config, stack } = options;
  const url = config.asteriskUrl ?? stack?.asterisk?.url;
  const [asterisk, freeswitch] = [config.freeswitchUrl === undefined || config.sideBySide !== undefined ? url : undefined, config.freeswitchUrl];
  if (config.sideBySide !== undefined && asterisk !== undefined && freeswitch !== undefined) return both(openAsterisk(asterisk, options), openFreeSwitch(freeswitch, options), config.sideBySide, options);
  if (freeswitch !== undefined) return openFreeSwitch(freeswitch, options);
  return asterisk === undefined ? undefined : openAsterisk(asterisk, options);
}

function openAsterisk(url: string, { config, stack, log, metrics }: Options): OpenedSwitch & { readonly driver: AsteriskDriver } {
  const { instance, dataDir } = config;
  const driver = createAsteriskDriver({ url, instance, log, securityLog: config.securityLog ?? stack?.asterisk?.securityLog, onRoundTrip: (ms) => { metrics.time('ari_round_trip', ms); } });
  return {
    name: 'Asterisk', driver, recordings: recordingsOfAsterisk(url), provisioned: provisionedIn(dataDir, 'provisioned.json'), speechFiles: 'by rate', soundTexts: [], each: [{ admin: driver.admin }],
    problems: () => [],
  };
}

function openFreeSwitch(url: string, { config, log, metrics, spoken }: Options): OpenedSwitch & { readonly driver: FreeSwitchDriver } {
  const { instance, dataDir } = config;
  const driver = createFreeSwitchDriver({ url, instance, log, transfers: config.transfers !== 'off', spoken, onRoundTrip: (ms) => { metrics.time('ari_round_trip', ms); } });
  return {
    name: 'FreeSWITCH', driver, recordings: recordingsOfFreeSwitch(() => driver.recordingsFolder()), provisioned: provisionedIn(dataDir, 'provisioned-freeswitch.json'), speechFiles: 'always wav', soundTexts, each: [{ admin: driver.admin }],
    problems: () => [],
  };
}

/** As they name those who call. */
const asteriskNames = /^(?:.+-)?\d{9,}\.\d+$/;
const freeswitchNames = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function both(asterisk: ReturnType<typeof openAsterisk>, freeswitch: ReturnType<typeof openFreeSwitch>, sip: NonNullable<Config['sideBySide']>, { log }: Options): OpenedSwitch {
  const [toAsterisk, toFreeSwitch] = [peer('fd-asterisk', sip.asterisk), peer('fd-freeswitch', sip.freeswitch)];
  const { driver, recordings } = sideBySide([
    { name: asterisk.name, kind: 'asterisk', driver: asterisk.driver, recordings: asterisk.recordings, names: (id) => madeBy(id) === null && asteriskNames.test(id), over: toFreeSwitch.id, peer: toFreeSwitch },
    { name: freeswitch.name, kind: 'freeswitch', driver: freeswitch.driver, recordings: freeswitch.recordings, names: (id) => freeswitchNames.test(id), over: toAsterisk.id, peer: toAsterisk },
  ], { log });
  return {
    name: 'Asterisk and FreeSWITCH', driver, recordings, provisioned: provisionedInEach({ [asterisk.name]: asterisk.provisioned, [freeswitch.name]: freeswitch.provisioned }), speechFiles: 'narrow', soundTexts, each: driver.admin.each,
    problems: () => driver.problems(),
  };
}

/** One switch as the other's trunk: asked often, so that a phone of one that is away is not rung in vain for long. */
function peer(id: string, { host, port }: { readonly host: string; readonly port: number }): SwitchTrunk {
  return { id, host, port, transport: 'udp', register: false, match: [], codecs: ['ulaw', 'alaw', 'g722'], dtmf: 'rfc4733', srtp: false, nat: false, qualifySeconds: 5 };
}
