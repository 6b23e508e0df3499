import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { YamlEdit } from '../settings/edit-yaml.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { type CertificateChange, type Held, readHeld, replaceOne } from './change-certificate.ts';
import { asWritten, changePorts, type MadeFiles, tellChange } from './change-ports.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { type FoundPort, findPort, isPublic, portName, publicName } from './find-port.ts';
import { certificateOptions, PORT_HELP, readAddress } from './port-options.ts';
import { type CertificateFlags, provideCertificate } from './provide-certificate.ts';
import { tellCertificate } from './tell-certificate.ts';

interface Flags extends CertificateFlags {
  /** `--tls` true, `--no-tls` false */
  tls?: boolean;
  address?: string;
  allAddresses?: true;
  force?: true;
}

/** `penguindome ports configure PORT`: TLS on or off, the address, the names. */
export function portsConfigure(context: AdminContext): Command {
  const command = new Command('configure')
    .description('switch TLS of a port on or off, or change its address or the names of its certificate')
    .argument('<port>', PORT_HELP)
    .option('--tls', 'TLS')
    .option('--no-tls', 'plain HTTP: only behind a proxy that speaks TLS')
    .option('--address <address>', 'on this address of the machine only', readAddress)
    .option('--all-addresses', 'on all addresses of the machine')
    .option('--force', 'also where agents could not come any more')
    .addHelpText('after', EXAMPLES);
  return certificateOptions(command).action((port: string, flags: Flags) => configurePort(context, port, flags));
}

const EXAMPLES = `
A port that changes to TLS, or from it, is closed and opened again when the server is reloaded: what is under way is answered.
New names are a new certificate by the site's CA. To change a port's number, add the new one, deprecate the old one, and remove it later.

Examples:
  penguindome ports configure 8443 --host-name dome.example.org --host-name 192.0.2.7
  penguindome ports configure 8443 --address 192.0.2.7
  penguindome ports configure 8080 --tls
  penguindome ports configure 8080 --no-tls`;

interface Outcome {
  name: string;
  held: Held[];
  change?: CertificateChange;
}

async function configurePort(context: AdminContext, wanted: string, flags: Flags): Promise<void> {
  refuseUnclear(flags);
  let outcome: Outcome = { name: wanted, held: [] };
  const changed = await changePorts(context, async (settings, files) => {
    const found = findPort(settings, wanted);
    outcome = { name: portName(found.port), held: await readHeld(found) };
    if (!flags.force) refuseOtherScheme(settings, found, flags.tls);
    const { edits, ...made } = await tlsEdits(context, { settings, found, flags, files, held: outcome.held });
    outcome = { ...outcome, ...made };
    return [...addressEdits(found, flags), ...edits];
  });
  const { name, change } = outcome;
  if (change !== undefined) tellCertificate(context, { ...outcome, changed, change });
  else tellChange(context, { changed, sentence: `port ${name} is configured`, facts: { port: name } });
}

function addressEdits({ index, port }: FoundPort, { address, allAddresses }: Flags): YamlEdit[] {
  const path = `ports.${index}.host`;
  if (allAddresses === true) return port.host === undefined ? [] : [{ path, value: undefined }];
  return address === undefined ? [] : [{ path, value: JSON.stringify(address) }];
}

interface Tls {
  settings: ServerSettings;
  found: FoundPort;
  flags: Flags;
  files: MadeFiles;
  held: Held[];
}

async function tlsEdits(
  context: AdminContext,
  { settings, found, flags, files, held }: Tls,
): Promise<{ edits: YamlEdit[]; change?: CertificateChange }> {
  const path = `ports.${found.index}.tls`;
  const { port } = found;
  // Out and in again: what stands around the group of lines stays as it is.
  if (flags.tls === false) {
    return {
      edits:
        port.tls === false
          ? []
          : [
              { path, value: undefined },
              { path, value: 'false' },
            ],
    };
  }
  const gives = flags.certificate !== undefined || flags.hostName !== undefined;
  if (port.tls !== false) {
    if (!gives) return { edits: [] };
    const change = await replaceOne(
      context,
      { ...found, settings, held, flags, files, force: flags.force === true },
      0,
    );
    return { edits: change.edits, change };
  }
  if (flags.tls !== true && !gives) return { edits: [] };
  const names = flags.hostName ?? [publicName(settings)];
  const provided = await provideCertificate(context, settings, { flags, port: port.port, names, files });
  const edits = [{ path, value: JSON.stringify(asWritten(context, provided.files)) }];
  return { edits, change: { edits, after: [provided.pem], provided } };
}

function refuseUnclear({ tls, address, allAddresses, ...flags }: Flags): void {
  const gives = [flags.certificate, flags.certificateKey, flags.hostName].some((each) => each !== undefined);
  const nothing = tls === undefined && address === undefined && allAddresses === undefined && !gives;
  const why = nothing
    ? 'without saying what: --tls, --no-tls, --address, --all-addresses, --host-name or --certificate'
    : tls === false && gives
      ? 'with --no-tls and a certificate'
      : address !== undefined && allAddresses === true
        ? 'with --address and --all-addresses'
        : undefined;
  if (why !== undefined) throw new OperatorError(`cannot configure a port ${why}`, { exitCode: EXIT.usage });
}

function refuseOtherScheme(settings: ServerSettings, { port }: FoundPort, tls: boolean | undefined): void {
  if (tls === undefined || !isPublic(settings, port) || settings.public_url.startsWith('https:') === tls) return;
  throw new OperatorError(
    `cannot switch TLS ${tls ? 'on' : 'off'} on port ${portName(port)}: agents are told ${settings.public_url}; add another port, change public_url, or use --force behind a proxy`,
  );
}
