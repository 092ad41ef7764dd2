/**
 * The calls of a busy clinic: six kinds, each with a number and a phone of its own, and how each is meant to end. Lengths
 * are chosen so that a call of any kind is up about as long as `lengthMs`; most of it goes by before anybody talks, for
 * four of the six.
 */
import type { Ms } from '../../control-plane/core/time.ts';

export const kindNames = ['talks', 'leaves', 'rings', 'screened', 'announced', 'voicemail'] as const;
export type KindName = (typeof kindNames)[number];

export interface Kind {
  readonly name: KindName;
  readonly e164: string;
  /** Of 20 calls. */
  readonly share: number;
  /** Who is meant to hang up. */
  readonly endsBy: 'caller' | 'callee';
  /** The caller hangs up so long after the answer, whoever or whatever it was that answered. */
  readonly callerTalkMs: Ms;
  /** Null for voicemail alone. A number is a mobile's. */
  readonly phone: { readonly device: string; readonly ringMs: Ms; readonly talkMs: Ms } | null;
}

export const mobile = '+12025550180';
export const failsafe = '+12025550199';
/** Whoever waits for the other side's end waits for so long beyond it; a call that reaches it was forgotten. */
const patienceMs: Ms = 30_000;
const quickMs: Ms = 1000;
export const mobileRingsMs: Ms = 500;
const shortTalkMs: Ms = 2500;

export function kindsOf(lengthMs: Ms): readonly Kind[] {
  const waitsMs = Math.max(2000, lengthMs - shortTalkMs);
  const waitsForOther = lengthMs + patienceMs;
  const talkMs = Math.max(2000, lengthMs - quickMs);
  return [
    { name: 'talks', e164: '+12025550111', share: 6, endsBy: 'caller', callerTalkMs: talkMs, phone: { device: '201', ringMs: quickMs, talkMs: waitsForOther } },
    { name: 'leaves', e164: '+12025550112', share: 2, endsBy: 'callee', callerTalkMs: waitsForOther, phone: { device: '202', ringMs: quickMs, talkMs } },
    { name: 'rings', e164: '+12025550113', share: 3, endsBy: 'caller', callerTalkMs: shortTalkMs, phone: { device: '203', ringMs: waitsMs, talkMs: waitsForOther } },
    { name: 'screened', e164: '+12025550114', share: 3, endsBy: 'caller', callerTalkMs: shortTalkMs, phone: { device: mobile, ringMs: mobileRingsMs, talkMs: waitsForOther } },
    { name: 'announced', e164: '+12025550115', share: 3, endsBy: 'callee', callerTalkMs: waitsForOther, phone: { device: '205', ringMs: quickMs, talkMs: shortTalkMs } },
    { name: 'voicemail', e164: '+12025550116', share: 3, endsBy: 'caller', callerTalkMs: lengthMs, phone: null },
  ];
}

/** How long the mobile that asks for a key is without one, and how long the announcement is. */
export const waitOf = (lengthMs: Ms): Ms => Math.max(2000, lengthMs - shortTalkMs - quickMs);

export const passwordOf = (extension: string): string => `chaos-${extension}-secret`;

const userOf = (device: string): string => `user-${device.replace('+', '')}`;

/** JSON is YAML. */
export function planOf(kinds: readonly Kind[], trunk: { readonly host: string; readonly port: number }, announcement: string): string {
  const phones = kinds.flatMap(({ phone }) => (phone === null ? [] : [phone.device]));
  const extra: Readonly<Record<KindName, object>> = {
    talks: {}, leaves: {}, rings: {},
    screened: { callConnect: 'external', acceptKey: '1' },
    announced: { announcement: { file: announcement } },
    voicemail: { voicemail: { greeting: { sound: 'vm-goodbye' }, maxSeconds: '300', silenceSeconds: '60' } },
  };
  return JSON.stringify({
    account: { id: 'chaos', name: 'Chaos Dental', failsafe, outbound: { concurrentCalls: '1000' } },
    trunks: [{ id: 'carrier', host: trunk.host, port: String(trunk.port) }],
    users: phones.map((device) => ({
      id: userOf(device), name: `User ${device}`,
      devices: [device.startsWith('+') ? { mobile: device, label: 'mobile' } : { extension: device, password: passwordOf(device), label: 'desk' }],
    })),
    numbers: kinds.map(({ name, e164, phone }) => ({
      e164, name, users: phone === null ? [] : [userOf(phone.device)], timeoutSeconds: '120', callConnect: 'off', ...extra[name],
    })),
  }, null, 2);
}
