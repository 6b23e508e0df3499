/** The newest of the same flavour. @returns undefined where there is none of it */
export function newestLike(running: string, installed: readonly string[]): string | undefined {
  const same = installed.filter((release) => flavourOf(release) === flavourOf(running));
  return [...same].sort(compareReleases).at(-1);
}

/**
 * Which of several kernels that are kept side by side: `amd64`, `cloud-amd64` and `lowlatency` end a release of Debian's, Ubuntu's and
 * openSUSE's, `+debug` one of Fedora's; of Arch's (`6.9.1-arch1-1`, `6.6.30-1-lts`) the first word counts.
 */
function flavourOf(release: string): string {
  const arch = /[.-](arch|zen|hardened|lts|rt)(?:\d+-\d+)?(?:-lts)?$/.exec(release)?.[1];
  const ending = /-((?!rc\d)[a-z][\w-]*)$/.exec(release) ?? /\+([a-z][a-z-]*)$/.exec(release);
  return arch ?? ending?.[1] ?? '';
}

/** Numbers as numbers, words as words, from left to right; what goes on is newer (`6.12.43+deb13+1`), but for a candidate (`-rc1`). */
export function compareReleases(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = comparePart(left[index], right[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function partsOf(release: string): string[] {
  return release.match(/\d+|[a-z]+/g) ?? [];
}

function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  const [left, right] = [rankOf(a), rankOf(b)];
  if (left !== right) return left - right;
  const difference = Number(a) - Number(b);
  if (left === NUMBER && !Number.isNaN(difference)) return difference;
  return (a ?? '') < (b ?? '') ? -1 : 1;
}

const NUMBER = 3;

function rankOf(part: string | undefined): number {
  if (part === 'rc') return 0;
  if (part === undefined) return 1;
  return /^\d/.test(part) ? NUMBER : 2;
}
