#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# load_bench.sh [MB]: a build that adds one layer of random bytes (300 MB), with "sbuild build" (the engine's result, the
# canonical image of it, loaded without the base's layers) and with the engine's own "docker buildx build --load", in
# turns, on the same Docker Engine. Prints the best of three each, and the ratio; asserts nothing. Goal: not slower.
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

SBUILD=${SBUILD:-$E2E/../../build/release/cli/sbuild}
megabytes=${1:-300}
registry_start registry
sbuild_config "$REGISTRY"
engine_docker_start docker --mirror "$REGISTRY"
mkdir "$T/project"
printf 'FROM debian:bookworm-slim\nCOPY random /random\n' >"$T/project/Dockerfile"
head -c 1000 /dev/urandom >"$T/project/random"
assert_ok sbuild lock "$T/project"
assert_ok sbuild build --quiet --engine docker -t warm:1.0.0 "$T/project"
assert_ok docker buildx build --quiet --load -t warm:2.0.0 "$T/project"

best_sbuild='' best_own=''
measure() { # VARIABLE COMMAND…: keeps the shortest time in milliseconds
	local -n best=$1
	local start=$EPOCHREALTIME took
	shift
	run "$@"
	assert_status 0
	took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", (b - a) * 1000 }')
	[[ -n $best && $best -le $took ]] || best=$took
}

for ((i = 0; i < 3; i++)); do
	head -c "${megabytes}M" /dev/urandom >"$T/project/random"
	# The step itself is done before either is timed, so that what is left is handing over the result.
	assert_ok sbuild build --quiet --engine docker --output "type=oci,dest=$T/step.tar" -t "step:1.0.$i" "$T/project"
	measure best_sbuild sbuild build --quiet --engine docker -t "sbuild:1.0.$i" "$T/project"
	head -c "${megabytes}M" /dev/urandom >"$T/project/random"
	assert_ok docker buildx build --quiet --output type=cacheonly "$T/project"
	measure best_own docker buildx build --quiet --provenance=false --load -t "own:1.0.$i" "$T/project"
	assert_ok docker rmi "sbuild:1.0.$i" "own:1.0.$i"
	assert_ok docker builder prune --all --force
	rm -f "$T/step.tar"
done
awk -v mb="$megabytes" -v s="$best_sbuild" -v o="$best_own" 'BEGIN {
	printf "a layer of %d MB, from the finished step to the tagged image: sbuild build %.2f s, docker buildx build --load %.2f s, ratio %.2f\n",
		mb, s / 1000, o / 1000, s / o }'
