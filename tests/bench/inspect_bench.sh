#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# inspect_bench.sh [COUNT]: how many Dockerfiles "sbuild inspect --json" does in a second, in one process on one core.
# Best of five runs. The goal is 20,000; the exit status does not depend on it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sbuild=${SBUILD:-$here/../../build/release/cli/sbuild}
count=${1:-2000}

[[ -x $sbuild ]] || { echo "$sbuild: build it first, or name another one in SBUILD" >&2 && exit 2; }
directory=$(mktemp -d "${TMPDIR:-/tmp}/sbuild-bench.XXXXXX")
trap 'rm -rf "$directory" "$directory.out"' EXIT
"$here/dockerfiles.py" "$directory" "$count"

# Of the run with the least CPU time: a busy machine makes the wall clock say little.
best=
TIMEFORMAT='%R %U %S'
for ((i = 0; i < 5; i++)); do
	took=$({ time "$sbuild" inspect --json "$directory"/* >"$directory.out"; } 2>&1)
	took=$(awk '{ print $1 * 1000, ($2 + $3) * 1000 }' <<<"$took")
	[[ -n $best && ${best#* } -le ${took#* } ]] || best=$took
done
[[ $(wc -l <"$directory.out") -eq $count ]] || { echo "not every file was answered" >&2 && exit 1; }
awk -v files="$count" -v wall="${best% *}" -v cpu="${best#* }" -v bytes="$(cat "$directory"/* | wc -c)" 'BEGIN {
	printf "%d Dockerfiles of %.1f KB on average: %.0f files/s, %.1f MB/s of CPU time (%d ms); %.0f files/s by the clock\n",
		files, bytes / files / 1000, files / cpu * 1000, bytes / cpu / 1000, cpu, files / wall * 1000 }'
