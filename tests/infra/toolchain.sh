#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# toolchain.sh NAME...     prints the paths of gzipped layers, one a line, in the order of the names
#
#   trixie      Debian trixie, minimal, with ca-certificates: what the others lie upon
#   node        nodejs, npm                       python   python3 with pip in /usr/local
#   go          golang                            rust     cargo, gcc
#   java        maven, a JDK                      ruby     ruby, bundler
#   scm         git, curl, wget, gnupg            dnf      dnf, rpm
#   busybox-arm64   Debian's static busybox for another architecture, and nothing else
#
# Real tool chains from the machine's own Debian archive, for the images of sealed-images.json. Made once, then
# cached. What this machine's own configuration says about registries (mirrors of pip, npm, Go …) is copied into them, so
# that a step finds what the machine finds.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

export SOURCE_DATE_EPOCH=1710201600
version=1

packages_of() {
	case $1 in
	node) echo nodejs npm ;;
	python) echo python3 python3-venv ;;
	go) echo golang-go ;;
	rust) echo cargo ;;
	java) echo maven openjdk-21-jdk-headless ;;
	ruby) echo ruby bundler ;;
	scm) echo git curl wget gnupg dirmngr ;;
	dnf) echo dnf rpm ;;
	*) return 1 ;;
	esac
}

# The root file system stays a directory with apt's lists, so that each layer is an installation upon it.
make_root() {
	infra_mmdebstrap "$1" trixie ca-certificates --skip=cleanup/apt/lists \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' &&
		rm -f "$1/etc/resolv.conf" "$1/etc/hostname" "$1/var/cache/ldconfig/aux-cache" &&
		mkdir -p "$1/var/lib/apt/lists/partial"
}

root() { infra_cached "toolchain/trixie-root-$version" make_root; }

pack() { # DIR OUT: a layer, times clamped so that the same packages give the same layer
	tar -C "$1" --sort=name --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --clamp-mtime -c --one-file-system \
		--exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' --exclude='./run/*' --exclude='./tmp/*' \
		--exclude='./var/lib/apt/lists/*' --exclude='./var/cache/apt/*' --exclude='./var/log/*' \
		--exclude='./var/cache/ldconfig/*' --exclude='./etc/resolv.conf' . | gzip -3 -n >"$2"
	[[ ${PIPESTATUS[*]} == '0 0' ]]
}

make_base() { pack "$(root)" "$1"; }

# In a mount namespace of its own, so that nothing stays mounted: an overlay whose upper side becomes the layer.
install() { # ROOT WORK OUT NAME
	local merged=$2/merged gone
	mount -t tmpfs -o size=8g tmpfs "$2"
	mkdir "$2"/{upper,work,merged}
	mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$merged"
	mount -t proc proc "$merged/proc"
	mount --rbind /dev "$merged/dev"
	mount -t tmpfs tmpfs "$merged/tmp"
	# The JDK registers manual pages though none are unpacked.
	mkdir -p "$merged/usr/share/man/man1"
	cat /etc/resolv.conf >"$merged/etc/resolv.conf"
	infra_apt_options >"$merged/tmp/apt.conf"
	# shellcheck disable=SC2046 # several words
	chroot "$merged" env APT_CONFIG=/tmp/apt.conf DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Options::=--force-unsafe-io -o APT::Sandbox::User=root \
		install --no-install-recommends $(packages_of "$4") >"$2/apt.log" 2>&1 || { tail -n 20 "$2/apt.log" && return 1; }
	finish "$4" "$merged"
	umount -R "$merged/tmp" "$merged/dev" "$merged/proc"
	umount "$merged"
	find "$2/upper" -type c | while IFS= read -r gone; do
		rm "$gone" && : >"${gone%/*}/.wh.${gone##*/}"
	done
	pack "$2/upper" "$3"
}

# What the images that these stand for have, and what this machine says about its registries.
finish() { # NAME ROOT
	local value
	case $1 in
	node)
		value=$(npm config get registry 2>/dev/null || true)
		[[ -z $value ]] || printf 'registry=%s\n' "$value" >"$2/etc/npmrc"
		;;
	python)
		# pip and nothing else, and in nobody's way.
		chroot "$2" python3 -m venv --system-site-packages /usr/local
		value=$({ python3 -m pip config get global.index-url || true; } 2>/dev/null)
		[[ -z $value ]] || printf '[global]\nindex-url = %s\n' "$value" >"$2/etc/pip.conf"
		;;
	go)
		value=$(go env GOPROXY 2>/dev/null || true)
		[[ -z $value ]] || { mkdir -p "$2/root/.config/go" && printf 'GOPROXY=%s\n' "$value" >"$2/root/.config/go/env"; }
		;;
	rust)
		mkdir -p "$2/root/.cargo"
		if grep -qs '^\[source' "$HOME/.cargo/config.toml"; then cp "$HOME/.cargo/config.toml" "$2/root/.cargo/"; fi
		;;
	java)
		mkdir -p "$2/root/.m2"
		if grep -qs '<mirror>' "$HOME/.m2/settings.xml"; then cp "$HOME/.m2/settings.xml" "$2/root/.m2/"; fi
		;;
	dnf) mkdir -p "$2/etc/yum.repos.d" ;;
	esac
}

make_busybox() { # OUT
	local work=$1.work applet
	rm -rf "$work"
	mkdir -p "$work/x" "$work/root"/{bin,etc,tmp,root,proc,sys,dev,var} && chmod 1777 "$work/root/tmp" &&
		infra_mmdebstrap "$work/x" bookworm busybox-static --variant=extract --architectures=arm64 --skip=check/qemu &&
		cp "$work/x/bin/busybox" "$work/root/bin/" || return 1
	for applet in $(tar -tzf "$("$here/base-image.sh" busybox)" | sed -n 's|^\./bin/||p'); do
		[[ -e $work/root/bin/$applet ]] || ln -s busybox "$work/root/bin/$applet" || return 1
	done
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$work/root/etc/passwd"
	pack "$work/root" "$1" && rm -rf "$work"
}

make_layer() { # OUT NAME
	local base work
	base=$(root) && work=$(mktemp -d /tmp/sbuild-toolchain.XXXXXX) || return 1
	# A failing command must end it, which "set -e" does in a process of its own only.
	unshare --mount --propagation private bash "$here/toolchain.sh" --install "$base" "$work" "$1" "$2"
	local status=$?
	rmdir "$work"
	return $status
}

if [[ ${1-} == --install ]]; then
	shift
	install "$@"
	exit
fi
[[ $# -gt 0 ]] || infra_die "usage: NAME..."
infra_need_root
for name in "$@"; do
	if [[ $name == trixie ]]; then
		infra_cached "toolchain/trixie-$version.tar.gz" make_base
	elif [[ $name == busybox-arm64 ]]; then
		infra_cached "toolchain/busybox-arm64-$version.tar.gz" make_busybox
	else
		packages_of "$name" >/dev/null || infra_die "no tool chain is called $name"
		infra_cached "toolchain/$name-$version.tar.gz" make_layer "$name"
	fi
done
