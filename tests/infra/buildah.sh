#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# buildah.sh setup DIR [--mirror HOST:PORT]
# buildah.sh clean DIR
#
# Debian's Buildah with a storage of its own below DIR that never saw an image.
# Nothing is started. DIR/env gets CONTAINERS_STORAGE_CONF,
# CONTAINERS_REGISTRIES_CONF, BUILDAH_RUNTIME and BUILDAH_ISOLATION.
#   --mirror a registry that answers for docker.io, by plain HTTP
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

setup() {
	local dir=$1 mirror='' driver=overlay
	shift
	while [[ $# -gt 0 ]]; do
		case $1 in
		--mirror) mirror=$2 ;;
		*) infra_die "unknown option $1" ;;
		esac
		shift 2
	done
	infra_need_root
	infra_need buildah runc
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	mkdir -p "$dir/storage"
	# An overlay on an overlay is not possible: then every layer is a full copy.
	[[ $(stat -f -c %T "$dir") != overlayfs ]] || driver=vfs
	cat >"$dir/storage.conf" <<-END
		[storage]
		driver = "$driver"
		graphroot = "$dir/storage/graph"
		runroot = "$dir/storage/run"
	END
	cat >"$dir/registries.conf" <<-END
		unqualified-search-registries = ["docker.io"]
		[[registry]]
		location = "docker.io"
	END
	if [[ -n $mirror ]]; then
		printf '[[registry.mirror]]\nlocation = "%s"\ninsecure = true\n' "$mirror" >>"$dir/registries.conf"
	fi
	: >"$dir/env"
	infra_env "$dir/env" "CONTAINERS_STORAGE_CONF=$dir/storage.conf" \
		"CONTAINERS_REGISTRIES_CONF=$dir/registries.conf" BUILDAH_RUNTIME=runc BUILDAH_ISOLATION=oci
}

clean() {
	local dir mounts
	[[ -d $1 ]] || return 0
	dir=$(cd "$1" && pwd)
	# Containers that a killed build left mounted, innermost first.
	mounts=$(awk -v d="$dir/storage/" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r)
	[[ -z $mounts ]] || xargs -d '\n' -r umount -l -- <<<"$mounts"
	rm -rf "$dir/storage" "$dir/env" "$dir/storage.conf" "$dir/registries.conf"
}

case ${1-} in
setup | clean)
	[[ $# -ge 2 ]] || infra_die "usage: $1 DIR"
	"$@"
	;;
*) infra_die "usage: setup DIR [--mirror HOST:PORT] | clean DIR" ;;
esac
