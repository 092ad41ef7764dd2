/** A clinic's plan file, written by a test: YAML is a superset of JSON. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { passwordOf, type Site } from './site.ts';

export interface NumberInPlan {
  readonly e164: string;
  /** Extensions of desk phones, numbers of mobiles. */
  readonly rings?: readonly string[];
  /** Seconds one device is rung, by extension; the number's own time otherwise. */
  readonly ringSeconds?: Readonly<Record<string, number>>;
  readonly timeoutSeconds?: number;
  readonly announcement?: string;
  readonly whisper?: string;
  readonly callConnect?: 'off' | 'external' | 'every';
  readonly acceptKey?: string;
  readonly voicemail?: 'off' | { readonly greeting: string | { readonly sound: string }; readonly silenceSeconds?: number };
  readonly failsafe?: string;
  readonly route?: object;
}

export interface PlanOptions {
  readonly file: string;
  readonly trunks: readonly string[];
  readonly numbers: readonly NumberInPlan[];
  /** Devices that no number rings. */
  readonly others?: readonly string[];
  readonly emergency?: Readonly<Record<string, unknown>>;
  readonly menus?: readonly object[];
  readonly receivingNumbers?: readonly object[];
  readonly ringGroups?: readonly object[];
  readonly queues?: readonly object[];
}

const scalars = (value: unknown): unknown =>
  typeof value === 'number' ? String(value) : Array.isArray(value) ? value.map(scalars)
    : typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, scalars(one)])) : value;

const without = (number: NumberInPlan): object => Object.fromEntries(Object.entries(number).filter(([field]) => field !== 'rings' && field !== 'ringSeconds'));

const userOf = (device: string): string => (device.startsWith('+') ? `m${device.slice(1)}` : `u${device}`);

/** Every device is a user of its own: `u101`, or `m` and the mobile's digits. Returns the file. */
export const writePlan = (site: Site, options: PlanOptions): string => {
  const ringSeconds = new Map(options.numbers.flatMap((number) => Object.entries(number.ringSeconds ?? {})));
  const devices = new Set([...options.numbers.flatMap((number) => number.rings ?? []), ...(options.others ?? [])]);
  const plan = {
    account: { id: 'clinic', name: 'The Clinic' },
    trunks: options.trunks.map((id) => ({ id, ...site.trunkAddress(id) })),
    ...(options.emergency === undefined ? {} : { emergency: options.emergency }),
    ...(options.menus === undefined ? {} : { menus: options.menus }),
    ...(options.receivingNumbers === undefined ? {} : { receivingNumbers: options.receivingNumbers }),
    ...(options.ringGroups === undefined ? {} : { ringGroups: options.ringGroups }),
    ...(options.queues === undefined ? {} : { queues: options.queues }),
    users: [...devices].map((device) => ({
      id: userOf(device),
      name: `User ${device}`,
      devices: [{
        ...(device.startsWith('+') ? { mobile: device } : { extension: device, password: passwordOf(device) }),
        label: device,
        ...(ringSeconds.has(device) ? { ringSeconds: ringSeconds.get(device) } : {}),
      }],
    })),
    numbers: options.numbers.map((number) => ({ name: `Line ${number.e164.slice(-3)}`, ...without(number), users: (number.rings ?? []).map(userOf) })),
  };
  const file = join(site.folder, options.file);
  writeFileSync(file, JSON.stringify(scalars(plan), null, 2));
  return file;
};
