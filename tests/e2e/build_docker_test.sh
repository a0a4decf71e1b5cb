#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sbuild build with Docker, with both image stores: online, and offline on an engine that never saw an image.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/build_lib.sh"

# The daemon would look for this one of its caller's directories in its own root.
unset XDG_RUNTIME_DIR
everything_start
everything_project "$T/all"
example hello
export SBUILD_ENGINE=docker

ids=()
for store in containerd classic; do
	now "$store store: build and run what was built"
	engine_docker_start "$store" --store "$store"
	assert_ok sbuild lock "$T/all"
	assert_ok sbuild lock "$T/hello"
	run sbuild build -q -t all:1.0.0 "$T/all"
	id=$(image_id)
	ids+=("$id")
	assert_ok docker image inspect --format '{{json .RootFS.Layers}}' all:1.0.0
	assert_json "$T/all/.sbuild/result.json" '."diff-ids"' "$OUT"
	assert_ok docker run --rm all:1.0.0
	assert_eq "hello  you" "$OUT" "output of the image"
	assert_ok docker image ls --all --filter dangling=true --quiet
	assert_eq "" "$OUT" "nameless images left behind"

	now "$store store: again, nothing changes"
	run sbuild build -q -t all:1.0.0 -t all:1.0.0-again "$T/all"
	assert_eq "$id" "$(image_id)"
	assert_ok docker image ls --format '{{.Repository}}:{{.Tag}}'
	assert_contains "$OUT" "all:1.0.0-again"

	now "$store store: --output without --load leaves the engine alone"
	assert_ok sbuild build -q -o "type=docker,dest=$T/$store.tar" -t archived:1.0.0 "$T/all"
	assert_contains "$(tar -xOf "$T/$store.tar" manifest.json)" "archived:1.0.0"
	assert_ok docker image ls --format '{{.Repository}}:{{.Tag}}'
	assert_lacks "$OUT" "archived"
	stop_part docker-engine.sh "$store"
done
assert_eq "${ids[0]}" "${ids[1]}" "image ID with both stores"
assert_same "$T/containerd.tar" "$T/classic.tar"

stop_part registry.sh registry
stop_part files.sh files
stop_part git-server.sh git
for store in containerd classic; do
	now "$store store: offline, engine and program in a network that leads nowhere"
	# The engine and what it is asked by share the empty network, as they share the machine.
	cat >"$T/offline.sh" <<-'END'
		set -euo pipefail
		"$INFRA/docker-engine.sh" start "$T/off-$1" --store "$1"
		. "$T/off-$1/env"
		status=0
		for name in all hello; do
			"$SBUILD" build -q --offline -t "$name:2.0.0" "$T/$name" || status=$?
		done
		docker image ls --format '{{.Repository}}:{{.Tag}}'
		exit $status
	END
	at_end "$INFRA/docker-engine.sh" stop "$T/off-$store"
	export INFRA T SBUILD
	run in_empty_network bash "$T/offline.sh" "$store"
	assert_status 0
	assert_contains "$OUT" "${ids[0]}"
	assert_contains "$OUT" "all:2.0.0"
	assert_contains "$OUT" "hello:2.0.0"
	"$INFRA/docker-engine.sh" stop "$T/off-$store"
done
