import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { certificateFacts } from '../crypto/server-certificate.ts';
import { addBeside, type CertificateChange, dropOne, type Held, readHeld, replaceOne } from './change-certificate.ts';
import { changePorts } from './change-ports.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { findPort, portName } from './find-port.ts';
import { certificateOptions, PORT_HELP } from './port-options.ts';
import type { CertificateFlags } from './provide-certificate.ts';
import { tellCertificate } from './tell-certificate.ts';

interface Flags extends CertificateFlags {
  replace?: string;
  beside?: true;
  drop?: string;
  force?: true;
}

/** `penguindome ports certificate PORT`: another certificate, for connections to come. */
export function portsCertificate(context: AdminContext): Command {
  const command = new Command('certificate')
    .description("renew a port's certificate by the site's CA, or show one of your own; further ones beside it")
    .argument('<port>', PORT_HELP)
    .option('--replace <fingerprint>', 'where the port has several: instead of which (the first one; 8 digits or more)')
    .option('--beside', 'show it beside the others, for other names or with another kind of key')
    .option('--drop <fingerprint>', 'show that one no more')
    .option('--force', 'also where agents would not trust it')
    .addHelpText('after', EXAMPLES);
  return certificateOptions(command).action((port: string, flags: Flags) => changeCertificate(context, port, flags));
}

const EXAMPLES = `
A renewal by the site's CA is for the names that the present certificate is for; agents trust the CA and notice nothing. Connections that
are open stay as they are. Files of your own are looked into first: key, chain, dates, names, and whether agents would trust them.
On one port clients are told apart by the name that they ask for, and by the kinds of key that they understand; an old and a new certificate
for the same name, with the same kind of key, take two ports (docs/ports.md).

Examples:
  penguindome ports certificate 8443
  penguindome ports certificate 8443 --host-name dome.example.org --host-name 192.0.2.7
  penguindome ports certificate 8443 --certificate /etc/ssl/dome.pem --certificate-key /etc/ssl/dome.key
  penguindome ports certificate 8443 --beside --host-name other.example.org
  penguindome ports certificate 8443 --drop 5f1c9a02`;

async function changeCertificate(context: AdminContext, wanted: string, flags: Flags): Promise<void> {
  refuseTogether(flags);
  let name = wanted;
  let held: Held[] = [];
  let change: CertificateChange | undefined;
  const changed = await changePorts(context, async (settings, files) => {
    const found = findPort(settings, wanted);
    name = portName(found.port);
    if (found.port.tls === false) {
      throw new OperatorError(
        `cannot show a certificate on port ${name}: it is plain; penguindome ports configure ${name} --tls`,
      );
    }
    held = await readHeld(found);
    const changing = { ...found, settings, held, flags, force: flags.force === true, files };
    if (flags.drop !== undefined) change = dropOne(context, changing, whichOf(held, flags.drop, name));
    else if (flags.beside === true) change = await addBeside(context, changing);
    else
      change = await replaceOne(
        context,
        changing,
        flags.replace === undefined ? 0 : whichOf(held, flags.replace, name),
      );
    return change.edits;
  });
  tellCertificate(context, { name, changed, held, change });
}

function refuseTogether({ replace, beside, drop, ...flags }: Flags): void {
  const ways = [replace !== undefined, beside === true, drop !== undefined].filter(Boolean).length;
  const gives = [flags.certificate, flags.certificateKey, flags.hostName].some((each) => each !== undefined);
  if (ways < 2 && !(drop !== undefined && gives)) return;
  throw new OperatorError(
    'cannot do several of --replace, --beside and --drop at once, nor drop one and give another',
    {
      exitCode: EXIT.usage,
    },
  );
}

const SHORTEST = 8;

function whichOf(held: readonly Held[], fingerprint: string, name: string): number {
  const wanted = fingerprint.replaceAll(':', '').toLowerCase();
  const prints = held.map(({ pem }) => (pem === undefined ? '' : certificateFacts(pem).fingerprint));
  const found = prints.flatMap((each, index) => (each.startsWith(wanted) ? [index] : []));
  const [only, ...others] = found;
  if (wanted.length >= SHORTEST && only !== undefined && others.length === 0) return only;
  throw new OperatorError(
    `cannot tell which certificate of port ${name} is meant by ${fingerprint}: it has ${prints.join(', ')}`,
  );
}
