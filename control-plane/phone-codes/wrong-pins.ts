/**
 * Who guesses PINs of agents: five wrong ones on the phones of one user within half an hour, and codes with a PIN are refused
 * there, right ones too, until the first of the five is half an hour old. What is heard is the same. Kept in Redis, for all
 * controllers and over the death of each; with Redis away each goes by what it knows.
 */
import type { Call } from '../core/call/call.ts';
import type { CallFact } from '../core/call/facts.ts';
import type { CallId } from '../core/ids.ts';
import { minute, second, type EpochMs, type Ms } from '../core/time.ts';
import type { NewEvent } from '../events/catalogue.ts';
import type { Notices } from '../notify/notices.ts';
import type { WrongPin, WrongPinStore } from '../store/wrong-pin-ports.ts';
import type { Log } from '../telemetry/log.ts';

const mostWrong = 5;
const withinMs: Ms = 30 * minute;
const readEveryMs: Ms = 2 * second;
/** Of a controller that has just started and knows nothing yet. */
const firstAgainMs: Ms = 100;
/** More at once are an attack from everywhere; the oldest are forgotten. */
const mostKept = 10_000;

export interface WrongPins {
  readonly isRefused: (account: string, user: string) => boolean;
  readonly onFact: (call: Call, fact: CallFact) => void;
  stop(): void;
}

interface Options {
  readonly store: WrongPinStore;
  readonly notices: Pick<Notices, 'give' | 'send'>;
  readonly publish: (event: NewEvent) => void;
  /** Who must know, by e-mail address. */
  readonly notify: (account: string) => readonly string[];
  readonly log: Log;
  readonly now: () => EpochMs;
}

export function watchWrongPins({ store, notices, publish, notify, log, now }: Options): WrongPins {
  /** By call. */
  let known = new Map<CallId, WrongPin>();
  const since = (): EpochMs => now() - withinMs;
  const of = (account: string, user: string): readonly WrongPin[] => [...known.values()].filter((pin) => pin.account === account && pin.user === user && pin.at > since()).sort((a, b) => a.at - b.at);

  let hasRead = false;
  const read = async (): Promise<void> => {
    try {
      const found = await store.read(since());
      // What is known here alone was dialled while the store was away.
      known = new Map([...[...known].filter(([, { at }]) => at > since()), ...found.map((pin) => [pin.callId, pin] as const)].slice(-mostKept));
      hasRead = true;
    } catch (error) {
      log.debug({ error: String(error) }, 'Wrong PINs cannot be read; this controller goes by its own');
    }
  };
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  const goOn = async (): Promise<void> => {
    await read();
    if (!stopped) timer = setTimeout(() => void goOn(), hasRead ? readEveryMs : firstAgainMs).unref();
  };
  void goOn();

  const refuse = (pin: WrongPin, phone: string, until: EpochMs): void => {
    const { account, user, at, callId } = pin;
    publish({ at, account, type: 'agent.pins-refused', data: { user, device: phone, until } });
    const sentence = `${mostWrong} wrong PINs of agents were dialled on the phones of ${user} in ${account} within ${withinMs / minute} minutes, the last on extension ${phone}: codes with a PIN are refused there until ${new Date(until).toISOString()}. Agents can be logged in over the API meanwhile.`;
    void notices.give({ at: new Date(at).toISOString(), kind: 'pins', sentence, call: callId, notify: notify(account) }).then(() => notices.send());
  };

  return {
    isRefused: (account, user) => of(account, user).length >= mostWrong,
    onFact: ({ id: callId, plan: { account: { id: account }, wrongPin } }, fact) => {
      if (fact.type !== 'CallStarted' || wrongPin === undefined) return;
      const { user, phone, why } = wrongPin;
      log.info({ account, user, phone, call: callId }, why === 'unknown' ? 'A PIN that nobody has was dialled' : 'A code with a PIN was refused: too many were wrong');
      if (why === 'too-many' || known.has(callId)) return;
      const pin = { account, user, callId, at: now() };
      const before = of(account, user);
      known.set(callId, pin);
      store.add(pin, since()).catch((error: unknown) => { log.debug({ error: String(error) }, 'A wrong PIN is known to this controller alone'); });
      const [first] = [...before, pin].slice(-mostWrong);
      if (before.length + 1 === mostWrong && first !== undefined) refuse(pin, phone, first.at + withinMs);
    },
    stop: () => {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
