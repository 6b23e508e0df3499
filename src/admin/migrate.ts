import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { describeKeys, publicHalves } from '../crypto/openpgp.ts';
import { editSettings } from '../settings/edit-settings.ts';
import { checkOpenPgpKey } from './check-given-files.ts';
import type { AdminContext } from './context.ts';
import { readIfThere, type Step, writeNew } from './ensure-files.ts';
import { EXIT } from './exit-codes.ts';
import { readOriginalKeys } from './read-original-keys.ts';

/** `penguindome migrate`: takes over an original installation's keys, so that its clients can report here unchanged. */
export function migrate(context: AdminContext): Command {
  return new Command('migrate')
    .description("take over an original installation's OpenPGP keys and switch protocol v1 on")
    .option('--server-key <file>', "the original server's OpenPGP key, secret, armored")
    .option('--client-key <file>', "the original clients' OpenPGP key, armored; its public half is kept")
    .option('--from <dir>', "the original installation's folder (with server/keyring): reads the keys with gpg")
    .addHelpText('after', EXAMPLES)
    .action((flags: MigrateFlags) => runMigrate(context, flags));
}

const EXAMPLES = `
The keys go to v1-server.asc and v1-client.asc in the server's keys folder. This server's own order key stays as it is.
Doing it again changes nothing.

Examples:
  penguindome migrate --from /opt/penguindome
  penguindome migrate --server-key server-secret.asc --client-key client-public.asc

From the original's server the keys can be exported with
  gpg --homedir server/keyring --armor --export-secret-keys penguindome-server > server-secret.asc
  gpg --homedir server/keyring --armor --export penguindome-client > client-public.asc`;

interface MigrateFlags {
  serverKey?: string;
  clientKey?: string;
  from?: string;
}

async function runMigrate(context: AdminContext, flags: MigrateFlags): Promise<void> {
  const { output } = context;
  const settings = await context.settings();
  const given = await readKeys(flags, context.signal);
  const { uid, gid } = await ownerOf(settings.keys);
  const steps: Step[] = [];
  for (const { what, name, armored, mode } of [
    { what: "original server's key", name: 'v1-server.asc', armored: given.server, mode: 0o600 },
    { what: "original clients' key", name: 'v1-client.asc', armored: given.client, mode: 0o644 },
  ]) {
    const path = join(settings.keys, name);
    const there = await readIfThere(path);
    await refuseAnother(path, there, armored);
    // the same key may come with another armor: what is there stays
    if (there === undefined) await writeNew(path, armored, mode, { uid, gid });
    steps.push({ what, path, outcome: there === undefined ? 'made' : 'there' });
  }
  const file = context.settingsFile();
  const clientKey = join(settings.keys, 'v1-client.asc');
  const changed = await editSettings(context, file, [
    ...(settings.v1.client_key === clientKey ? [] : [{ path: 'v1.client_key', value: JSON.stringify(clientKey) }]),
    { path: 'v1.enabled', value: 'true' },
  ]);
  steps.push({ what: 'v1.enabled', path: file, outcome: changed ? 'made' : 'there' });
  report(context, steps, given.remarks);
  if (changed) output.note('Tell the server: systemctl reload penguindome-server');
}

function report({ output }: AdminContext, steps: Step[], remarks: string[]): void {
  const changed = steps.some(({ outcome }) => outcome === 'made');
  for (const remark of remarks) output.note(remark);
  if (output.wantsJson) {
    output.json({ changed, steps, remarks });
    return;
  }
  output.table(
    ['What', 'Where', ''],
    steps.map(({ what, path, outcome }) => [what, path, outcome === 'made' ? 'taken over' : 'was there']),
  );
  if (!changed) output.line('Everything was there: nothing was changed.');
}

interface OriginalKeys {
  server: string;
  client: string;
  remarks: string[];
}

async function readKeys({ from, serverKey, clientKey }: MigrateFlags, signal: AbortSignal): Promise<OriginalKeys> {
  if (from !== undefined) {
    if (serverKey !== undefined || clientKey !== undefined) {
      throw new OperatorError('cannot use --from together with --server-key or --client-key', { exitCode: EXIT.usage });
    }
    return readOriginalKeys(resolve(from), signal);
  }
  if (serverKey === undefined || clientKey === undefined) {
    throw new OperatorError('cannot migrate: expected --server-key and --client-key, or --from', {
      exitCode: EXIT.usage,
    });
  }
  const server = await checkOpenPgpKey(serverKey, '--server-key');
  await refuseUnusable(serverKey, server);
  const client = await publicHalves(await checkOpenPgpKey(clientKey, '--client-key'));
  return { server, client, remarks: [] };
}

/** Releases and patches for the original's clients are signed with it, by a program that nobody types a passphrase to. */
async function refuseUnusable(file: string, armored: string): Promise<void> {
  const [key, ...more] = await describeKeys(armored);
  if (key?.kind !== 'secret' || more.length > 0) {
    const found = more.length > 0 ? `${more.length + 1} keys` : `a key that is ${key?.kind}`;
    throw new OperatorError(
      `cannot use --server-key ${file}: expected one secret key without a passphrase, found ${found}`,
      {
        exitCode: EXIT.usage,
      },
    );
  }
}

async function refuseAnother(path: string, there: string | undefined, armored: string): Promise<void> {
  if (there === undefined) return;
  const [old, wanted] = [await fingerprints(there), await fingerprints(armored)];
  if (old !== wanted) {
    throw new OperatorError(
      `cannot replace ${path}: it holds ${old}, not ${wanted}; move it away first if that is meant`,
    );
  }
}

async function fingerprints(armored: string): Promise<string> {
  return (await describeKeys(armored))
    .map(({ fingerprint }) => fingerprint)
    .sort()
    .join(', ');
}

async function ownerOf(keys: string): Promise<{ uid: number; gid: number }> {
  await mkdir(keys, { recursive: true, mode: 0o700 });
  return stat(keys);
}
