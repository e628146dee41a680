#!/bin/bash
# Proves that nothing is missing from the set-up: makes a minimal Debian 12, copies the tracked files into it, and runs
# `make demo` and `make check` there from nothing.
#
#   in    fresh.sh [TARGET...]     as root; TARGETs of the Makefile (default: demo check)
#   out   exit status 0 when each of them succeeded
#   kept  nothing; the machine's network is used for packages, nothing else of it
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
SUITE=bookworm

[ "$(id -u)" -eq 0 ] || { echo "fresh: must be root" >&2; exit 1; }
[ $# -gt 0 ] || set -- demo check

root=$(mktemp -d /var/tmp/kiln-fresh.XXXXXX)
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

echo "fresh: a minimal Debian 12 in $root"
"$project/guest/brick/base" --print-sources |
    mmdebstrap --quiet --variant=minbase --include=ca-certificates,make "$SUITE" "$root" -
apt-config dump --format '%f "%v";%n' Acquire::http::Proxy Acquire::https::Proxy >"$root/etc/apt/apt.conf.d/50proxy"
cp /etc/resolv.conf "$root/etc/resolv.conf"
# npm trusts what this machine does: its network may have certificates of its own.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/machine.crt"
mkdir "$root/root/kiln" "$root/machine"
git -C "$project" ls-files -z | tar -C "$project" --null --files-from=- -cf - | tar -C "$root/root/kiln" -xf -

# The new system becomes the root of its own mount namespace, as libvirt moves mounts about below the root.
# shellcheck disable=SC2016
unshare --mount --pid --fork --kill-child -- bash -euc '
    root=$1 && shift
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    cd "$root"
    pivot_root . machine
    umount --lazy /machine
    cd /root/kiln
    for target; do
        echo "fresh: make $target"
        env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM="${TERM:-dumb}" \
            NODE_EXTRA_CA_CERTS=/etc/machine.crt make "$target"
    done
' fresh "$root" "$@"
echo "fresh: ok: $*"
