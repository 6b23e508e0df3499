import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { tellJournal } from '../../src/bin/journal.ts';
import { whoOperates } from '../../src/bin/who-operates.ts';
import { scratchFolder } from '../support/scratch.ts';

test('an event goes to the journal as systemd-cat would write it', async (t) => {
  const socket = join(await scratchFolder(t), 'stdout');
  let said = '';
  const server = createServer((connection) =>
    connection.on('data', (bytes) => {
      said += bytes;
    }),
  );
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.teardown(() => server.close());
  await tellJournal('operator.ended', { number: 7, command: 'hosts lost', status: 0 }, socket);
  while (!said.endsWith('}\n')) await new Promise((resolve) => setTimeout(resolve, 5));
  const [identifier, , priority, ...rest] = said.split('\n');
  t.is(identifier, 'penguindome');
  t.is(priority, '6');
  t.like(JSON.parse(rest[4] ?? ''), { event: 'operator.ended', number: 7, command: 'hosts lost', level: 'info' });
});

test('where there is no journal, nothing is said and nothing is waited for', async (t) => {
  await t.notThrowsAsync(tellJournal('operator.ended', {}, join(await scratchFolder(t), 'none')));
});

test('who operates: the user, and what sudo and ssh say of who that is', async (t) => {
  const who = await whoOperates({ SUDO_USER: 'ann', SSH_CONNECTION: '192.0.2.7 50000 192.0.2.1 22' });
  t.like(who, { uid: process.geteuid?.(), sudo: 'ann', address: '192.0.2.7' });
  if (who.uid === 0) t.is(who.user, 'root');
  t.false('sudo' in (await whoOperates({})));
});
