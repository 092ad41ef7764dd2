/**
 * Follows the file SIPp writes with -trace_msg. Each message is reported once, in order, a few milliseconds after
 * SIPp wrote it. The file is the proof of what went over the wire, so tests assert on it and not on SIPp's counters.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { parseSipMessage, type SipMessage } from './sip-message.ts';

export interface SipTrace {
  readonly messages: readonly SipMessage[];
  /** Reads what is new; also done every few milliseconds by itself. */
  read(): void;
  stop(): void;
}

const HEADING = /-{20,} (\d{4}-\d\d-\d\d)[ T\t]+(\d\d:\d\d:\d\d\.\d+)[^\n]*\n[A-Z]+ message (sent|received) [[(](\d+)[\])]? bytes\)? ?:\n\n/g;
const POLL_MS = 5;

export const followTrace = (file: string, onMessage: (message: SipMessage) => void): SipTrace => {
  const messages: SipMessage[] = [];
  let rest = '';
  let fd: number | undefined;
  const chunk = Buffer.alloc(256 * 1024);

  const read = (): void => {
    try {
      fd ??= openSync(file, 'r');
    } catch {
      return; // SIPp has not made it yet
    }
    for (let length = readSync(fd, chunk); length > 0; length = readSync(fd, chunk)) rest += chunk.toString('latin1', 0, length);
    for (;;) {
      HEADING.lastIndex = 0;
      const heading = HEADING.exec(rest);
      if (heading === null) return;
      const start = heading.index + heading[0].length;
      const end = start + Number(heading[4]);
      if (rest.length < end) return;
      const message = parseSipMessage(rest.slice(start, end), Date.parse(`${heading[1]}T${heading[2]}`), heading[3] === 'sent' ? 'sent' : 'received');
      rest = rest.slice(end);
      messages.push(message);
      onMessage(message);
    }
  };
  const timer = setInterval(read, POLL_MS);
  return {
    messages,
    read,
    stop: () => {
      clearInterval(timer);
      read();
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
};
