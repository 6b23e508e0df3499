/** What a change of a port's certificates comes to in the settings, and whether agents would still take what they are shown. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { OperatorError } from '../core/errors.ts';
import { certificateFacts, type Signer } from '../crypto/server-certificate.ts';
import { isEverShown, nameWithoutFirstKind, shownFor } from '../crypto/shown-certificates.ts';
import type { YamlEdit } from '../settings/edit-yaml.ts';
import { certificatesOf, type TlsFiles } from '../settings/port-certificates.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { asWritten, type MadeFiles } from './change-ports.ts';
import type { AdminContext } from './context.ts';
import { readIfThere } from './ensure-files.ts';
import { type FoundPort, isPublic, portName, publicName } from './find-port.ts';
import {
  type CertificateFlags,
  givenFiles,
  holdsName,
  type Provided,
  provideCertificate,
  signerHere,
} from './provide-certificate.ts';

/** A certificate of a port as it is now; no text where it cannot be read. */
export interface Held {
  files: TlsFiles;
  pem: string | undefined;
}

export interface CertificateChange {
  edits: YamlEdit[];
  /** what the port has from then on, in the settings' order */
  after: string[];
  provided?: Provided;
}

interface Changing extends FoundPort {
  settings: ServerSettings;
  held: Held[];
  flags: CertificateFlags;
  force: boolean;
  files: MadeFiles;
}

export async function readHeld({ port }: FoundPort): Promise<Held[]> {
  const files = certificatesOf(port.tls);
  return Promise.all(files.map(async (each) => ({ files: each, pem: readable(await readIfThere(each.certificate)) })));
}

/** What is no certificate can be replaced by one all the same. */
function readable(pem: string | undefined): string | undefined {
  try {
    if (pem !== undefined) new X509Certificate(pem);
    return pem;
  } catch {
    return undefined;
  }
}

/** Another one in the place of that one. */
export async function replaceOne(context: AdminContext, changing: Changing, which: number): Promise<CertificateChange> {
  const { settings, index, port, held, flags, files } = changing;
  const before = held[which]?.pem;
  const names = flags.hostName ?? (await namesToKeep(changing, before, which));
  const provided = await provideCertificate(context, settings, { flags, port: port.port, names, files });
  if (before !== undefined) await refuseOtherSigner(changing, before, provided.pem);
  const after = held.flatMap(({ pem }, at) => (at === which ? [provided.pem] : pem === undefined ? [] : [pem]));
  refuseNeverShown(changing, after, provided);
  refuseHalfShown(changing, after);
  refuseWithoutPublicName(changing, after);
  const path = which === 0 ? `ports.${index}.tls` : `ports.${index}.tls.also.${which - 1}`;
  const { certificate, key } = asWritten(context, provided.files);
  const edits = [
    { path: `${path}.certificate`, value: JSON.stringify(certificate) },
    { path: `${path}.key`, value: JSON.stringify(key) },
  ];
  return { edits, after, provided };
}

/** One more on the same port. */
export async function addBeside(context: AdminContext, changing: Changing): Promise<CertificateChange> {
  const { settings, index, port, held, flags, files } = changing;
  const names = flags.hostName ?? [publicName(settings)];
  const provided = await provideCertificate(context, settings, { flags, port: port.port, names, files });
  const before = held.flatMap(({ pem }) => pem ?? []);
  const after = [...before, provided.pem];
  refuseNeverShown(changing, after, provided);
  const [first] = before;
  // Who asks for another name than agents do may trust what it likes.
  if (first !== undefined && offered(settings, after).includes(provided.pem)) {
    await refuseOtherSigner(changing, first, provided.pem);
  }
  refuseHalfShown(changing, after);
  refuseWithoutPublicName(changing, after);
  const written = JSON.stringify(asWritten(context, provided.files));
  const count = held.length - 1;
  const path = `ports.${index}.tls.also`;
  const edit = count === 0 ? { path, value: `[${written}]` } : { path: `${path}.${count}`, value: written };
  return { edits: [edit], after, provided };
}

