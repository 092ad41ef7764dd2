/**
 * What happens to a caller whom nobody answers, in the plainest way: one rule after the other, by what the documents of a
 * clinic say. Slow, and without a word of the compiler's. It shares no code with control-plane, and must not.
 */
import type { Asks, Entry, Goes, PaperCall, PaperClinic, PaperDevice, PaperMode, PaperReceivingNumber } from './clinic.ts';
import { routedBy } from './routers.ts';
import { isOpen } from './hours.ts';

/** A phone that rings: how long, how long after the others of its turn, whether it must press a key, and what it shows. */
export interface Rung {
  readonly phone: string;
  readonly seconds: number;
  readonly after: number;
  readonly key: boolean;
  readonly shows: string;
}

export type Happening =
  /** Turn after turn; the phones of one ring together. With `any-first` or `any-order` the call decides which turn comes when. */
  | { readonly rings: readonly (readonly Rung[])[]; readonly order: 'as listed' | 'any first' | 'any order' }
  | { readonly asks: string }
  | { readonly waits: string; readonly priority: number }
  | { readonly hears: string }
  | { readonly leaves: 'a message' }
  | { readonly ends: 'no answer' | 'declined' | 'served' };

/** `draw`: in [0, 1), what a router draws for this call. */
export function whatHappens(clinic: PaperClinic, call: PaperCall, draw: (router: string) => number): readonly Happening[] {
  const { caller, keys, at, waits } = call;
  const { account, number } = clinic;
  const timeout = number.timeoutSeconds ?? 60;
  const asks = number.callConnect ?? 'external';
  const has = number.voicemail?.enabled ?? true;
  const happened: Happening[] = [];
  const leaveMessage = (): readonly Happening[] => [...happened, ...(has ? ([{ leaves: 'a message' }, { ends: 'served' }] as const) : ([{ ends: 'no answer' }] as const))];

  const { blocked } = account;
  if (blocked !== undefined && (caller === '' ? blocked.anonymous : blocked.numbers.includes(caller))) {
    if (blocked.action === 'voicemail' && has) return leaveMessage();
    if (blocked.action === 'message' && blocked.message !== undefined) happened.push({ hears: blocked.message.text });
    return [...happened, { ends: 'declined' }];
  }

  const shows = number.passCalledNumber === true ? number.e164 : caller;
  const phone = (where: string, isOutside: boolean, own: Asks, seconds: number, after = 0): Rung => ({ phone: where, seconds, after, key: own === 'every' || (own === 'external' && isOutside), shows });
  const ofDevice = (device: PaperDevice, seconds: number, after = 0): Rung => phone(device.extension ?? device.mobile ?? '', device.extension === undefined, asks, seconds, after);
  const ofReceiving = (one: PaperReceivingNumber, seconds: number, after = 0): Rung => phone(one.number, true, one.callConnect ?? asks, seconds, after);
  const devicesOf = (user: string): readonly PaperDevice[] =>
    clinic.devices.filter((device) => device.user === user).toSorted((a, b) => (a.preference ?? 50) - (b.preference ?? 50) || (a.id < b.id ? -1 : 1));

  let pressed = 0;
  let ownRoutingFollowed = false;
  const open = isOpen(clinic.schedule, at);
  const night = clinic.nightSwitch;
  const mode: PaperMode = night === undefined || night.mode === 'open' || (night.until !== undefined && at >= Date.parse(night.until)) ? 'normal' : night.mode;
  const usual: Goes = number.hours !== undefined && !open ? number.hours.closed : (number.route ?? { to: 'precedence' });
  let next: Goes = (mode === 'normal' ? undefined : account.night?.[mode]) ?? usual;
  for (;;) {
    /** Where this target itself says that the call goes on. */
    let own: Goes | undefined;
    switch (next.to) {
      case 'voicemail':
        return leaveMessage();
      case 'hang-up':
        return [...happened, { ends: 'declined' }];
      case 'message':
        return [...happened, { hears: next.message.text }, { ends: 'declined' }];
      case 'precedence': {
        if (timeout < 5) break;
        const phones = [...takenBy(clinic, caller, devicesOf, timeout, phone, asks), ...number.users.flatMap((user) => devicesOf(user).map((device) => ofDevice(device, Math.min(device.ringSeconds ?? timeout, timeout))))];
        // a phone that is named twice rings once
        const once = phones.filter((one, i) => phones.findIndex((other) => other.phone === one.phone) === i);
        if (once.length > 0) happened.push({ rings: [once], order: 'as listed' });
        break;
      }
      case 'receiving-number': {
        const one = clinic.receivingNumbers[next.id];
        if (one === undefined) break;
        own = one.noAnswer;
        const seconds = one.ringSeconds ?? timeout;
        if (seconds >= 5) happened.push({ rings: [[ofReceiving(one, seconds)]], order: 'as listed' });
        break;
      }
      case 'user': {
        const turns = devicesOf(next.id).map((device) => [ofDevice(device, device.ringSeconds ?? 20)]);
        const forward = clinic.users[next.id]?.forward;
        if (forward !== undefined) turns.push([phone(forward, true, asks === 'off' ? 'external' : asks, 20)]);
        if (turns.length > 0) happened.push({ rings: turns, order: 'as listed' });
        break;
      }
      case 'ring-group': {
        const group = clinic.ringGroups[next.id];
        if (group === undefined) break;
        own = group.noAnswer ?? group.destinations.map(({ target }) => (target.to === 'receiving-number' ? clinic.receivingNumbers[target.id]?.noAnswer : undefined)).find((one) => one !== undefined);
        const atOnce = group.pattern === 'simultaneous';
        const round = group.ringSeconds ?? timeout;
        // in less than five seconds nobody can answer
        if ((atOnce || group.ringSeconds !== undefined) && round < 5) break;
        const turns = group.destinations.map(({ target, delaySeconds = 0, ringSeconds }): readonly Rung[] => {
          const longest = (seconds: number | undefined): number => (atOnce ? Math.min(ringSeconds ?? seconds ?? round, round) : (ringSeconds ?? seconds ?? 20));
          if (target.to === 'receiving-number') {
            const one = clinic.receivingNumbers[target.id];
            return one === undefined ? [] : [ofReceiving(one, longest(one.ringSeconds), delaySeconds)];
          }
          const forward = clinic.users[target.id]?.forward;
          const devices = devicesOf(target.id);
          if (devices.length === 0 && forward !== undefined) return [phone(forward, true, asks, longest(undefined), delaySeconds)];
          return devices.map((device) => ofDevice(device, longest(device.ringSeconds), delaySeconds));
        }).filter((turn) => turn.length > 0);
        if (turns.length === 0) break;
        const order = group.pattern === 'round-robin' ? 'any first' : group.pattern === 'least-connected' ? 'any order' : 'as listed';
        happened.push({ rings: atOnce ? [turns.flat()] : turns, order });
        break;
      }
      case 'router': {
        const router = clinic.routers[next.id];
        own = router === undefined ? undefined : routedBy(router, { ...call, open, mode, draw: draw(next.id) });
        break;
      }
      case 'queue': {
        const queue = clinic.queues[next.id];
        if (queue === undefined) break;
        happened.push({ waits: next.id, priority: next.priority ?? queue.priority ?? 0 });
        const key = keys[pressed];
        // who is not let in has no time for a key
        if (waits !== 'no room') pressed += 1;
        if (waits !== 'no room' && queue.callback !== undefined && key === queue.callback.key && caller !== '') return [...happened, { hears: 'Thank you. You will be called back when it is your turn. Goodbye.' }, { ends: 'served' }];
        own = waits !== 'no room' && queue.exit !== undefined && key === queue.exit.key ? queue.exit.target : { 'no room': queue.full, 'nobody there': queue.empty, 'waited too long': queue.maxWait }[waits];
        break;
      }
      case 'menu': {
        const menu = clinic.menus[next.id];
        if (menu === undefined) break;
        happened.push({ asks: next.id });
        const key = keys[pressed];
        pressed += 1;
        own = key === undefined ? menu.noKey : (menu.options[key] ?? menu.invalid ?? menu.noKey);
        break;
      }
    }
    if (own !== undefined) next = own;
    else if (!ownRoutingFollowed && number.noAnswer !== undefined) {
      ownRoutingFollowed = true;
      next = number.noAnswer;
    } else {
      next = { to: 'voicemail' };
    }
  }
}

