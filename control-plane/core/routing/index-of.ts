/** Look-ups that every call needs, made once for each account as it is: an account is never changed, only replaced. */
import { remembered } from '../remembered.ts';
import type { Account, Device, TrackingNumber, User, UserId } from './config.ts';
import { sipName } from './sip-name.ts';

export interface OwnedDevice {
  readonly user: User;
  readonly device: Device;
}

export interface AccountIndex {
  /** By digits alone: carriers send a number with or without its `+`. */
  readonly numbers: ReadonlyMap<string, TrackingNumber>;
  readonly users: ReadonlyMap<UserId, User>;
  readonly extensions: ReadonlyMap<string, OwnedDevice>;
  /** Phones by their name on the switch. */
  readonly phones: ReadonlyMap<string, OwnedDevice>;
  /** What extensions begin with, and how long they are; undefined where there are none. */
  readonly dialable: { readonly firstDigits: string; readonly shortest: number; readonly longest: number } | undefined;
  /** By digits. */
  readonly blocked: ReadonlySet<string>;
}

export const indexOf = remembered(build);

export function digitsOf(number: string): string {
  return number.replace(/\D/g, '');
}

function build(account: Account): AccountIndex {
  const extensions = new Map<string, OwnedDevice>();
  const phones = new Map<string, OwnedDevice>();
  for (const user of account.users) {
    for (const device of user.devices) {
      if (device.target.kind !== 'device') continue;
      extensions.set(device.target.device, { user, device });
      phones.set(sipName(account.sipPrefix, device.target.device), { user, device });
    }
  }
  const lengths = [...extensions.keys()].map((extension) => extension.length);
  const firstDigits = [...new Set([...extensions.keys()].map((extension) => extension.slice(0, 1)))].toSorted().join('');
  return {
    // the first of two is the number, as it always was
    numbers: new Map(account.numbers.toReversed().map((number) => [digitsOf(number.e164), number])),
    users: new Map(account.users.map((user) => [user.id, user])),
    extensions, phones,
    dialable: lengths.length === 0 ? undefined : { firstDigits, shortest: Math.min(...lengths), longest: Math.max(...lengths) },
    blocked: new Set((account.blocked?.numbers ?? []).map(digitsOf)),
  };
}
