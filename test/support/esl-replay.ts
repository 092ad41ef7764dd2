/**
 * An event socket that says what a real one said in a scenario, in the order in which it was said (esl-script.ts): whatever was
 * said before must have been said again, by the scenario and by the driver. A command that was not sent then is a problem.
 */
import type { Socket } from 'node:net';
import { apiResponse, commandReply, jsonEvent, recorded, startEslServer, type EslCommand } from './esl-server.ts';
import { deltas, type Line } from './esl-script.ts';

export interface EslReplay {
  readonly url: string;
  readonly act: (what: string) => void;
  /** The first that went another way than it did when it was captured. */
  problem(): string | undefined;
  /** What is waited for; undefined once everything was said. */
  awaited(): string | undefined;
  /** Ends every connection; the next are taken. */
  cut(): void;
  close(): Promise<void>;
}

interface Given {
  readonly socket: Socket;
  /** Undefined until the script has come to its reply. */
  reply?: string | Uint8Array;
}

export async function startEslReplay(script: readonly Line[]): Promise<EslReplay> {
  const commands = script.flatMap((line) => ('sent' in line ? [line.sent] : []));
  const acts = new Map<string, number>();
  const given = new Map<number, Given>();
  /** Per connection, in the order of the commands: so are the replies. */
  const unanswered = new Map<Socket, Given[]>();
  const listeners: Socket[] = [];
  const ids = new Map<string, string>();
  const { give } = deltas();
  let [at, commandsPassed, running] = [0, 0, false];
  let problem: string | undefined;

  /** With the ids that the driver has made up in place of those it made up then. */
  const said = (text: string): string => text.replaceAll(/@id\d+@/g, (id) => ids.get(id) ?? id);

  /** Whether it is the command, whatever ids the driver makes up in it. */
  function isSaid(captured: string, sent: string): boolean {
    const names = [...captured.matchAll(/@id\d+@/g)].map(([id]) => id);
    const pattern = said(captured).split(/@id\d+@/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join(String.raw`([\w-]+)`);
    const match = new RegExp(`^${pattern}$`).exec(sent);
    if (match === null) return false;
    for (const [place, id] of names.filter((name) => !ids.has(name)).entries()) ids.set(id, match[place + 1] ?? '');
    return true;
  }

  function answer(command: EslCommand, socket: Socket): null {
    const { line, headers } = command;
    const mine = unanswered.get(socket) ?? [];
    unanswered.set(socket, mine);
    const one: Given = { socket };
    mine.push(one);
    if (line.startsWith('sendevent ')) {
      for (const listener of listeners) if (listener.writable) listener.write(jsonEvent({ 'Event-Name': 'CUSTOM', ...headers }));
      one.reply = recorded('a mark');
      flush(socket);
      return null;
    }
    const sent = [line, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\n');
    const place = commands.findIndex((captured, number) => !given.has(number) && isSaid(captured, sent));
    if (place < 0) {
      problem ??= `The driver sends ${JSON.stringify(sent)}, which it did not send${commands.some((captured) => isSaid(captured, sent)) ? ' as often' : ''} when this was captured`;
      one.reply = line.startsWith('api ') ? apiResponse('-ERR not captured\n') : commandReply('-ERR not captured');
      flush(socket);
      return null;
    }
    given.set(place, one);
    if (line.startsWith('event ')) listeners.push(socket);
    void goOn();
    return null;
  }

  function flush(socket: Socket): void {
    const mine = unanswered.get(socket) ?? [];
    for (let [first] = mine; first?.reply !== undefined; [first] = mine) {
      if (socket.writable) socket.write(first.reply);
      mine.shift();
    }
  }

  /** Whether it was said: by us, when all before it was. */
  function say(line: Line): boolean {
    if ('act' in line) {
      const times = acts.get(line.act) ?? 0;
      if (times > 0) acts.set(line.act, times - 1);
      return times > 0;
    }
    if ('sent' in line) {
      if (!given.has(commandsPassed)) return false;
      commandsPassed += 1;
      return true;
    }
    if ('event' in line) {
      const socket = listeners[line.on];
      const event = jsonEvent(JSON.parse(said(JSON.stringify(give(line.event)))) as object);
      if (socket?.writable === true) socket.write(event);
      return true;
    }
    const one = given.get(line.to);
    if (one === undefined) throw new Error(`There is a reply before its command, the ${line.to}th.`);
    if ('dump' in line) one.reply = apiResponse(said(JSON.stringify(give(line.dump))));
    else one.reply = line.of === 'api' ? apiResponse(said(line.reply)) : commandReply(said(line.reply));
    flush(one.socket);
    return true;
  }

  async function goOn(): Promise<void> {
    if (running) return;
    running = true;
    for (let line = script[at]; line !== undefined && say(line); line = script[at]) {
      at += 1;
      // whoever listens has read one before the next is said
      for (let turns = 0; turns < 3; turns += 1) await new Promise((resolve) => { setImmediate(resolve); });
    }
    running = false;
  }

  const server = await startEslServer({ answer });
  return {
    url: server.url,
    act: (what) => {
      acts.set(what, (acts.get(what) ?? 0) + 1);
      void goOn();
    },
    problem: () => problem,
    awaited: () => {
      const line = script[at];
      return line === undefined ? undefined : `“${'act' in line ? line.act : 'sent' in line ? line.sent.split('\n').slice(0, 3).join(' ') : 'nothing'}”`;
    },
    cut: () => {
      for (const socket of server.sockets) socket.destroy();
    },
    close: () => server.stop(),
  };
}
