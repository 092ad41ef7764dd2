/** What the FreeSWITCH driver makes of events that overtake replies: an event socket says both, in the order that a test wants. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CallMark } from '../../control-plane/core/call/mark.ts';
import type { Media } from '../../control-plane/core/routing/config.ts';
import { createFreeSwitchDriver, type FreeSwitchDriver } from '../../control-plane/media/freeswitch/freeswitch-driver.ts';
import { identityText } from '../../control-plane/media/identity.ts';
import type { CommandResult } from '../../control-plane/media/media-driver.ts';
import { apiResponse, commandReply, jsonEvent, startEslServer, type EslAnswer, type EslCommand } from '../support/esl-server.ts';
import { until } from '../support/until.ts';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
let server: Awaited<ReturnType<typeof startEslServer>>;
let driver: FreeSwitchDriver;
let answer: EslAnswer | undefined;
let told: string[];
let links: string[];

/** To `api` commands, by their beginnings. */
const usual: Readonly<Record<string, string>> = { module_exists: 'true', 'global_getvar recordings_dir': '/recordings', hash_dump: '-ERR no reply\n', uuid_getvar: '_undef_', '': '+OK\n' };

beforeEach(async () => {
  [answer, told, links] = [undefined, [], []];
  server = await startEslServer({
    answer: (command, socket) => {
      const own = answer?.(command, socket);
      if (own !== undefined) return own;
      const { line } = command;
      if (!line.startsWith('api ') || line === 'api version' || line === 'api global_getvar core_uuid') return undefined;
      return apiResponse(Object.entries(usual).find(([beginning]) => line.startsWith(`api ${beginning}`))?.[1] ?? '');
    },
  });
  driver = createFreeSwitchDriver({ url: server.url, instance: 'test', log: quiet, backOff: { firstMs: 5, maxMs: 20 } });
  await driver.start({
    onOffer: ({ callId }) => { told.push(`offered ${callId}`); },
    onLegEvent: (_callId, event) => { told.push(event.type === 'PromptFinished' ? `${event.type} ${event.promptId} ${event.ok}` : `${event.type} ${'recordingId' in event ? event.recordingId : event.legId}`); },
    onLink: (state) => { links.push(state); },
  });
});
afterEach(async () => {
  await driver.stop();
  await server.stop();
});

const say = (name: string, leg: string, headers: object = {}): void => { server.broadcast(jsonEvent({ 'Event-Name': name, 'Unique-ID': leg, ...headers })); };
const offer = (callId: string, headers: object = {}): void => { say('CUSTOM', callId, { 'Event-Subclass': 'frontdesk::offer', variable_fd_kind: 'inbound', variable_fd_dialled: '100', ...headers }); };
const hangsUp = (leg: string): void => { say('CHANNEL_HANGUP_COMPLETE', leg, { 'Hangup-Cause': 'ORIGINATOR_CANCEL', 'Answer-State': 'hangup' }); };
const sent = (line: string): Promise<unknown> => until(() => server.seen.find((command) => command.line.startsWith(line)), { describe: line });
/** Whoever listens has read all that was said before. */
const heard = async (): Promise<void> => {
  offer('last');
  await sent('api hash insert_ifempty/fd_claim/last/test');
};

test('a caller who hangs up while they are woken is offered to nobody', async () => {
  let reply: (() => void) | undefined;
  answer = ({ line }, socket) => {
    if (line !== 'api uuid_break caller') return undefined;
    reply = () => { socket.write(apiResponse('+OK\n')); };
    return null;
  };
  offer('caller');
  const wake = await until(() => reply, { describe: 'the caller is woken' });
  hangsUp('caller');
  await heard();
  wake();
  await until(() => told.includes('offered last'), { describe: 'the next is offered' });
  expect(told).toEqual(['offered last']);
  hangsUp('last');
  await until(() => driver.leftovers().legs === 0, { describe: 'nothing is remembered' });
});

test('a leg that the switch knows no more when it is hung up has its message told after its end, and that once', async () => {
  offer('caller');
  await until(() => told.includes('offered caller'), { describe: 'the offer' });
  await driver.execute({ type: 'StartRecording', recordingId: 'caller--r1', legId: 'caller', maxMs: 60_000, silenceMs: 5_000 });
  say('RECORD_START', 'caller', { 'Record-File-Path': '/recordings/caller--r1.wav' });
  say('RECORD_STOP', 'caller', { 'Record-File-Path': '/recordings/caller--r1.wav', 'Answer-State': 'hangup', variable_record_ms: '2000' });
  await heard();
  answer = ({ line }) => line.startsWith('api uuid_kill caller') ? apiResponse('-ERR No such channel!\n') : undefined;
  expect(await driver.execute({ type: 'HangUpLeg', legId: 'caller', cause: 'normal' })).toEqual({ ok: true });
  hangsUp('caller');
  hangsUp('last');
  await until(() => driver.leftovers().legs === 0, { describe: 'nothing is remembered' });
  expect(told.filter((each) => each.includes('caller'))).toEqual(['offered caller', 'RecordingStarted caller--r1', 'LegEnded caller', 'RecordingFinished caller--r1']);
});

