/** Ids of the repositories that a .repo file switches on, which is what it does where it does not say. */
export function enabledRepositories(text: string): string[] {
  const ids = new Map<string, boolean>();
  let id = 'main';
  for (const line of text.split('\n')) {
    const section = /^\s*\[([^\]]+)\]/.exec(line)?.[1];
    if (section !== undefined) {
      id = section;
      ids.set(id, true);
    }
    const enabled = /^\s*enabled\s*=\s*(\S+)/.exec(line)?.[1];
    if (enabled !== undefined) ids.set(id, /^(?:1|yes|true|on)$/i.test(enabled));
  }
  ids.delete('main');
  return [...ids].filter(([, on]) => on).map(([each]) => each);
}

/** The repository that a cache folder is of: `fedora-73071d1c37cf1c7b`. */
export function repositoryOf(folder: string): string | undefined {
  return /^(.+)-[0-9a-f]{16}$/.exec(folder)?.[1];
}
