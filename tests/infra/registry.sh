#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# registry.sh start DIR [--auth none|basic|bearer] [--tls] [--images all|small|sealed|none]
#                       [--private PREFIX] [--refresh TOKEN] [--expires SECONDS]
# registry.sh stop DIR
# registry.sh push DIR CATALOG         adds images to a running registry (see oci_image.py)
#
# Debian's docker-registry on a free loopback port, filled with the images of
# images.json: all of them (default), only those that need no Debian base, or
# none; or, for reading only, with those of sealed-images.json, which have real tool chains in them, and
# a few of images.json. DIR/env gets REGISTRY (host:port), REGISTRY_URL, and where they apply
# REGISTRY_USER, REGISTRY_PASSWORD, REGISTRY_CA. DIR/registry.log is the access log;
# with --auth bearer DIR/token.jsonl tells what clients sent to the token end point.
#   --private, --refresh, --expires  of the Bearer end point: see token_server.py
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

user=tester password='p:ass word' # a colon and a space: clients must get both right

layer_options() {
	local debian busybox
	busybox=$("$here/base-image.sh" busybox)
	printf '%s\n' --layer "busybox=$busybox"
	if [[ $1 == sealed ]]; then toolchain_options; fi
	if [[ $1 == all || $1 == sealed ]]; then
		debian=$("$here/base-image.sh" debian)
		printf '%s\n' --layer "debian=$debian"
	fi
}

