/**
 * One side of a trunk: a switch and what Frontdesk does there beside calls, with no controller. An Asterisk, or with
 * FRONTDESK_TEST_SWITCH=freeswitch a FreeSWITCH; the carrier's is an Asterisk always, which claims each call and answers it.
 */
import { join } from 'node:path';
import { startLocalStack, type LocalStack } from '../../control-plane/local-stack/local-stack.ts';
import { createAsteriskAdmin } from '../../control-plane/media/asterisk/admin/asterisk-admin.ts';
import { connectAri, type AriClient } from '../../control-plane/media/asterisk/ari/ari-client.ts';
import { createFreeSwitchDriver } from '../../control-plane/media/freeswitch/freeswitch-driver.ts';
import type { SwitchAdmin as Admin } from '../../control-plane/media/switch-admin.ts';
import type { SwitchDevice, SwitchTrunk } from '../../control-plane/media/switch-setup.ts';
import { connectFreeSwitch } from './freeswitch-admin.ts';
import { startFreeSwitch } from './freeswitch.ts';
import { connectSwitch, type SwitchAdmin } from './switch-admin.ts';
import { until } from './until.ts';

export interface TrunkSide {
  readonly sip: { readonly host: string; readonly port: number };
  /** SIP over TLS; `certificate` is a file. */
  readonly tls: { readonly port: number; readonly certificate: string };
  readonly admin: Admin;
  readonly control: SwitchAdmin;
  /** The callers of calls that were offered to controllers. */
  readonly offered: { readonly number: string; readonly name: string }[];
  provision(trunks: readonly SwitchTrunk[], devices?: readonly SwitchDevice[]): Promise<void>;
  /** Anew, as after its restart. */
  provisionAll(trunks: readonly SwitchTrunk[], devices?: readonly SwitchDevice[]): Promise<void>;
  /** A call from here to a number behind the trunk, with nobody on it; its channel's id. Rejects where it cannot be dialled. */
  dial(trunk?: string, callerId?: string): Promise<string>;
  /** Of what the trunk is known by. */
  addressesOf(trunk: string): Promise<readonly string[]>;
  /** Nothing of a trunk is kept. */
  keepsNothing(): Promise<boolean>;
  /** Signalling and audio of a channel. */
  isEncrypted(channelId: string): Promise<boolean>;
  play(channelId: string): Promise<void>;
  /** Audio that came: a packet whose authentication fails is not counted. */
  packetsIn(channelId: string): Promise<number>;
  stop(): Promise<void>;
}

interface Options {
  readonly name: string;
  /** Of tests. */
  readonly folder: string;
  readonly bind: string;
  /** Who may sign carriers' certificates, as PEM. */
  readonly authorities: readonly string[];
}

const quiet = (): void => undefined;
const log = { info: quiet, warn: quiet, error: quiet };

/** `provision` of both kinds. */
const provisioningOf = (admin: Admin): Pick<TrunkSide, 'provision' | 'provisionAll'> & { readonly provisioned: () => object | null } => {
  let provisioned: object | null = null;
  const provision = async (trunks: readonly SwitchTrunk[], devices: readonly SwitchDevice[], extent: 'changes' | 'everything'): Promise<void> => {
    const setup = { trunks, devices, failsafes: new Map<string, never>(), emergency: { callerId: '', location: '', trunks: trunks.map(({ id }) => id) } };
    // through JSON, as a controller keeps it
    provisioned = JSON.parse(JSON.stringify(await admin.provision(setup, provisioned, extent))) as object;
  };
  return {
    provisioned: () => provisioned,
    provision: (trunks, devices = []) => provision(trunks, devices, 'changes'),
    provisionAll: (trunks, devices = []) => provision(trunks, devices, 'everything'),
  };
};

