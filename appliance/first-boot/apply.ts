import { execFile } from 'node:child_process';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { writeAtomically } from '../../src/settings/atomic-write.ts';
import type { Answers } from './answers.ts';
import { networkFile } from './network-file.ts';
import { setupArguments } from './setup-arguments.ts';
import { shown } from './shown.ts';

const run = promisify(execFile);

const OWN = '/etc/penguindome-appliance';
const MONGO_PASSWORD = '/etc/penguindome/mongo-password';
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
  if (answers.store !== 'embedded' && answers.store.mongo.password !== undefined) {
    const owned = { mode: 0o600, owner: SERVER };
    await writeAtomically(MONGO_PASSWORD, `${answers.store.mongo.password}\n`, owned);
  }
  const { stdout } = await run('penguindome', ['--json', 'setup', ...setupArguments(answers, MONGO_PASSWORD)]);
  const said = setupSaid.parse(JSON.parse(stdout));
  const text = shown({ url: said.public_url, fingerprint: said.ca_sha256, hostName: answers.host_name });
  await writeAtomically(join(OWN, 'issue'), text, PUBLIC);
  await writeAtomically(join(OWN, 'done'), '', PUBLIC);
  return text;
}

async function makeHostKey(): Promise<void> {
  const file = join(OWN, 'ssh/ssh_host_ed25519_key');
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (!there) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file]);
}
