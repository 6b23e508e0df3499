import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateAndKey, makeAuthority, makeServerCertificate } from '../../src/crypto/certificates.ts';
import { realRandom } from './world.ts';

export interface TestPki {
  authority: CertificateAndKey;
  /** Writes a new certificate for 127.0.0.1, over the one before. @returns the settings of a port's `tls` */
  issue(): Promise<{ certificate: string; key: string }>;
}

export async function testPki(folder: string, now = new Date()): Promise<TestPki> {
  const authority = await makeAuthority({ now, random: realRandom }, 'test authority');
  await mkdir(folder, { recursive: true });
  const files = { certificate: join(folder, 'server.crt'), key: join(folder, 'server.key') };
  return {
    authority,
    async issue() {
      const made = await makeServerCertificate({ now, random: realRandom }, authority, ['127.0.0.1']);
      await writeFile(files.certificate, made.certificate);
      await writeFile(files.key, made.key, { mode: 0o600 });
      return files;
    },
  };
}
