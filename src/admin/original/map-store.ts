import { resolve } from 'node:path';
import type { StoreSettings } from '../../settings/server-settings.ts';
import type { Section } from './section.ts';

export interface OriginalStore {
  settings: Extract<StoreSettings, { kind: 'mongo' }>;
  /** never shown, never a setting: it goes to a file of its own */
  password?: string;
}

const DEFAULT_NAME = 'penguindome';
const DEFAULT_HOST = 'localhost';
const SCHEME = 'mongodb://';

/** Where the original's data is. Absent keys are as the original has them: a mongod of this machine, without a user. */
export function mapStore(server: Section, dir: string): OriginalStore {
  const database = server.below('database');
  const url = readUrls(database, database.texts('host') ?? [DEFAULT_HOST]);
  const port = database.text('port');
  const user = database.text('username') ?? database.text('user') ?? url.user;
  const password = database.text('password') ?? url.password;
  const replicaSet = database.text('replicaset') ?? url.replicaSet;
  const ca = database.text('ssl_ca_certs') ?? database.text('ssl_ca_file');
  const tls = database.flag('ssl') ?? database.flag('tls') ?? url.tls ?? ca !== undefined;
  const hosts = url.hosts.map((host) => (port === undefined || hasPort(host) ? host : `${host}:${port}`));
  const name = database.text('name') ?? DEFAULT_NAME;
  database.rest('the connection to MongoDB has no such setting here');
  return {
    settings: {
      kind: 'mongo',
      hosts,
      ...(replicaSet === undefined ? {} : { replica_set: replicaSet }),
      database: name,
      ...(user === undefined ? {} : { user }),
      tls,
      ...(ca === undefined ? {} : { ca: resolve(dir, ca) }),
    },
    ...(user === undefined || password === undefined ? {} : { password }),
  };
}

interface Url {
  hosts: string[];
  user?: string;
  password?: string;
  replicaSet?: string;
  tls?: boolean;
}

/** pymongo takes a host, host:port, several of them behind commas, and whole URLs. */
function readUrls(database: Section, given: string[]): Url {
  const read: Url = { hosts: [] };
  for (const one of given) {
    if (!one.includes('://')) read.hosts.push(...one.split(',').map((host) => host.trim()));
    else if (!one.startsWith(SCHEME)) database.wrong('host', 'hosts; the hosts behind mongodb+srv:// must be named');
    else if (!readUrl(one.slice(SCHEME.length), read)) database.wrong('host', 'a MongoDB URL that can be read');
  }
  return read;
}

/** Only what it says of hosts, user, replica set and TLS counts. */
function readUrl(text: string, into: Url): boolean {
  const match = /^(?:([^:@/]+)(?::([^@/]*))?@)?([^@/?]+)(?:\/[^?]*)?(?:\?(.*))?$/.exec(text);
  if (match === null) return false;
  const [, user, password, hosts = '', query = ''] = match;
  try {
    if (user !== undefined) into.user = decodeURIComponent(user);
    if (password !== undefined) into.password = decodeURIComponent(password);
  } catch {
    return false;
  }
  into.hosts.push(...hosts.split(','));
  const options = new URLSearchParams(query);
  const set = options.get('replicaSet');
  if (set !== null) into.replicaSet = set;
  const tls = options.get('tls') ?? options.get('ssl');
  if (tls !== null) into.tls = tls === 'true';
  return true;
}

function hasPort(host: string): boolean {
  return /:\d+$/.test(host.replace(/^\[[^\]]*\]/, ''));
}