# Of the layers that the images of a catalogue name.
toolchain_options() {
	local names layers i
	mapfile -t names < <(jq -r '[.[].layers[] | strings | sub("@.*"; "")] | unique - ["busybox"] | .[]' "$here/sealed-images.json")
	mapfile -t layers < <("$here/toolchain.sh" "${names[@]}")
	[[ ${#layers[@]} -eq ${#names[@]} ]] || return 1
	for i in "${!names[@]}"; do printf '%s\n' --layer "${names[i]}=${layers[i]}"; done
}

catalog() {
	if [[ $1 == all ]]; then
		cat "$here/images.json"
	elif [[ $1 == sealed ]]; then
		jq -s '.[0] + [.[1][] | select(.name | IN("library/debian", "library/alpine", "library/busybox"))]' \
			"$here/sealed-images.json" "$here/images.json"
	else
		jq '[.[] | select((.layers // []) | index("debian") | not)]' "$here/images.json"
	fi
}

write_config() { # DIR STORAGE PORT
	cat >"$1/config.yml" <<-END
		version: 0.1
		log: {level: warn, accesslog: {disabled: false}}
		storage:
		  filesystem: {rootdirectory: "$2"}
		  delete: {enabled: true}
		  maintenance: {uploadpurging: {enabled: false}}
		http:
		  addr: 127.0.0.1:$3
		  secret: loopback
	END
}

run_registry() { # DIR PORT
	infra_spawn "$1" registry docker-registry serve "$1/config.yml"
	infra_wait "$1" registry 20 infra_tcp_open "$2"
}

# The storage of a registry that was filled once; copying it is faster than pushing again.
make_storage() { # OUT KIND
	local out=$1 kind=$2 port options ok=1
	mkdir -p "$out" && port=$(infra_free_port) && options=$(layer_options "$kind") || return 1
	write_config "$out" "$out/storage" "$port"
	mapfile -t options <<<"$options"
	run_registry "$out" "$port" &&
		catalog "$kind" | infra_python "$here/oci_image.py" push "${options[@]}" --registry "http://127.0.0.1:$port" - &&
		ok=0
	infra_stop "$out/registry.pid"
	rm -f "$out/config.yml" "$out/registry.log"
	return $ok
}

storage() {
	local key
	key=$({ catalog "$1" && cat "$here/oci_image.py" && layer_options "$1"; } | sha256sum | cut -c1-16)
	infra_cached "registry/$1-$key" make_storage "$1"
}

start() {
	local dir=$1 auth=none tls='' images=all port cached scheme=http token=()
	shift
	while [[ $# -gt 0 ]]; do
		case $1 in
		--auth) auth=$2 && shift ;;
		--images) images=$2 && shift ;;
		--private | --refresh | --expires) token+=("$1" "$2") && shift ;;
		--tls) tls=1 ;;
		*) infra_die "unknown option $1" ;;
		esac
		shift
	done
	infra_need docker-registry jq openssl
	mkdir -p "$dir/storage"
	dir=$(cd "$dir" && pwd)
	port=$(infra_free_port)
	if [[ $images != none ]]; then cached=$(storage "$images"); fi
	case $images in
	none) write_config "$dir" "$dir/storage" "$port" ;;
	sealed)
		# Hundreds of megabytes: served from where they are.
		write_config "$dir" "$cached/storage" "$port"
		sed -i 's/uploadpurging: {enabled: false}/&, readonly: {enabled: true}/' "$dir/config.yml"
		;;
	*)
		cp -a --reflink=auto "$cached/storage/." "$dir/storage/"
		write_config "$dir" "$dir/storage" "$port"
		;;
	esac
	: >"$dir/env"
	if [[ -n $tls ]]; then
		scheme=https
		"$here/tls.sh" make "$dir/tls" registry.test
		printf '  tls: {certificate: "%s", key: "%s"}\n' "$dir/tls/server.pem" "$dir/tls/server.key" >>"$dir/config.yml"
		infra_env "$dir/env" "REGISTRY_CA=$dir/tls/ca.pem"
	fi
	case $auth in
	none) ;;
	basic)
		infra_need htpasswd
		htpasswd -Bbn "$user" "$password" >"$dir/htpasswd"
		printf 'auth: {htpasswd: {realm: registry, path: "%s"}}\n' "$dir/htpasswd" >>"$dir/config.yml"
		;;
	bearer)
		openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=sbuild test tokens' \
			-keyout "$dir/token.key" -out "$dir/token.pem" 2>"$dir/token-key.log"
		rm -f "$dir/token.port"
		infra_spawn "$dir" token /usr/bin/python3 -B "$here/token_server.py" --dir "$dir" --issuer sbuild-test \
			--key "$dir/token.key" --cert "$dir/token.pem" --user "$user:$password" "${token[@]}"
		infra_wait "$dir" token 20 test -s "$dir/token.port"
		printf 'auth: {token: {realm: "http://127.0.0.1:%s/token", service: registry.test, issuer: sbuild-test, rootcertbundle: "%s"}}\n' \
			"$(cat "$dir/token.port")" "$dir/token.pem" >>"$dir/config.yml"
		;;
	*) infra_die "unknown --auth $auth" ;;
	esac
	[[ $auth == none ]] || infra_env "$dir/env" "REGISTRY_USER=$user" "REGISTRY_PASSWORD=$password"
	infra_env "$dir/env" "REGISTRY=127.0.0.1:$port" "REGISTRY_URL=$scheme://127.0.0.1:$port"
	if ! run_registry "$dir" "$port"; then
		stop "$dir"
		infra_die "the registry did not start"
	fi
}

push() {
	local dir=$1 file=$2 options
	# shellcheck disable=SC1091
	. "$dir/env"
	options=$(layer_options "$(jq -r '[.[].layers[]?] | if index("debian") then "all" else "small" end' "$file")")
	mapfile -t options <<<"$options"
	[[ -z ${REGISTRY_USER-} ]] || options+=(--user "$REGISTRY_USER:$REGISTRY_PASSWORD")
	[[ -z ${REGISTRY_CA-} ]] || options+=(--ca "$REGISTRY_CA")
	infra_python "$here/oci_image.py" push "${options[@]}" --registry "$REGISTRY_URL" "$file"
}

stop() {
	infra_stop "$1/registry.pid"
	infra_stop "$1/token.pid"
	rm -rf "$1/storage" "$1/env"
}

case ${1-} in
start | stop | push)
	[[ $# -ge 2 ]] || infra_die "usage: $1 DIR"
	"$@"
	;;
*) infra_die "usage: start DIR [options] | stop DIR | push DIR CATALOG" ;;
esac
