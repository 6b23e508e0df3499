#!/bin/sh
# mmdebstrap's hook, while apt can still fetch: the server's package with its accounts, and the packages that a boot loader is made of.
#   customize.sh ROOT BOOT-FOLDER BOOT-PACKAGES ACCOUNT:ID:HOME... -- PACKAGE...
set -eu
root=$1 boot=$2 loaders=$3
shift 3
inside() { DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin chroot "$root" "$@"; }

# Their numbers own what later images find on the data partition.
# A container has nobody who logs in.
[ -z "$loaders" ] || inside useradd --create-home --uid 1000 --shell /bin/bash --password '*' admin
while [ "$1" != -- ]; do
  name=${1%%:*} rest=${1#*:}
  id=${rest%%:*} home=${rest#*:}
  inside groupadd --system --gid "$id" "$name"
  inside useradd --system --uid "$id" --gid "$id" --home-dir "$home" --no-create-home --shell /usr/sbin/nologin "$name"
  shift
done
shift

mkdir "$root/tmp/packages"
wanted=
for package; do
  case $package in
  *.deb)
    cp "$package" "$root/tmp/packages/"
    wanted="$wanted /tmp/packages/$(basename "$package")"
    ;;
  *) wanted="$wanted $package" ;;
  esac
done
# shellcheck disable=SC2086 # names and paths without spaces
inside apt-get -q -q -y --no-install-recommends -o APT::Sandbox::User=root install $wanted
rm -r "$root/tmp/packages"

[ -n "$loaders" ] || exit 0
cd "$boot"
# shellcheck disable=SC2086 # a list of names
APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -q -q -o APT::Sandbox::User=root download $loaders
for deb in *.deb; do
  dpkg-deb -x "$deb" .
  rm "$deb"
done
