#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# download.sh [ROUNDS]
#
# 200 files from 1 KB to 200 MB (1.5 GB together) from nginx on loopback: the fetch module, which also hashes and
# never holds a file in memory, against "curl --parallel" with as many transfers at once. In turns, ROUNDS times
# (default 5). Prints the best wall and CPU times of each, the ratios, and the fetch module's peak memory.
# FETCH_TOOL names another fetch_tool than that of build/release. Goals: ratio at most 1.05, less than 64 MiB.
set -euo pipefail
export SBUILD=none
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

tool=${FETCH_TOOL:-$E2E/../../build/release/tests/e2e/fetch_tool}
[[ -x $tool ]] || fail "$tool: build it first, or name another one in FETCH_TOOL"
rounds=${1:-5}
mkdir -p "$T/www" "$T/ours" "$T/theirs"
head -c $((64 << 20)) /dev/urandom >"$T/random"
for ((i = 0; i < 200; i++)); do
	case $i in
	0 | 50) size=$((200 << 20)) ;;
	*0) size=$((50 << 20)) ;;
	*5) size=$((4 << 20)) ;;
	*) size=$((1024 + i * 997)) ;;
	esac
	head -c "$size" < <(cat "$T/random" "$T/random" "$T/random" "$T/random") >"$T/www/$i" 2>/dev/null || true
done
rm "$T/random"
files_start files "$T/www"
sbuild_config ''
for ((i = 0; i < 200; i++)); do
	printf '%s/%d\n' "$FILES_URL" "$i"
done >"$T/urls"
for ((i = 0; i < 200; i++)); do
	printf 'url = "%s/%d"\noutput = "%s/theirs/%d"\n' "$FILES_URL" "$i" "$T" "$i"
done >"$T/curlrc"

memory=0 ratios=()
declare -A best_wall=([ours]=999999 [theirs]=999999) best_cpu=([ours]=999999 [theirs]=999999)
TIMEFORMAT='%R %U %S'
ours() { "$tool" downloads "$T/ours" <"$T/urls"; }
theirs() { curl -sS --no-progress-meter --fail --parallel --parallel-max 4 -K "$T/curlrc"; }
measure() { # ours|theirs: milliseconds of wall time in $wall, and the best of both times
	local took cpu
	rm -rf "$T/ours" "$T/theirs" && mkdir "$T/ours" "$T/theirs" && sync
	took=$({ time "$1" >"$T/out"; } 2>&1)
	read -r wall cpu < <(awk '{ printf "%.0f %.0f\n", $1 * 1000, ($2 + $3) * 1000 }' <<<"$took")
	((wall >= best_wall[$1])) || best_wall[$1]=$wall
	((cpu >= best_cpu[$1])) || best_cpu[$1]=$cpu
}
for ((round = 0; round < rounds; round++)); do
	measure theirs
	other=$wall
	measure ours
	ratios+=("$(awk "BEGIN { printf \"%.2f\", $wall / $other }")")
	((memory >= $(cat "$T/out"))) || memory=$(cat "$T/out")
done
for i in 0 5 199; do
	cmp "$T/www/$i" "$T/ours/$i"
done
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }
printf 'wall: sbuild %d ms, curl %d ms, ratio %s (of each pair: %s, median %s)\n' \
	"${best_wall[ours]}" "${best_wall[theirs]}" "$(ratio "${best_wall[ours]}" "${best_wall[theirs]}")" "${ratios[*]}" \
	"$(printf '%s\n' "${ratios[@]}" | sort -n | sed -n "$(((rounds + 1) / 2))p")"
printf 'CPU: sbuild %d ms with sha256 of all, curl %d ms without; peak memory of sbuild %s MiB\n' \
	"${best_cpu[ours]}" "${best_cpu[theirs]}" "$(awk "BEGIN { printf \"%.1f\", $memory / 1024 }")"