test('who ends with a leg is written again when it was lost with the link', async () => {
  offer('caller');
  await until(() => told.includes('offered caller'), { describe: 'the offer' });
  const mark: CallMark = { v: 4, dialled: '100', plan: 'p', startedAt: 0, step: 's', place: 'connecting', winner: 'caller--l1', bridge: 'caller--b2', n: 2 };
  answer = ({ line }, socket) => {
    if (!line.startsWith('api uuid_setvar caller fd_peer')) return undefined;
    socket.destroy();
    return null;
  };
  expect(await driver.execute({ type: 'MarkCall', legId: 'caller', callId: 'caller', mark })).toMatchObject({ ok: false, error: 'unreachable' });
  await until(() => links.join() === 'up,down,up', { describe: 'the link is up again' });
  answer = undefined;
  const before = server.seen.length;
  expect(await driver.execute({ type: 'MarkCall', legId: 'caller', callId: 'caller', mark })).toEqual({ ok: true });
  expect(server.seen.slice(before).map(({ line }) => line)).toContain('api uuid_setvar caller fd_peer caller--l1');
});

test('a ringing tone that is asked for again after the loss of the link ends for the prompt that follows', async () => {
  offer('caller', { 'Answer-State': 'answered' });
  await until(() => told.includes('offered caller'), { describe: 'the offer' });
  expect(await driver.execute({ type: 'RingLeg', legId: 'caller' })).toEqual({ ok: true });
  for (const socket of server.sockets) socket.destroy();
  await until(() => links.join() === 'up,down,up', { describe: 'the link is up again' });
  expect(await driver.execute({ type: 'RingLeg', legId: 'caller' })).toEqual({ ok: true });
  const before = server.seen.length;
  expect(await driver.execute({ type: 'PlayPrompt', legId: 'caller', promptId: 'caller--p1', media: ['tone:beep'] })).toEqual({ ok: true });
  expect(server.seen.slice(before).map(({ line }) => line).filter((line) => line.includes('caller'))).toEqual(['api uuid_break caller all', 'sendmsg caller']);
});

const play = (n: number, media: readonly Media[] = ['tone:beep']): Promise<CommandResult> => driver.execute({ type: 'PlayPrompt', legId: 'caller', promptId: `caller--p${n}`, media });
const plays = (): readonly EslCommand[] => server.commands('sendmsg').filter(({ line }) => line === 'sendmsg caller');
const playsUntil = (times: number): Promise<unknown> => until(() => plays().length >= times, { describe: `${times} are played` });
const ends = (): void => { say('CHANNEL_EXECUTE_COMPLETE', 'caller', { 'Application-UUID': plays().at(-1)?.headers['Event-UUID'], 'Application-Response': 'FILE PLAYED' }); };
/** The n-th, and no other. */
const refuse = (n: number, reply: string): void => { answer = ({ line }) => (line === 'sendmsg caller' && plays().length === n ? commandReply(reply) : undefined); };

test('a prompt that the switch refuses keeps none that waits behind it', async () => {
  offer('caller', { 'Answer-State': 'answered' });
  await until(() => told.includes('offered caller'), { describe: 'the offer' });
  refuse(1, '-ERR memory error');
  expect(await Promise.all([play(1), play(2), play(3)])).toMatchObject([{ ok: false, error: 'rejected' }, { ok: true }, { ok: true }]);
  await playsUntil(2);
  ends();
  await playsUntil(3);
  ends();
  await until(() => told.includes('PromptFinished caller--p3 true'), { describe: 'both are told' });
  expect(told).toEqual(['offered caller', 'PromptFinished caller--p2 true', 'PromptFinished caller--p3 true']);
});

test('a prompt of which the switch refuses a later sound is told as not played, and the next begins', async () => {
  offer('caller', { 'Answer-State': 'answered' });
  await until(() => told.includes('offered caller'), { describe: 'the offer' });
  refuse(2, '-ERR memory error');
  expect(await Promise.all([play(1, ['tone:beep', 'tone:beep', 'tone:beep']), play(2)])).toEqual([{ ok: true }, { ok: true }]);
  ends();
  await until(() => told.includes('PromptFinished caller--p1 false'), { describe: 'it is told' });
  await playsUntil(3);
  ends();
  await until(() => told.includes('PromptFinished caller--p2 true'), { describe: 'the next is heard' });
});

