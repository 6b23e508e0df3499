import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readPasswordHash } from '../../src/crypto/password-hash.ts';
import { digestOfHash } from '../../src/crypto/passwords.ts';
import {
  appendPasswordUpgrade,
  PASSWORD_UPGRADES,
  readPasswordUpgrades,
} from '../../src/settings/password-upgrades.ts';
import { CHEAP, PASSLIB } from '../support/passwords.ts';
import { scratchFolder } from '../support/scratch.ts';

const old = readPasswordHash(PASSLIB) ?? { kind: 'argon2id', text: '', memory: 0, passes: 0, lanes: 0 };
const OTHER = CHEAP.replace('c29tZXNhbHQ', 'b3RoZXJzYWx0');

test('what was appended is read, the last for each hash', async (t) => {
  const state = await scratchFolder(t);
  t.deepEqual(await readPasswordUpgrades(state), {});
  await appendPasswordUpgrade(state, old, OTHER);
  await appendPasswordUpgrade(state, old, CHEAP);
  t.deepEqual(await readPasswordUpgrades(state), { [digestOfHash(PASSLIB)]: CHEAP });
  t.is((await stat(join(state, PASSWORD_UPGRADES))).mode & 0o777, 0o600);
});

test('many at once are all kept', async (t) => {
  const state = await scratchFolder(t);
  const olds = Array.from({ length: 40 }, (_, index) => ({ ...old, text: `${PASSLIB} ${index}` }));
  await Promise.all(olds.map((one) => appendPasswordUpgrade(state, one, CHEAP)));
  t.is(Object.keys(await readPasswordUpgrades(state)).length, olds.length);
});

test('lines that are no replacement are passed over', async (t) => {
  const state = await scratchFolder(t);
  const replaces = digestOfHash(PASSLIB);
  const lines = [
    '{"replaces":"00',
    JSON.stringify({ replaces: 'x', hash: CHEAP }),
    JSON.stringify({ replaces, hash: 'hunter2' }),
    JSON.stringify({ replaces, hash: PASSLIB }),
    JSON.stringify({ replaces: '__proto__', hash: CHEAP }),
    'null',
    '[]',
  ];
  await writeFile(join(state, PASSWORD_UPGRADES), `\n${lines.join('\n')}\n`);
  t.deepEqual(await readPasswordUpgrades(state), {});
});

test('a line that was cut off anywhere costs that line alone', async (t) => {
  const state = await scratchFolder(t);
  const file = join(state, PASSWORD_UPGRADES);
  await appendPasswordUpgrade(state, old, CHEAP);
  const whole = await readFile(file);
  const first = { ...old, text: 'first' };
  for (let length = 0; length <= whole.length; length += 7) {
    await writeFile(file, whole.subarray(0, length));
    await appendPasswordUpgrade(state, first, OTHER);
    t.is((await readPasswordUpgrades(state))[digestOfHash('first')], OTHER, String(length));
  }
});

test('a file that is full takes no more', async (t) => {
  const state = await scratchFolder(t);
  await writeFile(join(state, PASSWORD_UPGRADES), 'x'.repeat(1024 * 1024 - 10));
  await t.throwsAsync(appendPasswordUpgrade(state, old, CHEAP), {
    message: /is full: run penguindome passwords upgrade/,
  });
});

test('a link in its place leads nowhere', async (t) => {
  const state = await scratchFolder(t);
  const target = join(await scratchFolder(t), 'target');
  await writeFile(target, '');
  await symlink(target, join(state, PASSWORD_UPGRADES));
  await t.throwsAsync(readPasswordUpgrades(state), { message: /cannot read/ });
  await t.throwsAsync(appendPasswordUpgrade(state, old, CHEAP), { code: 'ELOOP' });
  t.is(await readFile(target, 'utf8'), '');
});
