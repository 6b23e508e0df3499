import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { messageOf, OperatorError } from '../core/errors.ts';
import { certificatesOf, type TlsFiles } from '../settings/port-certificates.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { PemPair } from './port-certificates.ts';

/** A port as it is to be opened, its certificates read. */
export interface PortSpec {
  /** as the operator knows it: `8443`, `local` */
  name: string;
  port: number;
  host?: string;
  /** one at least; plain HTTP where absent */
  tls?: PemPair[];
  deprecated: boolean;
  local: boolean;
}

/** @throws OperatorError for a certificate or key that cannot be read, or that do not belong together */
export async function readPorts(settings: Pick<ServerSettings, 'ports' | 'local_port'>): Promise<PortSpec[]> {
  const outside = await Promise.all(
    settings.ports.map(async ({ port, host, tls, deprecated }) => ({
      name: String(port),
      port,
      ...(host === undefined ? {} : { host }),
      ...(tls === false ? {} : { tls: await Promise.all(certificatesOf(tls).map(readCertificate)) }),
      deprecated,
      local: false,
    })),
  );
  return [...outside, { name: 'local', port: settings.local_port, host: '127.0.0.1', deprecated: false, local: true }];
}

/** @throws OperatorError */
export async function readCertificate({ certificate, key }: TlsFiles): Promise<PemPair> {
  const [cert, secret] = await Promise.all([read(certificate), read(key)]);
  try {
    createSecureContext({ cert, key: secret });
  } catch (cause) {
    throw new OperatorError(`cannot use the certificate ${certificate} with the key ${key}: ${messageOf(cause)}`, {
      exitCode: 3,
      cause,
    });
  }
  return { cert, key: secret };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new OperatorError(`cannot read ${file}: ${messageOf(cause)}`, { exitCode: 3, cause });
  }
}
