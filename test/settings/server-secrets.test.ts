import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { generateSigningKey, loadSigningKey } from '../../src/crypto/ed25519.ts';
import { parseServerSettings } from '../../src/settings/load-server-settings.ts';
import { loadServerSecrets, loadStorePassword } from '../../src/settings/server-secrets.ts';
import { scratchFolder } from '../support/scratch.ts';

interface Prepared {
  settings: ReturnType<typeof parseServerSettings>;
  folder: string;
  pem: string;
}

async function prepare(t: ExecutionContext, store = '{kind: embedded, file: s.db}'): Promise<Prepared> {
  const folder = await scratchFolder(t);
  const text = `public_url: https://x\nports: [{port: 0, tls: false}]\nstore: ${store}\nstate: state\npki: pki\nkeys: .\n`;
  const pem = generateSigningKey();
  await writeFile(join(folder, 'answer.key'), pem, { mode: 0o600 });
  return { settings: parseServerSettings(text, join(folder, 'server.yml')), folder, pem };
}

test('the answer key is read from the keys folder', async (t) => {
  const { settings, pem } = await prepare(t);
  const { answerKeys, ...rest } = await loadServerSecrets(settings);
  t.is(answerKeys.newest.key.id, loadSigningKey(pem).id);
  t.deepEqual(rest, {});
});

test('a credential goes before the file, whatever its mode', async (t) => {
  const { settings, folder } = await prepare(t);
  const credentials = join(folder, 'credentials');
  await mkdir(credentials);
  const pem = generateSigningKey();
  await writeFile(join(credentials, 'answer.key'), pem, { mode: 0o644 });
  t.is((await loadServerSecrets(settings, credentials)).answerKeys.newest.key.id, loadSigningKey(pem).id);
});

for (const mode of [0o640, 0o604, 0o620]) {
  test(`a key file of mode ${mode.toString(8)} is refused`, async (t) => {
    const { settings, folder } = await prepare(t);
    await chmod(join(folder, 'answer.key'), mode);
    await t.throwsAsync(loadServerSecrets(settings), {
      message: `cannot use ${folder}/answer.key: others may read it (mode 0${mode.toString(8)}); run chmod 600 ${folder}/answer.key`,
    });
  });
}

test('a missing key says what to do; a bad one is not quoted', async (t) => {
  const { settings, folder, pem } = await prepare(t);
  const secret = pem.split('\n')[1] ?? '';
  await writeFile(join(folder, 'answer.key'), secret);
  const error = await t.throwsAsync(loadServerSecrets(settings), {
    message: `cannot use ${folder}/answer.key: it is no Ed25519 private key in PEM`,
  });
  t.false(String(error.stack).includes(secret));
  const { settings: other } = await prepare(t);
  await t.throwsAsync(loadServerSecrets({ ...other, keys: join(folder, 'none') }), {
    message: `cannot read ${folder}/none/answer.key: it does not exist; run penguindome setup`,
  });
});

test("the store's password comes from its file or the credential, without its line end", async (t) => {
  const { settings, folder } = await prepare(t, '{kind: mongo, hosts: [localhost], user: pd, password_file: pw}');
  await writeFile(join(folder, 'pw'), 'hunter 2\n', { mode: 0o600 });
  t.is((await loadServerSecrets(settings)).mongoPassword, 'hunter 2');
  await writeFile(join(folder, 'mongo-password'), 'from systemd', { mode: 0o444 });
  t.is(await loadStorePassword(settings.store, folder), 'from systemd');
});

test('a store with a user and no password says where one goes', async (t) => {
  const { settings } = await prepare(t, '{kind: mongo, hosts: [localhost], user: pd}');
  await t.throwsAsync(loadServerSecrets(settings), {
    message: /store\.password_file, or pass the credential mongo-password/,
  });
  const { settings: open } = await prepare(t, '{kind: mongo, hosts: [localhost]}');
  t.is(await loadStorePassword(open.store), undefined);
});
