import { certificateFacts } from '../crypto/server-certificate.ts';
import type { CertificateChange, Held } from './change-certificate.ts';
import { tellChange } from './change-ports.ts';
import type { AdminContext } from './context.ts';
import { showTime } from './show-time.ts';

/** Says what the port shows from now on, and which files are of no use any more. */
export function tellCertificate(
  context: AdminContext,
  {
    name,
    changed,
    held,
    change,
  }: { name: string; changed: boolean; held: Held[]; change: CertificateChange | undefined },
): void {
  const shown = (change?.after ?? []).map(certificateFacts);
  const list = shown.map(
    ({ fingerprint, ends, names }) => `  ${fingerprint}, until ${showTime(ends)}, for ${names.join(', ')}`,
  );
  const facts = { port: name, certificates: shown };
  tellChange(context, {
    changed,
    sentence: [`port ${name} shows from the next reload on:`, ...list].join('\n'),
    facts,
  });
  if (!changed && change?.provided !== undefined && !context.output.wantsJson) {
    context.output.note('The server reads the files again when it is reloaded: systemctl reload penguindome-server');
  }
  const left = held.filter(({ pem }) => pem !== undefined && !(change?.after ?? [pem]).includes(pem));
  for (const { files } of left)
    context.output.note(`Not used by this port any more: ${files.certificate}, ${files.key}`);
}
