/**
 * The switch's security log (res_security_log, asterisk/logger.conf): who proved a SIP password and who did not. AMI
 * would tell the same, and cannot be had: it does not start beside what stasis.conf declines, which calls are
 * faster for (docs/decisions/0013).
 */
import { statSync } from 'node:fs';
import { open, truncate, type FileHandle } from 'node:fs/promises';
import type { SwitchLogin } from '../../switch-admin.ts';

export interface SecurityLog {
  /** What was written since the last time. Rejects when the file cannot be read. */
  read(): Promise<readonly SwitchLogin[]>;
}

/** Asterisk cuts a line at 8,192 bytes: of a longer one the end is missing, and with it the true address. */
const longestLine = 8_000;
const chunkBytes = 262_144;

/**
 * The Call-ID (SessionID) is the caller's own text and may hold `",RemoteAddress="…`. The true address comes after it;
 * what follows, Challenge and Response, has a backslash before each quote. So the last one counts.
 */
export function readSecurityLine(line: string): SwitchLogin | undefined {
  if (line.length > longestLine) return undefined;
  const [, event, endpoint] = /^\[[^\]]*\] SECURITY\[\d+\] res_security_log\.c: SecurityEvent="(ChallengeResponseFailed|SuccessfulAuth)",[^<]*?Service="PJSIP",EventVersion="1",AccountID="([^"]*)",/.exec(line) ?? [];
  if (event === undefined || endpoint === undefined) return undefined;
  const proven = event === 'SuccessfulAuth';
  if (!line.endsWith(proven ? ',UsingPassword="1"' : ',ExpectedResponse=""')) return undefined;
  const after = line.slice(line.lastIndexOf(',RemoteAddress="'));
  const address = /^,RemoteAddress="IPV[46]\/[A-Z]+\/([0-9A-Fa-f.:]+)\/\d+"/.exec(after)?.[1];
  return address === undefined ? undefined : { kind: proven ? 'proven' : 'failed', address, endpoint };
}

/** From the end the file has now. Beyond `mostBytes` it is emptied once it has been read: Asterisk appends, and goes on at the start. */
export function followSecurityLog(file: string, mostBytes = 16 * 1_048_576): SecurityLog {
  let at = sizeOf(file);
  let rest = '';
  return {
    async read() {
      const found: SwitchLogin[] = [];
      const handle = await open(file, 'r');
      try {
        const { size } = await handle.stat();
        if (size < at) [at, rest] = [0, ''];
        // far behind, only the newest matters
        if (size - at > mostBytes) [at, rest] = [size - chunkBytes, ''];
        while (at < size) {
          const text = await readText(handle, at, Math.min(chunkBytes, size - at));
          at += text.length;
          const lines = `${rest}${text}`.split('\n');
          rest = (lines.pop() ?? '').slice(-chunkBytes);
          for (const line of lines) {
            const event = readSecurityLine(line);
            if (event !== undefined) found.push(event);
          }
        }
        if (size > mostBytes) {
          await truncate(file);
          [at, rest] = [0, ''];
        }
      } finally {
        await handle.close();
      }
      return found;
    },
  };
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

/** A character a byte: the caller's text may be of any bytes, and no half of a character is lost between two reads. */
async function readText(handle: FileHandle, position: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.toString('latin1', 0, bytesRead);
}
