/** A checked plan document in the terms of the core and of the switch. */
import { resolve } from 'node:path';
import { defaultRingMs, defaultVoicemail, type Account, type Device, type Media, type TrackingNumber, type TrunkId, type Voicemail } from '../../core/routing/config.ts';
import type { ClinicConfig } from './clinic-config.ts';
import type { AudioSource, PlanDocument } from './schema.ts';

type NumberDocument = PlanDocument['numbers'][number];
type UserDocument = PlanDocument['users'][number];
type DeviceDocument = UserDocument['devices'][number];

/** `dir` is where relative audio files are. */
export function toClinic(plan: PlanDocument, dir: string): ClinicConfig {
  const trunks = plan.trunks.map((trunk) => trunk.id);
  const account: Account = {
    id: plan.account.id,
    name: plan.account.name,
    users: plan.users.map((user) => ({ id: user.id, name: user.name, devices: user.devices.map((device) => toDevice(user, device, trunks)) })),
    numbers: plan.numbers.map((number) => toNumber({ ...number, failsafe: number.failsafe ?? plan.account.failsafe }, dir)),
  };
  return {
    account,
    timezone: plan.account.timezone,
    country: plan.account.country,
    trunks: plan.trunks.map(({ username, password, callerId, ...trunk }) => ({
      ...trunk, username: username ?? null, password: password ?? null, callerId: callerId ?? null,
    })),
    phones: plan.users.flatMap((user) =>
      user.devices.flatMap(({ extension, label, password }) =>
        extension === undefined ? [] : [{ extension, user: user.id, label: label ?? defaultLabel(extension), password: password ?? null }],
      ),
    ),
    emergency: plan.emergency ?? null,
    failsafe: new Map(account.numbers.flatMap(({ e164, failsafe }) => (failsafe === undefined ? [] : [[e164, failsafe] as const]))),
  };
}

function defaultLabel(extension: string | undefined): string {
  return extension === undefined ? 'mobile' : `phone ${extension}`;
}

function toDevice(user: UserDocument, device: DeviceDocument, trunks: readonly TrunkId[]): Device {
  const { extension, mobile = '', label, ringSeconds } = device;
  return {
    // Of what is dialled, so that reordering a plan does not rename a device.
    id: extension ?? `${user.id}-${mobile.slice(1)}`,
    label: label ?? defaultLabel(extension),
    target: extension === undefined ? { kind: 'external', number: mobile, trunks } : { kind: 'device', device: extension },
    ...(ringSeconds === undefined ? {} : { ringMs: ringSeconds }),
  };
}

function toNumber(number: NumberDocument, dir: string): TrackingNumber {
  const { announcement, whisper, voicemail } = number;
  return {
    e164: number.e164,
    label: number.name,
    users: number.users,
    ringMs: number.timeoutSeconds ?? defaultRingMs,
    callConnect: number.callConnect,
    ...optional('announcementText', announcement?.text),
    ...optional('announcement', recorded(announcement, dir)),
    ...optional('whisper', whisper?.text),
    ...optional('whisperFile', recorded(whisper, dir)),
    ...optional('acceptKey', number.acceptKey),
    ...optional('voicemail', toVoicemail(voicemail, dir)),
    ...optional('failsafe', number.failsafe),
  };
}

/** A number that says nothing of voicemail has it (R4): only `off` turns it off. */
function toVoicemail(voicemail: NumberDocument['voicemail'], dir: string): Voicemail | undefined {
  if (voicemail === undefined) return defaultVoicemail;
  if (voicemail.off !== undefined) return undefined;
  return {
    greeting: recorded(voicemail.greeting, dir) ?? defaultVoicemail.greeting,
    ...optional('greetingText', voicemail.greeting?.text),
    maxMs: voicemail.maxSeconds,
    silenceMs: voicemail.silenceSeconds,
  };
}

function recorded(audio: AudioSource | undefined, dir: string): Media | undefined {
  if (audio?.file !== undefined) return `file:${resolve(dir, audio.file).replace(/\.wav(16)?$/, '')}`;
  return audio?.sound === undefined ? undefined : `sound:${audio.sound}`;
}

/** Absent rather than undefined: plans are hashed and stored as JSON. */
function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });
}
