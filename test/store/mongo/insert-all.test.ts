import { MongoClient } from 'mongodb';
import { insertAll } from '../../../src/store/mongo/insert-all.ts';
import { whenPresent } from '../../support/needs.ts';
import { mongod, ownMongod } from '../../support/own-mongod.ts';

const test = whenPresent(mongod !== undefined, 'inserting while mongod goes: no mongod');

test('documents that were there already are told apart; those of a broken connection are not taken for there', async (t) => {
  const server = await ownMongod(t);
  const client = new MongoClient(`mongodb://${server.settings.hosts[0]}/?directConnection=true`, {
    serverSelectionTimeoutMS: 300,
  });
  t.teardown(() => client.close());
  const db = client.db('penguindome');
  const into = db.collection<never>('audit_trail');
  const insert = (...ids: unknown[]) =>
    insertAll(
      { db },
      into,
      ids.map((_id) => ({ _id })),
      { w: 1, wtimeout: 1000 },
    );
  t.deepEqual(await insert(1, 2), new Set());
  t.deepEqual(await insert(1, 3, 2), new Set([0, 2]));
  await t.throwsAsync(insert(4, ['an array is no id'], 1));
  t.is(await into.countDocuments(), 4);

  await server.freeze();
  const cut = t.throwsAsync(insert(5));
  await server.kill();
  await cut;
  await t.throwsAsync(insert(6));
});
