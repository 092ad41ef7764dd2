/**
 * The framing of the event socket: lines `Name: value`, an empty line, and then as many bytes as `Content-Length` says.
 * Semantics: mod_event_socket of FreeSWITCH 1.10 and 1.11.
 */
export interface RawFrame {
  /** By lower-case name; of two of one name the first. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes that are not UTF-8 (a Latin-1 letter out of a SIP header) are U+FFFD. Empty where there is none. */
  readonly body: string;
}

export interface FrameParser {
  /** The frames that are whole with these bytes, in order. Never throws. */
  push(bytes: Uint8Array): readonly RawFrame[];
  /** Why nothing more can be read, the place of the next frame being unknown: cut the connection. Never quotes the bytes. */
  broken(): string | undefined;
}

export interface FrameLimits {
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
}

/** No body is larger: 10,000 channels in one list are about 10 MB. */
const defaultLimits: FrameLimits = { maxHeaderBytes: 65_536, maxBodyBytes: 64 * 1024 * 1024 };
const keptBytes = 65_536;
const lf = 10;
const cr = 13;

export function createFrameParser(limits: FrameLimits = defaultLimits): FrameParser {
  let store = Buffer.allocUnsafe(keptBytes);
  let start = 0;
  let end = 0;
  /** No end of a header block is before it. */
  let looked = 0;
  let waiting: { readonly headers: ReadonlyMap<string, string>; readonly bodyBytes: number } | undefined;
  let broken: string | undefined;

  function append(bytes: Uint8Array): void {
    if (end + bytes.length > store.length) {
      const kept = end - start;
      const room = kept + bytes.length > store.length ? Buffer.allocUnsafe(2 * (kept + bytes.length)) : store;
      store.copy(room, 0, start, end);
      store = room;
      looked -= start;
      start = 0;
      end = kept;
    }
    store.set(bytes, end);
    end += bytes.length;
  }

  /** Behind the empty line that ends the headers, or undefined while that is not there. */
  function headersEnd(): number | undefined {
    while (start < end && (store[start] === lf || store[start] === cr)) start += 1;
    const seen = store.subarray(0, end);
    for (let at = seen.indexOf(lf, Math.max(looked, start)); at >= 0; at = seen.indexOf(lf, at + 1)) {
      looked = at;
      const next = seen[at + 1] === cr ? at + 2 : at + 1;
      if (next >= end) return undefined;
      if (seen[next] === lf) return next + 1;
    }
    looked = end;
    return undefined;
  }

  function next(): RawFrame | undefined {
    if (waiting === undefined) {
      const behind = headersEnd();
      if ((behind ?? end) - start > limits.maxHeaderBytes) broken = `a header block longer than ${limits.maxHeaderBytes} bytes`;
      if (behind === undefined || broken !== undefined) return undefined;
      const headers = readHeaders(store.toString('utf8', start, behind));
      const length = headers.get('content-length');
      if (length !== undefined && !/^\d{1,15}$/.test(length)) broken = 'a Content-Length that is no number';
      const bodyBytes = Number(length ?? 0);
      if (bodyBytes > limits.maxBodyBytes) broken = `a body longer than ${limits.maxBodyBytes} bytes`;
      if (broken !== undefined) return undefined;
      start = behind;
      looked = behind;
      waiting = { headers, bodyBytes };
    }
    if (end - start < waiting.bodyBytes) return undefined;
    const frame = { headers: waiting.headers, body: store.toString('utf8', start, start + waiting.bodyBytes) };
    start += waiting.bodyBytes;
    looked = start;
    waiting = undefined;
    return frame;
  }

  return {
    push: (bytes) => {
      const frames: RawFrame[] = [];
      if (broken !== undefined) return frames;
      append(bytes);
      for (let frame = next(); frame !== undefined; frame = next()) frames.push(frame);
      if (start === end || broken !== undefined) {
        [start, end, looked] = [0, 0, 0];
        // A list of all channels comes once; what it took is not kept for ever.
        if (store.length > keptBytes) store = Buffer.allocUnsafe(keptBytes);
      }
      return frames;
    },
    broken: () => broken,
  };
}

/** A line without a colon says nothing and is passed over. */
function readHeaders(block: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}
