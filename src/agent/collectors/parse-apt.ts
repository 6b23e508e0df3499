/** A package that `apt-get --simulate` would replace by a newer one. */
export interface AptUpgrade {
  name: string;
  /** of the version that would be installed */
  security: boolean;
}

/** Reads `Inst x [1] (2 Debian-Security:stable-security [all])`; what has no version in brackets would be new, and is no update. */
export function parseUpgrades(output: string): AptUpgrade[] {
  const upgrades: AptUpgrade[] = [];
  for (const line of output.split('\n')) {
    const match = /^Inst (\S+) \[[^\]]*\] \((\S+)(.*)$/.exec(line);
    const [, name, , origins] = match ?? [];
    if (name !== undefined && origins !== undefined) upgrades.push({ name, security: isSecurity(origins) });
  }
  return upgrades;
}

/** Debian and Ubuntu name the suite `*-security`; Debian's label and Ubuntu's ESM (`jammy-infra-security`) agree. */
function isSecurity(origin: string): boolean {
  return /-security\b/.test(origin);
}

/**
 * Reads `apt-cache policy PACKAGE ...`. A newer version elsewhere hides the security update below it from a simulation, not from here.
 * @returns whether a version above the installed one comes from a security suite
 */
export function hasHiddenSecurity(policy: string): boolean {
  let newer = false;
  for (const line of policy.split('\n')) {
    // The version table goes from the newest to the oldest; `***` is what is installed.
    if (/^\s+Version table:/.test(line)) newer = true;
    else if (/^ \*\*\* /.test(line)) newer = false;
    else if (newer && /^\s+-?\d+ \S*:?\S+ /.test(line) && isSecurity(line)) return true;
  }
  return false;
}

/** Names of the packages that /var/lib/dpkg/status calls installed. */
export function parseDpkgStatus(text: string): string[] {
  const names: string[] = [];
  for (const stanza of text.split('\n\n')) {
    const name = /^Package: (\S+)$/m.exec(stanza)?.[1];
    if (name !== undefined && /^Status: \S+ \S+ installed$/m.test(stanza)) names.push(name);
  }
  return names;
}

/** What a repository's Release file says about itself; a signed one has the same lines. */
export interface AptRelease {
  origin?: string;
  label?: string;
  suite?: string;
  codename?: string;
}

export function parseRelease(text: string): AptRelease {
  const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(text)?.[1]?.trim();
  const [origin, label, suite, codename] = ['Origin', 'Label', 'Suite', 'Codename'].map(field);
  return {
    ...(origin === undefined ? {} : { origin }),
    ...(label === undefined ? {} : { label }),
    ...(suite === undefined ? {} : { suite }),
    ...(codename === undefined ? {} : { codename }),
  };
}

/** Debian's (`Debian-Security`, its suite once called `buster/updates`), Ubuntu's, and those of ESM. */
export function isSecurityArchive({ label, suite = '' }: AptRelease): boolean {
  return label === 'Debian-Security' || /-security$/.test(suite);
}

/** A release whose security updates come from an archive of their own, so that without it nobody tells of them. */
export function hasSecurityArchive({ origin, suite = '' }: AptRelease): boolean {
  return origin === 'Ubuntu' || (origin === 'Debian' && /^(?:old)*stable(?:-|$)/.test(suite));
}
