import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { makeAuthority, makeServerCertificate } from '../../../src/crypto/certificates.ts';
import { freePort } from '../../support/free-port.ts';
import { DOWNLOADER, FRED, fillOriginal, originalFolder } from '../../support/original.ts';
import { penguindome } from '../../support/penguindome.ts';
import { type Installed, installServer } from '../../support/server-program.ts';
import { temporaryPlace, withDatabase } from '../../support/stores.ts';
import { realRandom } from '../../support/world.ts';

export const PASSWORD = 'hunter2';
export const IN_THE_CLEAR = 'letmein';
export const API_KEY = 'AIza-geolocation';

export interface Site extends Installed {
  original: string;
  /** the original's, whose certificate `ca` vouches for */
  port: number;
  plainPort: number;
  ca: string;
  mongo: { url: string; database: string };
  migrate(...args: string[]): ReturnType<typeof penguindome>;
}

/** One for all tests of a file: RSA keys take their time. */
let certificate: ReturnType<typeof makeCertificate> | undefined;

async function makeCertificate() {
  const world = { now: new Date(), random: realRandom };
  const authority = await makeAuthority(world, 'original');
  return { authority, server: await makeServerCertificate(world, authority, ['127.0.0.1']) };
}

/** A server that was just set up, and beside it an original installation with everything that one can have. */
export async function siteWithOriginal(t: ExecutionContext): Promise<Site> {
  const place = await temporaryPlace(t, 'mongo standalone');
  const { mongo, settings } = place;
  if (mongo === undefined || settings.kind !== 'mongo') throw new Error('there is no mongod');
  await withDatabase(mongo, async (db) => {
    await fillOriginal(db);
    await db.command({ createUser: 'pd', pwd: PASSWORD, roles: ['readWrite'] });
  });
  t.teardown(() => withDatabase(mongo, (db) => db.command({ dropUser: 'pd' })));
  const installed = await installServer(t);
  const [port, plainPort, local] = [await freePort(), await freePort(), await freePort()];
  const original = await originalFolder(t, {
    server: serverSettings({ port, plainPort, local, host: settings.hosts[0] ?? '', name: mongo.database }),
    client: CLIENT,
  });
  const cert = join(original, 'var/ssl-cert-1');
  await mkdir(cert, { recursive: true });
  certificate ??= makeCertificate();
  const { authority, server } = await certificate;
  await writeFile(join(cert, 'server.crt'), server.certificate);
  await writeFile(join(cert, 'server.key'), server.key);
  return {
    ...installed,
    localUrl: `http://127.0.0.1:${local}`,
    original,
    port,
    plainPort,
    ca: authority.certificate,
    mongo,
    migrate: (...args) => penguindome(['--config', installed.config, 'migrate', ...args]),
  };
}

interface Numbers {
  port: number;
  plainPort: number;
  local: number;
  host: string;
  name: string;
}

const serverSettings = ({ port, plainPort, local, host, name }: Numbers) => `# by hand, over the years
port:
  ${port}: {ssl: {certificate: var/ssl-cert-1/server.crt, key: var/ssl-cert-1/server.key}, threaded: no}
  ${plainPort}: {deprecated: yes}
threaded: yes
local_port: ${local}
database:
  host: [${host}]
  name: ${name}
  username: pd
  password: ${PASSWORD}
  socket_timeout: 7
logging:
  handler: syslog
  level: WARNING
  syslog: {facility: user, host: log.example.org}
audit_cron: {enabled: yes, email: admins@example.org}
secret_keeping: {enabled: no}
users: {fred: ${FRED}, eve: ${IN_THE_CLEAR}}
groups: {server_admins: [fred]}
server_auth:
  download_release:
    ipranges: [127.0.0.1, 192.168.4.0/24, nowhere]
    users: fred
    passwords: {download_user: ${DOWNLOADER}}
  pipe_create: {groups: [server_admins]}
house_rule: 3
`;

const CLIENT = `server_url: https://mdm.example.org
geolocation_api_key: ${API_KEY}
schedule: {collect_interval: 5, submit_interval: 1}
logging: {handler: syslog, facility: user, level: debug}
ssl: {ca_path: client/cacert.pem}
`;

export const settingsText = ({ config }: Pick<Site, 'config'>) => readFile(config, 'utf8');
