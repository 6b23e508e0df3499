export interface DpkgPackage {
  name: string;
  version: string;
  architecture: string;
  /** the selection is `hold` */
  held: boolean;
}

/** States in which a package's files are there (dpkg(1), "Package states"). */
const THERE = ['installed', 'unpacked', 'half-configured', 'triggers-awaited', 'triggers-pending', 'half-installed'];

/** What /var/lib/dpkg/status says is there; a stanza that is cut off or makes no sense is left out. */
export function parseDpkgPackages(text: string): DpkgPackage[] {
  const packages: DpkgPackage[] = [];
  for (const stanza of text.split('\n\n')) {
    const field = (name: RegExp) => name.exec(stanza)?.[1];
    const name = field(/^Package: (\S+)$/m);
    const version = field(/^Version: (\S+)$/m);
    const [, want, state] = /^Status: (\S+) \S+ (\S+)$/m.exec(stanza) ?? [];
    if (name === undefined || version === undefined || state === undefined || !THERE.includes(state)) continue;
    packages.push({ name, version, architecture: field(/^Architecture: (\S+)$/m) ?? '', held: want === 'hold' });
  }
  return packages;
}
