/** A real switch under contract: SIPp parties, and a proxy in which the link can be cut. */
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import type { MediaDriver } from '../../control-plane/media/media-driver.ts';
import type { SipCall } from '../support/sip-call.ts';
import type { Party } from '../support/sip-party.ts';
import type { Caller as SipCaller } from '../support/site.ts';
import { isRingback } from '../support/tone.ts';
import { addEvidence, until as eventually } from '../support/until.ts';
import type { Caller, ContractFixture, Heard, Phone, PhoneName } from './media-driver-fixture.ts';

export const number = '+15550001';
export const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** A driver that loses its link in a test is back at once. */
export const backOff = { firstMs: 20, maxMs: 50 };

export interface RealSwitch {
  /** Where its driver connects to. */
  readonly url: string;
  readonly sipHost: string;
  /** Of a controller that is called `contract`. */
  createDriver(url: string): MediaDriver & { leftovers(): { readonly inFlight: number } };
  /** What the switch says when it has made a leg of ours that has not been dialled; null where it dials at once. */
  readonly madeLeg: RegExp | null;
  readonly audio: ContractFixture['audio'];
  readonly phones: Phones;
  call(): Promise<SipCaller>;
  callFromPhone(name: PhoneName, to: string): Promise<SipCaller>;
  /** Ids still on it. */
  leftovers(): Promise<readonly string[]>;
  /** Ends every call, and what is left of it. */
  clear(): Promise<void>;
}

/** One period of what is looked at for the ringing tone. */
const listenMs = 200;

interface Line {
  readonly url: string;
  cut(): void;
  /** When the switch next says that a leg of ours is in our application: the dial would follow. */
  cutBeforeDial(): void;
  restore(): void;
  close(): Promise<void>;
}

/** The driver's way to the switch. */
async function openLine(switchUrl: string, madeLeg: RegExp | null): Promise<Line> {
  const target = new URL(switchUrl);
  const sockets = new Set<Socket>();
  let whole = true;
  let cutAtStart = false;
  const cut = (): void => {
    whole = false;
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((near) => {
    if (!whole) {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    for (const [one, other] of [[near, far], [far, near]] as const) {
      sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.end();
      });
    }
    near.on('data', (data) => far.write(data));
    far.on('data', (data) => {
      if (cutAtStart && madeLeg?.test(data.toString('latin1')) === true) {
        cutAtStart = false;
        cut();
      } else near.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = new URL(switchUrl);
  own.hostname = '127.0.0.1';
  own.port = String((server.address() as AddressInfo).port);
  return {
    url: own.href,
    cut,
    cutBeforeDial: () => { cutAtStart = true; },
    restore: () => { whole = true; },
    close: () => new Promise((resolve) => {
      cut();
      server.close(() => resolve());
    }),
  };
}

/** Phones that stay for all tests of a file: registering takes longer than a call. */
export type Phones = Readonly<Record<PhoneName, Party>>;

const until: ContractFixture['until'] = async (what, look) => {
  const found = await eventually(() => {
    const value = look();
    return value === undefined ? undefined : { value };
  }, { describe: what, within: 8_000, everyMs: 5 });
  return found.value;
};

export async function openReal(real: RealSwitch): Promise<ContractFixture> {
  const { phones } = real;
  const line = await openLine(real.url, real.madeLeg);
  const driver = real.createDriver(line.url);
  const heard: Heard[] = [];
  const callers: { readonly caller: Caller; readonly party: SipCaller }[] = [];
  const removeEvidence = addEvidence(() => callers.map(({ party: { call } }) => `packets of ${call.party}: ${JSON.stringify(call.audio()?.packets)}`).join('\n'));
  await driver.start({
    onOffer: (offer) => heard.push({ kind: 'offer', callId: offer.callId, offer }),
    onLegEvent: (callId, event) => heard.push({ kind: 'event', callId, event }),
    onLink: (state) => heard.push({ kind: 'link', state }),
  });

  function asCaller(party: SipCaller): Caller {
    const caller: Caller = {
      press: (digit) => party.call.press(digit),
      hangUp: () => party.call.hangUp(),
      speak: () => { party.call.play(700); },
      hearsRinging: () => isRingback(party.call.audio()?.heard(listenMs) ?? new Int16Array(0)),
    };
    callers.push({ caller, party });
    return caller;
  }

  function phone(name: PhoneName): Phone {
    const party = phones[name];
    const before = callsBefore[name];
    const call = (): SipCall => {
      const last = party.calls.length > before ? party.calls.at(-1) : undefined;
      if (last === undefined) throw new Error(`${name} has not been called`);
      return last;
    };
    return {
      target: { kind: 'device', device: name },
      waitRinging: async () => void await until(`${name} to ring`, () => (party.calls.length > before && call().at('ringing') !== undefined ? true : undefined)),
      wasCalled: () => party.calls.length > before,
      answer: () => call().answer(),
      busy: () => call().reject('busy'),
      decline: () => call().reject('declined'),
      press: (digit) => call().press(digit),
      hold: () => call().hold(),
      unhold: () => call().resume(),
      call: async (to) => asCaller(await real.callFromPhone(name, to)),
      async transfer(to, consulted) {
        const other = callers.find(({ caller }) => caller === consulted)?.party.call;
        await other?.connected();
        await call().transfer(`sip:${to}@${real.sipHost}`, other);
      },
      transferred() {
        const last = call().transferStatus();
        return last === undefined || last < 200 ? null : last < 300 ? 'yes' : 'no';
      },
      hangUp: () => call().hangUp(),
      keys: () => call().audio()?.keys ?? [],
      ended() {
        if (call().endedBy() !== 'switch') return null;
        if (call().at('connected') !== undefined) return 'bye';
        return call().wasAnsweredElsewhere() ? 'completed-elsewhere' : 'cancel';
      },
    };
  }
  const callsBefore: Readonly<Record<PhoneName, number>> = { reception: phones.reception.calls.length, nurse: phones.nurse.calls.length };

  return {
    driver, instance: 'contract', heard, until, phone,
    audio: real.audio,
    incomingCall: async () => asCaller(await real.call()),
    cutLink: async (when = 'at once') => (when === 'at once' ? line.cut() : line.cutBeforeDial()),
    restoreLink: async () => line.restore(),
    now: () => performance.now(),
    pass: (ms) => new Promise((resolve) => { setTimeout(resolve, ms); }),
    leftovers: () => real.leftovers(),
    async close() {
      removeEvidence();
      await Promise.all(callers.map(({ party }) => party.call.hangUp()));
      await real.clear();
      await eventually(() => driver.health().link !== 'up' || driver.leftovers().inFlight === 0, { describe: 'the driver waits for nothing' });
      await eventually(() => Object.values(phones).every(({ calls }) => calls.every((call) => call.state() === 'ended')), { describe: 'no phone is in a call' });
      await driver.stop();
      await line.close();
      await Promise.all(callers.map(({ party }) => party.stop()));
    },
  };
}
