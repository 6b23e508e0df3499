// A minimal Debian with packages of ours in it, by mmdebstrap.
import { fileURLToPath } from 'node:url';
import { output } from '../packaging/package/output.mjs';
import { ACCOUNTS, SUITE } from './list.mjs';

const CUSTOMIZE = fileURLToPath(new URL('customize.sh', import.meta.url));
const WITHOUT = ['/usr/share/doc/*', '/usr/share/info/*', '/usr/share/locale/*', '/usr/share/man/*'];

/**
 * @param target a folder, or a file of tar's
 * @param packages Debian's; `install`: files and names that are installed after them
 * @param boot a folder for what is in the packages `loaders`, which are not installed
 */
export function bootstrap(target, { packages, install, sources, epoch, boot = '', loaders = [], hooks = [] }) {
  const accounts = Object.entries(ACCOUNTS).map(([name, { id, home }]) => `${name}:${id}:${home}`);
  const args = [boot, loaders.join(' '), ...accounts, '--', ...install];
  output(
    'mmdebstrap',
    [
      ...['--quiet', '--variant=minbase', `--include=${packages.join(',')}`],
      ...WITHOUT.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
      // Licences come with what they are of.
      '--dpkgopt=path-include=/usr/share/doc/*/copyright',
      `--customize-hook=sh ${CUSTOMIZE} "$1" ${args.map(quoted).join(' ')}`,
      ...hooks,
      ...[SUITE, target, '-'],
    ],
    { input: sources, env: { ...ownEnvironment(), LC_ALL: 'C.UTF-8', SOURCE_DATE_EPOCH: String(epoch) } },
  );
}

/** Packages' scripts see it: PYTHONDONTWRITEBYTECODE, for one, would make another image. */
function ownEnvironment() {
  const ways = ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  const kept = new Set(['HOME', 'PATH', 'TMPDIR', ...ways]);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.has(name)));
}

export const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
