import { chmod, chown, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { groupsAdd } from '../../src/admin/groups-add.ts';
import { groupsList } from '../../src/admin/groups-list.ts';
import { groupsRemove } from '../../src/admin/groups-remove.ts';
import { passwordsList } from '../../src/admin/passwords-list.ts';
import { passwordsRemove } from '../../src/admin/passwords-remove.ts';
import { passwordsSet } from '../../src/admin/passwords-set.ts';
import { passwordsUpgrade } from '../../src/admin/passwords-upgrade.ts';
import { readPasswordHash } from '../../src/crypto/password-hash.ts';
import { checkPassword, makeDecoy, passwords } from '../../src/crypto/passwords.ts';
import { loadAccounts } from '../../src/settings/accounts.ts';
import { appendPasswordUpgrade } from '../../src/settings/password-upgrades.ts';
import { whenPresent } from '../support/needs.ts';
import { CHEAP, PASSLIB } from '../support/passwords.ts';
import { penguindome, succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';
import { type AdminSite, adminSite, refusal } from './admin-site.ts';

const fileOf = ({ folder }: AdminSite): string => join(folder, 'accounts.yml');
const read = (site: AdminSite): Promise<string> => readFile(fileOf(site), 'utf8');
const load = (site: AdminSite) => loadAccounts({ accounts: fileOf(site) });

async function passwordFile(t: ExecutionContext, text: string): Promise<string> {
  const file = join(await scratchFolder(t), 'password');
  await writeFile(file, text);
  return file;
}

async function set(t: ExecutionContext, site: AdminSite, text: string, ...args: string[]) {
  return site.run(passwordsSet, ...args, '--password-file', await passwordFile(t, text));
}

async function fits(hash: string | undefined, password: string): Promise<boolean> {
  return checkPassword(passwords, { hash: readPasswordHash(hash ?? ''), decoy: makeDecoy(), rounds: 0 }, password);
}

test('a password is set for the whole server or for one endpoint; the file is made, and is nobody else\u0027s', async (t) => {
  const site = await adminSite(t);
  const { out, err } = await set(t, site, 'correct horse\n', 'fred');
  t.regex(out, /^fred has a password: .*accounts\.yml\n$/);
  t.regex(err, /fred may use nothing yet: penguindome settings set server_auth\.[\s\S]*systemctl reload/);
  t.is((await stat(fileOf(site))).mode & 0o777, 0o640);
  await set(t, site, 'battery staple', 'downloader', '--endpoint', 'download_release');
  const { users, endpoints } = await load(site);
  t.true(await fits(users['fred'], 'correct horse'));
  t.true(await fits(endpoints.download_release['downloader'], 'battery staple'));
  t.regex((await set(t, site, 'another one', 'fred')).out, /^fred has another password/);
  t.false(await fits((await load(site)).users['fred'], 'correct horse'));
  t.false((await read(site)).includes('horse'));
});

test('--unless-same leaves the hash of a password that is the same, ours or the original\u0027s, and replaces any other', async (t) => {
  const site = await adminSite(t);
  await writeFile(fileOf(site), `users:\n  mary: {password: "${PASSLIB}"}\n`, { mode: 0o600 });
  await set(t, site, 'correct horse', 'fred', '--unless-same');
  const before = await read(site);
  const same = await set(t, site, 'correct horse', 'fred', '--unless-same');
  t.regex(same.out, /^fred has that password already/);
  await set(t, site, 'password', 'mary', '--unless-same');
  t.is(await read(site), before);
  await set(t, site, 'another one', 'fred', '--unless-same');
  t.true(await fits((await load(site)).users['fred'], 'another one'));
});

const COMMENTED = `# ours
users:
  # the first
  fred: {password: ${PASSLIB}} # since 2019
  "mary@penguins.example":
    password: ${CHEAP} # Mary
groups:
  admins: # who may shell in
    - fred
    - mary@penguins.example # deputy
`;

test('what others wrote in the file stays as it is', async (t) => {
  const site = await adminSite(t);
  await writeFile(fileOf(site), COMMENTED, { mode: 0o600 });
  await set(t, site, 'correct horse', 'mary@penguins.example');
  await set(t, site, 'correct horse', 'eve.x');
  await site.run(groupsAdd, 'admins', 'eve.x');
  const { users } = await load(site);
  const expected = COMMENTED.replace(
    `password: ${CHEAP} # Mary\n`,
    `password: ${users['mary@penguins.example']} # Mary\n  eve.x:\n    password: ${users['eve.x']}\n`,
  );
  t.is(
    (await read(site))
      .replaceAll('"$', '$')
      .replaceAll(/(=|[A-Za-z0-9+/])" # Mary/g, '$1 # Mary')
      .replaceAll(/"\n/g, '\n'),
    `${expected}    - eve.x\n`,
  );
  t.is((await stat(fileOf(site))).mode & 0o777, 0o600);
  await site.run(groupsRemove, 'admins', 'eve.x');
  await site.run(passwordsRemove, 'eve.x');
  t.is((await read(site)).replace(/password: "?\$argon2id\S* # Mary/, `password: ${CHEAP} # Mary`), COMMENTED);
});

test('a password that is too short, too long, or no one line of text is not taken, nor a name that is none', async (t) => {
  const site = await adminSite(t);
  const unfit: [text: string, message: RegExp][] = [
    ['', /at least 8 characters/],
    ['seven77', /at least 8 characters/],
    ['correct horse\nbattery staple\n', /expected one line/],
    ['x'.repeat(1025), /at most 1024 bytes/],
    ['x'.repeat(10_000), /at most 1024 bytes/],
    ['correct\u0007horse', /control characters/],
  ];
  for (const [text, message] of unfit) t.regex(await refusal(t, set(t, site, text, 'fred')), message);
  for (const user of ['', 'a:b', ' fred', 'x'.repeat(65), 'a\nb', '__proto__']) {
    t.regex(await refusal(t, set(t, site, 'correct horse', user)), /as a name: expected at most 64 characters/);
  }
  await t.throwsAsync(read(site), { code: 'ENOENT' });
});

test('names that look like numbers, or like what objects have, are names', async (t) => {
  const site = await adminSite(t);
  await writeFile(fileOf(site), `users: {1: {password: "${CHEAP}"}}\n`, { mode: 0o640 });
  for (const user of ['007', 'true', 'constructor', '1']) await set(t, site, 'correct horse', user);
  t.deepEqual(Object.keys((await load(site)).users).sort(), ['007', '1', 'constructor', 'true']);
  for (const user of ['1', '007']) await site.run(passwordsRemove, user);
  t.deepEqual(Object.keys((await load(site)).users).sort(), ['constructor', 'true']);
});

test('a user that is removed leaves its groups, and is told of where it is still named', async (t) => {
  const site = await adminSite(t, 'embedded', {
    server_auth: { pipe_create: { users: ['fred'], groups: ['admins'] } },
  });
  await writeFile(fileOf(site), COMMENTED, { mode: 0o640 });
  await site.run(groupsAdd, 'solo', 'fred');
  const { out, err } = await site.run(passwordsRemove, 'fred');
  t.regex(out, /fred has no password any more[\s\S]*fred has left admins, solo/);
  t.regex(err, /server_auth\.pipe_create\.users still names fred/);
  t.like(await load(site), { groups: { admins: ['mary@penguins.example'] } });
  t.deepEqual(Object.keys((await load(site)).groups), ['admins'], 'a group goes with its last member');
  t.regex(await refusal(t, site.run(passwordsRemove, 'fred')), /cannot find a password of fred/);
  t.regex(
    await refusal(t, site.run(passwordsRemove, 'mary@penguins.example', '--endpoint', 'pipe_create')),
    /cannot find a password of mary@penguins\.example for pipe_create/,
  );
});

test('the list tells where a password counts and how it was hashed, never the hash', async (t) => {
  const site = await adminSite(t);
  await site.run(passwordsList).then(({ err }) => t.regex(err, /nobody has a password/));
  await writeFile(fileOf(site), `${COMMENTED}endpoints: {pipe_create: {passwords: {eve: "${CHEAP}"}}}\n`, {
    mode: 0o640,
  });
  const old = readPasswordHash(PASSLIB);
  if (old !== undefined) await appendPasswordUpgrade(join(site.folder, 'state'), old, CHEAP);
  t.deepEqual(await site.json(passwordsList), [
    { user: 'fred', endpoint: null, hash: 'pbkdf2-sha256', upgraded: true, groups: ['admins'] },
    { user: 'mary@penguins.example', endpoint: null, hash: 'argon2id', upgraded: false, groups: ['admins'] },
    { user: 'eve', endpoint: 'pipe_create', hash: 'argon2id', upgraded: false, groups: [] },
  ]);
  const { out } = await site.run(passwordsList);
  t.regex(out, /fred +the whole server +pbkdf2-sha256 \(argon2id waits: penguindome passwords upgrade\) +admins/);
  t.false(out.includes('$'));
});

test('groups are made of users that there are, listed with what they may use, and taken apart', async (t) => {
  const site = await adminSite(t, 'embedded', { server_auth: { pipe_create: { groups: ['admins'] } } });
  t.regex(await refusal(t, site.run(groupsAdd, 'admins', 'fred')), /cannot add fred: the whole server has no user/);
  for (const user of ['fred', 'mary']) await set(t, site, 'correct horse', user);
  await site.run(groupsAdd, 'admins', 'fred', 'fred');
  await site.run(groupsAdd, 'admins', 'fred', 'mary');
  const { err } = await site.run(groupsAdd, 'readers', 'mary');
  t.regex(err, /readers may use nothing yet/);
  t.deepEqual(await site.json(groupsList), [
    { group: 'admins', members: ['fred', 'mary'], may_use: ['pipe_create'] },
    { group: 'readers', members: ['mary'], may_use: [] },
  ]);
  t.regex(await refusal(t, site.run(groupsRemove, 'readers', 'fred')), /cannot take fred out of readers/);
  t.regex(await refusal(t, site.run(groupsRemove, 'nobody', '--all')), /cannot find the group nobody/);
  t.regex(await refusal(t, (async () => site.run(groupsRemove, 'admins'))()), /expected users, or --all/);
  t.regex((await site.run(groupsRemove, 'admins', 'fred')).out, /admins has fred no more/);
  t.regex((await site.run(groupsRemove, 'admins', '--all')).out, /admins is gone/);
  await site.run(groupsRemove, 'readers', 'mary');
  t.deepEqual((await load(site)).groups, {});
});

test('upgrade takes over what the server made of the original\u0027s hashes, and nothing else', async (t) => {
  const site = await adminSite(t);
  const state = join(site.folder, 'state');
  await writeFile(fileOf(site), COMMENTED, { mode: 0o640 });
  const [fred, mary] = [PASSLIB, CHEAP].map(readPasswordHash);
  const made = await passwords.hash('password');
  if (fred === undefined || mary === undefined) return t.fail();
  await appendPasswordUpgrade(state, fred, made);
  // As a server could write that was taken over: only hashes of the original are ever replaced.
  await appendPasswordUpgrade(state, mary, made);
  t.regex(await refusal(t, site.run(passwordsUpgrade)), /use --yes/);
  t.deepEqual(await site.json(passwordsUpgrade, '--yes'), {
    upgraded: [{ user: 'fred', endpoint: null }],
    left: [],
    accounts: fileOf(site),
  });
  t.is((await read(site)).replace(JSON.stringify(made), PASSLIB), COMMENTED);
  t.regex((await site.run(passwordsUpgrade, '--yes')).out, /nothing waits to be replaced/);
});

test('a file that others may read is not written to either', async (t) => {
  const site = await adminSite(t);
  await writeFile(fileOf(site), COMMENTED);
  await chmod(fileOf(site), 0o644);
  t.regex(await refusal(t, set(t, site, 'correct horse', 'fred')), /run chmod 640/);
  t.is(await read(site), COMMENTED);
});

test('two who set passwords at once lose neither', async (t) => {
  const dir = join(await scratchFolder(t), 'site');
  await succeed(['setup', '--yes', '--dir', dir]);
  const users = ['a', 'b', 'c', 'd'];
  const ran = await Promise.all(
    users.map((user) =>
      penguindome(['--config', join(dir, 'server.yml'), 'passwords', 'set', user, '--password-file', '-'], {
        input: 'correct horse\n',
      }),
    ),
  );
  t.deepEqual(
    ran.map(({ status }) => status),
    [0, 0, 0, 0],
  );
  t.deepEqual(Object.keys((await loadAccounts({ accounts: join(dir, 'accounts.yml') })).users).sort(), users);
  const asked = await penguindome(['--config', join(dir, 'server.yml'), 'passwords', 'set', 'e']);
  t.is(asked.status, 2);
  t.regex(asked.stderr, /without a terminal: use --password-file/);
});

whenPresent(process.getuid?.() === 0, 'owners of the accounts file: not root')(
  'a file that root makes is root\u0027s, and readable by the group of the server\u0027s state folder',
  async (t) => {
    const site = await adminSite(t);
    await chown(join(site.folder, 'state'), 12_345, 12_346);
    await set(t, site, 'correct horse', 'fred');
    const { uid, gid, mode } = await stat(fileOf(site));
    t.deepEqual([uid, gid, mode & 0o777], [0, 12_346, 0o640]);
    await chown(fileOf(site), 0, 12_347);
    await set(t, site, 'battery staple', 'fred');
    t.is((await stat(fileOf(site))).gid, 12_347, 'what is there keeps its own');
  },
);
