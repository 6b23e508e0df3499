import type { Answers } from './answers.ts';

/** What is MongoDB's, and lies in files of the server. */
export interface MongoFiles {
  password: string;
  ca: string;
}

/** What `penguindome setup` is told. @param files are there where the answers have what they are for */
export function setupArguments(
  { host_name, names, addresses, port, public_url, store }: Answers,
  files: MongoFiles,
): string[] {
  const all = [host_name, ...names, ...addresses.map((address) => address.split('/')[0] ?? '')];
  return [
    '--yes',
    ...[...new Set(all)].flatMap((name) => ['--host-name', name]),
    ...['--port', String(port)],
    ...(public_url === undefined ? [] : ['--public-url', public_url]),
    ...(store === 'embedded' ? ['--store', 'embedded'] : mongoArguments(store.mongo, files)),
  ];
}

function mongoArguments(
  { hosts, replica_set, database, user, password, tls, ca }: Exclude<Answers['store'], 'embedded'>['mongo'],
  files: MongoFiles,
): string[] {
  const given = (flag: string, value: string | undefined) => (value === undefined ? [] : [flag, value]);
  return [
    ...['--store', 'mongo'],
    ...hosts.flatMap((host) => ['--mongo-host', host]),
    ...given('--mongo-replica-set', replica_set),
    ...given('--mongo-database', database),
    ...given('--mongo-user', user),
    ...given('--mongo-password-file', password === undefined ? undefined : files.password),
    ...(tls === true ? ['--mongo-tls'] : []),
    ...given('--mongo-ca', ca === undefined ? undefined : files.ca),
  ];
}
