import { readFile } from 'node:fs/promises';
import { MongoClient, type MongoClientOptions, ReadConcern, ReadConcernLevel } from 'mongodb';
import { messageOf, OperatorError } from '../../core/errors.ts';
import type { StoreSettings } from '../../settings/server-settings.ts';
import { type Collections, collectionsOf } from './collections.ts';
import { isNotPermitted } from './errors.ts';
import { ALWAYS, type Primary, watchPrimary } from './primary.ts';
import { HEARTBEAT, OPERATION_TIMEOUT, SELECTION_TIMEOUT } from './timeouts.ts';

export type MongoSettings = Extract<StoreSettings, { kind: 'mongo' }>;

export interface Connection {
  client: MongoClient;
  primary: Primary;
  /** a replica set: reads of one moment are possible */
  replicaSet: boolean;
  collections: Collections;
}

export async function connect(settings: MongoSettings, password: string | undefined): Promise<Connection> {
  const { client, primary } = await logIn(settings, password);
  try {
    const { setName } = await client.db('admin').command({ hello: 1 });
    const replicaSet = typeof setName === 'string';
    // On a standalone every read is of what is there. In a set, a read must not show what a fail-over may still undo:
    // a repeated acknowledgement would promise what was never kept.
    const db = client.db(settings.database, { ...(replicaSet && { readConcern: new ReadConcern('majority') }) });
    return { client, primary: replicaSet ? primary : ALWAYS, replicaSet, collections: collectionsOf(db) };
  } catch (error) {
    await client.close();
    throw error;
  }
}

type LoggedIn = Pick<Connection, 'client' | 'primary'>;

/** Users of an original installation are the database's own, most others belong to `admin`: one of them fits. */
async function logIn(settings: MongoSettings, password: string | undefined): Promise<LoggedIn> {
  const options = await clientOptions(settings);
  const { user } = settings;
  if (user === undefined) return open(settings, options);
  if (password === undefined) {
    throw new OperatorError(`cannot log in to the database as ${user}: there is no password; set store.password_file`);
  }
  const auth = { username: user, password };
  try {
    return await open(settings, { ...options, auth, authSource: settings.database });
  } catch (error) {
    if (!isNotPermitted(error)) throw error;
    return open(settings, { ...options, auth, authSource: 'admin' });
  }
}

async function open(settings: MongoSettings, options: MongoClientOptions): Promise<LoggedIn> {
  const client = new MongoClient(urlOf(settings), options);
  const { meta } = collectionsOf(client.db(settings.database));
  const primary = watchPrimary(client, () =>
    meta.findOne({ _id: 'store' }, { readConcern: ReadConcernLevel.linearizable, maxTimeMS: SELECTION_TIMEOUT }),
  );
  try {
    await client.connect();
  } catch (error) {
    await client.close();
    throw error;
  }
  return { client, primary };
}

function urlOf({ hosts }: MongoSettings): string {
  return `mongodb://${hosts.join(',')}/`;
}

async function clientOptions(settings: MongoSettings): Promise<MongoClientOptions> {
  return {
    appName: 'penguindome',
    serverSelectionTimeoutMS: SELECTION_TIMEOUT,
    connectTimeoutMS: SELECTION_TIMEOUT,
    heartbeatFrequencyMS: HEARTBEAT,
    waitQueueTimeoutMS: OPERATION_TIMEOUT,
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: OPERATION_TIMEOUT },
    // A standalone cannot tell a write that comes twice, so that nothing relies on it; and a set keeps a record of each write for it.
    retryWrites: false,
    ignoreUndefined: true,
    ...(settings.replica_set !== undefined && { replicaSet: settings.replica_set }),
    ...(settings.tls && { tls: true }),
    ...(settings.ca !== undefined && { ca: await readCa(settings.ca) }),
  };
}

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new OperatorError(`cannot read store.ca: ${messageOf(cause)}`, { cause });
  }
}