test('prompts of a leg that has gone when they are to begin are told after its end', async () => {
  offer('caller', { 'Answer-State': 'answered' });
  await until(() => told.includes('offered caller'), { describe: 'the offer' });
  refuse(2, '-ERR invalid session id [caller]');
  expect(await Promise.all([play(1), play(2), play(3)])).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
  ends();
  await playsUntil(2);
  await heard();
  hangsUp('caller');
  await until(() => told.includes('PromptFinished caller--p3 false'), { describe: 'they are told' });
  expect(told.filter((each) => each.includes('caller'))).toEqual(['offered caller', 'PromptFinished caller--p1 true', 'LegEnded caller', 'PromptFinished caller--p2 false', 'PromptFinished caller--p3 false']);
});

test('what is asked for after the answer to a transfer is asked over the same connection', async () => {
  const sockets: unknown[] = [];
  for (const callId of ['first', 'second', 'third', 'fourth']) {
    const other = `${callId}--l1`;
    offer(callId, { variable_fd_origin: 'phone', variable_fd_phone: '101' });
    await until(() => told.includes(`offered ${callId}`), { describe: 'the offer' });
    await driver.execute({ type: 'TakeLeg', legId: other, callId, from: callId, servedLeg: callId, mark: { v: 1, step: 's', attempt: 0, trunk: 0 } });
    say('CUSTOM', other, { 'Event-Subclass': 'frontdesk::refer', variable_blind_transfer_uuid: callId, 'Caller-Destination-Number': '102' });
    await until(() => told.includes(`TransferAsked ${callId}`), { describe: 'the question' });
    const used = new Set<unknown>();
    answer = ({ line }, socket) => {
      if (line === `sendmsg ${other}`) used.add(socket);
      return undefined;
    };
    void driver.execute({ type: 'AnswerTransfer', legId: callId, accepted: true });
    expect(await driver.execute({ type: 'RingLeg', legId: other })).toEqual({ ok: true });
    sockets.push(used.size);
  }
  expect(sockets).toEqual([1, 1, 1, 1]);
});

const messageStops = (): void => { say('RECORD_STOP', 'caller', { 'Record-File-Path': '/recordings/caller--r1.wav', variable_record_ms: '4321' }); };

test('a message that ends after the switch was read, and before its call is taken over, has its end told once', async () => {
  const identity = Buffer.from(identityText('caller', 'other', { v: 4, dialled: '100', plan: 'p', startedAt: 0, step: 's', place: 'recording', recording: 'caller--r1', n: 1 })).toString('base64url');
  const dump = JSON.stringify({ 'Unique-ID': 'caller', 'Answer-State': 'answered', variable_fd_identity: identity, variable_fd_recording: 'caller--r1' });
  let isRecorded = true;
  answer = ({ line }) => {
    if (line === 'api hash_dump db fd_claim') return apiResponse('D/fd_claim_caller/other\n');
    if (line.startsWith('api uuid_dump caller')) return apiResponse(dump);
    if (line.startsWith('api uuid_buglist caller')) return apiResponse(isRecorded ? '<media-bugs><media-bug><target>/recordings/caller--r1.wav</target></media-bug></media-bugs>' : '<media-bugs></media-bugs>');
    return line === 'api uuid_getvar caller record_ms' ? apiResponse('4321') : undefined;
  };
  const snapshot = await driver.snapshot();
  expect(snapshot.calls).toMatchObject([{ callId: 'caller', recordings: ['caller--r1'] }]);
  isRecorded = false;
  // nobody's yet
  messageStops();
  await heard();
  await driver.adopt('caller', snapshot);
  expect(told).toContain('RecordingFinished caller--r1');
  // it may come late as well
  messageStops();
  offer('the very last');
  await until(() => told.includes('offered the very last'), { describe: 'the next is offered' });
  expect(told.filter((each) => each.includes('caller'))).toEqual(['RecordingFinished caller--r1']);
});

test('two who are marked for a bridge are seen in it once the switch was asked to connect them', async () => {
  let connected = false;
  answer = ({ line }) => {
    if (line === 'api hash_dump db fd_claim') return apiResponse('D/fd_claim_caller/test\n');
    if (line === 'api hash_dump db fd_leg') return apiResponse('D/fd_leg_caller--l1/caller@1\n');
    const [, leg] = /^api uuid_dump (\S+) json/.exec(line) ?? [];
    if (leg === undefined) return undefined;
    return apiResponse(JSON.stringify({ 'Unique-ID': leg, 'Answer-State': 'answered', variable_fd_bridge: 'caller--b2', ...(connected ? { variable_bridge_uuid: 'caller--l1' } : {}) }));
  };
  expect((await driver.snapshot()).calls).toMatchObject([{ callId: 'caller', legs: [{ legId: 'caller--l1' }], bridges: [] }]);
  connected = true;
  expect((await driver.snapshot()).calls).toMatchObject([{ bridges: [{ bridgeId: 'caller--b2', legIds: ['caller', 'caller--l1'] }] }]);
});
