/**
 * Parties: a caller, a desk phone, a mobile behind a carrier. Each is one SIPp process and one audio socket.
 */
import { randomBytes } from 'node:crypto';
import type { Command } from '../../control-plane/local-stack/processes.ts';
import type { Behaviour } from './behaviour.ts';
import { openAudio, type AudioSocket } from './rtp.ts';
import { bytes, timer, type ScenarioName, type ScenarioValues } from './scenario.ts';
import { createCall, type CallState, type FedCall, type SipCall } from './sip-call.ts';
import { header, type SipMessage } from './sip-message.ts';
import { startSipp, type Sipp, type SippExit } from './sipp.ts';
import { until } from './until.ts';

export interface Place {
  readonly program: Command;
  readonly folder: string;
  readonly local: { readonly host: string; readonly port: number };
  readonly remote: { readonly host: string; readonly port: number };
}

export interface Party {
  readonly name: string;
  readonly address: Place['local'];
  /** Every call so far, oldest first. */
  readonly calls: readonly SipCall[];
  /** The next call that no earlier `nextCall` returned, once it rings (or was refused by the scenario). */
  nextCall(within?: number): Promise<SipCall>;
  /** Resolves when SIPp ends by itself; a caller does after its call. */
  readonly exited: Promise<SippExit>;
  stop(): Promise<void>;
}

interface PartySetup {
  readonly place: Place;
  readonly name: string;
  readonly scenario: ScenarioName;
  readonly values: ScenarioValues;
  readonly sound: number | 'silence';
  readonly calls?: number;
  readonly onDialed?: (call: SipCall) => void;
  readonly onConnected?: (call: SipCall) => void;
}

/** A timed deed of a party; never keeps the process alive. */
const later = (ms: number, deed: () => void): void => {
  setTimeout(deed, ms).unref();
};
/** Unless the other side was faster. */
const hangUpStill = (call: SipCall, state: CallState): void => {
  if (call.state() === state && call.messages.some(({ direction }) => direction === 'received')) call.tell('HANGUP');
};

const newTag = (): string => `fd${randomBytes(4).toString('hex')}`;

const startParty = async (setup: PartySetup): Promise<Party> => {
  const { place, name } = setup;
  const audio: AudioSocket = await openAudio(place.local.host);
  const calls: FedCall[] = [];
  const byId = new Map<string, FedCall>();
  const greeted = new Set<string>();
  let given = 0;
  let sipp: Sipp | undefined;

  const onMessage = (message: SipMessage): void => {
    const id = header(message, 'call-id') ?? '';
    let call = byId.get(id);
    if (call === undefined) {
      // OPTIONS of the switch, and retransmissions of calls that SIPp has forgotten, are no calls
      if (message.method !== 'INVITE') return;
      call = createCall(id, {
        party: name,
        audio,
        sound: setup.sound,
        tell: (datagram) => sipp?.tell(datagram),
        onMessage: (which) => {
          if (which.state() !== 'connected' || greeted.has(which.id)) return;
          greeted.add(which.id);
          setup.onConnected?.(which);
        },
      });
      byId.set(id, call);
      calls.push(call);
      setup.onDialed?.(call);
    }
    call.take(message);
  };

  try {
    sipp = await startSipp({
      program: place.program,
      scenario: setup.scenario,
      values: { tag: newTag(), rtpPort: audio.port, ...setup.values },
      local: place.local,
      remote: place.remote,
      folder: place.folder,
      name,
      ...(setup.calls === undefined ? {} : { calls: setup.calls }),
      onMessage,
    });
  } catch (error) {
    await audio.close();
    throw error;
  }
  const running = sipp;
  let stopped: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await running.stop();
    await audio.close();
  };
  return {
    name,
    address: place.local,
    calls,
    nextCall: async (within) => {
      const index = given;
      given += 1;
      try {
        return await until(() => calls[index], { describe: `a call reaches ${name}`, ...(within === undefined ? {} : { within }) });
      } catch (error) {
        given -= 1;
        throw error;
      }
    },
    exited: running.exited,
    stop: () => (stopped ??= end()),
  };
};

/** A phone or a mobile that can be called, any number of times. */
export const startCallee = (place: Place, name: string, user: string, behaviour: Behaviour): Promise<Party> => {
  const common = { place, name, sound: 'silence' } as const;
  switch (behaviour.kind) {
    case 'rings':
      return startParty({
        ...common,
        sound: behaviour.sound ?? 'silence',
        scenario: 'uas-rings-until-told',
        values: { user, answerTimer: timer(behaviour.answerAfterMs, 'answer') },
        onConnected: (call) => {
          const { press, hangUpAfterMs } = behaviour;
          if (press !== undefined) later(press.afterMs, () => (call.state() === 'connected' ? void call.press(press.keys) : undefined));
          if (hangUpAfterMs !== undefined) later(hangUpAfterMs, () => hangUpStill(call, 'connected'));
        },
      });
    case 'rejects':
      return startParty({ ...common, scenario: 'uas-rejects', values: { status: behaviour.status } });
    case 'says-nothing':
      return startParty({ ...common, scenario: 'uas-says-nothing', values: {} });
    case 'answers-after-cancel':
      return startParty({ ...common, scenario: 'uas-answers-after-cancel', values: { user } });
  }
};

export interface CallerOptions {
  /** The number dialled. */
  readonly to: string;
  /** The caller's number, or the extension of a phone that calls. */
  readonly from: string;
  /** Display name, as it is: any byte of Latin-1, and what it smuggles. */
  readonly name?: string;
  /** More header lines, each `Name: value`. */
  readonly headers?: readonly string[];
  /** For a phone that is asked who it is. */
  readonly password?: string;
  readonly sound?: number | 'silence';
  /** CANCEL so long after the INVITE, unless answered. */
  readonly giveUpAfterMs?: number;
  readonly hangUpAfterMs?: number;
}

/** Dials at once. The call of a caller is `calls[0]`. */
export const startCaller = (place: Place, options: CallerOptions): Promise<Party> =>
  startParty({
    place,
    name: `caller ${options.from}`,
    scenario: 'uac-calls',
    values: {
      user: options.from,
      to: options.to,
      display: options.name === undefined ? '' : bytes(`"${options.name}" `),
      headers: bytes((options.headers ?? []).join('\n')),
      password: options.password ?? 'none',
    },
    onDialed: (call) => {
      if (options.giveUpAfterMs !== undefined) later(options.giveUpAfterMs, () => hangUpStill(call, 'ringing'));
    },
    onConnected: (call) => {
      if (options.hangUpAfterMs !== undefined) later(options.hangUpAfterMs, () => hangUpStill(call, 'connected'));
    },
    sound: options.sound ?? 'silence',
    calls: 1,
  });

/** From the port the phone will be called at, since the switch rewrites the contact to it. 0 s takes it back. */
export const register = async (place: Place, user: string, password: string, expires: number): Promise<void> => {
  const sipp = await startSipp({ ...place, scenario: 'uac-registers', values: { tag: newTag(), user, password, expires }, name: `registration of ${user}`, calls: 1 });
  const deadline = setTimeout(() => void sipp.stop(), 5_000);
  const exit = await sipp.exited;
  clearTimeout(deadline);
  const last = sipp.trace.messages.at(-1)?.startLine ?? 'nothing';
  await sipp.stop();
  if (!exit.ok) throw new Error(`Phone ${user} could not register: SIPp ended with ${exit.reason}, the last message was ${last}\n${exit.errors}`);
};
