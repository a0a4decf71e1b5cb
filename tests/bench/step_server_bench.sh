#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# step_server_bench.sh [MB] [ROUNDS]: how fast the server inside a step answers from the lock: a file of MB megabytes
# (default 512), plain and by TLS, and 2,000 small ones over one connection, against nginx serving the same bytes on
# loopback. The servers have the first core for themselves, the client has the second one. Best of ROUNDS (5).
# STEP_TOOL names another step_tool than that of build/release. Goals: over 1 GB/s plain, 500 MB/s by TLS.
set -euo pipefail
export SBUILD=none
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

tool=${STEP_TOOL:-$E2E/../../build/release/tests/e2e/step_tool}
[[ -x $tool ]] || fail "$tool: build it first, or name another one in STEP_TOOL"
megabytes=${1:-512}
rounds=${2:-5}
small=2000
core=$(($(nproc) > 1))

mkdir -p "$T/www" "$T/step/objects"
head -c $((megabytes << 20)) /dev/urandom >"$T/www/large"
for ((i = 0; i < small; i++)); do
	printf '%d and some more text that makes it a file of a size as metadata has it %0*d\n' "$i" 2000 0 >"$T/www/s$i"
	printf 'url = "http://files.test/s%d"\noutput = "/dev/null"\n' "$i" >>"$T/small"
done
(
	cd "$T/www"
	printf '{"version":1}\n'
	for scheme in http https; do
		paste -d ' ' <(sha256sum -- *) <(stat -c %s -- *) | while read -r sum name size; do
			[[ -e $T/step/objects/$sum ]] || ln "$name" "$T/step/objects/$sum"
			printf '{"digest":"sha256:%s","method":"GET","size":%d,"status":200,"url":"%s://files.test/%s"}\n' \
				"$sum" "$size" "$scheme" "$name"
		done
	done
) >"$T/step/manifest"
files_start files "$T/www"
read -r nginx _ <"$T/files/nginx.pid"
taskset -pac 0 "$nginx" >/dev/null
pgrep -P "$nginx" | while read -r worker; do taskset -pac 0 "$worker" >/dev/null; done

mkfifo "$T/input" "$T/output"
# A session of its own, as nginx has: schedulers share by them.
setsid taskset -c 0 "$tool" "$T/step" <"$T/input" >"$T/output" &
server=$!
exec 7>"$T/input" 8<"$T/output"
read -r port <&8
client=(taskset -c "$core" curl -sS --fail --no-progress-meter)
ours=("${client[@]}" --noproxy '' --proxy "http://127.0.0.1:$port" --cacert "$T/step/ca.pem")
plain=${FILES_URL##*:} tls=${FILES_TLS_URL##*:}
theirs=("${client[@]}" --connect-to "files.test:80:127.0.0.1:$plain" --connect-to "files.test:443:127.0.0.1:$tls"
	--http1.1 --cacert "$FILES_CA")

declare -A best cpu
cpu_of() { # WHO: the CPU time of that server so far, in hundredths of a second
	local pids=("$server") pid
	[[ $1 == ours ]] || mapfile -t pids < <(pgrep -P "$nginx")
	for pid in "${pids[@]}"; do cat "/proc/$pid/stat"; done | awk '{ sum += $14 + $15 } END { print sum }'
}
measure() { # WHO WHAT COMMAND…: keeps the shortest time, in microseconds, and the least CPU time of the server
	local name="$1 $2" start took used
	used=$(cpu_of "$1")
	start=$EPOCHREALTIME
	"${@:3}"
	took=$((${EPOCHREALTIME//[.,]/} - ${start//[.,]/}))
	used=$((($(cpu_of "$1") - used) * 10000 + 1))
	[[ -n ${best[$name]-} && ${best[$name]} -le $took ]] || best[$name]=$took
	[[ -n ${cpu[$name]-} && ${cpu[$name]} -le $used ]] || cpu[$name]=$used
}
# Each once beforehand: the object is checked, the page cache is warm.
for scheme in http https; do
	"${ours[@]}" "$scheme://files.test/large" | cmp - "$T/www/large"
	"${theirs[@]}" -o /dev/null "$scheme://files.test/large"
done
for ((round = 0; round < rounds; round++)); do
	for scheme in http https; do
		measure ours $scheme "${ours[@]}" -o /dev/null "$scheme://files.test/large"
		measure theirs $scheme "${theirs[@]}" -o /dev/null "$scheme://files.test/large"
	done
	measure ours small "${ours[@]}" -K "$T/small"
	measure theirs small "${theirs[@]}" -K "$T/small"
done
exec 7>&-
wait "$server"
report() { # LABEL NAME AMOUNT UNIT
	awk -v label="$1" -v ours="${best["ours $2"]}" -v theirs="${best["theirs $2"]}" -v amount="$3" -v unit="$4" \
		-v ours_cpu="${cpu["ours $2"]}" -v theirs_cpu="${cpu["theirs $2"]}" 'BEGIN {
		printf "%s: sbuild %.0f %s, nginx %.0f, ratio of the times %.2f; of CPU time: sbuild %.0f %s, nginx %.0f, ratio %.2f\n",
			label, amount / ours * 1e6, unit, amount / theirs * 1e6, ours / theirs,
			amount / ours_cpu * 1e6, unit, amount / theirs_cpu * 1e6, ours_cpu / theirs_cpu }'
}
report "plain, $megabytes MiB" http "$(awk "BEGIN { print $megabytes * 1.048576 }")" MB/s
report "TLS, $megabytes MiB" https "$(awk "BEGIN { print $megabytes * 1.048576 }")" MB/s
report "$small small files" small "$small" requests/s
