#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# download.sh FETCH_TOOL [ROUNDS]
#
# 200 files from 1 KB to 200 MB (1.5 GB together) from nginx on loopback: the fetch module, which also hashes and
# never holds a file in memory, against "curl --parallel" with as many transfers at once. Prints the best wall time of
# each (ROUNDS, default 3, taken in turns), their ratio, and the fetch module's peak memory. Goals: ratio at most 1.05,
# less than 64 MiB.
set -euo pipefail
export SBUILD=none
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

tool=${1:?which fetch_tool?}
rounds=${2:-3}
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

best_ours=999999 best_theirs=999999 memory=0
timed() { # COMMAND...: milliseconds in $MS
	local start=${EPOCHREALTIME/./}
	"$@" >"$T/out"
	MS=$(((${EPOCHREALTIME/./} - start) / 1000))
}
ours() { "$tool" downloads "$T/ours" <"$T/urls"; }
theirs() { curl -sS --no-progress-meter --fail --parallel --parallel-max 4 -K "$T/curlrc"; }
for ((round = 0; round < rounds; round++)); do
	rm -rf "$T/ours" "$T/theirs" && mkdir "$T/ours" "$T/theirs" && sync
	timed theirs
	((MS >= best_theirs)) || best_theirs=$MS
	rm -rf "$T/theirs" && mkdir "$T/theirs" && sync
	timed ours
	((MS >= best_ours)) || best_ours=$MS
	memory=$(cat "$T/out")
done
for i in 0 5 199; do
	cmp "$T/www/$i" "$T/ours/$i"
done
printf 'sbuild %d ms, curl %d ms, ratio %s, peak memory %s MiB\n' "$best_ours" "$best_theirs" \
	"$(awk "BEGIN { printf \"%.2f\", $best_ours / $best_theirs }")" "$(awk "BEGIN { printf \"%.1f\", $memory / 1024 }")"
