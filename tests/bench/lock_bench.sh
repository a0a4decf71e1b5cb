#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# lock_bench.sh [ROUNDS]: how long "sbuild lock" takes, against others that ask the same registry. Prints figures and
# ratios, asserts nothing about them; taken in turns, ROUNDS times (default 5), the best of each counts.
#   - 20 images against "skopeo inspect", one by one and several at once (the best of 4, 8 and all 20)
#   - the same when the layers are in the image cache: "skopeo inspect" pulls none
#   - nothing to do: CPU time
#   - starting the program
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

SBUILD=${SBUILD:-$E2E/../../build/release/cli/sbuild}
[[ -x $SBUILD ]] || fail "$SBUILD: build it first, or name another one in SBUILD"
rounds=${1:-5}
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

declare -A best
# measure NAME COMMAND…: keeps the shortest wall time of NAME, and the shortest CPU time, in milliseconds.
measure() {
	local name=$1 took wall cpu TIMEFORMAT='%R %U %S'
	shift
	took=$({ time "$@" >"$T/out" 2>"$T/err"; } 2>&1) || { cat "$T/err" >&2 && fail "$*"; }
	read -r wall cpu < <(awk '{ printf "%.0f %.0f\n", $1 * 1000, ($2 + $3) * 1000 }' <<<"$took")
	((wall >= ${best[$name]:-999999})) || best[$name]=$wall
	((cpu >= ${best[$name.cpu]:-999999})) || best[$name.cpu]=$cpu
}
forget() { # PATH...: the lock, and more
	rm -rf "$P/Dockerfile.lock" "$P/sbuild.vendor" "$@"
}
one_by_one() {
	local i
	for ((i = 1; i <= IMAGES; i++)); do
		skopeo inspect --tls-verify=false "docker://$REGISTRY/bench/image$i:1" || return
	done
}
at_once() { # N
	seq 1 "$IMAGES" | xargs -P "$1" -I{} skopeo inspect --tls-verify=false "docker://$REGISTRY/bench/image{}:1"
}
show() { # WHAT NAME
	local peer
	local -A called=([one]="one by one:" [several]="several at once:")
	printf '%-46s %5d ms, %4d ms CPU\n' "$1" "${best[$2]}" "${best[$2.cpu]}"
	for peer in one several; do
		printf '    ratio to skopeo inspect %-16s %.2f (CPU %.2f)\n' "${called[$peer]}" \
			"$(bc -l <<<"${best[$2]} / ${best[$peer]}")" "$(bc -l <<<"${best[$2.cpu]} / ${best[$peer.cpu]}")"
	done
}

sbuild_config "$REGISTRY"
cache=$XDG_CACHE_HOME/sbuild
for ((round = 0; round < rounds; round++)); do
	forget "$cache"
	measure lock sbuild lock "$P"
	# Everything but the image cache is anew.
	mv "$cache/images" "$T/images"
	forget "$cache"
	mkdir "$cache"
	mv "$T/images" "$cache/images"
	measure cached sbuild lock "$P"
	measure one one_by_one
	for n in 4 8 "$IMAGES"; do measure several at_once "$n"; done
done
printf '%d images from a registry on loopback, best of %d:\n' "$IMAGES" "$rounds"
printf '%-46s %5d ms, %4d ms CPU\n' "skopeo inspect, one by one" "${best[one]}" "${best[one.cpu]}" \
	"skopeo inspect, several at once" "${best[several]}" "${best[several.cpu]}"
show "sbuild lock, with versions and layers" lock
show "sbuild lock, with versions, layers in the cache" cached

# ten COMMAND…: ten times, so that what is short can be measured.
ten() {
	for _ in {1..10}; do "$@"; done
}
for ((round = 0; round < rounds; round++)); do
	measure nothing ten sbuild lock "$P"
	measure start ten sbuild --version
done
tenth() { bc -l <<<"${best[$1]} / 10"; }
printf 'nothing to do, %d images: %.1f ms, %.1f ms CPU (goal: under 50 ms CPU)\n' "$IMAGES" "$(tenth nothing)" "$(tenth nothing.cpu)"
printf 'start-up: %.1f ms, %.1f ms CPU (goal: under 10 ms)\n' "$(tenth start)" "$(tenth start.cpu)"
