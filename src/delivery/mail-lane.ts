import { connect, type Socket } from 'node:net';
import { createTransport, type SMTPTransportOptions } from 'nodemailer';
import { type Milliseconds, seconds } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import type { Clock } from '../core/world.ts';
import type { SmtpSettings } from '../settings/delivery-settings.ts';
import { escapeLine } from './escape.ts';
import { DeliveryFailed } from './failure.ts';
import type { Lane } from './lane.ts';
import type { Templates } from './load-templates.ts';
import { type MailMessage, mailMessage } from './mail-message.ts';
import { readCa } from './read-ca.ts';

export interface MailDeps {
  settings: SmtpSettings;
  password: string | undefined;
  templates: Templates;
  server: string;
  timeout: Milliseconds;
  clock: Clock;
}

type OpenSocket = Exclude<NonNullable<SMTPTransportOptions['getSocket']>, false>;

const PORTS = { starttls: 587, implicit: 465, none: 25 } as const;

/** Each mail on a connection of its own: one that broke takes no other along. */
export async function mailLane(deps: MailDeps): Promise<Lane> {
  const { settings, server, templates, clock } = deps;
  const transport = await transportOptions(deps);
  return {
    atOnce: 1,
    send: (entries, { test, signal }) => {
      const message = mailMessage(templates, entries, { from: settings.from, server, test });
      return sendMail(transport, message, { from: settings.from, date: clock.now(), timeout: deps.timeout, signal });
    },
  };
}

async function transportOptions({ settings, password, timeout }: MailDeps): Promise<SMTPTransportOptions> {
  const { host, port, tls, user } = settings;
  const ca = await readCa(settings.ca);
  return {
    host,
    port: port ?? PORTS[tls],
    secure: tls === 'implicit',
    ...(tls === 'starttls' ? { requireTLS: true } : {}),
    ...(tls === 'none' ? { ignoreTLS: true } : {}),
    ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password } }),
    tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
    // ours ends first, and says so
    connectionTimeout: timeout * 2,
    greetingTimeout: timeout * 2,
    socketTimeout: timeout * 2,
    // What a mail holds is text of ours; nothing in it may make nodemailer open a file or a URL.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** nodemailer's own limits are of silence; a server that goes on saying something would get round them. */
async function sendMail(
  transport: SMTPTransportOptions,
  { to, subject, text, html, messageId }: MailMessage,
  { from, date, timeout, signal }: { from: string; date: Date; timeout: Milliseconds; signal: AbortSignal },
): Promise<void> {
  const over = AbortSignal.timeout(timeout);
  const stop = AbortSignal.any([signal, over]);
  const connection = socketUntil(stop, { host: transport.host ?? '', port: Number(transport.port) });
  const transporter = createTransport({ ...transport, getSocket: connection.open });
  try {
    const sending = transporter.sendMail({
      from: { name: 'PenguinDome', address: from },
      to: { name: '', address: to },
      ...{ subject, text, html, messageId, date },
      // RFC 3834: nobody's holiday message is to answer
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    await Promise.race([sending, stopped(stop)]);
    connection.leave();
  } catch (error) {
    connection.end();
    if (over.aborted) throw new DeliveryFailed(`no answer within ${timeout / 1000} s`, { unreachable: true });
    throw explain(error);
  } finally {
    transporter.close();
  }
}

interface Connection {
  open: OpenSocket;
  /** Lets nodemailer take its leave, which a server is glad of; nobody waits for that. */
  leave(): void;
  end(): void;
}

const PARTING = seconds(2);

/** The connection is ours, so that it can be ended at any time. */
function socketUntil(stop: AbortSignal, server: { host: string; port: number }): Connection {
  let socket: Socket | undefined;
  const end = () => void socket?.destroy(new Error('it was interrupted'));
  stop.addEventListener('abort', end, { once: true });
  return {
    open(_options, callback) {
      const opened = connect(server);
      socket = opened;
      const failed = (error: Error) => callback(error);
      opened.once('error', failed);
      opened.once('connect', () => {
        opened.off('error', failed);
        // until nodemailer listens, and after it has left
        opened.on('error', () => {});
        callback(null, { connection: opened });
      });
      if (stop.aborted) end();
    },
    leave() {
      stop.removeEventListener('abort', end);
      socket?.unref();
      setTimeout(end, PARTING).unref();
    },
    end() {
      stop.removeEventListener('abort', end);
      end();
    },
  };
}

function stopped(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const reason = () => reject(new DeliveryFailed('it was interrupted'));
    if (stop.aborted) reason();
    else stop.addEventListener('abort', reason, { once: true });
  });
}

/** What the mail server says of one address or mail is about that one; anything else is about the server. */
function explain(error: unknown): DeliveryFailed {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  const ofOne = code === 'EENVELOPE' || code === 'EMESSAGE';
  return new DeliveryFailed(escapeLine(messageOf(error)), { unreachable: !ofOne, cause: error });
}
