/**
 * What a driver and a real FreeSWITCH said to each other in one scenario, in the order in which it was said, as lines of JSON. An
 * event and a dump have what differs from the one before of the same channel. Addresses, ids and folders are others than they were.
 */
export type Line =
  /** What the scenario did: a caller dials, a phone answers. */
  | { readonly act: string }
  /** A command of the driver, without what ends it. `@id1@` is an id that the driver makes up. */
  | { readonly sent: string }
  /** To the command that is the `to`th. */
  | { readonly to: number; readonly of: 'api' | 'command'; readonly reply: string }
  | { readonly to: number; readonly dump: Delta }
  /** To the `on`th who has asked for events. */
  | { readonly on: number; readonly event: Delta };

/** `of` the channel; what differs, and what is there no more. */
export interface Delta {
  readonly of: string;
  readonly has: Readonly<Record<string, unknown>>;
  readonly lacks?: readonly string[];
}

export type Headers = Readonly<Record<string, unknown>>;

/** Of no use to anybody who reads a script, and another each time. */
const noise = /^(?:Event-(?:Date|Calling|Sequence)|FreeSWITCH-|Core-UUID$|variable_.*(?:sdp|rtp_|_usec$|_epoch$|_stamp$|sec$))/;

export function deltas(): { readonly take: (headers: Headers) => Delta; readonly give: (delta: Delta) => Headers } {
  const last = new Map<string, Headers>();
  const channelOf = (headers: Headers): string => (typeof headers['Unique-ID'] === 'string' ? headers['Unique-ID'] : '');
  return {
    take: (headers) => {
      const of = channelOf(headers);
      const before = last.get(of) ?? {};
      const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !noise.test(name)));
      last.set(of, kept);
      const lacks = Object.keys(before).filter((name) => !Object.hasOwn(kept, name));
      const has = Object.fromEntries(Object.entries(kept).filter(([name, value]) => JSON.stringify(before[name]) !== JSON.stringify(value)));
      return { of, has, ...(lacks.length === 0 ? {} : { lacks }) };
    },
    give: ({ of, has, lacks = [] }) => {
      const headers = { ...Object.fromEntries(Object.entries(last.get(of) ?? {}).filter(([name]) => !lacks.includes(name))), ...has };
      last.set(of, headers);
      return headers;
    },
  };
}

/** `folders`: by what each is called instead. */
export function madeHarmless(lines: readonly Line[], folders: Readonly<Record<string, string>>): readonly Line[] {
  const text = JSON.stringify(lines);
  const others = new Map(Object.entries(folders));
  const number = (pattern: RegExp, named: (n: number) => string): void => {
    const found = new Set([...text.matchAll(pattern)].flatMap((match) => match[1] ?? []));
    for (const [n, was] of [...found].entries()) if (!others.has(was)) others.set(was, named(n + 1));
  };
  // those that the driver makes up, by the commands that name them, which say who has it in hand, and the second in which it asks for a leg
  number(/(?:(?:Job|Event)-UUID: |CUSTOM frontdesk::|fd_hand[ =]|insert\/fd_leg\/[^"@]+@)([\w-]+)/g, (n) => `@id${n}@`);
  number(/([\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12})/g, (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);
  number(/\b(127\.\d+\.\d+\.\d+)\b/g, (n) => `192.0.2.${n}`);
  const harmless = (one: string): string => [...others].reduce((read, [was, is]) => read.replaceAll(was, is), one);
  // what a leg is, and of which call, is written in base64
  const identity = (written: string): string => Buffer.from(harmless(Buffer.from(written, 'base64url').toString())).toString('base64url');
  return JSON.parse(harmless(text).replaceAll(/\beyJ[\w-]{10,}/g, identity)) as readonly Line[];
}
