/** E-mail over the clinic's own SMTP server (RFC 5321), by nodemailer. */
import { hostname } from 'node:os';
import { createTransport } from 'nodemailer';

export interface Mailer {
  /** Rejects when the server did not take it. */
  send(to: readonly string[], subject: string, text: string): Promise<void>;
  close(): void;
}

const serverWithinMs = 10_000;

/** `url`: `smtp://user:password@host:port` (STARTTLS where offered) or `smtps://…`. */
export function createMailer(url: string, from = `Frontdesk <frontdesk@${hostname()}>`): Mailer {
  const parsed = new URL(url);
  const secure = parsed.protocol === 'smtps:';
  const auth = parsed.username === '' ? {} : { auth: { user: decodeURIComponent(parsed.username), pass: decodeURIComponent(parsed.password) } };
  const transport = createTransport({
    host: parsed.hostname, port: parsed.port === '' ? (secure ? 465 : 25) : Number(parsed.port), secure, ...auth,
    connectionTimeout: serverWithinMs, greetingTimeout: serverWithinMs, socketTimeout: serverWithinMs,
  });
  return {
    async send(to, subject, text) {
      await transport.sendMail({ from, to: [...to], subject, text });
    },
    close: () => { transport.close(); },
  };
}
