import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { findUnknownNames, loadAccounts, NO_ACCOUNTS, parseAccounts } from '../../src/settings/accounts.ts';
import { SettingsError } from '../../src/settings/settings-error.ts';
import { CHEAP, PASSLIB } from '../support/passwords.ts';
import { scratchFolder } from '../support/scratch.ts';

const FILE = '/etc/x/accounts.yml';

function problemsOf(text: string): string[] {
  const error = problemIn(text);
  return (error?.problems ?? []).map(({ line, key, expected, found }) => `${line} ${key}: ${expected}, ${found}`);
}

function problemIn(text: string): SettingsError | undefined {
  try {
    parseAccounts(text, FILE);
    return undefined;
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
}

test('users, groups and passwords of an endpoint are read, whatever they are called', (t) => {
  const accounts = parseAccounts(
    `users:\n  fred: {password: "${CHEAP}"}\n  constructor: {password: ${PASSLIB}}\n  a.b@c: {password: "${CHEAP}"}\n  7: {password: "${CHEAP}"}
groups:\n  admins: [fred]\nendpoints:\n  pipe_create:\n    passwords: {x: "${CHEAP}"}\n`,
    FILE,
  );
  t.deepEqual(Object.keys(accounts.users).sort(), ['7', 'a.b@c', 'constructor', 'fred']);
  t.deepEqual(accounts.groups, { admins: ['fred'] });
  t.deepEqual(accounts.endpoints, { download_release: {}, pipe_create: { x: CHEAP } });
});

for (const text of ['', '# nothing\n', 'users:\ngroups:\n', 'endpoints: {}\n', 'endpoints:\n  pipe_create:\n']) {
  test(`there are no accounts in ${JSON.stringify(text)}`, (t) => {
    t.deepEqual(parseAccounts(text, FILE), NO_ACCOUNTS);
  });
}

test('what is wrong is named with its line, and never shown where it may be a secret', (t) => {
  const hash = 'a hash that `penguindome passwords set` or the original has made (in braces it needs quotes)';
  t.deepEqual(problemsOf('users:\n  fred: {password: hunter2}\n'), [`2 users.fred.password: ${hash}, a string`]);
  t.deepEqual(problemsOf('users:\n  fred: hunter2\n'), ['2 users.fred: a group of keys, a string']);
  t.deepEqual(problemsOf('endpoints:\n  pipe_create:\n    passwords:\n      x: hunter2\n'), [
    `4 endpoints.pipe_create.passwords.x: ${hash}, a string`,
  ]);
  t.deepEqual(problemsOf('groups: {a: fred}\n'), ['1 groups.a: a list, a string']);
  t.regex(problemsOf('users: {"a:b": {}}\n')[0] ?? '', /^1 users\.a:b: a name of at most 64 characters/);
  t.regex(problemsOf('usres: {}\n')[0] ?? '', /usres: a known key, an unknown one; did you mean users\?/);
  t.regex(problemsOf('endpoints: {download: {}}\n')[0] ?? '', /endpoints\.download: a known key, .*download_release/);
  const unquoted = problemIn(`users: {fred: {password: ${CHEAP}}}\n`)?.message ?? '';
  t.regex(unquoted, /1: users\.fred\.password: expected a hash .* \(in braces it needs quotes\), found a string/);
  t.false(unquoted.includes('nf65'));
});

test('a file that others may read or change is not used; one that is missing holds nobody', async (t) => {
  const file = join(await scratchFolder(t), 'accounts.yml');
  t.is(await loadAccounts({ accounts: file }), NO_ACCOUNTS);
  await writeFile(file, `users: {fred: {password: "${CHEAP}"}}\n`);
  for (const mode of [0o644, 0o660, 0o602, 0o641]) {
    await chmod(file, mode);
    await t.throwsAsync(loadAccounts({ accounts: file }), {
      message: /others may read or change it .*; run chmod 640/,
    });
  }
  for (const mode of [0o640, 0o600, 0o440]) {
    await chmod(file, mode);
    t.deepEqual((await loadAccounts({ accounts: file })).users, { fred: CHEAP });
  }
});

test('what is no file is not used', async (t) => {
  const folder = join(await scratchFolder(t), 'accounts.yml');
  await mkdir(folder);
  await t.throwsAsync(loadAccounts({ accounts: folder }), { message: /cannot (use|read) .*accounts\.yml/ });
});

test('names that stand for nobody are found', (t) => {
  const accounts = parseAccounts(`users: {fred: {password: "${CHEAP}"}}\ngroups: {admins: [fred, mary]}\n`, FILE);
  const auth = { pipe_create: { users: ['fred', 'eve'], groups: ['admins', 'constructor'] } };
  t.deepEqual(findUnknownNames(auth, accounts), [
    { where: 'groups.admins', name: 'mary' },
    { where: 'server_auth.pipe_create.users', name: 'eve' },
    { where: 'server_auth.pipe_create.groups', name: 'constructor' },
  ]);
});
