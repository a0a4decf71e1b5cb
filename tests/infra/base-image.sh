#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# base-image.sh debian     prints the path of a gzipped layer: Debian bookworm, minimal, with ca-certificates
# base-image.sh busybox    the same with Debian's static busybox and its applet links alone (1 MB)
#
# Both are made once from the machine's own Debian archive, then cached.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

# Files newer than this get this time, so that a cache made again from the same packages is the same.
export SOURCE_DATE_EPOCH=1710201600

make_debian() {
	# shellcheck disable=SC2016 # expanded by the hook's shell
	infra_mmdebstrap - bookworm ca-certificates --format=tar --skip=output/dev \
		--customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname" "$1/var/cache/ldconfig/aux-cache"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' |
		gzip -6 -n >"$1"
	[[ ${PIPESTATUS[*]} == '0 0' ]]
}

make_busybox() {
	local work=$1.work applet
	rm -rf "$work"
	mkdir -p "$work/deb" "$work/root"/{bin,etc,tmp,root,usr/bin,proc,sys,dev,var} &&
		chmod 1777 "$work/root/tmp" &&
		(cd "$work/deb" && apt-get -qq -o APT::Sandbox::User=root download busybox-static >&2) &&
		dpkg-deb -x "$work"/deb/*.deb "$work/x" || return 1
	# bin/ or usr/bin/, as the release has it.
	cp "$(find "$work/x" -type f -name busybox -perm -1 | head -n 1)" "$work/root/bin/busybox" || return 1
	for applet in $("$work/root/bin/busybox" --list); do
		[[ $applet == busybox ]] || ln -s busybox "$work/root/bin/$applet" || return 1
	done
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$work/root/etc/passwd"
	printf 'root:x:0:\n' >"$work/root/etc/group"
	tar -C "$work/root" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -c . |
		gzip -9 -n >"$1"
	[[ ${PIPESTATUS[*]} == '0 0' ]] && rm -rf "$work"
}

case ${1-} in
debian) infra_need_root && infra_cached base/debian-1.tar.gz make_debian ;;
busybox) infra_cached base/busybox-1.tar.gz make_busybox ;;
*) infra_die "usage: debian | busybox" ;;
esac