export const openAsteriskSide = async ({ name, folder, bind, authorities }: Options): Promise<TrunkSide> => {
  const stack: LocalStack = await startLocalStack({ dataDir: join(folder, name), bind, authorities, need: { asterisk: true, redis: false }, tools: ['sipp'], progress: quiet });
  const { asterisk } = stack;
  if (asterisk === undefined) throw new Error('no switch');
  const offered: TrunkSide['offered'] = [];
  const app = `frontdesk-${name}`;
  let client: AriClient | undefined;
  const connected = await connectAri({
    url: asterisk.url, app, eventFilter: ['StasisStart'], onLink: quiet, log,
    onEvent: (event) => {
      if (event.type === 'CallBroadcast') {
        offered.push(event.channel.caller);
        if (name === 'carrier') void client?.request('events.claimChannel', { channelId: event.channel.id, application: app });
      }
      if (event.type === 'StasisStart' && event.args[0] === 'inbound') void client?.request('channels.answer', { channelId: event.channel.id });
    },
  });
  if (!connected.ok) throw new Error(connected.message);
  const ari = (client = connected.client);
  const admin = createAsteriskAdmin(ari, asterisk.url);
  const { provisioned, ...provisioning } = provisioningOf(admin);
  const variable = async (channelId: string, variableName: string): Promise<string> => {
    const read = await ari.request('channels.getChannelVar', { channelId, variable: variableName });
    return read.ok ? read.body.value : read.message;
  };
  return {
    sip: { host: asterisk.sipHost, port: asterisk.sipPort }, tls: asterisk.tls, admin, offered, ...provisioning,
    control: connectSwitch(asterisk.url, (command) => asterisk.cli(command)),
    dial: async (trunk = 'trunk', callerId = '+12025550110') => {
      const result = await ari.request('channels.originate', { endpoint: `PJSIP/+12025550199@${trunk}`, app, callerId: `<${callerId}>`, timeout: 10 });
      if (!result.ok) throw new Error(result.message);
      return result.body.id;
    },
    addressesOf: (trunk) => Promise.resolve([...JSON.stringify(provisioned()).matchAll(new RegExp(`"type":"identify","id":"${trunk}~([^"_]+)`, 'g'))].map(([, address = '']) => address)),
    keepsNothing: async () => (await Promise.all(['endpoints', 'identifies', 'auths'].map((family) => asterisk.cli(`database show ${family}`)))).every((shown) => shown.includes('0 results')),
    isEncrypted: async (channelId) => (await Promise.all(['pjsip', 'rtp'].map((part) => variable(channelId, `CHANNEL(${part},secure)`)))).every((value) => value === '1'),
    play: async (channelId) => void (await ari.request('channels.play', { channelId, media: ['tone:ring'] })),
    packetsIn: async (channelId) => Number(await variable(channelId, 'CHANNEL(rtcp,rxcount)')),
    stop: async () => {
      await ari.close();
      await stack.stop();
    },
  };
};

export const openFreeSwitchSide = async ({ name, authorities }: Pick<Options, 'name' | 'authorities'>): Promise<TrunkSide> => {
  const freeswitch = await startFreeSwitch({ authorities });
  const offered: TrunkSide['offered'] = [];
  const driver = createFreeSwitchDriver({ url: freeswitch.url, instance: name, log });
  await driver.start({ onOffer: ({ caller }) => { offered.push(caller); }, onLegEvent: quiet, onLink: quiet });
  const { provisioned: _, ...provisioning } = provisioningOf(driver.admin);
  const variable = (channelId: string, variableName: string): Promise<string> => freeswitch.ask(`uuid_getvar ${channelId} ${variableName}`);
  let dialled = 0;
  return {
    sip: { host: freeswitch.sipHost, port: freeswitch.sipPort }, tls: freeswitch.tls, admin: driver.admin, offered, ...provisioning,
    control: connectFreeSwitch(freeswitch),
    dial: async (trunk = 'trunk', callerId = '+12025550110') => {
      const id = `dialled-${(dialled += 1)}`;
      let answer: string | undefined;
      void freeswitch.ask(`originate {origination_uuid=${id},origination_caller_id_number=${callerId},origination_caller_id_name=${callerId},ignore_early_media=true,originate_timeout=9}sofia/gateway/${trunk}/+12025550199 &park()`).then((said) => { answer = said; });
      await until(async () => answer !== undefined || (await freeswitch.ask(`uuid_exists ${id}`)) === 'true', { describe: 'the switch dials, or says why not', within: 10_000 });
      if (answer?.startsWith('-ERR') === true) throw new Error(answer);
      return id;
    },
    addressesOf: async (trunk) => ((await freeswitch.kept('fd-trunk', trunk))?.['match'] ?? '').split(',').map((network) => network.replace(/\/.*/, '')),
    keepsNothing: async () => (await freeswitch.ask('lua store.lua list fd-trunk')).split('\n').slice(1).every((line) => line === '') && !(await freeswitch.ask('sofia xmlstatus gateway')).includes('<name>'),
    isEncrypted: async (channelId) => (await variable(channelId, 'rtp_has_crypto')).startsWith('AES') && (await variable(channelId, 'sip_full_via')).startsWith('SIP/2.0/TLS'),
    play: async (channelId) => void (await freeswitch.ask(`uuid_broadcast ${channelId} tone_stream://%(5000,0,440)`)),
    packetsIn: async (channelId) => {
      await freeswitch.ask(`uuid_set_media_stats ${channelId}`);
      return Number(await variable(channelId, 'rtp_audio_in_packet_count'));
    },
    stop: async () => {
      await driver.stop();
      await freeswitch.stop();
    },
  };
};
