/**
 * The audio of a SIPp party. SIPp signals, this process speaks and listens: the party's SDP names a socket here.
 * So a test can play any tone, press a key now, and hear what really arrived.
 *
 * RTP is RFC 3550, G.711 µ-law (payload type 0), keys RFC 4733 (payload type 101, as every SDP in test/sipp says).
 */
import { createSocket, type Socket } from 'node:dgram';
import { randomInt } from 'node:crypto';
import { muLawDecode, muLawEncode, SAMPLE_RATE, toneSamples } from './tone.ts';

const FRAME_MS = 20;
const FRAME = (SAMPLE_RATE * FRAME_MS) / 1_000;
const EVENT_TYPE = 101;
const KEYS = '0123456789*#ABCD';
/** What is remembered of the sound heard. */
const MEMORY_MS = 60_000;
const KEY_MS = 100;
const GAP_MS = 80;

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface HeardKey {
  readonly key: string;
  readonly at: number;
}

/** One direction each way with one far end. */
export interface AudioStream {
  /** From now on: a tone in Hz, or 'silence' (packets of silence, as a phone in a quiet room sends). */
  play(sound: number | 'silence'): void;
  /** Resolves when the last key is up; keys are sent one after the other, the sound pauses meanwhile. */
  press(keys: string): Promise<void>;
  /** The sound of the last `ms`, by arrival; empty when nothing came. */
  heard(ms: number): Int16Array;
  /** Sound that arrived since performance.now() was `since`. */
  heardSince(since: number): Int16Array;
  readonly keys: readonly HeardKey[];
  readonly packets: { readonly sent: number; readonly received: number };
  stop(): void;
}

export interface AudioSocket {
  readonly host: string;
  readonly port: number;
  /** The stream with the far end at `remote`, begun when first asked for. */
  stream(remote: Address): AudioStream;
  close(): Promise<void>;
}

interface Listening {
  readonly frames: { readonly at: number; readonly samples: Int16Array }[];
  readonly keys: HeardKey[];
  lastEvent: number;
  received: number;
}

const listenTo = (table: Map<string, Listening>, id: string): Listening => {
  const known = table.get(id);
  if (known !== undefined) return known;
  const fresh: Listening = { frames: [], keys: [], lastEvent: -1, received: 0 };
  table.set(id, fresh);
  return fresh;
};

const take = (listening: Listening, packet: Buffer): void => {
  if (packet.length < 12 || (packet.readUInt8(0) & 0xc0) !== 0x80) return;
  const type = packet.readUInt8(1) & 0x7f;
  const extension = (packet.readUInt8(0) & 0x10) === 0 ? 0 : 1;
  const contributors = 12 + 4 * (packet.readUInt8(0) & 0x0f);
  const payload = packet.subarray(contributors + (extension === 0 ? 0 : 4 + 4 * packet.readUInt16BE(contributors + 2)));
  const at = performance.now();
  listening.received += 1;
  if (type === 0) {
    listening.frames.push({ at, samples: muLawDecode(payload) });
    while (listening.frames[0] !== undefined && listening.frames[0].at < at - MEMORY_MS) listening.frames.shift();
  } else if (type === EVENT_TYPE && payload.length >= 4) {
    // every packet of one key press carries the same timestamp
    const stamp = packet.readUInt32BE(4);
    if (stamp === listening.lastEvent) return;
    listening.lastEvent = stamp;
    listening.keys.push({ key: KEYS[payload.readUInt8(0)] ?? '?', at });
  }
};

