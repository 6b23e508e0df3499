import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const OPENSSL = '/usr/bin/openssl';

export const hasOpenssl = existsSync(OPENSSL);

/**
 * A certificate as openssl makes it.
 * @param by files of the CA; signed by itself where absent
 * @returns the files, and what openssl was told of the key: `ec` or `rsa`
 */
export async function opensslCertificate(
  folder: string,
  {
    name,
    kind,
    names,
    by,
    usage = 'serverAuth',
  }: {
    name: string;
    kind: 'ec' | 'rsa';
    names: readonly string[];
    by?: { certificate: string; key: string };
    usage?: string;
  },
): Promise<{ certificate: string; key: string }> {
  const files = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const request = join(folder, `${name}.csr`);
  const extensions = join(folder, `${name}.ext`);
  const alternatives = names.map((each) => `DNS:${each}`).join(',');
  await writeFile(
    extensions,
    `subjectAltName=${alternatives}\nextendedKeyUsage=${usage}\nbasicConstraints=critical,CA:FALSE\n`,
  );
  const key = kind === 'ec' ? ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'] : ['rsa:2048'];
  const subject = ['-subj', `/CN=${names[0] ?? name}`];
  await run(OPENSSL, ['req', '-new', '-newkey', ...key, '-nodes', '-keyout', files.key, ...subject, '-out', request]);
  const signer = by === undefined ? ['-signkey', files.key] : ['-CA', by.certificate, '-CAkey', by.key];
  const serial = ['-set_serial', String(Date.now())];
  const dates = ['-days', '90', '-sha256'];
  await run(OPENSSL, [
    ...['x509', '-req', '-in', request, ...signer, ...serial, ...dates],
    ...['-extfile', extensions, '-out', files.certificate],
  ]);
  return files;
}
