#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# lint_bench.sh [ROUNDS]: how many Dockerfiles "sbuild lint" does in a second, in one process on one core, over the
# corpus of real ones and over generated ones; hadolint over the same files in turns. The best of the rounds counts. The
# goal is 5,000 files a second; the exit status does not depend on it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sbuild=${SBUILD:-$here/../../build/release/cli/sbuild}
rounds=${1:-3}
generated=2000

[[ -x $sbuild ]] || { echo "$sbuild: build it first, or name another one in SBUILD" >&2 && exit 2; }
work=$(mktemp -d "${TMPDIR:-/tmp}/sbuild-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work"/{real,generated}
cp "$("$here/corpus.sh")"/*.Dockerfile "$work/real"
"$here/dockerfiles.py" "$work/generated" "$generated"
peer=$("$here/../infra/hadolint.sh") || { peer='' && echo "hadolint is not to be had: figures without a peer" >&2; }

# measure NAME COMMAND...: CPU and wall time in ms, and peak memory in KB, into $work/NAME unless it was better before.
measure() {
	local name=$1 took
	shift
	took=$(/usr/bin/python3 - "$@" <<-'END'
		import os, resource, subprocess, sys, time
		start = time.monotonic()
		cpu = (os.sched_getaffinity(0).pop(),)
		status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, cpu)).returncode
		if status not in (0, 1):
		    sys.exit(f"{sys.argv[1]}: exit status {status}")
		used = resource.getrusage(resource.RUSAGE_CHILDREN)
		print(f"{(used.ru_utime + used.ru_stime) * 1000:.1f} {(time.monotonic() - start) * 1000:.1f} {used.ru_maxrss}")
	END
	)
	if [[ ! -e $work/$name ]] || awk -v old="$(cut -d' ' -f1 "$work/$name")" '{ exit !($1 < old) }' <<<"$took"; then
		echo "$took" >"$work/$name"
	fi
}

for set in real generated; do
	for ((i = 0; i < rounds; i++)); do
		measure "$set.sbuild" "$sbuild" lint --format json "$work/$set"/*
		# It takes half a minute for what is looked at here: once.
		[[ -z $peer || $i -gt 0 ]] || measure "$set.peer" "$peer" --no-fail --format json "$work/$set"/*
	done
	files=$(find "$work/$set" -type f | wc -l)
	read -r cpu wall memory <"$work/$set.sbuild"
	awk -v set="$set" -v files="$files" -v cpu="$cpu" -v wall="$wall" -v memory="$memory" 'BEGIN {
		printf "%d %s Dockerfiles: sbuild lint %.0f files/s of CPU time, %.0f by the clock, %.0f MB of memory\n",
			files, set, files / cpu * 1000, files / wall * 1000, memory / 1024 }'
	[[ -n $peer ]] || continue
	read -r peer_cpu peer_wall peer_memory <"$work/$set.peer"
	awk -v files="$files" -v cpu="$peer_cpu" -v wall="$peer_wall" -v memory="$peer_memory" -v ours="$cpu" 'BEGIN {
		printf "    hadolint %.0f files/s of CPU time, %.0f by the clock, %.0f MB: sbuild lint takes 1/%.0f of its CPU time\n",
			files / cpu * 1000, files / wall * 1000, memory / 1024, cpu / ours }'
done

# shellcheck disable=SC2016 # expanded by the inner shell
for ((i = 0; i < rounds; i++)); do
	measure one sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do "$@" || true; done' sh "$sbuild" lint --format json "$work/generated/Dockerfile.0"
done
awk '{ printf "one file, the start of the program included: %.1f ms of CPU time, %.1f by the clock\n", $1 / 10, $2 / 10 }' "$work/one"
