/**
 * Whether a host name fits a token's pattern: `*` stands for any characters, none too, `?` for one. Case does not count, as in DNS.
 * Walks both with one point to come back to, so that no pattern takes longer than their lengths multiplied.
 */
export function fitsPattern(hostname: string, pattern: string): boolean {
  const name = hostname.toLowerCase();
  const wanted = pattern.toLowerCase();
  let at = 0;
  let want = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    if (wanted[want] === '*') {
      star = want++;
      starAt = at;
    } else if (want < wanted.length && (wanted[want] === '?' || wanted[want] === name[at])) {
      at++;
      want++;
    } else if (star !== -1) {
      want = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (wanted[want] === '*') want++;
  return want === wanted.length;
}