const presets: Readonly<Record<'company-first' | 'owner-first', readonly Entry[]>> = {
  'company-first': ['company', 'number-forward', 'number-user'],
  'owner-first': ['contact-owner', 'number-forward', 'company'],
};

type PhoneAt = (where: string, isOutside: boolean, own: Asks, seconds: number) => Rung;

/** The first entry of the account's order that is configured; where none is, the phones of whoever's number it is. */
function takenBy(clinic: PaperClinic, caller: string, devicesOf: (user: string) => readonly PaperDevice[], timeout: number, phone: PhoneAt, asks: Asks): readonly Rung[] {
  const { account, number, users, contacts } = clinic;
  const order = account.precedence ?? 'company-first';
  const whose = number.user ?? (number.users.length === 1 ? number.users[0] : undefined);
  const outside = (where: string): Rung => phone(where, true, asks, timeout);
  const inside = (user: string): readonly Rung[] => devicesOf(user).map((device) => phone(device.extension ?? device.mobile ?? '', device.extension === undefined, asks, Math.min(device.ringSeconds ?? timeout, timeout)));
  for (const entry of typeof order === 'string' ? presets[order] : order) {
    if (entry === 'company' && account.company !== undefined) return [outside(account.company)];
    if (entry === 'number-forward' && number.forward !== undefined) return [outside(number.forward)];
    if (entry === 'number-user' && whose !== undefined) {
      const forward = users[whose]?.forward;
      if (forward !== undefined) return [outside(forward)];
    }
    if (entry === 'contact-owner' && (number.users.length > 0 || number.user !== undefined)) {
      const owner = contacts[caller];
      if (owner === undefined || owner === null) continue;
      const forward = users[owner]?.forward;
      const phones = forward === undefined ? inside(owner) : [outside(forward)];
      if (phones.length > 0) return phones;
    }
  }
  return whose === undefined || number.users.includes(whose) ? [] : inside(whose);
}
