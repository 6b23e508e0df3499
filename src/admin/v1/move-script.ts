/** Where a machine takes our agent from. */
export type PackageSource =
  | { from: 'url'; url: string; sha256: string }
  /** what its package manager knows already, and checks by itself */
  | { from: 'repository' };

/**
 * What a machine with the original client runs, as root, to come over: installs our agent and enrols it. POSIX sh, since these machines
 * may be old. It may run again: the original client does so until it succeeds, or until the token has ended.
 * @param token secret: the script is for root's eyes alone
 */
export function moveScript(move: { hostname: string; source: PackageSource; token: string; ends: Date }): string {
  const { hostname, source, token, ends } = move;
  return `#!/bin/sh
# Moves this machine from the original PenguinDome client to penguindome-agent. Made by \`penguindome migrate host\`.
set -eu
umask 022
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
DEBIAN_FRONTEND=noninteractive
export PATH LC_ALL DEBIAN_FRONTEND

fail() {
  printf 'cannot move this machine over: %s\\n' "$*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

if [ "$(date +%s)" -ge ${Math.floor(ends.getTime() / 1000)} ]; then
  echo 'NOT MOVED: the token of this command has ended; order it anew (penguindome migrate host)'
  exit 0
fi
[ "$(id -u)" -eq 0 ] || fail 'it takes root'
[ "$(uname -n)" = ${quoted(hostname)} ] || fail "this machine is named $(uname -n), and not "${quoted(hostname)}
work=$(mktemp -d /tmp/penguindome-move.XXXXXX) || fail 'there is no room in /tmp'
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

${source.from === 'url' ? fromUrl(source) : FROM_REPOSITORY}
if has penguindome-agent; then
  echo "penguindome-agent $(penguindome-agent --version) is there"
else
  install_agent >"$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; fail 'the package could not be installed'; }
  has penguindome-agent || fail 'the package holds no penguindome-agent'
  echo "penguindome-agent $(penguindome-agent --version) was installed"
fi

(umask 077 && cat >"$work/token") <<'END_OF_TOKEN'
${token}
END_OF_TOKEN
penguindome-agent enroll --token-file "$work/token"
`;
}

const FROM_REPOSITORY = `install_agent() {
  if has apt-get; then
    apt-get -q update && apt-get -qy -o DPkg::Lock::Timeout=120 install penguindome-agent
  elif has dnf; then dnf -qy install penguindome-agent
  elif has zypper; then zypper -nq install penguindome-agent
  elif has pacman; then pacman -Sy --noconfirm --needed penguindome-agent
  else
    echo 'there is no package manager that is known'
    return 1
  fi
}
`;

function fromUrl({ url, sha256 }: { url: string; sha256: string }): string {
  return `url=${quoted(url)}
package="$work"/${quoted(packageName(url))}
fetch() {
  if has curl; then curl -fsSL --proto '=http,https' --connect-timeout 30 --max-time 600 --max-filesize 268435456 -o "$package" "$url"
  elif has wget; then wget -q -T 30 -O "$package" "$url"
  else python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(sys.argv[1], sys.argv[2])' "$url" "$package"
  fi
}
digest() {
  if has sha256sum; then sha256sum <"$package"
  else python3 -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())' <"$package"
  fi
}
install_agent() {
  fetch || { echo "$url could not be fetched"; return 1; }
  found=$(digest | cut -c 1-64)
  [ "$found" = ${sha256} ] || { echo "$url has the SHA-256 $found, and not the one that was ordered"; return 1; }
  case $package in
  *.deb)
    if has apt-get; then apt-get -qy -o DPkg::Lock::Timeout=120 install "$package"
    else dpkg -i "$package"
    fi
    ;;
  *.rpm)
    if has dnf; then dnf -qy install "$package"
    elif has zypper; then zypper -nq --no-gpg-checks install "$package"
    else rpm -U "$package"
    fi
    ;;
  *.pkg.tar.*) pacman -U --noconfirm --needed "$package" ;;
  esac
}
`;
}

const KINDS = /\.(?:deb|rpm|pkg\.tar\.(?:zst|xz|gz))$/;

/** What it is saved as; package managers go by how that ends. */
function packageName(url: string): string {
  return `penguindome-agent${KINDS.exec(new URL(url).pathname)?.[0] ?? ''}`;
}

/** Whether it names a package of a kind that can be installed. */
export function isPackageUrl(text: string): boolean {
  if (/[\s\p{Cc}]/u.test(text) || !URL.canParse(text)) return false;
  const { protocol, pathname, username, password } = new URL(text);
  return ['http:', 'https:'].includes(protocol) && username === '' && password === '' && KINDS.test(pathname);
}

/** POSIX.1, 2.2.2: nothing is special between single quotes but the single quote. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
