#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# docker-engine.sh start DIR [--suite SUITE] [--store containerd|classic] [--net machine|empty]
#                            [--mirror HOST:PORT] [--insecure HOST:PORT]
# docker-engine.sh stop DIR
# docker-engine.sh client      prints the directory with the docker client
#
# A Docker Engine from Debian packages, in a root file system of its own, with
# an empty /var/lib/docker at each start: an engine that never saw an image.
# DIR/env gets PATH (docker with buildx), DOCKER_HOST and DOCKER_CONFIG.
#   --store  the containerd image store (default) or the classic one
#   --net    machine: the engine and its steps reach what the machine reaches (default);
#            empty: the engine has a network of its own that leads nowhere
#   --mirror a registry that answers for docker.io
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

make_root() {
	infra_mmdebstrap "$1" "$2" ca-certificates,docker.io,docker-cli,docker-buildx,runc,iptables,iproute2,git \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' &&
		mkdir -p "$1/state" "$1/etc/docker" "$1/var/lib/docker" "$1/var/lib/containerd" &&
		touch "$1/etc/resolv.conf"
}

engine_root() { infra_cached "docker/$1-root-2" make_root "$1"; }

# The client runs on the host, so that it reads contexts from any path there.
# Its C library may be newer than the host's: then the loader of its own root runs it.
make_client() {
	local out=$1 root=$2 name path dest
	mkdir -p "$out/cli-plugins" || return 1
	for path in /usr/bin/docker /usr/libexec/docker/cli-plugins/docker-buildx; do
		name=$(basename "$path")
		[[ $name == docker ]] && dest=$out/docker || dest=$out/cli-plugins/$name
		if "$root$path" --version >/dev/null 2>&1 || "$root$path" version >/dev/null 2>&1; then
			cp "$root$path" "$dest" || return 1
		else
			printf '#!/bin/sh\nexec %q --library-path %q %q "$@"\n' "$root/lib64/ld-linux-x86-64.so.2" \
				"$root/usr/lib/$(uname -m)-linux-gnu" "$root$path" >"$dest"
			chmod 755 "$dest" || return 1
		fi
	done
}

engine_client() {
	local root
	root=$(engine_root "$1")
	infra_cached "docker/$1-client-2" make_client "$root"
}

start() {
	local dir=$1 suite=trixie store=containerd net=machine mirrors=() insecure=() root client state outer child
	shift
	while [[ $# -gt 0 ]]; do
		case $1 in
		--suite) suite=$2 ;;
		--store) store=$2 ;;
		--net) net=$2 ;;
		--mirror) mirrors+=("http://$2") ;;
		--insecure) insecure+=("$2") ;;
		*) infra_die "unknown option $1" ;;
		esac
		shift 2
	done
	infra_need_root
	infra_need unshare pivot_root jq
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	! infra_pid_alive "$dir/dockerd.pid" || infra_die "an engine of $dir is running"
	root=$(engine_root "$suite")
	client=$(engine_client "$suite")

	# The socket's path must stay below 108 bytes.
	state=$(mktemp -d /tmp/sbuild-docker.XXXXXX)
	jq -n --argjson snapshotter "$([[ $store == containerd ]] && echo true || echo false)" \
		'{features: {"containerd-snapshotter": $snapshotter}} +
		 {"registry-mirrors": [$ARGS.positional[] | select(startswith("http"))],
		  "insecure-registries": [$ARGS.positional[] | select(startswith("http") | not)]}' \
		--args "${mirrors[@]}" "${insecure[@]}" >"$state/daemon.json"

	outer=(unshare --mount --pid --fork --kill-child=KILL --propagation private)
	case $net in
	machine) ;;
	empty) outer+=(--net) ;;
	*) infra_die "unknown --net $net" ;;
	esac
	infra_spawn "$dir" dockerd "${outer[@]}" bash "$here/docker-root-init.sh" "$root" "$state"
	# unshare only waits; its child is the one that signals must reach.
	read -r outer _ <"$dir/dockerd.pid"
	for _ in {1..100}; do
		child=
		read -r child _ <"/proc/$outer/task/$outer/children" 2>/dev/null || true
		[[ -z $child ]] || break
		sleep 0.02
	done
	[[ -n $child ]] || infra_die "the engine did not start: $(tail -n 5 "$dir/dockerd.log")"
	infra_write_pid "$dir/dockerd.pid" "$child"
	printf '%s\n' "$state" >"$dir/dockerd.state"
	if ! infra_wait "$dir" dockerd 60 "$client/docker" -H "unix://$state/docker.sock" version; then
		stop "$dir"
		infra_die "the engine does not answer (log: $dir/dockerd.log)"
	fi
	mkdir -p "$dir/docker-config"
	ln -sfn "$client/cli-plugins" "$dir/docker-config/cli-plugins"
	: >"$dir/env"
	# shellcheck disable=SC2016 # the reader's PATH, not ours
	printf 'export PATH=%q:"$PATH"\n' "$client" >>"$dir/env"
	infra_env "$dir/env" "DOCKER_HOST=unix://$state/docker.sock" "DOCKER_CONFIG=$dir/docker-config"
}

stop() {
	local dir=$1
	infra_stop "$dir/dockerd.pid" 20
	[[ ! -r $dir/dockerd.state ]] || rm -rf "$(cat "$dir/dockerd.state")"
	rm -f "$dir/dockerd.state" "$dir/env"
}

case ${1-} in
start | stop)
	[[ $# -ge 2 ]] || infra_die "usage: $1 DIR"
	"$@"
	;;
client) engine_client "${2:-trixie}" ;;
*) infra_die "usage: start DIR [options] | stop DIR | client [SUITE]" ;;
esac
