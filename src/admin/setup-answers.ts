import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { OperatorError } from '../core/errors.ts';
import { isHostname } from '../core/host.ts';
import {
  oneOf,
  readDuration,
  readHostName,
  readLevel,
  readMail,
  readPort,
  readText,
  readUrl,
  readYes,
} from './answer-readers.ts';
import { askStore } from './ask-store.ts';
import { type Ask, asker, check } from './asker.ts';
import type { Output } from './context.ts';
import { EXIT } from './exit-codes.ts';

/** What `penguindome setup` was given on its command line; everything else is asked, or takes its default with `--yes`. */
export interface SetupFlags {
  dir?: string;
  yes?: true;
  hostName?: string[];
  port?: string;
  localPort?: string;
  /** `--tls` true, `--no-tls` false */
  tls?: boolean;
  certificate?: string;
  certificateKey?: string;
  store?: string;
  mongoHost?: string[];
  mongoReplicaSet?: string;
  mongoDatabase?: string;
  mongoUser?: string;
  mongoPasswordFile?: string;
  mongoTls?: true;
  mongoCa?: string;
  publicUrl?: string;
  audit?: boolean;
  mail?: string;
  collectInterval?: string;
  submitInterval?: string;
  logLevel?: string;
  /** `--v1 FILE`: the original clients' public key; true without a file */
  v1?: string | true;
}

export interface MongoAnswers {
  hosts: string[];
  replicaSet?: string;
  database: string;
  user?: string;
  /** absolute; or the password itself, to be put into a file */
  password?: { file: string } | { text: string };
  /** ca: absolute; without it those count that the system trusts */
  tls?: { ca?: string };
}

export interface SetupAnswers {
  hostNames: string[];
  port: number;
  localPort: number;
  tls: 'made' | 'none' | { certificate: string; key: string };
  store: 'embedded' | MongoAnswers;
  publicUrl: string;
  audit: boolean;
  mail?: string;
  collectInterval: string;
  submitInterval: string;
  logLevel: string;
  v1: false | { clientKeyFrom?: string };
}

/** Asks for what the flags do not say. @throws OperatorError where a flag's value will not do, naming the flag */
export async function askSetup(flags: SetupFlags, output: Output): Promise<SetupAnswers> {
  const ask = asker(flags, output);
  const hostNames = flags.hostName ?? [
    await ask(
      'Host name by which agents reach this server?',
      '--host-name',
      undefined,
      hostNameOf(flags.publicUrl) ?? defaultHostName(),
      readHostName,
    ),
  ];
  for (const name of hostNames) check(readHostName, name, '--host-name');
  const port = await ask('Port for agents?', '--port', flags.port, '8443', readPort);
  const tls = await askTls(flags, ask);
  const localPort = await ask(
    'Port on 127.0.0.1 for health checks?',
    '--local-port',
    flags.localPort,
    '5000',
    readPort,
  );
  const store = await askStore(flags, output, ask);
  const presetUrl = urlOf(tls === 'none' ? 'http' : 'https', hostNames[0] ?? 'localhost', port);
  const publicUrl = await ask('URL that agents connect to?', '--public-url', flags.publicUrl, presetUrl, readUrl);
  const audit = await ask('Run the audit of issues?', '--audit or --no-audit', yesNo(flags.audit), 'yes', readYes);
  if (!audit && flags.mail !== undefined)
    throw new OperatorError('cannot use --mail together with --no-audit', { exitCode: EXIT.usage });
  const mail = audit
    ? await ask('Mail address for what the audit says (empty: none)?', '--mail', flags.mail, '', readMail)
    : '';
  const collectInterval = await ask(
    'How often do agents collect?',
    '--collect-interval',
    flags.collectInterval,
    '10m',
    readDuration,
  );
  const submitInterval = await ask(
    'How often do agents submit?',
    '--submit-interval',
    flags.submitInterval,
    '1m',
    readDuration,
  );
  const logLevel = await ask('Log level (debug, info, warn, error)?', '--log-level', flags.logLevel, 'info', readLevel);
  return {
    hostNames,
    port,
    localPort,
    tls,
    store,
    publicUrl,
    audit,
    ...(mail === '' ? {} : { mail }),
    collectInterval,
    submitInterval,
    logLevel,
    v1: flags.v1 === undefined ? false : flags.v1 === true ? {} : { clientKeyFrom: resolve(flags.v1) },
  };
}

async function askTls(flags: SetupFlags, ask: Ask): Promise<SetupAnswers['tls']> {
  const { certificate, certificateKey } = flags;
  if ((certificate === undefined) !== (certificateKey === undefined)) {
    throw new OperatorError('cannot use --certificate without --certificate-key, nor the other way round', {
      exitCode: EXIT.usage,
    });
  }
  if (certificate !== undefined && certificateKey !== undefined) {
    if (flags.tls === false)
      throw new OperatorError('cannot use --certificate together with --no-tls', { exitCode: EXIT.usage });
    return { certificate: resolve(certificate), key: resolve(certificateKey) };
  }
  const given = flags.tls === undefined ? undefined : flags.tls ? 'made' : 'none';
  const question = 'TLS: with a certificate made here (made), with one of your own (own), or without (none)?';
  const kind = await ask(question, '--tls, --no-tls or --certificate', given, 'made', oneOf('made', 'own', 'none'));
  if (kind !== 'own') return kind === 'none' ? 'none' : 'made';
  return {
    certificate: resolve(
      await ask('File of the certificate (PEM, with its chain)?', '--certificate', undefined, '', readText),
    ),
    key: resolve(await ask("File of the certificate's key (PEM)?", '--certificate-key', undefined, '', readText)),
  };
}

function yesNo(flag: boolean | undefined): string | undefined {
  return flag === undefined ? undefined : flag ? 'yes' : 'no';
}

/** Without the brackets of an IPv6 address. @returns undefined where there is no URL, or none that can be read */
export function hostNameOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : undefined;
}

function defaultHostName(): string {
  const name = hostname();
  return isHostname(name) ? name : 'localhost';
}

/** Without a scheme's own port, as clients write it. A port that is chosen at start (0) gives no URL. */
function urlOf(scheme: 'http' | 'https', name: string, port: number): string {
  if (port === 0) return '';
  // RFC 3986 section 3.2.2: an IPv6 address stands in brackets
  const host = name.includes(':') ? `[${name}]` : name;
  return `${scheme}://${host}${port === (scheme === 'http' ? 80 : 443) ? '' : `:${port}`}`;
}
