// Turns the templates in freeswitch/ into a configuration directory. A template value is written @NAME@; an unknown one throws,
// so that a template and this file cannot drift.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LocalStackError } from './errors.ts';

export interface FreeSwitchValues {
  readonly etcDir: string;
  /** Where the switch sees `etcDir`, if that is another folder for it. */
  readonly seenAs?: string;
  readonly logDir: string;
  readonly recordingsDir: string;
  /** Of prompts that the switch itself has. */
  readonly soundsDir: string;
  readonly systemName: string;
  readonly logLevel: 'warning' | 'info' | 'debug';
  /** `from`: a list of addresses that the switch knows by itself (loopback.auto, rfc1918.auto) or networks, with commas. */
  readonly esl: { readonly bind: string; readonly port: number; readonly password: string; readonly from?: string };
  /** Phones and carriers; over TLS at the next port. `external`: what those outside are told, where that is another address. */
  readonly sip: { readonly bind: string; readonly port: number; readonly external?: string };
  readonly rtp: { readonly from: number; readonly to: number };
}

const safe = /^[A-Za-z0-9._:/,-]+$/;

/**
 * Writes every template of `templateDir`, filled in, to `values.etcDir` (mode 0600: there is a password in it). Throws
 * LocalStackError: a value that cannot be written, or a folder.
 */
export const renderFreeSwitch = (templateDir: string, values: FreeSwitchValues): void => {
  const table: Readonly<Record<string, string>> = {
    LOG_DIR: values.logDir,
    LOG_LEVEL: values.logLevel,
    RECORDINGS_DIR: values.recordingsDir,
    SOUNDS_DIR: values.soundsDir,
    SCRIPTS_DIR: join(values.seenAs ?? values.etcDir, 'scripts'),
    SYSTEM_NAME: values.systemName,
    ESL_BIND: values.esl.bind,
    ESL_PORT: String(values.esl.port),
    ESL_PASSWORD: values.esl.password,
    ESL_FROM: values.esl.from ?? 'loopback.auto',
    SIP_BIND: values.sip.bind,
    SIP_PORT: String(values.sip.port),
    SIP_TLS_PORT: String(values.sip.port + 1),
    SIP_EXTERNAL: values.sip.external ?? values.sip.bind,
    RTP_START: String(values.rtp.from),
    RTP_END: String(values.rtp.to),
  };
  for (const [name, value] of Object.entries(table)) {
    if (safe.test(value)) continue;
    throw new LocalStackError('bad-option', `${name}${name === 'ESL_PASSWORD' ? '' : ` is ${JSON.stringify(value)}; it`} may hold letters, digits, and . _ : / , - only.`);
  }
  for (const name of readdirSync(templateDir, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(xml|lua)$/.test(file))) {
    const text = readFileSync(join(templateDir, name), 'utf8').replaceAll(/@([A-Z_]+)@/g, (_, key: string) => {
      const value = table[key];
      if (value === undefined) throw new Error(`${name} asks for @${key}@, which render-freeswitch.ts does not know`);
      return value;
    });
    const file = join(values.etcDir, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { mode: 0o600 });
  }
};
