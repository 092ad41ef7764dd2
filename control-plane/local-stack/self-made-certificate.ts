// A certificate for SIP over TLS that nobody but us has signed, so that the switch can speak TLS from its first start.
// Node has no call that makes one, and not every host has openssl: this writes X.509 v3 (RFC 5280 section 4.1) in DER.
// A clinic whose phones check certificates puts its own in the same files.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import type { TlsFiles } from './render.ts';

const VALID_YEARS = 10;

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
// RFC 5280 section 4.1.2.5: UTCTime up to 2049
const time = (date: Date): Buffer => der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

const OID = { ecdsaWithSha256: hex('06082a8648ce3d040302'), commonName: hex('0603550403'), subjectAltName: hex('0603551d11') };

/** PEM of an ECDSA P-256 key and of its certificate for this IPv4 address (or for localhost alone). */
const makeCertificate = (address: string): { key: string; certificate: string } => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(OID.ecdsaWithSha256);
  const name = sequence(der(0x31, sequence(OID.commonName, der(0x0c, Buffer.from(`Frontdesk ${address}`)))));
  const from = new Date(Date.now() - 24 * 3600_000);
  const to = new Date(from);
  to.setUTCFullYear(from.getUTCFullYear() + VALID_YEARS);
  // An address as a name too: FreeSWITCH compares no others.
  const names = sequence(der(0x82, Buffer.from('localhost')), ...(isIPv4(address) ? [der(0x87, Buffer.from(address.split('.').map(Number))), der(0x82, Buffer.from(address))] : []));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), der(0x02, serial), algorithm, name, sequence(time(from), time(to)), name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(OID.subjectAltName, der(0x04, names)))),
  );
  const signature = sign('sha256', body, privateKey);
  const whole = sequence(body, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
};

/** In `dir`: `sip.crt` and `sip-key.pem` (as `.key` the switch would take it for one of its own), made where they are missing, and the authorities Node trusts, with `more` of them (PEM). */
export const ensureTlsFiles = (dir: string, address: string, port: number, more: readonly string[]): TlsFiles => {
  const files: TlsFiles = { port, certificate: join(dir, 'sip.crt'), key: join(dir, 'sip-key.pem'), authorities: join(dir, 'authorities.crt') };
  if (!existsSync(files.certificate) || !existsSync(files.key)) {
    const made = makeCertificate(address);
    writeFileSync(files.key, made.key, { mode: 0o600 });
    writeFileSync(files.certificate, made.certificate, { mode: 0o600 });
  }
  writeFileSync(files.authorities, [...rootCertificates, ...more].join('\n'), { mode: 0o600 });
  return files;
};
