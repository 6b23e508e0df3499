import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { EXIT } from '../../src/admin/exit-codes.ts';
import { certificateFingerprint } from '../../src/crypto/certificates.ts';
import { syncFolder, writeAtomically } from '../../src/settings/atomic-write.ts';
import { loadServerSettings } from '../../src/settings/load-server-settings.ts';
import type { Answers } from './answers.ts';
import { networkFile } from './network-file.ts';
import { setupArguments } from './setup-arguments.ts';
import { shown } from './shown.ts';

const run = promisify(execFile);

const OWN = '/etc/penguindome-appliance';
const SETTINGS = '/etc/penguindome/server.yml';
const MONGO_FILES = { password: '/etc/penguindome/mongo-password', ca: '/etc/penguindome/mongo-ca.crt' };
const PUBLIC = { mode: 0o644 };
/** appliance/list.mjs */
const SERVER = { uid: 960, gid: 960 };

const setupSaid = z.object({ public_url: z.string(), ca_sha256: z.string() });

/** Each step may be done again: a first boot that the power cut off is done anew. @returns what to show */
export async function apply(answers: Answers): Promise<string> {
  for (const folder of ['network', 'nftables.d', 'ssh'])
    await mkdir(join(OWN, folder), { recursive: true, mode: 0o755 });
  await writeAtomically(join(OWN, 'hostname'), `${answers.host_name}\n`, PUBLIC);
  const network = networkFile(answers);
  if (network !== undefined) await writeAtomically(join(OWN, 'network/10-first-boot.network'), network, PUBLIC);
  const rule = `add rule inet filter input tcp dport ${answers.port} accept comment "agents"\n`;
  await writeAtomically(join(OWN, 'nftables.d/10-server.nft'), rule, PUBLIC);
  await run('nft', ['-f', '/etc/nftables.conf']);
  await writeAtomically(join(OWN, 'ssh/authorized_keys'), `${answers.ssh_keys.join('\n')}\n`, PUBLIC);
  await makeHostKey();
  if (answers.store !== 'embedded') await writeMongoFiles(answers.store.mongo);
  const { url, fingerprint } = await setUp(answers);
  const text = shown({ url, fingerprint, hostName: answers.host_name });
  await writeAtomically(join(OWN, 'issue'), text, PUBLIC);
  await writeAtomically(join(OWN, 'done'), '', PUBLIC);
  return text;
}

async function writeMongoFiles({ password, ca }: Exclude<Answers['store'], 'embedded'>['mongo']): Promise<void> {
  if (password !== undefined)
    await writeAtomically(MONGO_FILES.password, `${password}\n`, { mode: 0o600, owner: SERVER });
  if (ca !== undefined) await writeAtomically(MONGO_FILES.ca, `${ca.trimEnd()}\n`, PUBLIC);
}

async function setUp(answers: Answers): Promise<{ url: string; fingerprint: string }> {
  // Left by a first boot that the power cut off: nobody else is at it here.
  await rm(`${SETTINGS}.lock`, { force: true });
  try {
    const { stdout } = await run('penguindome', ['--json', 'setup', ...setupArguments(answers, MONGO_FILES)]);
    const { public_url, ca_sha256 } = setupSaid.parse(JSON.parse(stdout));
    return { url: public_url, fingerprint: ca_sha256 };
  } catch (error) {
    // There is no network yet by which to reach a MongoDB; all else is set up then.
    const storeIsAway = error instanceof Error && 'code' in error && error.code === EXIT.tryAgain;
    if (answers.store === 'embedded' || !storeIsAway) throw error;
    const { public_url, pki } = await loadServerSettings(SETTINGS);
    return { url: public_url, fingerprint: certificateFingerprint(await readFile(join(pki, 'ca.crt'), 'utf8')) };
  }
}

/** There whole or not at all. */
async function makeHostKey(): Promise<void> {
  const file = join(OWN, 'ssh/ssh_host_ed25519_key');
  const made = `${file}.new`;
  const there = await stat(file).then(
    ({ size }) => size > 0,
    () => false,
  );
  if (there) return;
  // ssh-keygen asks before it overwrites one.
  for (const left of [made, `${made}.pub`]) await rm(left, { force: true });
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', made]);
  await run('sync', [made, `${made}.pub`]);
  await rename(`${made}.pub`, `${file}.pub`);
  await rename(made, file);
  await syncFolder(dirname(file));
}
