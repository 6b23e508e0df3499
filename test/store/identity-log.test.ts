import { appendFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { openIdentityLog } from '../../src/store/identity-log.ts';
import { anEnrollment } from '../support/documents.ts';
import { scratchFolder } from '../support/scratch.ts';

const enrolled = () => {
  const { key_id, host_id, hostname, public_key } = anEnrollment();
  return {
    event: 'enrolled' as const,
    key_id,
    host_id,
    hostname,
    public_key,
    at: new Date('2026-11-23T10:00:00.123Z'),
  };
};

test('what is appended is read back, in order', async (t) => {
  const log = openIdentityLog(join(await scratchFolder(t), 'state/identities.log'));
  const first = enrolled();
  const second = { event: 'revoked' as const, key_id: first.key_id, at: new Date(1), why: 'stolen\nin a "train"' };
  await log.append(first);
  await log.append(second);
  t.deepEqual(await log.read(), { events: [first, second], unreadable: 0 });
});

test('a log that is not there yet is empty', async (t) => {
  t.deepEqual(await openIdentityLog(join(await scratchFolder(t), 'none')).read(), { events: [], unreadable: 0 });
});

test('a line that a crash cut off is left out, and does not spoil the next', async (t) => {
  const path = join(await scratchFolder(t), 'identities.log');
  const log = openIdentityLog(path);
  const [first, second] = [enrolled(), enrolled()];
  await log.append(first);
  await appendFile(path, '{"event":"revoked","key_id":"abc","at":"2026-1');
  t.deepEqual(await log.read(), { events: [first], unreadable: 1 });
  await log.append(second);
  t.deepEqual(await log.read(), { events: [first, second], unreadable: 1 });
});

test('two that append at once do not mix their lines', async (t) => {
  const path = join(await scratchFolder(t), 'identities.log');
  const logs = [openIdentityLog(path), openIdentityLog(path)];
  const events = Array.from({ length: 40 }, enrolled);
  await Promise.all(events.map((event, index) => logs[index % 2]?.append(event)));
  const { events: found, unreadable } = (await logs[0]?.read()) ?? t.fail();
  t.is(unreadable, 0);
  t.deepEqual(found.map(({ key_id }) => key_id).sort(), events.map(({ key_id }) => key_id).sort());
});

test('only the owner may read it', async (t) => {
  const path = join(await scratchFolder(t), 'identities.log');
  await openIdentityLog(path).append(enrolled());
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.true((await readFile(path, 'utf8')).endsWith('\n'));
});
