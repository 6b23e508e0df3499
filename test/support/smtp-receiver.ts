import { readFile } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

/** What a receiver does with one message. `late`: it takes it, and the connection breaks before it has said so. */
export type Behaviour = 'take' | 'later' | 'never' | 'cut' | 'late' | 'hang';

export interface ReceivedMail {
  from: string;
  to: string[];
  raw: string;
  messageId: string;
  secure: boolean;
  user: string | undefined;
}

export interface SmtpReceiver {
  port: number;
  /** all that it took */
  mails: ReceivedMail[];
  /** how many messages reached it, taken or not */
  tried(): number;
  /** what it does with the messages to come */
  behave(next: () => Behaviour): void;
}

/** A real SMTP server on 127.0.0.1, gone after the test. */
export async function smtpReceiver(
  t: ExecutionContext,
  options: {
    tls?: { certificate: string; key: string };
    /** TLS from the start; else STARTTLS */
    implicit?: boolean;
    auth?: { user: string; password: string };
    /** addresses that it does not know */
    unknown?: string[];
  } = {},
): Promise<SmtpReceiver> {
  const mails: ReceivedMail[] = [];
  const sockets = new Map<number | undefined, Socket>();
  let next: () => Behaviour = () => 'take';
  let tried = 0;
  const { tls, auth } = options;
  const server = new SMTPServer({
    secure: options.implicit === true,
    ...(tls && { cert: await readFile(tls.certificate, 'utf8'), key: await readFile(tls.key, 'utf8') }),
    disabledCommands: [...(tls === undefined ? ['STARTTLS'] : []), ...(auth === undefined ? ['AUTH'] : [])],
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth: ({ username, password }, _session, callback) =>
      username === auth?.user && password === auth?.password
        ? callback(null, { user: username ?? '' })
        : callback(refusal(535, 'wrong password')),
    onRcptTo: ({ address }, _session, callback) =>
      options.unknown?.includes(address) === true ? callback(refusal(550, 'nobody here')) : callback(),
    async onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of stream) chunks.push(chunk);
      } catch {
        // the sender broke off
        return;
      }
      tried += 1;
      const mail = mailOf(Buffer.concat(chunks).toString('utf8'), session);
      const behaviour = next();
      if (behaviour === 'take' || behaviour === 'late') mails.push(mail);
      if (behaviour === 'take') callback(null, 'taken');
      else if (behaviour === 'later') callback(refusal(451, 'try again later'));
      else if (behaviour === 'never') callback(refusal(554, 'not wanted'));
      else if (behaviour !== 'hang') sockets.get(session.remotePort)?.destroy();
    },
  });
  // A connection that breaks is what the test is about.
  server.on('error', () => {});
  server.server.on('connection', (socket: Socket) => {
    sockets.set(socket.remotePort, socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    for (const socket of sockets.values()) socket.destroy();
    await new Promise<void>((resolve) => server.close(resolve));
  });
  return {
    port: portOf(server.server.address()),
    mails,
    tried: () => tried,
    behave(wanted) {
      next = wanted;
    },
  };
}

export function portOf(address: string | AddressInfo | null): number {
  if (typeof address !== 'object' || address === null) throw new TypeError('expected a port');
  return address.port;
}

function mailOf(raw: string, { envelope, secure, user }: SMTPServerSession): ReceivedMail {
  return {
    from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
    to: envelope.rcptTo.map(({ address }) => address),
    raw,
    messageId: /^Message-ID: (.+)$/im.exec(raw)?.[1]?.trim() ?? '',
    secure,
    user,
  };
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}
