import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { days } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import { type CertificateFacts, certificateFacts, type Signer } from '../crypto/server-certificate.ts';
import { certificatesOf, type TlsFiles } from '../settings/port-certificates.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { AdminContext } from './context.ts';
import { isPublic, type PortSettings, portName } from './find-port.ts';
import { signerHere } from './provide-certificate.ts';
import { showTime } from './show-time.ts';

/** `penguindome ports list`: where the server listens, by its settings, and what it shows there. */
export function portsList(context: AdminContext): Command {
  return new Command('list')
    .description('the ports in the settings: TLS or not, their certificates, and which are deprecated')
    .addHelpText('after', EXAMPLES)
    .action(() => listPorts(context));
}

const EXAMPLES = `
A port with several certificates shows the first one to whoever asks for none of the names of the others.

Examples:
  penguindome ports list
  penguindome ports list --json | jq -r '.ports[].certificates[] | .fingerprint + " " + .ends'`;

type ListedCertificate = TlsFiles & (({ signed_by: Signer } & CertificateFacts) | { problem: string });

interface ListedPort {
  port: number;
  /** null: all addresses of the machine */
  address: string | null;
  tls: boolean;
  deprecated: boolean;
  /** whether public_url tells agents to come here */
  public: boolean;
  certificates: ListedCertificate[];
}

async function listPorts(context: AdminContext): Promise<void> {
  const settings = await context.settings();
  const ports = await Promise.all(settings.ports.map((port) => listed(settings, port)));
  if (context.output.wantsJson) {
    context.output.json({ public_url: settings.public_url, ports });
    return;
  }
  context.output.table(
    ['PORT', 'STATE', 'SUBJECT', 'NAMES', 'ENDS', 'ISSUER', 'FINGERPRINT'],
    ports.flatMap((port) => rowsOf(port, context.clock.now())),
  );
}

async function listed(settings: ServerSettings, port: PortSettings): Promise<ListedPort> {
  return {
    port: port.port,
    address: port.host ?? null,
    tls: port.tls !== false,
    deprecated: port.deprecated,
    public: isPublic(settings, port),
    certificates: await Promise.all(certificatesOf(port.tls).map((files) => describe(settings, files))),
  };
}

async function describe(settings: ServerSettings, files: TlsFiles): Promise<ListedCertificate> {
  try {
    const pem = await readFile(files.certificate, 'utf8');
    return { ...files, signed_by: await signerHere(settings, pem), ...certificateFacts(pem) };
  } catch (error) {
    return { ...files, problem: messageOf(error) };
  }
}

function rowsOf(port: ListedPort, now: Date): string[][] {
  const marks = [
    port.tls ? 'TLS' : 'plain',
    ...(port.public ? ['in public_url'] : []),
    ...(port.deprecated ? ['deprecated'] : []),
  ];
  const head = [
    portName({ port: port.port, ...(port.address === null ? {} : { host: port.address }) }),
    marks.join(', '),
  ];
  if (port.certificates.length === 0) return [[...head, '-', '-', '-', '-', '-']];
  return port.certificates.map((certificate, index) => [
    ...(index === 0 ? head : ['', 'also']),
    ...('problem' in certificate
      ? [`cannot be read: ${certificate.problem}`, '-', '-', '-', '-']
      : [
          certificate.subject,
          certificate.names.join(', '),
          showEnd(certificate.ends, now),
          certificate.signed_by === 'itself' ? 'itself' : certificate.issuer,
          certificate.fingerprint,
        ]),
  ]);
}

/** When the audit opens `expiring-certificate`. */
const SOON = days(7);

function showEnd(ends: Date, now: Date): string {
  const left = ends.getTime() - now.getTime();
  return `${showTime(ends)}${left <= 0 ? ' (ended)' : left <= SOON ? ' (soon)' : ''}`;
}
