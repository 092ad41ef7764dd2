/**
 * Fills in the scenarios of test/sipp. A placeholder {{name}} alone on its line goes with its line when its value is
 * empty, since an empty line would end the headers of a SIP message.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type ScenarioName = 'uac-calls' | 'uac-registers' | 'uas-rings-until-told' | 'uas-rejects' | 'uas-says-nothing' | 'uas-answers-after-cancel'
  | 'many-callers' | 'many-callees' | 'many-over-the-trunk';
export type ScenarioValues = Readonly<Record<string, string | number>>;

/** Read and returned as Latin-1, one character a byte: a header may hold any byte at all. */
export const fillScenario = (name: ScenarioName, values: ScenarioValues): string => {
  const value = (key: string): string => {
    const found = values[key];
    if (found === undefined) throw new Error(`${name}.xml asks for {{${key}}}, which it was not given`);
    return String(found);
  };
  return readFileSync(join(import.meta.dirname, '..', 'sipp', `${name}.xml`), 'latin1')
    .replace(/^[ \t]*\{\{(\w+)\}\}[ \t]*\n/gm, (_, key: string) => (value(key) === '' ? '' : `${value(key)}\n`))
    .replace(/\{\{(\w+)\}\}/g, (_, key: string) => value(key));
};

/** SIPp's way to write a byte: its XML parser would make UTF-8 of Latin-1. */
export const bytes = (text: string): string => text.replace(/[^\x20-\x7e\r\n]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** The attributes of a recv that goes on by itself after a time; none waits for ever. */
export const timer = (afterMs: number | undefined, label: string): string => (afterMs === undefined ? '' : `timeout="${Math.max(1, Math.round(afterMs))}" ontimeout="${label}"`);
