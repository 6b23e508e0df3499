import { join } from 'node:path';
import { OperatorError } from '../../core/errors.ts';
import { keyFits } from '../../crypto/certificates.ts';
import type { FileOwner } from '../../settings/atomic-write.ts';
import { readIfThere, writeNew } from '../ensure-files.ts';
import { EXIT } from '../exit-codes.ts';
import type { OriginalPort } from './map-ports.ts';
import { readSmall } from './read-inside.ts';
import type { Planned } from './steps.ts';

export interface TakenPort {
  port: number;
  deprecated: boolean;
  tls: false | { certificate: string; key: string };
}

/** Copies of the certificates that the original's ports have, beside those of the site's CA. */
export async function planCertificates(
  ports: readonly OriginalPort[],
  { folder, owner }: { folder: string; owner: FileOwner },
): Promise<Planned & { ports: TakenPort[] }> {
  const planned: Planned & { ports: TakenPort[] } = { steps: [], remarks: [], ports: [] };
  for (const { port, deprecated, tls } of ports) {
    if (tls === false) {
      planned.ports.push({ port, deprecated, tls });
      continue;
    }
    const files = { certificate: join(folder, `original-${port}.crt`), key: join(folder, `original-${port}.key`) };
    const given = await readPair(port, tls);
    const there = { certificate: await readIfThere(files.certificate), key: await readIfThere(files.key) };
    const whole = there.certificate !== undefined && there.key !== undefined && fits(there.certificate, there.key);
    if (whole && there.certificate !== given.certificate) {
      planned.remarks.push(`${files.certificate} is not what ${tls.certificate} is now: it stays as it is`);
    }
    planned.ports.push({ port, deprecated, tls: files });
    planned.steps.push({
      what: `certificate of port ${port}`,
      path: files.certificate,
      needed: !whole,
      // the key first: a certificate without one would look as if it could be used
      run: async () => {
        await writeNew(files.key, given.key, 0o600, owner);
        await writeNew(files.certificate, given.certificate, 0o644, owner);
      },
    });
  }
  return planned;
}

/** Wherever they lie: the settings name them, and /etc/letsencrypt is an ordinary place. */
async function readPair(
  port: number,
  files: { certificate: string; key: string },
): Promise<{ certificate: string; key: string }> {
  const pair = { certificate: await readSmall(files.certificate), key: await readSmall(files.key) };
  if (!fits(pair.certificate, pair.key)) {
    throw new OperatorError(
      `cannot take over port ${port}: ${files.key} is no PEM key of the certificate in ${files.certificate}; nothing was changed`,
      { exitCode: EXIT.notSetUp },
    );
  }
  return pair;
}

function fits(certificate: string, key: string): boolean {
  try {
    return keyFits(certificate, key);
  } catch {
    return false;
  }
}
