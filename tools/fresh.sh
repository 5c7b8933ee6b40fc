#!/usr/bin/env bash
# Runs a command in a clean Debian root, on a clone of what is committed here: what a newcomer finds.
# usage: tools/dev fresh [--remove] bookworm|trixie [COMMAND...]     (default: tools/dev test)
# The root is made on first use, a minute, and kept in SOUK_FRESH (default /var/tmp/souk-fresh). Needs root.
set -euo pipefail

die() {
  printf 'tools/dev fresh: %s\n' "$*" >&2
  exit 1
}

mounts=(dev sys proc)

unmount() {
  local name
  for name in "${mounts[@]}"; do
    mountpoint -q "$1/$name" && umount -R -l "$1/$name"
  done
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

remove=no
[ "${1:-}" != --remove ] || { remove=yes && shift; }
suite=${1:-}
case $suite in
  bookworm | trixie) shift ;;
  *) die "which Debian? bookworm or trixie" ;;
esac
[ "$(id -u)" -eq 0 ] || die "run as root: it makes a root directory and changes into it"
root=${SOUK_FRESH:-/var/tmp/souk-fresh}/$suite
if [ "$remove" = yes ]; then
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
[ $# -gt 0 ] || set -- tools/dev test
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 chroot "$root" \
  bash -c 'cd /srv/souk && exec "$@"' fresh "$@"
