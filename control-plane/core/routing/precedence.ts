/**
 * Who takes a call (R1): the first entry of the account's precedence that is configured. When nobody there accepts,
 * no-answer routing follows; the next entry is not tried. Where no entry is, the devices of the number's users ring (R4).
 */
import { defaultPrecedence, type Account, type CallConnect, type CallFacts, type DialTarget, type Forward, type PrecedenceEntry, type TrackingNumber, type User } from './config.ts';
import type { Reason } from './plan.ts';
import type { Ms } from '../time.ts';

/** Something that can be rung. */
export interface Phone {
  /** Whose it is; undefined for a number that is nobody's own. */
  readonly user: User | undefined;
  readonly label: string;
  readonly target: DialTarget;
  readonly ringMs?: Ms | undefined;
  readonly callConnect?: CallConnect | undefined;
}

interface Entry {
  readonly phones: readonly Phone[];
  readonly why: string;
}

/** The phones of the first configured entry, each entry's reason given; undefined when none is. `users` are the number's. */
export function phonesByPrecedence(account: Account, number: TrackingNumber, users: readonly User[], facts: CallFacts, reasons: Reason[]): readonly Phone[] | undefined {
  const considered = (account.precedence ?? defaultPrecedence).map((name) => ({ name, entry: entryOf(name, account, number, users, facts) }));
  const taken = considered.find(({ entry }) => entry.phones.length > 0);
  // An account that uses none of this is not told of it.
  if (taken === undefined && account.precedence === undefined) return undefined;
  for (const one of considered) {
    const late = taken !== undefined && one !== taken && one.entry.phones.length > 0;
    reasons.push({ subject: one.name, taken: one === taken, why: late ? `${taken.name} comes first` : one.entry.why });
  }
  return taken?.entry.phones;
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

function entryOf(name: PrecedenceEntry, account: Account, number: TrackingNumber, users: readonly User[], facts: CallFacts): Entry {
  switch (name) {
    case 'company':
      if (account.company === undefined) return none('the company has no number for calls');
      return { phones: [phoneAt(account.company, 'company')], why: `calls go to the company’s ${account.company.number}` };
    case 'number-forward':
      if (number.forward === undefined) return none('the number is not forwarded');
      return { phones: [phoneAt(number.forward, 'forward')], why: `the number is forwarded to ${number.forward.number}` };
    case 'number-user': {
      const forwarding = users.filter((user) => user.forward !== undefined);
      if (forwarding.length === 0) return none('none of the number’s users has a forwarding number');
      return { phones: users.flatMap(phonesOf), why: `calls of ${forwarding.map((user) => user.name).join(', ')} are forwarded` };
    }
    case 'contact-owner':
      return ownersEntry(account, users, facts);
  }
}

function ownersEntry(account: Account, users: readonly User[], facts: CallFacts): Entry {
  if (users.length === 0) return none('the number has no user');
  const caller = `+${facts.callerNumber.replace(/\D/g, '')}`;
  const contact = account.contacts !== undefined && Object.hasOwn(account.contacts, caller) ? account.contacts[caller] : undefined;
  if (contact === undefined) return none('the caller is no contact');
  const owner = account.users.find((user) => user.id === contact.owner);
  if (owner === undefined) return none(`${contact.name} has no owner`);
  const phones = phonesOf(owner);
  return phones.length === 0 ? none(`${owner.name}, who looks after ${contact.name}, has no phone`) : { phones, why: `${owner.name} looks after ${contact.name}` };
}

function none(why: string): Entry {
  return { phones: [], why };
}
