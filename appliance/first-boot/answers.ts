import { isIP } from 'node:net';
import * as z from 'zod';
import { isHostname } from '../../src/core/host.ts';
import { isCertificateBundle } from '../../src/crypto/certificates.ts';
import { type Contradiction, parseSettingsFile } from '../../src/settings/parse-settings-file.ts';

const name = z.string().refine((text) => isHostname(text) || isIP(text) !== 0, 'expected a host name or an address');
const address = z.string().refine((text) => isIP(text) !== 0, 'expected an address');
const addressWithPrefix = z
  .string()
  .refine(isAddressWithPrefix, 'expected an address with its prefix, such as 192.0.2.10/24');
/** Of authorized_keys, without options in front. */
const sshKey = z
  .string()
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]+=*( [^\n]*)?$/,
    'expected an ssh public key',
  );

const mongo = z.strictObject({
  /** host:port */
  hosts: z.array(z.string().min(1)).min(1),
  replica_set: z.string().min(1).optional(),
  database: z.string().min(1).optional(),
  user: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  /** as it is where there is a `ca`, unless the system trusts who signed the members' certificates */
  tls: z.boolean().optional(),
  /** the certificate itself, PEM */
  ca: z.string().refine(isCertificateBundle, 'expected certificates in PEM, and no key beside them').optional(),
});

/** What the first boot has to know, as it stands in `penguindome.yml` (docs/appliance.md). */
export const answers = z.strictObject({
  /** by which agents reach the server; a certificate is made for it */
  host_name: name,
  /** of the account `admin` */
  ssh_keys: z.array(sshKey).min(1),
  /** further names and addresses for the certificate */
  names: z.array(name).default([]),
  /** none: DHCP */
  addresses: z.array(addressWithPrefix).default([]),
  gateways: z.array(address).default([]),
  name_servers: z.array(address).default([]),
  port: z.int().min(1).max(65535).default(8443),
  /** where agents come by another one, as behind a router */
  public_url: z
    .string()
    .regex(/^https:\/\/[^/?#@\s]+$/, 'expected https://host:port')
    .optional(),
  store: z.union([z.literal('embedded'), z.strictObject({ mongo })]).default('embedded'),
});
export type Answers = z.output<typeof answers>;

/** @throws SettingsError with every problem: file, line, key, what was expected and what was found */
export function parseAnswers(text: string, file: string): Answers {
  return parseSettingsFile({ text, file }, answers, contradictions);
}

function contradictions({ addresses, gateways, name_servers, port, store }: Answers): Contradiction[] {
  const found: Contradiction[] = [];
  if (addresses.length === 0 && gateways.length > 0)
    found.push({ path: ['gateways'], expected: 'addresses beside it: without, DHCP says which gateway' });
  if (addresses.length > 0 && name_servers.length === 0)
    found.push({ path: ['name_servers'], expected: 'one at least, where addresses are given' });
  if (port === 22) found.push({ path: ['port'], expected: 'another port: 22 is for ssh' });
  if (store !== 'embedded' && store.mongo.ca !== undefined && store.mongo.tls === false)
    found.push({ path: ['store', 'mongo', 'tls'], expected: 'true beside ca' });
  return found;
}

function isAddressWithPrefix(text: string): boolean {
  const [host = '', prefix = '', ...rest] = text.split('/');
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(host)] ?? -1;
  return rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest;
}
