#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# inspect_bench.sh [COUNT]: how many Dockerfiles "sbuild inspect --json" does in a second, in one process on one core.
# Best of five runs, with the files in memory. The goal is 20,000; the exit status does not depend on it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sbuild=${SBUILD:-$here/../../build/release/cli/sbuild}
count=${1:-2000}

[[ -x $sbuild ]] || { echo "$sbuild: build it first, or name another one in SBUILD" >&2 && exit 2; }
directory=$(mktemp -d "${TMPDIR:-/tmp}/sbuild-bench.XXXXXX")
trap 'rm -rf "$directory" "$directory.out"' EXIT
"$here/dockerfiles.py" "$directory" "$count"

shortest=
for ((i = 0; i < 5; i++)); do
	start=$EPOCHREALTIME
	"$sbuild" inspect --json "$directory"/* >"$directory.out"
	took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", (b - a) * 1e6 }')
	[[ -n $shortest && $shortest -le $took ]] || shortest=$took
done
[[ $(wc -l <"$directory.out") -eq $count ]] || { echo "not every file was answered" >&2 && exit 1; }
awk -v files="$count" -v us="$shortest" -v bytes="$(cat "$directory"/* | wc -c)" 'BEGIN {
	printf "%d Dockerfiles of %.1f KB on average in %.1f ms: %.0f files/s, %.1f MB/s\n",
		files, bytes / files / 1000, us / 1000, files / us * 1e6, bytes / us }'
