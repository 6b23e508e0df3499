#!/bin/sh
# Installs, upgrades and removes the PenguinDome agent on a Linux of any distribution, from the folder that this file lies in (penguindome release
# bootstrap makes it). Everything is looked at before anything is changed; files come whole, each under another name first, and what cannot be
# finished leaves the old version as it was.
# Needs a POSIX shell and what coreutils (or busybox), tar, sed and util-linux bring. With systemd its units run the agent, without it cron does.
set -eu
LC_ALL=C
export LC_ALL
umask 022

version=@VERSION@
lib=/usr/lib/penguindome
# What was installed here, for upgrades and removal.
own=$lib/bootstrap
stage=/usr/lib/.penguindome-stage
tree=$stage/tree
etc=/etc/penguindome
state=/var/lib/penguindome
target=penguindome-agent.target
# Behind the name of a file that waits for its place.
waiting=penguindome-new

usage() {
  cat <<EOF
install.sh [--downgrade] | --uninstall | --purge

Installs the PenguinDome agent $version, or upgrades to it; as root.

  --downgrade  although a newer version is here
  --uninstall  removes the agent; settings, key and reports stay
  --purge      removes these, too; what somebody put into agent.d, plugins and trust.d stays
EOF
}

say() { printf '%s\n' "$*"; }

fail() {
  printf 'install.sh: cannot %s\n' "$*" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

about() { sed -n "s/^$1=//p" "$here/about"; }

# listed PATH: whether it is among what SHA256SUMS has checked; anything else in the folder does not count.
listed() { sed 's/^[0-9a-f]*  //' "$here/SHA256SUMS" | grep -qxF "$1"; }

# at_least VERSION LEAST: whether these numbers with points between them are as high.
at_least() {
  have=${1%%[!0-9.]*} want=$2
  while [ -n "$want" ]; do
    a=${have%%.*} b=${want%%.*}
    [ "${a:-0}" -le "$b" ] || return 0
    [ "${a:-0}" -ge "$b" ] || return 1
    case $have in *.*) have=${have#*.} ;; *) have='' ;; esac
    case $want in *.*) want=${want#*.} ;; *) want='' ;; esac
  done
}

main() {
  action=install downgrade=''
  for word in "$@"; do
    case $word in
    --downgrade) downgrade=yes ;;
    --uninstall) action=uninstall ;;
    --purge) action=purge ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
    esac
  done
  [ "$(id -u)" = 0 ] || fail 'go on: this takes root; call it with sudo or doas, or as root'
  for tool in chmod chown cmp dirname grep mkdir mv rm rmdir sed sort; do
    has "$tool" || fail "go on: there is no $tool on this machine"
  done
  mkdir -p /run
  exec 9>/run/penguindome-install.lock
  if [ -x /usr/bin/flock ]; then
    /usr/bin/flock -n 9 || fail 'go on: another install.sh is at work; wait until it has ended'
  fi
  case $action in
  install) install_agent ;;
  uninstall) uninstall ;;
  purge) purge ;;
  esac
}

install_agent() {
  here=$(cd -- "$(dirname -- "$0")" && pwd)
  check_sums
  check_machine
  trap 'drop_stage' EXIT
  trap 'exit 1' HUP INT TERM
  make_stage
  check_node
  check_places
  make_users
  put_in_place
  make_folders
  /usr/bin/penguindome-agent --make-code-cache || say 'No code cache was made; the agent will start more slowly.'
  take_settings
  start
  take_token
  tell
}

# What is not whole is not used, and nothing was touched yet.
check_sums() {
  has sha256sum || fail 'check the files: there is no sha256sum on this machine; install coreutils or busybox'
  [ -f "$here/SHA256SUMS" ] || fail "install: $here holds no SHA256SUMS; unpack the tar again, and call install.sh in its folder"
  if ! said=$(cd "$here" && sha256sum -c SHA256SUMS 2>&1); then
    printf '%s\n' "$said" | grep -v ': OK$' >&2
    fail 'install: these files are not as they were made. Nothing was changed. Fetch the tar again, and check its signature before it is unpacked: gpg --verify'
  fi
  for path in about agent.tar install.sh; do
    listed "$path" || fail "install: SHA256SUMS does not name $path. Nothing was changed"
  done
}

