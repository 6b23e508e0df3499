import { X509Certificate } from 'node:crypto';
import { messageOf } from '../core/errors.ts';
import type { Clock } from '../core/world.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { readCertificate } from './port-settings.ts';

/** One thing that the server needs, tried out: rejects with what is wrong. */
export interface Trial {
  /** what for, as the operator calls it */
  what: string;
  try: () => Promise<unknown>;
}

/**
 * Whether the server would start.
 * @returns every problem, one line each; none: it would
 */
export async function checkConfig(
  settings: Pick<ServerSettings, 'ports'>,
  { trials, clock }: { trials: Trial[]; clock: Clock },
): Promise<string[]> {
  const certificates = settings.ports.flatMap(({ port, tls }) =>
    tls === false ? [] : [{ what: `port ${port}`, try: () => checkCertificate(tls, clock.now()) }],
  );
  const problems: string[] = [];
  for (const trial of [...certificates, ...trials]) {
    await trial.try().catch((error: unknown) => problems.push(`${trial.what}: ${messageOf(error)}`));
  }
  return problems;
}

async function checkCertificate(files: { certificate: string; key: string }, now: Date): Promise<void> {
  const { cert } = await readCertificate(files);
  const certificate = new X509Certificate(cert);
  if (new Date(certificate.validTo) <= now) {
    throw new Error(`cannot use ${files.certificate}: it expired on ${certificate.validTo}`);
  }
  if (new Date(certificate.validFrom) > now) {
    throw new Error(`cannot use ${files.certificate}: it is not valid before ${certificate.validFrom}`);
  }
}
