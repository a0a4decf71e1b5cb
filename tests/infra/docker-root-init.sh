#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# docker-root-init.sh ROOT STATE: process 1 of the engine's own mount and
# pid namespace. Makes ROOT the root directory with fresh state on top, runs
# dockerd there, and reaps what dockerd leaves behind.
# STATE is visible inside as /state (socket, configuration).
set -euo pipefail

root=$1 state=$2

# runc wants its root to be a mount point that it may change the propagation of.
mount --bind "$root" "$root"
mount --make-rprivate "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/etc/docker"
mount -t tmpfs tmpfs "$root/var/lib/docker"
mount -t tmpfs tmpfs "$root/var/lib/containerd"
mount --bind "$state" "$root/state"
cp "$state/daemon.json" "$root/etc/docker/daemon.json"
# The host's resolver and the authorities that it trusts; both are files of their own there.
for file in /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt; do
	if [[ -s $file && -e $root$file ]]; then mount --bind "$(readlink -f "$file")" "$root$file"; fi
done

cd "$root"
mkdir -p run/old
pivot_root . run/old
exec </dev/null
umount -l /run/old
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

ip link set lo up
# A bridge of our own, with our own rules instead of dockerd's: nothing of the
# machine's firewall is flushed, several engines live side by side, and all of
# it is undone at the end. The name makes the choice of a network exclusive.
bridge=
for ((n = 16 + RANDOM % 200, tries = 0; tries < 40; n = 16 + (n + 7) % 200, tries++)); do
	[[ $(ip -4 -o addr) != *" 10.213.$n."* ]] || continue
	ip link add "sbt$n" type bridge 2>/dev/null || continue
	bridge=sbt$n subnet=10.213.$n.0/24
	ip addr add "10.213.$n.1/24" dev "$bridge"
	ip link set "$bridge" up
	break
done
[[ -n $bridge ]] || { echo "no free network for the engine's bridge" >&2; exit 1; }
rules() {
	local op=$1
	iptables -w -t nat "$op" POSTROUTING -s "$subnet" ! -o "$bridge" -j MASQUERADE
	iptables -w "$op" FORWARD -i "$bridge" -j ACCEPT
	iptables -w "$op" FORWARD -o "$bridge" -j ACCEPT
}
trap 'ip link del "$bridge"' EXIT
rules -I
trap 'rules -D; ip link del "$bridge"' EXIT

dockerd --iptables=false --ip6tables=false --bridge="$bridge" --host=unix:///state/docker.sock &
daemon=$!
trap 'kill -TERM $daemon' TERM INT
status=0
wait "$daemon" || status=$?
# A signal ends the wait early; the daemon still has to finish.
if kill -0 "$daemon" 2>/dev/null; then wait "$daemon" || status=$?; fi
exit "$status"