check_machine() {
  # The submitter's unit gets the key by LoadCredential=, which an older one would pass over.
  units=''
  if has systemctl && at_least "$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')" 247; then units=yes; fi
  case $(/usr/bin/flock --version 2>&1 || true) in *util-linux*) ;; *)
    fail 'install: there is no /usr/bin/flock of util-linux, which the agent takes its locks with; install util-linux'
    ;;
  esac
  has tar || fail 'install: there is no tar on this machine'
  wanted=$(about machine)
  case $wanted in any | "$(uname -m)") ;; *)
    fail "install: this is for $wanted, and this machine is $(uname -m). Have one made with its Node: penguindome release bootstrap --runtime FILE"
    ;;
  esac
  wanted=$(about kernel)
  if [ -n "$wanted" ] && ! at_least "$(uname -r)" "$wanted"; then
    fail "install: its Node needs Linux $wanted or newer, and this is $(uname -r)"
  fi
  wanted=$(about glibc)
  [ -n "$wanted" ] || return 0
  found=$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | sed 1q || true)
  case $found in
  *musl*) fail "install: its Node needs glibc $wanted or newer, and this system has musl. One with Node 18.19 or newer of its own takes what penguindome release bootstrap --no-runtime makes" ;;
  glibc\ * | ldd\ *)
    found=${found##* }
    at_least "$found" "$wanted" || fail "install: its Node needs glibc $wanted or newer, and this system has $found"
    ;;
  esac
}

# Beside the places where all will be, so that it gets there by renaming.
make_stage() {
  rm -rf "$stage" 2>/dev/null || true
  mkdir -p /usr/lib && mkdir -m 700 "$stage" && mkdir "$tree" ||
    fail 'write to /usr/lib. Where /usr is an image that is not written to, the agent belongs into that image'
  tar -xf "$here/agent.tar" -C "$tree" || fail 'unpack the agent: see above. Nothing was changed'
  if listed node; then
    mkdir -p "$tree$lib/runtime/bin"
    cp "$here/node" "$tree$lib/runtime/bin/node" || fail 'copy its Node: see above. Nothing was changed'
    chmod 755 "$tree$lib/runtime/bin/node"
    if listed node.LICENSE; then cp "$here/node.LICENSE" "$tree$lib/runtime/LICENSE"; fi
  fi
  if [ -z "$units" ]; then
    rm -rf "$tree/usr/lib/systemd"
    # Without the unit that asks outside as a user of its own, the collector asks: where that user has no folder.
    folders=usr/lib/tmpfiles.d/penguindome-agent.conf
    grep -v penguindome-online "$tree/$folders" >"$stage/folders" && cat "$stage/folders" >"$tree/$folders" ||
      fail "leave a line out of $folders. Nothing was changed"
  fi
  (cd "$tree" && find . -type f -o -type l) | sed 's/^\.//' | sort >"$stage/files"
}

drop_stage() {
  # Files that wait, where it was cut off.
  if [ -f "$stage/files" ]; then
    while read -r path; do
      rm -f "${path%/*}/.${path##*/}.$waiting"
    done <"$stage/files"
  fi
  rm -rf "$stage"
}

# The machine itself says best whether it can.
check_node() {
  node=/usr/bin/node
  if listed node; then node=$tree$lib/runtime/bin/node; fi
  [ -x "$node" ] || fail 'install: there is no Node on this machine, and none in this tar; install nodejs 18.19 or newer'
  if ! said=$("$node" --version 2>&1); then
    printf '%s\n' "$said" >&2
    case $said in
    *libstdc++* | *libgcc*) fail 'install: its Node does not run without the library named above (often the package libstdc++). Nothing was changed' ;;
    *) fail 'install: its Node does not run on this machine, see above. Nothing was changed' ;;
    esac
  fi
  at_least "${said#v}" 18.19 || fail "install: the agent needs Node 18.19 or newer, and this one is $said. Nothing was changed"
}

# Nothing of anybody else is overwritten, and nobody goes back unasked.
check_places() {
  : >"$stage/before"
  if [ -f "$own/files" ]; then cat "$own/files" >"$stage/before"; fi
  while read -r path; do
    if { [ -e "$path" ] || [ -L "$path" ]; } && ! grep -qxF "$path" "$stage/before"; then
      fail "install: $path is there already, and not of an installation by install.sh. Where a package manager has brought it, let that upgrade the agent, or remove it there first. Nothing was changed"
    fi
  done <"$stage/files"
  [ -f "$own/version" ] || return 0
  read -r there <"$own/version"
  if ! at_least "$version" "$there" && [ -z "$downgrade" ]; then
    fail "install $version: $there is here, which is newer; --downgrade installs it all the same. Nothing was changed"
  fi
}

