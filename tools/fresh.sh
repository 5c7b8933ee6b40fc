#!/usr/bin/env bash
# Runs a command in a clean Debian root, on a clone of what is committed here: what a newcomer finds.
# usage: tools/dev fresh [--remove|--moves] bookworm|trixie [COMMAND...]     (default: tools/dev test)
# --moves: a data directory moves between the release build of that root and the one of this system, both ways.
# The root is made on first use, a minute, and kept in SOUK_FRESH (default /var/tmp/souk-fresh). Needs root.
set -euo pipefail

die() {
  printf 'tools/dev fresh: %s\n' "$*" >&2
  exit 1
}

mounts=(dev sys proc)
scratch=

unmount() {
  local name
  for name in "${mounts[@]}"; do
    mountpoint -q "$1/$name" && umount -R -l "$1/$name"
  done
  [ -z "$scratch" ] || { umount "$root$scratch" && rmdir "$root$scratch" && rm -rf "$scratch"; }
  return 0
}

make_root() {
  local root=$1 suite=$2 mirror
  command -v debootstrap >/dev/null || die "debootstrap is not there: apt-get install debootstrap"
  mirror=$(awk '/^URIs:/ {print $2; exit} /^deb / {print $2; exit}' /etc/apt/sources.list.d/debian.sources \
    /etc/apt/sources.list 2>/dev/null || true)
  mkdir -p "$(dirname "$root")"
  printf '== a clean %s in %s\n' "$suite" "$root" >&2
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root.new" "${mirror:-http://deb.debian.org/debian}" \
    >"$root.log" 2>&1 || die "debootstrap failed; its last lines: $(tail -3 "$root.log")"
  # The network is reached as from here.
  cp /etc/resolv.conf /etc/hosts "$root.new/etc/"
  cp /etc/apt/apt.conf.d/99* "$root.new/etc/apt/apt.conf.d/" 2>/dev/null || true
  cp -r /etc/ssl/certs "$root.new/etc/ssl/"
  mv "$root.new" "$root"
}

# A command in the root, where the clone is.
within() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 chroot "$root" \
    bash -c 'cd /srv/souk && exec "$@"' fresh "$@"
}

moves() {
  local name
  within tools/dev build release
  tools/dev build release
  # A folder that has one name there and here, and in it the programs of there.
  scratch=$(mktemp -d /var/tmp/souk-moves-XXXXXX)
  mkdir -p "$root$scratch"
  mount --bind "$scratch" "$root$scratch"
  for name in souk soukd; do
    printf '#!/bin/sh\nexec chroot %q /srv/souk/build/release/%s "$@"\n' "$root" "$name" >"$scratch/$name"
    chmod 755 "$scratch/$name"
  done
  TMPDIR=$scratch python3 -B tests/scenarios/moves_test.py "$scratch"
}

task=run
case ${1:-} in
  --remove | --moves) task=${1#--} && shift ;;
esac
suite=${1:-}
case $suite in
  bookworm | trixie) shift ;;
  *) die "which Debian? bookworm or trixie" ;;
esac
[ "$(id -u)" -eq 0 ] || die "run as root: it makes a root directory and changes into it"
root=${SOUK_FRESH:-/var/tmp/souk-fresh}/$suite
if [ "$task" = remove ]; then
  unmount "$root"
  ! mountpoint -q "$root/dev" || die "$root/dev is still mounted"
  rm -rf --one-file-system "$root" "$root.log" "$root.new"
  exit
fi

[ -d "$root/usr" ] || make_root "$root" "$suite"
trap 'unmount "$root"' EXIT
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mountpoint -q "$root/sys" || mount -t sysfs sys "$root/sys"
mountpoint -q "$root/dev" || { mount --rbind /dev "$root/dev" && mount --make-rslave "$root/dev"; }
rm -rf "$root/srv/souk"
mkdir -p "$root/srv"
git clone -q . "$root/srv/souk"
if [ "$task" = moves ]; then
  moves
  exit
fi
[ $# -gt 0 ] || set -- tools/dev test
within "$@"
