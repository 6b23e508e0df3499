import { MongoClient } from 'mongodb';
import { isAllThere } from '../../../src/store/mongo/move-trail.ts';
import { whenPresent } from '../../support/needs.ts';
import { mongod, ownMongod } from '../../support/own-mongod.ts';

const test = whenPresent(mongod !== undefined, 'moving the trail while mongod goes: no mongod');

test('records that could not be inserted because they were there are taken for moved; those of a broken connection are not', async (t) => {
  const server = await ownMongod(t);
  const client = new MongoClient(`mongodb://${server.settings.hosts[0]}/?directConnection=true`, {
    serverSelectionTimeoutMS: 300,
  });
  t.teardown(() => client.close());
  const trail = client.db('penguindome').collection<{ _id: number }>('audit_trail');
  const insert = (...ids: number[]) =>
    trail.insertMany(
      ids.map((_id) => ({ _id })),
      { ordered: false },
    );
  await insert(1, 2);
  t.true(isAllThere(await t.throwsAsync(insert(1, 2, 3))));
  t.is(await trail.countDocuments(), 3);

  server.signal('SIGSTOP');
  const cut = t.throwsAsync(insert(4));
  await server.kill();
  t.false(isAllThere(await cut), 'the connection broke');
  t.false(isAllThere(await t.throwsAsync(insert(5))), 'there was none');
});
