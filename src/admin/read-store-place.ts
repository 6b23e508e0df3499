import { resolve } from 'node:path';
import { OperatorError } from '../core/errors.ts';
import { type StoreSettings, storeSettings } from '../settings/server-settings.ts';
import { EXIT } from './exit-codes.ts';

const EMBEDDED = 'embedded:';

/**
 * A store as an operator names one: `settings`, `embedded:FILE` or `mongodb://[USER@]HOST:PORT[,…]/DATABASE[?replicaSet=…&passwordFile=…&tls=true&ca=…]`.
 * A password is never among it.
 */
export function readStorePlace(text: string, ofSettings: StoreSettings): StoreSettings {
  if (text === 'settings') return ofSettings;
  if (text.startsWith(EMBEDDED) && text.length > EMBEDDED.length)
    return { kind: 'embedded', file: resolve(text.slice(EMBEDDED.length)) };
  const match = /^mongodb:\/\/(?:([^@/?]*)@)?([^/?@]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(text);
  if (match === null) throw refusal('expected settings, embedded:FILE or mongodb://HOST:PORT/DATABASE');
  const [, user, hosts = '', database = '', query = ''] = match;
  if (user?.includes(':') === true)
    throw refusal('a password has no place on a command line: name its file, with ?passwordFile=FILE');
  const parsed = storeSettings.safeParse({
    kind: 'mongo',
    hosts: hosts.split(','),
    ...(database === '' ? {} : { database: decodeURIComponent(database) }),
    ...(user === undefined ? {} : { user: decodeURIComponent(user) }),
    ...optionsIn(query),
  });
  if (parsed.success) return parsed.data;
  throw refusal(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

function optionsIn(query: string): Record<string, string | boolean> {
  const options: Record<string, string | boolean> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'replicaSet') options['replica_set'] = value;
    else if (name === 'passwordFile') options['password_file'] = resolve(value);
    else if (name === 'ca') options['ca'] = resolve(value);
    else if (name === 'tls' && /^(true|false)$/.test(value)) options['tls'] = value === 'true';
    else throw refusal('expected replicaSet, passwordFile, tls=true and ca behind the question mark, and nothing else');
  }
  return options;
}

/** Does not repeat what was given: somebody may have put a password into it. */
function refusal(why: string): OperatorError {
  return new OperatorError(`cannot tell which store is meant: ${why}`, { exitCode: EXIT.usage });
}

/** Without user and options. */
export function nameOfPlace(place: StoreSettings): string {
  return place.kind === 'embedded'
    ? `${EMBEDDED}${place.file}`
    : `mongodb://${place.hosts.join(',')}/${place.database}`;
}