# As the file for systemd-sysusers has them, which is the same on a machine without.
make_users() {
  list=$tree/usr/lib/sysusers.d/penguindome-agent.conf
  if has systemd-sysusers; then
    systemd-sysusers "$list" && return
    fail 'make the users of the agent: systemd-sysusers says why, above. Nothing else was changed'
  fi
  # u NAME - "WHAT IT IS" HOME -
  while read -r kind name id rest; do
    [ "$kind" = u ] || continue
    what=${rest#\"} home=${rest##*\" }
    make_user "$name" "${what%%\"*}" "${home%% *}"
  done <"$list"
}

# make_user NAME COMMENT HOME: with a group of that name
make_user() {
  if id "$1" >/dev/null 2>&1; then return; fi
  shell=/bin/false
  for each in /usr/sbin/nologin /sbin/nologin; do if [ -x "$each" ]; then shell=$each; fi; done
  if has useradd; then
    useradd --system --user-group --no-create-home --home-dir "$3" --shell "$shell" --comment "$2" "$1"
  elif has adduser && has addgroup; then
    addgroup -S "$1"
    adduser -S -D -H -h "$3" -s "$shell" -G "$1" -g "$2" "$1"
  else
    fail "make the user $1: there is neither systemd-sysusers nor useradd nor adduser; make it and its group yourself, and call install.sh again. Nothing was changed"
  fi
}

# First all files get beside their places, which may fail; then each is renamed.
put_in_place() {
  while read -r path; do
    { mkdir -p "${path%/*}" && mv -f "$tree$path" "${path%/*}/.${path##*/}.$waiting"; } ||
      fail "write $path: see above. The version that was here stays as it was"
  done <"$stage/files"
  mkdir -p "$own"
  # Both, until all is done: who removes the agent after a power cut removes all of it.
  sort -u "$stage/before" "$stage/files" >"$own/.files.new"
  mv -f "$own/.files.new" "$own/files"
  while read -r path; do
    mv -f "${path%/*}/.${path##*/}.$waiting" "$path"
  done <"$stage/files"
  grep -vxFf "$stage/files" "$stage/before" >"$stage/gone" || true
  while read -r path; do rm -f "$path"; done <"$stage/gone"
  cp "$here/install.sh" "$own/.install.sh.new"
  chmod 755 "$own/.install.sh.new"
  mv -f "$own/.install.sh.new" "$own/install.sh"
  upgraded=''
  if [ -f "$own/version" ]; then read -r upgraded <"$own/version"; fi
  printf '%s\n' "$version" >"$own/.version.new"
  mv -f "$own/.version.new" "$own/version"
  cp "$stage/files" "$own/.files.new"
  mv -f "$own/.files.new" "$own/files"
  # Files that were renamed bring the label of where they were (SELinux).
  if has restorecon && [ -e /sys/fs/selinux/enforce ]; then
    while read -r path; do restorecon -F "$path" || true; done <"$own/files"
  fi
}

# As the file for systemd-tmpfiles has it, which is the same on a machine without.
make_folders() {
  # Root asked outside while there were no units: whoever asks from now on could not write there.
  if [ -n "$units" ] && [ -d "$state/online" ] && [ -O "$state/online" ]; then rm -rf "$state/online"; fi
  if has systemd-tmpfiles; then
    systemd-tmpfiles --create penguindome-agent.conf && return
    fail "make the folders of the agent: systemd-tmpfiles says why, above; call install.sh again after that"
  fi
  while read -r kind path mode user group rest; do
    [ "$kind" = d ] || continue
    mkdir -p "$path"
    chown "$user:$group" "$path"
    chmod "$mode" "$path"
  done </usr/lib/tmpfiles.d/penguindome-agent.conf
}

# What the administrator has changed stays.
take_settings() {
  listed site/50-site.yml || return 0
  to=$etc/agent.d/50-site.yml
  if [ -e "$to" ] && ! cmp -s "$here/site/50-site.yml" "$to" && ! { [ -f "$own/site.sum" ] && [ "$(sha256sum <"$to")" = "$(cat "$own/site.sum")" ]; }; then
    cp "$here/site/50-site.yml" "$to.new"
    say "$to was changed on this machine and stays; what came is beside it, in $to.new"
    return
  fi
  cp "$here/site/50-site.yml" "$to.new"
  chmod 644 "$to.new"
  sha256sum <"$to.new" >"$own/site.sum"
  mv -f "$to.new" "$to"
}

# A machine that is enrolled has no use for another token. It comes when the units wait for it.
take_token() {
  listed site/enrollment-token || return 0
  if [ -e "$etc/trust.d/server.json" ]; then return; fi
  (umask 077 && cp "$here/site/enrollment-token" "$etc/.enrollment-token.new" && chmod 600 "$etc/.enrollment-token.new")
  mv -f "$etc/.enrollment-token.new" "$etc/enrollment-token"
}

# Who has stopped or disabled the agent is not overruled by an upgrade.
start() {
  [ -n "$units" ] || return 0
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
  if [ -z "$upgraded" ]; then
    systemctl --quiet enable "$target"
  elif systemctl --quiet is-enabled "$target" 2>/dev/null; then
    # units that are new in this version
    systemctl --quiet enable "$target"
  fi
  [ -d /run/systemd/system ] || return 0
  if [ -z "$upgraded" ] || systemctl --quiet is-active "$target"; then systemctl restart "$target"; fi
}

tell() {
  if [ -n "$upgraded" ]; then
    say "The PenguinDome agent is $version now; it was $upgraded."
  else
    say "The PenguinDome agent $version is installed. To remove it: $own/install.sh --uninstall"
  fi
  if [ -z "$units" ]; then
    say "This machine has no systemd (247 or newer), so that no units were installed. Let cron call it each minute, as root (crontab -e):
  * * * * * $lib/bin/penguindome-tick run"
  elif [ ! -d /run/systemd/system ]; then
    say 'systemd does not run here; it will start the agent when this system boots.'
  fi
  if [ -e "$etc/trust.d/server.json" ]; then return; fi
  if [ -z "$units" ] && [ -e "$etc/enrollment-token" ]; then
    say "Then enrol this machine: penguindome-agent enroll --token-file $etc/enrollment-token"
  elif [ ! -e "$etc/enrollment-token" ]; then
    say "Enrol this machine with a token of its server: penguindome-agent enroll --token-file FILE"
  fi
}

uninstall() {
  [ -f "$own/files" ] || fail 'remove the agent: it was not installed by install.sh, or is removed already'
  if [ -f "/usr/lib/systemd/system/$target" ]; then
    if [ -d /run/systemd/system ]; then
      systemctl --quiet disable --now "$target" || fail "stop $target: see above"
    else
      systemctl --quiet disable "$target" || true
    fi
  fi
  rm -f "$lib/bin/penguindome-agent.code-cache"
  # Programs last: what is cut off can be called again.
  while read -r path; do
    rm -f "$path" "${path%/*}/.${path##*/}.$waiting"
  done <"$own/files"
  sed 's|/[^/]*$||' "$own/files" | sort -ru | while read -r folder; do drop_empty "$folder"; done
  rm -rf "$own"
  drop_empty "$lib"
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
  say "The agent is removed. $etc and $state stay: with them it can be installed again."
}

# drop_empty FOLDER: those of ours that hold nothing any more, and what they lie in.
drop_empty() {
  folder=$1
  while :; do
    case $folder in
    "$lib" | "$lib"/* | /usr/share/doc/penguindome-agent | /usr/share/doc/penguindome-agent/*) ;;
    *) return 0 ;;
    esac
    rmdir "$folder" 2>/dev/null || return 0
    folder=${folder%/*}
  done
}

# As the packages do it: what enrolment and the agent wrote goes, what somebody put there stays.
purge() {
  if [ ! -f "$own/files" ] && [ -e /usr/bin/penguindome-agent ]; then
    fail 'purge the agent: a package manager has installed it; have that purge it. Nothing was changed'
  fi
  site=$etc/agent.d/50-site.yml
  if [ -f "$own/site.sum" ] && [ -f "$site" ] && [ "$(sha256sum <"$site")" = "$(cat "$own/site.sum")" ]; then rm -f "$site"; fi
  if [ -f "$own/files" ]; then uninstall >/dev/null; fi
  rm -rf "$state"
  rm -f "$etc/agent.yml" "$etc/identity.key" "$etc/identity.key.next" "$etc/identity.key.rotating" \
    "$etc/enrollment-token" "$etc/enrollment-token.refused" "$etc/trust.d/server.json"
  for folder in agent.d plugins trust.d; do
    rmdir "$etc/$folder" 2>/dev/null || true
    [ ! -e "$etc/$folder" ] || say "$etc/$folder stays: it holds what somebody put there"
  done
  rmdir "$etc" 2>/dev/null || true
  say 'The agent, its settings, key and reports are removed. The users whose names begin with penguindome stay.'
}

# Read whole before any of it runs: it may replace itself.
main "$@"
exit
