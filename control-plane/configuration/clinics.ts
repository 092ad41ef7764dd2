/**
 * From the objects of configuration to what routing and the switch read: one clinic per account. Durations become
 * milliseconds, audio becomes media. Pure, and total for objects that passed check.ts.
 */
import type { Account, Device, E164, Forward, Media, Message, TrackingNumber, TrunkId, User, UserId, Voicemail } from '../core/routing/config.ts';
import { agentCodesOf, queueOf } from './queues.ts';
import { menuOf, nightOf, receivingNumberOf, ringGroupOf, routerOf, targetOf } from './destinations.ts';
import { precedencePresets } from '../core/routing/config.ts';
import { defaultOutboundRules, type OutboundRules } from '../core/routing/outbound-guard.ts';
import { priceOf, type PrefixRate, type Rates } from '../core/routing/rate.ts';
import { sipName } from '../core/routing/sip-name.ts';
import { second, type Ms } from '../core/time.ts';
import { scheduleOf } from '../hours/schedules.ts';
import { yearOf } from '../hours/year-turn.ts';
import { defaultGraceSeconds, type AudioRef, type Doc, type Kind } from './documents.ts';
import { isKind, type ConfigObject } from './objects.ts';
import { optional } from './optional.ts';

export interface ClinicConfig {
  readonly account: Account;
  /** IANA name. */
  readonly timezone: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** In the order in which they are tried. */
  readonly trunks: readonly TrunkConfig[];
  readonly phones: readonly PhoneConfig[];
  readonly emergency: EmergencyConfig | null;
  /** Rung by the switch itself when no controller answers, by tracking number. */
  readonly failsafe: ReadonlyMap<E164, E164>;
  /** Who is told of phones and trunks that are gone, and after what time. */
  readonly alerts: { readonly notify: readonly string[]; readonly graceMs: Ms };
  /** Agents are logged in on phones of their own that register, and out when those are gone. */
  readonly agentsByRegistration: boolean;
  readonly retention: NonNullable<Doc<'account'>['retention']>;
  /** Who is sent a number's new voicemails, by tracking number. */
  readonly voicemailNotify: ReadonlyMap<E164, readonly string[]>;
  /** Who is sent new voicemails for one user alone, by user. */
  readonly userVoicemailNotify: ReadonlyMap<UserId, readonly string[]>;
}

export type TrunkConfig = Doc<'trunk'> & { readonly id: TrunkId };

/** A desk phone or softphone that registers with the switch. */
export interface PhoneConfig {
  /** Also the id of its device. */
  readonly extension: string;
  /** What it logs in with: the extension, behind the account's prefix. */
  readonly sipUser: string;
  readonly user: string;
  readonly label: string;
  readonly password: string;
}

export type EmergencyConfig = NonNullable<Doc<'account'>['emergency']>;

/** Where an uploaded audio file is, as media that the switch plays. */
export type AudioMedia = (account: string, id: string, file: Doc<'audio'>) => Media;

/** `year`: of now, around which holidays are known. */
export function clinicsOf(objects: Iterable<ConfigObject>, audioMedia: AudioMedia, year = yearOf(Date.now())): readonly ClinicConfig[] {
  const byAccount = new Map<string, ConfigObject[]>();
  for (const object of objects) {
    const list = byAccount.get(object.account);
    if (list === undefined) byAccount.set(object.account, [object]);
    else list.push(object);
  }
  return [...byAccount].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([id, all]) => {
    const own = all.find((object) => object.kind === 'account');
    return own?.kind === 'account' ? [clinicOf(id, own.body, all, audioMedia, year)] : [];
  });
}

