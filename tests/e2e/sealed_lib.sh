# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests of sealed steps have in common; sourced after lib.sh. Each of them records its projects with the network,
# on an engine with real tool chains, then takes engine, registry and network away and builds again.

# sealed_start: the registry, and an engine whose steps reach what the machine reaches; the engine itself reaches the
# registry only where SEALED_MIRROR is set.
sealed_start() {
	# The daemon would look for this one of its caller's directories in its own root.
	unset XDG_RUNTIME_DIR
	export SBUILD_ENGINE=docker
	registry_start registry --images sealed
	sbuild_config "$REGISTRY"
	# shellcheck disable=SC2046 # none or two
	engine_docker_start online $([[ -z ${SEALED_MIRROR-} ]] || echo --mirror "$REGISTRY")
}

# lan_start DIR: an address of this machine that steps reach too, as they do not reach its loopback; sets LAN.
# DIR is served from there by files.sh, whose authority sbuild trusts as if it were one of the machine's.
lan_start() {
	local n=$((RANDOM % 200 + 20)) i
	for ((i = 0; i < 200; i++, n = (n + 7) % 200 + 20)); do
		LAN=10.214.$n.1
		ip address add "$LAN/32" dev lo 2>/dev/null && break
	done
	at_end ip address del "$LAN/32" dev lo
	_start files.sh files "$1" --listen "$LAN"
	trust "$FILES_CA"
}

# trust CA...: certificate authorities besides the machine's own, for sbuild alone.
trust() {
	[[ -s $T/trusted.pem ]] || cat /etc/ssl/certs/ca-certificates.crt >"$T/trusted.pem"
	cat "$@" >>"$T/trusted.pem"
	export SSL_CERT_FILE=$T/trusted.pem CURL_CA_BUNDLE=$T/trusted.pem
}

# project NAME: a project in $T/NAME with the Dockerfile that comes from stdin.
project() {
	mkdir -p "$T/$1"
	cat >"$T/$1/Dockerfile"
	PROJECTS+=("$1")
}

# example_project NAME
example_project() {
	example "$1"
	PROJECTS+=("$1")
}

PROJECTS=()
SEALED_ENGINE=() # options of the offline engine
declare -A ARGS=() # of a project: options of lock and build, as words

# record NAME...: with the network. What a step downloaded must have become part of the lock.
record() {
	local name
	for name in "$@"; do
		now "$name: sbuild lock, with the network"
		# shellcheck disable=SC2086 # words
		assert_ok sbuild lock ${ARGS[$name]-} "$T/$name"
		assert_ne 0 "$(jq '.steps | length' "$T/$name/Dockerfile.lock")" "steps in the lock of $name"
	done
}

# disconnect: what has seen the downloads is gone: engine and registry.
disconnect() {
	stop_part docker-engine.sh online
	stop_part registry.sh registry
}

# replay NAME...: in a network that leads nowhere, on an engine that never saw an image; twice, unless BUILDAH names the
# project, which is what builds those again. Leaves what the image prints in $T/NAME.ran, its ID in IDS[NAME].
declare -A IDS=()
BUILDAH=()
replay() {
	local name id
	cat >"$T/offline.sh" <<-'END'
		set -euo pipefail
		"$INFRA/docker-engine.sh" start "$T/offline" "${@:2:$1}"
		shift $(($1 + 1))
		. "$T/offline/env"
		for name; do
			. "$T/$name.args"
			"$SBUILD" build -q --offline "${args[@]}" -t "$name:1.0.0" "$T/$name" >"$T/$name.id"
			docker run --rm --network none "$name:1.0.0" >"$T/$name.ran"
			docker image rm --force "$name:1.0.0" >/dev/null
			[[ -z $again ]] || "$SBUILD" build -q --offline --no-cache "${args[@]}" -o "type=oci,dest=$T/again.tar" \
				"$T/$name" >"$T/$name.id2"
		done
	END
	at_end "$INFRA/docker-engine.sh" stop "$T/offline"
	export INFRA T SBUILD
	for name in "$@"; do
		# shellcheck disable=SC2086 # words
		_args "$name" ${ARGS[$name]-} >"$T/$name.args"
	done
	now "$*: sbuild build --offline, without a network"
	run in_empty_network bash "$T/offline.sh" "${#SEALED_ENGINE[@]}" "${SEALED_ENGINE[@]}" "$@"
	assert_status 0
	for name in "$@"; do
		id=$(cat "$T/$name.id")
		assert_matches "$id" '^sha256:[0-9a-f]{64}$' "output of sbuild build --quiet for $name"
		[[ ! -e $T/$name.id2 ]] || assert_eq "$id" "$(cat "$T/$name.id2")" "image ID of the second build of $name"
		IDS[$name]=$id
	done
	stop_part docker-engine.sh offline
	[[ ${#BUILDAH[@]} -eq 0 ]] || replay_buildah "${BUILDAH[@]}"
}

_args() { # NAME ARGUMENT...
	local args=("${@:2}") again=yes
	[[ " ${BUILDAH[*]} " != *" $1 "* ]] || again=
	declare -p args again
}

# replay_buildah NAME...: the same once more with Buildah; the images must be those that Docker made.
replay_buildah() {
	local name
	engine_buildah_setup buildah
	for name in "$@"; do
		now "$name: Buildah makes the same image"
		# shellcheck disable=SC2086 # words
		run in_empty_network "$SBUILD" build -q --offline --engine buildah ${ARGS[$name]-} -o "type=oci,dest=$T/$name.tar" "$T/$name"
		assert_status 0
		rm "$T/$name.tar"
		assert_eq "${IDS[$name]}" "$OUT" "image ID of $name from Buildah"
	done
}

# ran NAME PART: the image of the project printed this.
ran() {
	assert_contains "$(cat "$T/$1.ran")" "$2" "output of the image $1"
}

# package NAME PURL-PREFIX: the lock of the project lists such a package.
package() {
	jq -e --arg p "$2" 'any(.packages[]?; .purl | startswith($p))' "$T/$1/Dockerfile.lock" >/dev/null ||
		fail "the lock of $1 lists no package $2"
}
