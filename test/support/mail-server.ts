/** A mail server that takes everything and shows it. */
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

interface Mail {
  readonly to: readonly string[];
  /** Headers and body, as they were sent. */
  readonly text: string;
}

export interface MailServer {
  readonly url: string;
  readonly port: number;
  readonly mails: readonly Mail[];
  stop(): Promise<void>;
}

export function startMailServer(port = 0): Promise<MailServer> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, done) {
      let text = '';
      stream.on('data', (part: Buffer) => { text += part.toString(); });
      stream.on('end', () => {
        mails.push({ to: session.envelope.rcptTo.map((to: { address: string }) => to.address), text });
        done();
      });
    },
  });
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => {
      const at = (server.server.address() as AddressInfo).port;
      resolve({ url: `smtp://127.0.0.1:${at}`, port: at, mails, stop: () => new Promise((stopped) => { server.close(() => { stopped(); }); }) });
    });
  });
}
