import { resolve } from 'node:path';
import { OperatorError } from '../core/errors.ts';
import { oneOf, readAny, readText, readYes } from './answer-readers.ts';
import type { Ask } from './asker.ts';
import type { Output } from './context.ts';
import { EXIT } from './exit-codes.ts';
import type { MongoAnswers, SetupAnswers, SetupFlags } from './setup-answers.ts';

/** Where reports are kept: one file here, or a MongoDB. */
export async function askStore(flags: SetupFlags, output: Output, ask: Ask): Promise<SetupAnswers['store']> {
  const implied = flags.store ?? (flags.mongoHost === undefined ? undefined : 'mongo');
  const kind = await ask(
    'Store: embedded (one file here) or mongo?',
    '--store',
    implied,
    'embedded',
    oneOf('embedded', 'mongo'),
  );
  if (kind === 'embedded') {
    refuseMongoFlags(flags);
    return kind;
  }
  const hosts =
    flags.mongoHost ??
    (
      await ask('MongoDB hosts (host:port, more with commas)?', '--mongo-host', undefined, 'localhost:27017', readText)
    ).split(/[,\s]+/);
  const replicaSet = await ask(
    'Name of the replica set (empty: none)?',
    '--mongo-replica-set',
    flags.mongoReplicaSet,
    '',
    readAny,
  );
  const database = await ask('Name of the database?', '--mongo-database', flags.mongoDatabase, 'penguindome', readText);
  const user = await ask('User of the database (empty: none)?', '--mongo-user', flags.mongoUser, '', readAny);
  const password = user === '' ? undefined : await askPassword(flags, output);
  const tls = await askMongoTls(flags, ask);
  return {
    hosts,
    ...(replicaSet === '' ? {} : { replicaSet }),
    database,
    ...(user === '' ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** What was said of MongoDB must not be forgotten in silence. */
function refuseMongoFlags(flags: SetupFlags): void {
  const given = Object.entries({
    '--mongo-host': flags.mongoHost,
    '--mongo-replica-set': flags.mongoReplicaSet,
    '--mongo-database': flags.mongoDatabase,
    '--mongo-user': flags.mongoUser,
    '--mongo-password-file': flags.mongoPasswordFile,
    '--mongo-tls': flags.mongoTls,
    '--mongo-ca': flags.mongoCa,
  }).find(([, value]) => value !== undefined);
  if (given === undefined) return;
  const why = flags.store === undefined ? 'without --store mongo' : `together with --store ${flags.store}`;
  throw new OperatorError(`cannot use ${given[0]} ${why}`, { exitCode: EXIT.usage });
}

async function askPassword(flags: SetupFlags, output: Output): Promise<MongoAnswers['password']> {
  if (flags.mongoPasswordFile !== undefined) return { file: resolve(flags.mongoPasswordFile) };
  // with --yes the password is to come as a credential of the service
  if (flags.yes === true) return undefined;
  const text = await output.ask('Password of that user (empty: passed as the credential mongo-password)?', {
    flag: '--mongo-password-file',
    secret: true,
  });
  return text === '' ? undefined : { text };
}

async function askMongoTls(flags: SetupFlags, ask: Ask): Promise<MongoAnswers['tls']> {
  const given = flags.mongoTls === true || flags.mongoCa !== undefined ? 'yes' : undefined;
  const wanted = await ask('TLS to MongoDB?', '--mongo-tls', given, 'no', readYes);
  if (!wanted) return undefined;
  const question = 'File of the CA that signed its certificate (PEM; empty: one that the system trusts)?';
  const ca = await ask(question, '--mongo-ca', flags.mongoCa, '', readAny);
  return ca === '' ? {} : { ca: resolve(ca) };
}