/** One less; where it is the first, the next one takes its place. */
export function dropOne(context: AdminContext, changing: Changing, which: number): CertificateChange {
  const { index, held } = changing;
  if (held.length < 2) {
    throw new OperatorError(
      `cannot drop the only certificate of port ${portName(changing.port)}; penguindome ports configure --no-tls makes it plain`,
    );
  }
  const left = held.filter((_, at) => at !== which);
  const after = left.flatMap(({ pem }) => pem ?? []);
  refuseHalfShown(changing, after);
  refuseWithoutPublicName(changing, after);
  const path = `ports.${index}.tls`;
  const edits: YamlEdit[] = [
    { path: left.length === 1 ? `${path}.also` : `${path}.also.${Math.max(0, which - 1)}`, value: undefined },
  ];
  const [next] = left;
  if (which === 0 && next !== undefined) {
    const { certificate, key } = asWritten(context, next.files);
    edits.push({ path: `${path}.certificate`, value: JSON.stringify(certificate) });
    edits.push({ path: `${path}.key`, value: JSON.stringify(key) });
  }
  return { edits, after };
}

/** A renewal is for the names that it was for; files of one's own must at least be for what agents ask for. */
async function namesToKeep(
  { settings, flags }: Changing,
  before: string | undefined,
  which: number,
): Promise<string[]> {
  const given = givenFiles(flags) !== undefined;
  if (given) return which === 0 ? [publicName(settings)] : [];
  const kept =
    before === undefined || (await signerHere(settings, before)) !== 'site' ? [] : certificateFacts(before).names;
  const outside = kept.filter((name) => !isOwnMachine(name));
  return outside.length > 0 ? outside : [publicName(settings)];
}

/** What every certificate that is made here is for anyway. */
function isOwnMachine(name: string): boolean {
  return name === 'localhost' || (isIP(name) === 4 && name.startsWith('127.')) || /^(?:::1|(?:0:){7}1)$/.test(name);
}

const TRUST: Record<Signer, string> = {
  site: "by the site's CA",
  itself: 'by the fingerprint of that very one',
  other: "by a CA that is not the site's",
};

async function refuseOtherSigner({ settings, port, force }: Changing, before: string, after: string): Promise<void> {
  if (force) return;
  const [old, next] = await Promise.all([before, after].map((pem) => signerHere(settings, pem)));
  if (old === undefined || next === undefined) return;
  const same = certificateFacts(before).fingerprint === certificateFacts(after).fingerprint;
  if (old === next && (old !== 'itself' || same)) return;
  throw new OperatorError(
    `cannot show this certificate on port ${portName(port)}: agents trust the present one ${TRUST[old]}, and would refuse this one (${
      next === 'itself' ? 'signed by itself' : next === 'site' ? "signed by the site's CA" : 'signed by another CA'
    }); put it on another port (penguindome ports add), or use --force`,
  );
}

function refuseNeverShown({ port }: Changing, after: readonly string[], { pem, files }: Provided): void {
  const certificates = after.map((text) => new X509Certificate(text));
  if (isEverShown(certificates, after.indexOf(pem))) return;
  throw new OperatorError(
    `cannot show ${files.certificate} on port ${portName(port)} beside the others: they have the same kind of key and all of its names, so that no client would see it; put it on another port (penguindome ports add)`,
  );
}

/** What the server cannot show rightly to everybody. */
function refuseHalfShown({ port }: Changing, after: readonly string[]): void {
  const certificates = after.map((text) => new X509Certificate(text));
  const name = nameWithoutFirstKind(certificates);
  const [first] = after;
  if (name === undefined || first === undefined) return;
  const { key_kind } = certificateFacts(first);
  throw new OperatorError(
    `cannot show these certificates on port ${portName(port)}: for ${name} there would be none with a key of the first one's kind (${key_kind}), and clients might be shown the first one instead; give that name one of each kind, or another port`,
  );
}

function refuseWithoutPublicName({ settings, port, force }: Changing, after: readonly string[]): void {
  const name = publicName(settings);
  if (force || !isPublic(settings, port) || !settings.public_url.startsWith('https:')) return;
  const other = offered(settings, after).find((pem) => !holdsName(pem, name));
  if (other === undefined) return;
  throw new OperatorError(
    `cannot change the certificates of port ${portName(port)}: agents come there for ${name}, and would be shown one for ${certificateFacts(other).names.join(', ')}; use --force where they do not`,
  );
}

/** What an agent that comes by public_url is offered. */
function offered(settings: ServerSettings, pems: readonly string[]): string[] {
  const name = publicName(settings);
  const certificates = pems.map((pem) => new X509Certificate(pem));
  const indices = shownFor(certificates, isIP(name) === 0 ? name : undefined);
  return pems.filter((_, index) => indices.includes(index));
}
