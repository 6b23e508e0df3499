import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { generateKey } from 'openpgp';
import { placeOfNamed } from '../../src/admin/named-files.ts';
import { loadServerSettings } from '../../src/settings/load-server-settings.ts';
import { penguindome, succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';

const WEBHOOKS = '[{name: chat, url: "https://chat.example.org/hook", secret_file: secrets/chat}]';

const FILES = {
  'checks.d/it-is-debian.yaml': 'overrides: firewall-disabled\nseverity: high\n',
  'templates/digest.txt': 'All is well.\n',
  'secrets/chat': 'a secret of sixteen letters\n',
} as const;

test('what the settings name elsewhere is in a backup with keys, and comes back to where the settings say', async (t) => {
  const folder = await scratchFolder(t);
  const [site, lost, file, to, key] = ['site', 'lost', 'b.gpg', 'to.asc', 'key.asc'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string, string];
  const keys = await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'operator' }] });
  await writeFile(to, keys.publicKey);
  await writeFile(key, keys.privateKey);
  await succeed(['setup', '--yes', '--dir', site]);
  const config = ['--config', join(site, 'server.yml')];
  for (const name of ['templates', 'secrets']) await mkdir(join(site, name));
  for (const [name, content] of Object.entries(FILES)) {
    await writeFile(join(site, name), content, { mode: name === 'secrets/chat' ? 0o600 : 0o644 });
  }
  await succeed([...config, 'settings', 'set', 'delivery.templates', 'templates']);
  await succeed([...config, 'settings', 'set', 'delivery.webhooks', WEBHOOKS]);
  await writeFile(join(site, 'checks.d/notes'), 'no check');
  await succeed([...config, 'backup', '--with-keys', '--to', to, file]);
  await rename(site, lost);

  await succeed([...config, 'restore', '--yes', '--key', key, '--with-keys', file]);
  for (const [name, content] of Object.entries(FILES)) {
    t.is(await readFile(join(site, name), 'utf8'), content);
    t.is((await stat(join(site, name))).mode, (await stat(join(lost, name))).mode, name);
  }
  await t.throwsAsync(stat(join(site, 'checks.d/notes')));

  await rm(join(site, 'secrets/chat'));
  const { status, stderr } = await penguindome([...config, 'backup', '--with-keys', '--to', to, file]);
  t.is(status, 0, 'a backup without one of them is better than none');
  t.regex(stderr, /webhooks\.0\.secret_file is not in the backup: .*ENOENT/);
});

test('a file of a backup goes nowhere that the settings do not name', async (t) => {
  const folder = await scratchFolder(t);
  await succeed(['setup', '--yes', '--dir', folder]);
  const settings = await loadServerSettings(join(folder, 'server.yml'));
  t.is(placeOfNamed({ file: 'named/checks.0/a.yaml' }, settings), join(folder, 'checks.d/a.yaml'));
  for (const file of ['named/checks.1/a.yaml', 'named/checks.0', 'named/smtp.password_file', 'named/checks.0/a.sh']) {
    t.is(placeOfNamed({ file }, settings), undefined, file);
  }
});
