import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { classOf } from '../../../../src/agent/collectors/protection/certificates.ts';
import { protection } from '../../../../src/agent/collectors/protection/index.ts';
import { days } from '../../../../src/core/duration.ts';
import { whenPresent } from '../../../support/needs.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { look } from '../look.ts';

const run = promisify(execFile);
const real = whenPresent(existsSync('/usr/bin/openssl'), 'openssl');

/** A certificate that openssl makes, valid from now on. */
async function certificate(t: ExecutionContext, valid: number): Promise<string> {
  const file = join(await scratchFolder(t), 'x.pem');
  const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout /dev/null -days ${valid} -out ${file}`;
  await run('/usr/bin/openssl', args.split(' '));
  return readFile(file, 'utf8');
}

real(
  'certificates that end within two weeks, or have ended, are told by file; bundles, links and keys are not',
  async (t) => {
    const [year, week] = [await certificate(t, 365), await certificate(t, 7)];
    const files = {
      '/etc/ssl/server.pem': year,
      '/etc/ssl/soon.crt': `${week}${year}`,
      '/etc/ssl/private/key.pem': '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n',
      '/etc/ssl/certs/ca-certificates.crt': week.repeat(200),
      '/usr/share/ca-certificates/old.crt': week,
      '/etc/ssl/certs/old.pem': '-> ../../../usr/share/ca-certificates/old.crt',
      '/etc/letsencrypt/archive/example.org/cert3.pem': week,
      '/etc/letsencrypt/live/example.org/cert.pem': '-> ../../archive/example.org/cert3.pem',
      '/etc/letsencrypt/live/README': 'nothing',
      '/etc/pki/tls/certs/localhost.crt': year,
      '/etc/ssl/openssl.cnf': week,
    };
    const soon = (path: string) => ({ path, class: 'soon' });
    t.like(await look(t, protection, files), {
      certificates: {
        checked: 4,
        expiring: [soon('/etc/letsencrypt/live/example.org/cert.pem'), soon('/etc/ssl/soon.crt')],
      },
    });
  },
);

real('the class changes twice in the life of a certificate', async (t) => {
  const text = await certificate(t, 30);
  const at = (after: number) => classOf(text, new Date(Date.now() + days(after)));
  t.deepEqual([0, 1, 15, 17, 29, 31, 900].map(at), ['valid', 'valid', 'valid', 'soon', 'soon', 'expired', 'expired']);
});

for (const text of [
  undefined,
  '',
  'x',
  '-----BEGIN CERTIFICATE-----\nMIIB',
  '-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----',
  '\u0000\uFFFD',
]) {
  test(`"${text?.slice(0, 40)}" is no certificate`, (t) => {
    t.is(classOf(text, new Date()), undefined);
  });
}