const speak = (socket: Socket, remote: Address, listening: Listening, onStop: () => void): AudioStream => {
  const source = randomInt(2 ** 31);
  let sequence = randomInt(2 ** 15);
  let stamp = randomInt(2 ** 30);
  let sent = 0;
  let sound: number | 'silence' = 'silence';
  let tonePosition = 0;
  let begun = performance.now();
  let frames = 0;
  let timer: NodeJS.Timeout | undefined;
  const presses: { readonly event: number; frame: number; stamp: number; readonly done: () => void }[] = [];

  const send = (type: number, marker: boolean, at: number, payload: Uint8Array): void => {
    const head = Buffer.alloc(12);
    head.writeUInt8(0x80, 0);
    head.writeUInt8(type | (marker ? 0x80 : 0), 1);
    head.writeUInt16BE(sequence & 0xffff, 2);
    head.writeUInt32BE(at >>> 0, 4);
    head.writeUInt32BE(source, 8);
    sequence += 1;
    sent += 1;
    socket.send(Buffer.concat([head, payload]), remote.port, remote.host, () => undefined);
  };
  /** RFC 4733 2.5: repeated while the key is down, its end three times. */
  const pressFrame = (): boolean => {
    const press = presses[0];
    if (press === undefined) return false;
    if (press.frame === 0) press.stamp = stamp;
    const last = KEY_MS / FRAME_MS;
    press.frame += 1;
    const ended = press.frame >= last;
    const payload = Buffer.from([press.event, (ended ? 0x80 : 0) | 10, 0, 0]);
    payload.writeUInt16BE(Math.min(press.frame, last) * FRAME, 2);
    if (press.frame < last) send(EVENT_TYPE, press.frame === 1, press.stamp, payload);
    if (press.frame === last) for (let copy = 0; copy < 3; copy += 1) send(EVENT_TYPE, false, press.stamp, payload);
    if (press.frame >= last + GAP_MS / FRAME_MS) {
      presses.shift();
      press.done();
    }
    return true;
  };
  const frame = (): void => {
    if (!pressFrame()) {
      send(0, sent === 0, stamp, muLawEncode(sound === 'silence' ? new Int16Array(FRAME) : toneSamples(sound, tonePosition, FRAME)));
      tonePosition += FRAME;
    }
    stamp += FRAME;
  };
  // paced by the clock, not by counting ticks: a late tick sends what is due, but no burst after a long stall
  const tick = (): void => {
    const due = Math.floor((performance.now() - begun) / FRAME_MS) + 1;
    if (due - frames > 10) {
      begun = performance.now();
      frames = 0;
      return;
    }
    for (; frames < due; frames += 1) frame();
  };
  timer = setInterval(tick, FRAME_MS / 2);
  tick();

  const heardSince = (since: number): Int16Array => {
    const parts = listening.frames.filter(({ at }) => at >= since).map(({ samples }) => samples);
    const all = new Int16Array(parts.reduce((length, part) => length + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      all.set(part, offset);
      offset += part.length;
    }
    return all;
  };
  return {
    play: (next) => {
      sound = next;
    },
    press: async (keys) => {
      await Promise.all(
        keys.toUpperCase().split('').map((key) => {
          const event = KEYS.indexOf(key);
          if (event < 0) throw new Error(`There is no key ${JSON.stringify(key)} on a phone.`);
          return new Promise<void>((done) => {
            presses.push({ event, frame: 0, stamp: 0, done });
            if (presses.length > 1 || timer === undefined) return;
            // the key goes down now, and not with the next frame of the sound
            begun = performance.now();
            frames = 0;
            tick();
          });
        }),
      );
    },
    heard: (ms) => heardSince(performance.now() - ms),
    heardSince,
    keys: listening.keys,
    get packets() {
      return { sent, received: listening.received };
    },
    stop: () => {
      clearInterval(timer);
      timer = undefined;
      for (const press of presses.splice(0)) press.done();
      onStop();
    },
  };
};

/** A socket for audio on `host`, at a free even port. */
export const openAudio = async (host: string): Promise<AudioSocket> => {
  const socket = createSocket('udp4');
  for (let tries = 0; ; tries += 1) {
    const port = 2 * randomInt(5_000, 8_000);
    const bound = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false));
      socket.bind({ address: host, port, exclusive: true }, () => resolve(true));
    });
    socket.removeAllListeners('error');
    if (bound) break;
    if (tries > 50) throw new Error(`No free port for audio on ${host}`);
  }
  const heard = new Map<string, Listening>();
  const streams = new Map<string, AudioStream>();
  // the far end's port may be closed already; that is no fault of a test
  socket.on('error', () => undefined);
  socket.on('message', (packet, from) => take(listenTo(heard, `${from.address}:${from.port}`), packet));
  const { port } = socket.address();
  return {
    host,
    port,
    stream: (remote) => {
      const id = `${remote.host}:${remote.port}`;
      const known = streams.get(id);
      if (known !== undefined) return known;
      // the switch gives the port of a call that is over to another
      const stream = speak(socket, remote, listenTo(heard, id), () => {
        if (streams.get(id) !== stream) return;
        streams.delete(id);
        heard.delete(id);
      });
      streams.set(id, stream);
      return stream;
    },
    close: () => {
      for (const stream of streams.values()) stream.stop();
      return new Promise<void>((resolve) => {
        socket.close(() => resolve());
      });
    },
  };
};
