/**
 * Who takes a call (R1): the first entry of the account's precedence that is configured. When nobody there accepts,
 * no-answer routing follows; the next entry is not tried. The number's users ring together with it (N11); where no
 * entry is configured, they alone, or whoever's number it is (R4).
 */
import { defaultPrecedence, maxUsers, type Account, type CallConnect, type CallFacts, type DialTarget, type Forward, type Message, type PrecedenceEntry, type ScheduleId, type TrackingNumber, type User, type UserId } from './config.ts';
import { e164Of } from './e164-of.ts';
import { indexOf } from './index-of.ts';
import type { Reason } from './plan.ts';
import type { Ms } from '../time.ts';

/** Something that can be rung. */
export interface Phone {
  /** Whose it is; undefined for a number that is nobody's own. */
  readonly user: User | undefined;
  readonly label: string;
  readonly target: DialTarget;
  readonly ringMs?: Ms | undefined;
  readonly delayMs?: Ms | undefined;
  readonly callConnect?: CallConnect | undefined;
  /** What a pattern walks over. */
  readonly destination?: string | undefined;
  readonly dialExtension?: { readonly digits: string; readonly delayMs: Ms } | undefined;
  /** By which of the account’s schedules the call is tagged (D5). */
  readonly taggingHours?: ScheduleId | undefined;
  /** Heard where the tracking number has no whisper (D3). */
  readonly whisper?: Message | undefined;
}

interface Entry {
  readonly phones: readonly Phone[];
  readonly why: string;
}

export interface Taken {
  readonly phones: readonly Phone[];
  /** Of the number, with a phone or without. */
  readonly users: readonly User[];
  /** Whether an entry of the precedence is among them. */
  readonly forwarded: boolean;
}

/** The phones that take a call to the number, each decision with its reason. */
export function phonesByPrecedence(account: Account, number: TrackingNumber, facts: CallFacts, reasons: Reason[]): Taken {
  const users = usersOf(account, number, reasons);
  const entry = configuredEntry(account, number, facts, reasons);
  const own = users.flatMap(devicesOf);
  if (entry !== undefined) return { phones: distinct([...entry, ...own]), users, forwarded: true };
  const assigned = number.user === undefined || users.some(({ id }) => id === number.user) ? undefined : indexOf(account).users.get(number.user);
  return { phones: [...(assigned === undefined ? [] : devicesOf(assigned)), ...own], users: assigned === undefined ? users : [assigned, ...users], forwarded: false };
}

function usersOf(account: Account, number: TrackingNumber, reasons: Reason[]): readonly User[] {
  const none = (id: UserId, why: string): void => { reasons.push({ subject: `user ${id}`, taken: false, why }); };
  for (const id of number.users.slice(maxUsers)) none(id, `a number rings at most ${maxUsers} users`);
  return number.users.slice(0, maxUsers).flatMap((id) => {
    const user = indexOf(account).users.get(id);
    if (user === undefined) none(id, 'the account has no such user');
    else if (user.devices.length === 0 && user.forward === undefined) none(id, `${user.name} has no device`);
    return user === undefined ? [] : [user];
  });
}

/** The phones of the first configured entry, each entry's reason given; undefined when none is. */
function configuredEntry(account: Account, number: TrackingNumber, facts: CallFacts, reasons: Reason[]): readonly Phone[] | undefined {
  const considered = (account.precedence ?? defaultPrecedence).map((name) => ({ name, entry: entryOf(name, account, number, facts) }));
  const taken = considered.find(({ entry }) => entry.phones.length > 0);
  // An account that uses none of this is not told of it.
  if (taken === undefined && account.precedence === undefined) return undefined;
  for (const one of considered) {
    const late = taken !== undefined && one !== taken && one.entry.phones.length > 0;
    reasons.push({ subject: one.name, taken: one === taken, why: late ? `${taken.name} comes first` : one.entry.why });
  }
  return taken?.entry.phones;
}

/** A phone that two of them name rings once. */
function distinct(phones: readonly Phone[]): readonly Phone[] {
  const seen = new Set<string>();
  return phones.filter(({ target }) => {
    const key = target.kind === 'device' ? target.device : target.number;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

export function devicesOf(user: User): readonly Phone[] {
  return user.devices.map(({ label, target, ringMs }) => ({ user, label, target, ringMs }));
}

/** A user's forwarding number where there is one, else the devices. */
function phonesOf(user: User): readonly Phone[] {
  return user.forward === undefined ? devicesOf(user) : [phoneAt(user.forward, 'forward', user)];
}

export function phoneAt({ number, trunks, ringMs, callConnect }: Forward, label: string, user?: User): Phone {
  return { user, label, target: { kind: 'external', number, trunks }, ringMs, callConnect };
}

/** Whose number it is, for the precedence. */
export function assignedTo(account: Account, number: TrackingNumber): User | undefined {
  const id = number.user ?? (number.users.length === 1 ? number.users[0] : undefined);
  return id === undefined ? undefined : indexOf(account).users.get(id);
}

function entryOf(name: PrecedenceEntry, account: Account, number: TrackingNumber, facts: CallFacts): Entry {
  switch (name) {
    case 'company':
      if (account.company === undefined) return none('the company has no number for calls');
      return { phones: [phoneAt(account.company, 'company')], why: `calls go to the company’s ${account.company.number}` };
    case 'number-forward':
      if (number.forward === undefined) return none('the number is not forwarded');
      return { phones: [phoneAt(number.forward, 'forward')], why: `the number is forwarded to ${number.forward.number}` };
    case 'number-user': {
      const user = assignedTo(account, number);
      if (user === undefined) return none('the number is no one user’s');
      return user.forward === undefined ? none(`${user.name} has no forwarding number`) : { phones: phonesOf(user), why: `calls of ${user.name} are forwarded` };
    }
    case 'contact-owner':
      return ownersEntry(account, number, facts);
  }
}

function ownersEntry(account: Account, number: TrackingNumber, facts: CallFacts): Entry {
  if (number.users.length === 0 && number.user === undefined) return none('the number has no user');
  const caller = e164Of(facts.callerNumber);
  const contact = caller === undefined ? undefined : facts.contact(account.id, caller);
  if (contact === undefined) return none('the caller is no contact');
  const owner = contact.owner === undefined ? undefined : indexOf(account).users.get(contact.owner);
  if (owner === undefined) return none(`${contact.name} has no owner`);
  const phones = phonesOf(owner);
  return phones.length === 0 ? none(`${owner.name}, who looks after ${contact.name}, has no phone`) : { phones, why: `${owner.name} looks after ${contact.name}` };
}

function none(why: string): Entry {
  return { phones: [], why };
}
