import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { certificateFacts } from '../crypto/server-certificate.ts';
import { asWritten, changePorts, tellChange } from './change-ports.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { portName, publicName } from './find-port.ts';
import { certificateOptions, readAddress, readNumber } from './port-options.ts';
import { type CertificateFlags, provideCertificate } from './provide-certificate.ts';
import { showTime } from './show-time.ts';

interface AddFlags extends CertificateFlags {
  address?: string;
  /** `--no-tls` false */
  tls: boolean;
}

/** `penguindome ports add PORT`: the server listens there too, from its next reload on. */
export function portsAdd(context: AdminContext): Command {
  const command = new Command('add')
    .description('let the server listen on another port, with TLS or without')
    .argument('<port>', 'from 1 to 65535', readNumber)
    .option('--address <address>', 'on this address of the machine only', readAddress)
    .option('--no-tls', 'plain HTTP: only behind a proxy that speaks TLS')
    .addHelpText('after', EXAMPLES);
  return certificateOptions(command).action((port: number, flags: AddFlags) => addPort(context, port, flags));
}

const EXAMPLES = `
With TLS the certificate is made by the site's CA, for the name in public_url or those of --host-name. Files of your own are looked into
first (key, chain, dates, names), and stay where they are: the server must be able to read them.
A port that cannot be had, because another program has it, shows when the server is reloaded: it then goes on as before, and logs why.

Examples:
  penguindome ports add 9443
  penguindome ports add 9443 --host-name dome.example.org --host-name 192.0.2.7
  penguindome ports add 443 --certificate /etc/ssl/dome.pem --certificate-key /etc/ssl/dome.key
  penguindome ports add 8080 --address 127.0.0.1 --no-tls`;

async function addPort(context: AdminContext, number: number, flags: AddFlags): Promise<void> {
  const { address, tls, hostName } = flags;
  if (!tls && [flags.certificate, flags.certificateKey, hostName].some((each) => each !== undefined)) {
    throw new OperatorError('cannot use --no-tls together with a certificate', { exitCode: EXIT.usage });
  }
  const place = { port: number, ...(address === undefined ? {} : { host: address }) };
  let pem: string | undefined;
  const changed = await changePorts(context, async (settings, files) => {
    if (settings.ports.some((port) => portName(port) === portName(place))) {
      throw new OperatorError(
        `cannot add port ${portName(place)}: it is there; see penguindome ports configure --help`,
      );
    }
    const names = hostName ?? [publicName(settings)];
    const provided = tls
      ? await provideCertificate(context, settings, { flags, port: number, names, files })
      : undefined;
    pem = provided?.pem;
    const port = { ...place, tls: provided === undefined ? false : asWritten(context, provided.files) };
    return [{ path: `ports.${settings.ports.length}`, value: JSON.stringify(port) }];
  });
  const facts = pem === undefined ? undefined : certificateFacts(pem);
  const shows = facts === undefined ? 'plain' : `certificate ${facts.fingerprint}, until ${showTime(facts.ends)}`;
  tellChange(context, {
    changed,
    sentence: `port ${portName(place)} is added (${shows})`,
    facts: { port: portName(place), certificate: facts ?? null },
  });
}
