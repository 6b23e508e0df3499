import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { days } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import type { AuditDeps, PortCertificate } from './audit-deps.ts';
import type { Changes } from './changes.ts';
import { raise } from './raise.ts';

const NAME = 'expiring-certificate';
const NOTICE = days(7);

/**
 * Raises `expiring-certificate` for each port of the server whose certificate, or one of its chain, ends within 7 days. It looks at them anew at
 * each run, so that one that an operator closed opens again: what helps is another certificate, or `issues snooze`.
 * @returns what could not be read; the issues of those ports stay as they are
 */
export async function findExpiring(deps: AuditDeps, at: Date, changes: Changes): Promise<string[]> {
  const problems: string[] = [];
  const expiring = new Map<string, Date>();
  const untold = new Set<string>();
  for (const { port, file } of deps.certificates) {
    const hostname = `server-port-${port}`;
    try {
      const end = await endOf(file);
      if (end.getTime() - at.getTime() <= NOTICE) expiring.set(hostname, at);
    } catch (error) {
      untold.add(hostname);
      problems.push(`cannot tell when the certificate of port ${port} ends: ${file}: ${messageOf(error)}`);
    }
  }
  await raise(deps, NAME, expiring, at, changes, untold);
  return problems;
}

async function endOf(file: PortCertificate['file']): Promise<Date> {
  const blocks = (await readFile(file, 'utf8')).match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g);
  if (blocks === null) throw new TypeError('it holds no certificate in PEM');
  return new Date(Math.min(...blocks.map((pem) => Date.parse(new X509Certificate(pem).validTo))));
}
