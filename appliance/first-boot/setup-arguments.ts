import type { Answers } from './answers.ts';

/** What `penguindome setup` is told. @param passwordFile holds MongoDB's, where there is one */
export function setupArguments(
  { host_name, names, addresses, port, public_url, store }: Answers,
  passwordFile: string,
): string[] {
  const all = [host_name, ...names, ...addresses.map((address) => address.split('/')[0] ?? '')];
  return [
    '--yes',
    ...[...new Set(all)].flatMap((name) => ['--host-name', name]),
    ...['--port', String(port)],
    ...(public_url === undefined ? [] : ['--public-url', public_url]),
    ...(store === 'embedded' ? ['--store', 'embedded'] : mongoArguments(store.mongo, passwordFile)),
  ];
}

function mongoArguments(
  { hosts, replica_set, database, user, password }: Exclude<Answers['store'], 'embedded'>['mongo'],
  passwordFile: string,
): string[] {
  const given = (flag: string, value: string | undefined) => (value === undefined ? [] : [flag, value]);
  return [
    ...['--store', 'mongo'],
    ...hosts.flatMap((host) => ['--mongo-host', host]),
    ...given('--mongo-replica-set', replica_set),
    ...given('--mongo-database', database),
    ...given('--mongo-user', user),
    ...given('--mongo-password-file', password === undefined ? undefined : passwordFile),
  ];
}
