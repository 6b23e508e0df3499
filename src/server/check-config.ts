import { X509Certificate } from 'node:crypto';
import { messageOf } from '../core/errors.ts';
import type { Clock } from '../core/world.ts';
import { certificatesOf, type TlsFiles } from '../settings/port-certificates.ts';
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
 * @returns every problem, one line each (none: it would), and what it would start with but should not
 */
export async function checkConfig(
  settings: Pick<ServerSettings, 'ports'>,
  { trials, clock }: { trials: Trial[]; clock: Clock },
): Promise<{ problems: string[]; remarks: string[] }> {
  const remarks: string[] = [];
  const certificates = settings.ports.flatMap(({ port, tls }) =>
    certificatesOf(tls).map((files) => ({
      what: `port ${port}`,
      try: () => checkCertificate(port, files, { clock, remarks }),
    })),
  );
  const problems: string[] = [];
  for (const trial of [...certificates, ...trials]) {
    await trial.try().catch((error: unknown) => problems.push(`${trial.what}: ${messageOf(error)}`));
  }
  return { problems, remarks };
}

async function checkCertificate(
  port: number,
  files: TlsFiles,
  { clock, remarks }: { clock: Clock; remarks: string[] },
): Promise<void> {
  const { cert } = await readCertificate(files);
  const { validFrom, validTo } = new X509Certificate(cert);
  const now = clock.now();
  const wrong =
    new Date(validTo) <= now
      ? `expired on ${validTo}`
      : new Date(validFrom) > now
        ? `is not valid before ${validFrom}`
        : undefined;
  if (wrong !== undefined) remarks.push(`port ${port}: ${files.certificate} ${wrong}: no agent will trust it`);
}