function clinicOf(id: string, body: Doc<'account'>, all: readonly ConfigObject[], audioMedia: AudioMedia, year: number): ClinicConfig {
  const of = <K extends Kind>(kind: K) => all.filter((object) => isKind(object, kind)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const files = new Map(of('audio').map((audio) => [audio.id, audio.body]));
  const mediaOf = (audio: string): Media | undefined => {
    const file = files.get(audio);
    return file === undefined ? undefined : audioMedia(id, audio, file);
  };
  const media = (ref: AudioRef | undefined): Message | undefined => (ref === undefined ? undefined : messageOf(ref, mediaOf));
  const trunks = of('trunk').map((trunk): TrunkConfig => ({ id: trunk.id, ...trunk.body })).toSorted((a, b) => a.priority - b.priority);
  const over = trunks.map((trunk) => trunk.id);
  const forward = (number: E164 | undefined): Forward | undefined => (number === undefined ? undefined : { number, trunks: over });
  const devices = of('device');
  const devicesByUser = Map.groupBy(devices.toSorted((a, b) => (a.body.preference ?? 50) - (b.body.preference ?? 50)), (device) => device.body.user);
  const numbers = of('number').map((number) => numberOf(number.body, media, forward));
  const receivingNumbers = of('receiving-number').map((one) => receivingNumberOf(one, over, media));
  const ringGroups = of('ring-group').map((one) => ringGroupOf(one, media));
  const menus = of('menu').map((one) => menuOf(one, media));
  const failsafes = of('number').flatMap(({ body: number }) => {
    const target = number.failsafe ?? body.failsafe;
    return target === undefined ? [] : [[number.e164, target] as const];
  });
  const { blocked } = body;
  return {
    account: {
      id,
      name: body.name,
      timezone: body.timezone,
      ...(body.sipPrefix === undefined || body.sipPrefix === '' ? {} : { sipPrefix: body.sipPrefix }),
      users: of('user').map((user): User => ({
        id: user.id,
        name: user.body.name,
        devices: (devicesByUser.get(user.id) ?? []).map((device) => deviceOf(device, over)),
        ...optional('forward', forward(user.body.forward)),
        ...optional('recording', user.body.recording),
        ...optional('greeting', media(user.body.voicemail?.greeting)),
        ...optional('pin', user.body.pin === '' ? undefined : user.body.pin),
      })),
      outbound: outboundRulesOf(body),
      numbers: numbers.map((number) => ({ ...number, ...optional('failsafe', new Map(failsafes).get(number.e164)) })),
      ...byId('receivingNumbers', receivingNumbers),
      ...byId('ringGroups', ringGroups),
      ...byId('menus', menus),
      ...byId('queues', of('queue').map((one) => queueOf(one, over, media, (target) => targetOf(target, media)))),
      ...byId('routers', of('router').map((one) => routerOf(one, media))),
      ...optional('night', nightOf(body.night, of('night-switch')[0], media)),
      ...optional('agentCodes', agentCodesOf(body.agentCodes)),
      ...byId('schedules', of('schedule').map((one) => scheduleOf(one.id, one.body, body.timezone, year))),
      ...optional('blocked', blocked === undefined ? undefined : { numbers: blocked.numbers, anonymous: blocked.anonymous, action: blocked.action, ...optional('message', media(blocked.message)) }),
      ...optional('company', forward(body.company)),
      ...optional('precedence', typeof body.precedence === 'string' ? precedencePresets[body.precedence] : body.precedence),
      ...optional('recording', body.recording),
      ...optional('greeting', media(body.voicemail?.greeting)),
      ...optional('rates', ratesOf(body)),
    },
    timezone: body.timezone,
    country: body.country,
    trunks,
    agentsByRegistration: body.agentLogin === 'registration',
    phones: devices.flatMap(({ body: device }) => (device.extension === undefined ? [] : [{ extension: device.extension, sipUser: sipName(body.sipPrefix, device.extension), user: device.user, label: device.label ?? defaultLabel(device.extension), password: device.password ?? '' }])),
    emergency: body.emergency ?? null,
    failsafe: new Map(failsafes),
    alerts: { notify: body.alerts?.notify ?? [], graceMs: (body.alerts?.graceSeconds ?? defaultGraceSeconds) * second },
    retention: body.retention ?? {},
    voicemailNotify: new Map(of('number').map(({ body: number }) => [number.e164, number.voicemail.notify])),
    userVoicemailNotify: new Map(of('user').map((user) => [user.id, user.body.voicemail?.notify ?? []])),
  };
}

/** What an account that says nothing allows: calls within its own country. */
export function outboundRulesOf({ country, outbound }: Doc<'account'>): OutboundRules {
  const rules = defaultOutboundRules(country);
  return outbound === undefined ? rules : { countries: outbound.countries ?? rules.countries, premium: outbound.premium, concurrentCalls: outbound.concurrentCalls };
}

function ratesOf({ rates }: Doc<'account'>): Rates | undefined {
  return rates === undefined ? undefined : { currency: rates.currency, inbound: rates.inbound.map(prefixRateOf), outbound: rates.outbound.map(prefixRateOf) };
}

function prefixRateOf({ prefix, perMinute }: { readonly prefix: string; readonly perMinute: string }): PrefixRate {
  return { prefix, perMinute: priceOf(perMinute) ?? 0 };
}

function defaultLabel(extension: string | undefined): string {
  return extension === undefined ? 'mobile' : `phone ${extension}`;
}

function deviceOf({ id, body }: ConfigObject<'device'>, trunks: readonly TrunkId[]): Device {
  const { extension, mobile = '', label, ringSeconds } = body;
  return {
    id: extension ?? id,
    label: label ?? defaultLabel(extension),
    target: extension === undefined ? { kind: 'external', number: mobile, trunks } : { kind: 'device', device: extension },
    ...(ringSeconds === undefined ? {} : { ringMs: ringSeconds * second }),
  };
}

function numberOf(number: Doc<'number'>, media: (ref: AudioRef | undefined) => Message | undefined, forward: (number: E164 | undefined) => Forward | undefined): TrackingNumber {
  const announcement = media(number.announcement);
  const whisper = media(number.whisper);
  return {
    e164: number.e164,
    label: number.name,
    users: number.users,
    ...optional('user', number.user),
    ...optional('route', number.route === undefined ? undefined : targetOf(number.route, media)),
    ...optional('hours', number.hours === undefined ? undefined : { schedule: number.hours.schedule, closed: targetOf(number.hours.closed, media) }),
    ...optional('tags', number.tags),
    ...optional('noAnswer', number.noAnswer === undefined ? undefined : targetOf(number.noAnswer, media)),
    ringMs: number.timeoutSeconds * second,
    callConnect: number.callConnect,
    ...optional('announcementText', announcement?.text),
    ...optional('announcement', announcement?.media),
    ...optional('whisper', whisper?.text),
    ...optional('whisperFile', whisper?.media),
    ...optional('acceptKey', number.acceptKey),
    ...optional('voicemail', voicemailOf(number.voicemail, media)),
    ...(number.passCalledNumber ? { passCalledNumber: true } : {}),
    ...optional('forward', forward(number.forward)),
    ...optional('recording', number.recording),
    ...optional('recordingAnnouncement', media(number.recordingAnnouncement)),
  };
}

function voicemailOf(voicemail: Doc<'number'>['voicemail'], media: (ref: AudioRef | undefined) => Message | undefined): Voicemail | undefined {
  if (!voicemail.enabled) return undefined;
  return {
    ...optional('greeting', media(voicemail.greeting)),
    maxMs: voicemail.maxSeconds * second,
    silenceMs: voicemail.silenceSeconds * second,
  };
}

function messageOf(ref: AudioRef, mediaOf: (audio: string) => Media | undefined): Message {
  if (ref.text !== undefined) return { text: ref.text };
  if (ref.audio !== undefined) return optional('media', mediaOf(ref.audio));
  return { media: `sound:${ref.sound ?? ''}` };
}

function byId<K extends string, V extends { readonly id: string }>(key: K, all: readonly V[]): { readonly [P in K]?: ReadonlyMap<string, V> } {
  return optional(key, all.length === 0 ? undefined : new Map(all.map((one) => [one.id, one])));
}
