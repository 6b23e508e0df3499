import type { AptConfig } from '../parse-apt-config.ts';

/** What the Release file of a security archive says, by the short names that unattended-upgrades has for it. */
type Archive = Readonly<Record<'o' | 'l' | 'a' | 'n' | 'c', readonly string[]>>;

const SHORT: Readonly<Record<string, keyof Archive>> = {
  o: 'o',
  origin: 'o',
  l: 'l',
  label: 'l',
  a: 'a',
  suite: 'a',
  archive: 'a',
  n: 'n',
  codename: 'n',
  c: 'c',
  component: 'c',
};

/** Whether any pattern that unattended-upgrades has lets the distribution's security archive in. */
export function coversSecurity(config: AptConfig, os: Map<string, string> | undefined): boolean {
  const codename = os?.get('UBUNTU_CODENAME') ?? os?.get('VERSION_CODENAME') ?? '';
  const isUbuntu = os?.get('ID') === 'ubuntu' || os?.has('UBUNTU_CODENAME') === true;
  const archive = isUbuntu ? ubuntu(codename) : debian(codename);
  const patterns = [
    // `ID:SUITE`, in which a colon of its own has a backslash before it.
    ...config.list('Unattended-Upgrade::Allowed-Origins').map((each) => each.replace(/^([^:]*):(.*)$/, 'o=$1,a=$2')),
    ...config.list('Unattended-Upgrade::Origins-Pattern'),
  ];
  return patterns.some((pattern) =>
    matches(
      pattern.replace(/\$\{distro_id\}/g, isUbuntu ? 'Ubuntu' : 'Debian').replace(/\$\{distro_codename\}/g, codename),
      archive,
    ),
  );
}

function debian(codename: string): Archive {
  const suites = ['stable-security', 'oldstable-security', 'oldoldstable-security', `${codename}-security`];
  return { o: ['Debian'], l: ['Debian-Security'], a: suites, n: [`${codename}-security`], c: ['main'] };
}

function ubuntu(codename: string): Archive {
  return { o: ['Ubuntu'], l: ['Ubuntu'], a: [`${codename}-security`], n: [codename], c: ['main'] };
}

/** All its parts must hold; `site` can be anything, as the mirror is the administrator's choice. */
function matches(pattern: string, archive: Archive): boolean {
  return pattern.split(',').every((part) => {
    const [what = '', glob = ''] = part.split('=').map((each) => each.trim());
    if (what === 'site') return true;
    const values = Object.hasOwn(SHORT, what) ? archive[SHORT[what] ?? 'o'] : [];
    return values.some((value) => globOf(glob).test(value));
  });
}

/** fnmatch of Python: `*`, `?` and sets. */
function globOf(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.')
    .replaceAll('[!', '[^');
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return /^(?!)/;
  }
}
