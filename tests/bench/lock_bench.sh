#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# lock_bench.sh: how long "sbuild lock" takes, against others that ask the same registry. Prints figures and ratios,
# asserts nothing about them.
#   - 20 images against "skopeo inspect", one by one and all at once
#   - nothing to do: CPU time
#   - starting the program
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

registry_start registry --images none
P=$T/project
mkdir "$P"
IMAGES=20

seq 1 "$IMAGES" | jq -nR '[inputs | {name: "bench/image\(.)", tags: ["1", "1.2", "1.2.3"],
	platforms: ["linux/amd64", "linux/arm64/v8"], layers: [{files: {"/x": "image \(.)\n"}}]}]' >"$T/images.json"
"$INFRA/registry.sh" push "$T/registry" "$T/images.json"
{
	for ((i = 1; i <= IMAGES; i++)); do echo "FROM bench/image$i:1 AS s$i"; done
	echo 'FROM scratch'
	for ((i = 1; i <= IMAGES; i++)); do echo "COPY --from=s$i /x /x$i"; done
} >"$P/Dockerfile"

# best N COMMAND…: the shortest wall time of N runs, in milliseconds.
best() {
	local n=$1 i start took shortest=
	shift
	for ((i = 0; i < n; i++)); do
		start=$EPOCHREALTIME
		"$@" >"$T/out" 2>"$T/err" || { cat "$T/err" >&2 && return 1; }
		took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", (b - a) * 1000 }')
		[[ -n $shortest && $shortest -le $took ]] || shortest=$took
	done
	printf '%s' "$shortest"
}

lock_anew() {
	rm -rf "$P/Dockerfile.lock" "$P/sbuild.vendor" "$XDG_CACHE_HOME/sbuild"
	sbuild lock "$P"
}
one_by_one() {
	local i
	for ((i = 1; i <= IMAGES; i++)); do skopeo inspect --tls-verify=false "docker://$1/bench/image$i:1" || return; done
}
all_at_once() {
	local i pids=()
	for ((i = 1; i <= IMAGES; i++)); do
		skopeo inspect --tls-verify=false "docker://$1/bench/image$i:1" &
		pids+=($!)
	done
	wait "${pids[@]}"
}

compare() { # WHAT HOST
	local ours serial parallel
	sbuild_config "$2"
	ours=$(best 3 lock_anew)
	serial=$(best 2 one_by_one "$2")
	parallel=$(best 3 all_at_once "$2")
	printf '%-34s sbuild lock (with versions and layers) %5d ms; skopeo inspect one by one %5d ms (ratio %.2f), all at once %5d ms (ratio %.2f)\n' \
		"$IMAGES images, $1" "$ours" "$serial" "$(bc -l <<<"$ours / $serial")" "$parallel" "$(bc -l <<<"$ours / $parallel")"
}

compare "a registry on loopback" "$REGISTRY"
lock_anew >/dev/null

TIMEFORMAT='%U %S %R'
cpu=$({ time for i in {1..10}; do sbuild lock "$P" >/dev/null 2>&1; done; } 2>&1)
awk -v n="$IMAGES" '{ printf "nothing to do, %d images: %.1f ms CPU, %.1f ms wall (goal: under 50 ms CPU)\n", n, ($1 + $2) * 100, $3 * 100 }' <<<"$cpu"
start=$({ time for i in {1..50}; do sbuild --version >/dev/null; done; } 2>&1)
awk '{ printf "start-up: %.1f ms wall (goal: under 10 ms)\n", $3 * 20 }' <<<"$start"
