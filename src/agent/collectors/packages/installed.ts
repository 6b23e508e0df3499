export interface Installed {
  name: string;
  version: string;
  architecture: string;
}

/** Name → version, by name; a name that is there in several versions (kernels, another architecture's) has a sorted list of them. */
export function versionsOf(packages: readonly Installed[]): Record<string, string | string[]> {
  const versions = new Map<string, Set<string>>();
  for (const { name, version } of packages) versions.set(name, (versions.get(name) ?? new Set()).add(version));
  const entries = [...versions].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([name, all]) => {
      const sorted = [...all].sort();
      const [only] = sorted;
      return [name, sorted.length === 1 && only !== undefined ? only : sorted];
    }),
  );
}
