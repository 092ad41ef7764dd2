/** A FreeSWITCH with phones and carriers, for the tests of a file. Without a controller. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirFor, findTool } from '../../control-plane/local-stack/local-stack.ts';
import { rings, type Behaviour } from './behaviour.ts';
import { connectFreeSwitch } from './freeswitch-admin.ts';
import { startFreeSwitch, type FreeSwitch } from './freeswitch.ts';
import { register, startCallee, startCaller, type CallerOptions, type Party, type Place } from './sip-party.ts';
import { passwordOf, type Caller } from './site.ts';
import { freeUdpPort, ownLoopbackAddress } from './sipp.ts';
import { addEvidence } from './until.ts';

export interface FreeSwitchSite {
  readonly switch: FreeSwitch;
  /** A desk phone that may log in, registered and ringing until told. */
  phone(name: string, behaviour?: Behaviour): Promise<Party>;
  /** What answers behind a trunk; one at a time per trunk. */
  carrier(behaviour?: Behaviour, trunk?: string): Promise<Party>;
  /** A call from the carrier's side, or with `from` of a phone that may log in; resolves when it was dialled. */
  call(options: CallerOptions, trunk?: string): Promise<Caller>;
  callFromPhone(name: string, options: Omit<CallerOptions, 'from'>): Promise<Caller>;
  /** Ids of channels. */
  channels(): Promise<readonly string[]>;
  /** Hangs up everybody, and waits until nobody is left. */
  clear(): Promise<void>;
  /** Stops the parties, and clears. */
  afterTest(): Promise<void>;
  close(): Promise<void>;
}

export async function openFreeSwitchSite({ trunks = ['carrier'] }: { readonly trunks?: readonly string[] } = {}): Promise<FreeSwitchSite> {
  const folder = mkdtempSync(join(tmpdir(), 'frontdesk-site-'));
  const [program, freeswitch] = await Promise.all([findTool('sipp', cacheDirFor({ dataDir: '.frontdesk' }), () => undefined), startFreeSwitch()]);
  const host = ownLoopbackAddress();
  const carriers = new Map<string, Place['local']>();
  for (const id of trunks) {
    const address = ownLoopbackAddress();
    carriers.set(id, { host: address, port: await freeUdpPort(address) });
    await freeswitch.createTrunk({ id, ...carriers.get(id) ?? { host: '', port: 0 } });
  }
  const parties = new Set<Party>();
  let places = 0;

  const place = async (at: { readonly host: string; readonly port?: number }): Promise<Place> => {
    // of its own: a later party at the same port must not read this one's trace
    const own = join(folder, String((places += 1)));
    mkdirSync(own, { recursive: true });
    return { program, folder: own, local: { host: at.host, port: at.port ?? (await freeUdpPort(at.host)) }, remote: { host: freeswitch.sipHost, port: freeswitch.sipPort } };
  };
  const keep = <P extends Party>(party: P): P => {
    parties.add(party);
    return party;
  };
  const carrierAt = (trunk = trunks[0] ?? ''): Place['local'] => {
    const at = carriers.get(trunk);
    if (at === undefined) throw new Error(`This site has no trunk ${trunk}`);
    return at;
  };
  const dial = async (from: Place, caller: CallerOptions): Promise<Caller> => {
    const party = keep(await startCaller(from, caller));
    return Object.assign(party, { call: await party.nextCall() });
  };
  const admin = connectFreeSwitch(freeswitch);
  const channels = async (): Promise<readonly string[]> => (await admin.channels()).map(({ id }) => id);
  const removeEvidence = addEvidence(async () => `channels: ${(await channels()).join(', ')}`);
  const stopParties = async (): Promise<void> => {
    await Promise.all([...parties].map((party) => party.stop()));
    parties.clear();
  };

  return {
    switch: freeswitch,
    phone: async (name, behaviour = rings()) => {
      await freeswitch.createPhone({ id: name, password: passwordOf(name) });
      const at = await place({ host });
      await register(at, name, passwordOf(name), 3600);
      return keep(await startCallee(at, `phone ${name}`, name, behaviour));
    },
    carrier: async (behaviour = rings(), trunk = trunks[0]) => keep(await startCallee(await place(carrierAt(trunk)), `mobile at ${trunk}`, 'mobile', behaviour)),
    call: async (caller, trunk) => dial(await place({ host: carrierAt(trunk).host }), caller),
    callFromPhone: async (name, caller) => {
      await freeswitch.createPhone({ id: name, password: passwordOf(name) });
      return dial(await place({ host }), { password: passwordOf(name), ...caller, from: name });
    },
    channels,
    clear: () => admin.clear(),
    afterTest: async () => {
      await stopParties();
      await admin.clear();
    },
    close: async () => {
      await stopParties();
      removeEvidence();
      await freeswitch.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
