import type { ExecutionContext } from 'ava';
import { MongoClient } from 'mongodb';
import { OperatorError } from '../../../src/core/errors.ts';
import { openStore } from '../../../src/store/open.ts';
import { whenPresent } from '../../support/needs.ts';
import { mongod, ownMongod } from '../../support/own-mongod.ts';
import { realClock, realRandom } from '../../support/world.ts';

const test = whenPresent(mongod !== undefined, 'logging in to a mongod: no mongod');
const world = { clock: realClock, random: realRandom };

async function lockedMongod(t: ExecutionContext) {
  const { settings } = await ownMongod(t, '--auth');
  const client = new MongoClient(`mongodb://${settings.hosts[0]}/?directConnection=true`);
  t.teardown(() => client.close());
  // who is on the machine may make the first user
  await client.db('admin').command({ createUser: 'root', pwd: 'root', roles: ['root'] });
  const root = new MongoClient(`mongodb://root:root@${settings.hosts[0]}/?directConnection=true`);
  t.teardown(() => root.close());
  const roles = [{ role: 'readWrite', db: settings.database }];
  await root.db(settings.database).command({ createUser: 'own', pwd: 'p@:/', roles });
  await root.db('admin').command({ createUser: 'of-admin', pwd: 'secret', roles });
  await root.db('admin').command({ createUser: 'reader', pwd: 'secret', roles: [{ role: 'read', db: 'another' }] });
  return settings;
}

test('users of the database itself and of admin log in; others are told what to look at', async (t) => {
  const settings = await lockedMongod(t);
  for (const [user, password] of [
    ['own', 'p@:/'],
    ['of-admin', 'secret'],
  ] as const) {
    const store = await openStore({ ...settings, user }, { ...world, password });
    t.is(await store.hosts.count(), 0, user);
    await store.close();
  }
  const cases: [string, object, object, RegExp][] = [
    [
      'a wrong password',
      { user: 'own' },
      { password: 'wrong' },
      /cannot use the database: .*check user, password file and roles/,
    ],
    [
      'no password',
      { user: 'own' },
      {},
      /cannot log in to the database as own: there is no password; set store.password_file/,
    ],
    ['no user', {}, {}, /cannot use the database: .*check user/],
    [
      'no right to write',
      { user: 'reader', database: 'another' },
      { password: 'secret' },
      /cannot use the database: .*roles/,
    ],
  ];
  for (const [what, user, password, message] of cases) {
    await t.throwsAsync(
      openStore({ ...settings, ...user }, { ...world, ...password }),
      { instanceOf: OperatorError, message },
      what,
    );
  }
});
