import { X509Certificate } from 'node:crypto';
import { days, hours } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import type { Fact } from '../group.ts';
import { factsOf, linkAt, namesIn, textOf } from '../lenient.ts';

/** Where a machine's own certificates are; `live` of certbot holds links, the others what is no link (a link is one that everybody trusts). */
const FOLDERS = ['/etc/ssl', '/etc/ssl/certs', '/etc/ssl/private', '/etc/pki/tls/certs', '/etc/ssl/localcerts'];
const LIVE = '/etc/letsencrypt/live';
const NAME = /\.(pem|crt|cer|cert)$/;
/** More is a bundle of those that are trusted. */
const LARGEST = 64 * 1024;
const MOST = 500;
const SOON = days(14);

/** Those that somebody must renew: `class` changes twice in a certificate's life, and not with every day. */
export const certificates: Fact = {
  name: 'certificates',
  interval: hours(6),
  look: async (host) => {
    const paths = await pathsOn(host);
    const found = await Promise.all(
      paths.map(async (path) => ({ path, class: classOf(await textOf(host, path, LARGEST), host.now()) })),
    );
    const own = found.filter((each) => each.class !== undefined);
    return { checked: own.length, expiring: own.filter((each) => each.class !== 'valid') };
  },
};

async function pathsOn(host: HostAccess): Promise<string[]> {
  const plain = await Promise.all(FOLDERS.map((folder) => ownFiles(host, folder)));
  const lives = ((await namesIn(host, LIVE)) ?? []).map((name) => `${LIVE}/${name}/cert.pem`);
  return [...new Set([...plain.flat(), ...lives])].sort().slice(0, MOST);
}

async function ownFiles(host: HostAccess, folder: string): Promise<string[]> {
  const paths = ((await namesIn(host, folder)) ?? [])
    .filter((name) => NAME.test(name))
    .map((name) => `${folder}/${name}`);
  const own = await Promise.all(
    paths.map(async (path) => {
      if ((await linkAt(host, path)) !== undefined) return false;
      const facts = await factsOf(host, path);
      return facts?.kind === 'file' && facts.size <= LARGEST;
    }),
  );
  return paths.filter((_, index) => own[index]);
}

const BLOCK = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/;

/** Of the first certificate, which is the one that is shown; undefined where there is none. */
export function classOf(text: string | undefined, now: Date): 'valid' | 'soon' | 'expired' | undefined {
  const block = BLOCK.exec(text ?? '')?.[0];
  if (block === undefined) return undefined;
  try {
    const certificate = new X509Certificate(block);
    const left = new Date(certificate.validTo).getTime() - now.getTime();
    if (Number.isNaN(left)) return undefined;
    return left <= 0 ? 'expired' : left < SOON ? 'soon' : 'valid';
  } catch {
    return undefined;
  }
}
