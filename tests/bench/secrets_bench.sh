#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# secrets_bench.sh [ROUNDS [SUITE]]: the secret scanner (tests/e2e/tools/secrets_tool.c, one thread, all built-in rules)
# and gitleaks from Debian (SUITE: trixie; GOMAXPROCS=1) over the same trees in the same run: CPU time, MB per second of
# CPU, the ratio, peak memory, and what each of them finds there. The trees are clean installations of Debian, Node and
# Python, so whatever is found is false; and one tree of all three. Asserts nothing. Goal: 200 MB/s, ten times gitleaks.
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

SECRETS_TOOL=${SECRETS_TOOL:-$E2E/../../build/release/tests/e2e/secrets_tool}
rounds=${1:-2} suite=${2:-trixie}

gitleaks=$("$E2E/../infra/gitleaks.sh" "$suite")
# Later versions call it otherwise.
look=(detect --no-git --source .)
if "$gitleaks/gitleaks" dir --help >/dev/null 2>&1; then look=(dir .); fi

unpack() { # NAME LAYER…
	local tree=$T/trees/$1 layer
	shift
	mkdir -p "$tree"
	for layer in "$@"; do
		tar -xzf "$layer" -C "$tree" --exclude='./dev/*' --exclude='dev/*'
	done
}
toolchain() { "$E2E/../infra/toolchain.sh" "$1"; }
unpack debian "$("$E2E/../infra/base-image.sh" debian)"
unpack node "$(toolchain node)"
unpack python "$(toolchain python)"
mkdir "$T/trees/mixed"
cp -al "$T/trees/debian" "$T/trees/node" "$T/trees/python" "$T/trees/mixed/"

# measure KEY TREE COMMAND…: CPU seconds into best[KEY], unless there was a better round; its peak KiB into peak[KEY].
declare -A best peak found
measure() {
	local key=$1 tree=$2 figures
	shift 2
	figures=$(cd "$tree" && { /usr/bin/time -f '%U %S %M' "$@" >"$T/out.$key" 2>"$T/err.$key"; tail -n 1 "$T/err.$key"; })
	figures=$(awk '{ printf "%.3f %d", $1 + $2, $3 }' <<<"$figures")
	if [[ -z ${best[$key]:-} ]] || awk -v a="${figures% *}" -v b="${best[$key]}" 'BEGIN { exit !(a < b) }'; then
		best[$key]=${figures% *}
		peak[$key]=${figures#* }
	fi
}

# "read": the megabytes that gitleaks says it looked at, where it does say so: it leaves out binaries, for one. "ratio": of
# the times for the tree; "per MB": of the times for each megabyte that was read.
printf '%-8s %7s  %8s %8s %8s %6s  %10s %8s %8s %8s %6s  %6s %7s\n' tree MB 'sbuild s' MB/s 'peak MB' found \
	'gitleaks s' MB/s read 'peak MB' found ratio 'per MB'
for name in debian node python mixed; do
	tree=$T/trees/$name
	bytes=$(find "$tree" -type f -printf '%s\n' | awk '{ s += $1 } END { printf "%.0f", s }')
	for ((i = 0; i < rounds; i++)); do
		measure "sbuild.$name" "$tree" "$SECRETS_TOOL" .
		measure "gitleaks.$name" "$tree" env GOMAXPROCS=1 "$gitleaks/gitleaks" "${look[@]}" --no-banner --exit-code 0 \
			--report-format json --report-path "$T/report.$name"
	done
	found[sbuild.$name]=$(wc -l <"$T/out.sbuild.$name")
	found[gitleaks.$name]=$(jq length "$T/report.$name")
	read=$(sed -n 's/.*scanned ~\([0-9]*\) bytes.*/\1/p' "$T/err.gitleaks.$name")
	awk -v n="$name" -v b="$bytes" -v s="${best[sbuild.$name]}" -v g="${best[gitleaks.$name]}" -v r="$read" \
		-v sp="${peak[sbuild.$name]}" -v gp="${peak[gitleaks.$name]}" -v sf="${found[sbuild.$name]}" \
		-v gf="${found[gitleaks.$name]}" 'BEGIN {
		printf "%-8s %7.1f  %8.2f %8.1f %8.1f %6d  %10.2f %8.1f %8s %8.1f %6d  %6.1f %7.1f\n", n, b / 1e6, s, b / 1e6 / s,
			sp / 1024, sf, g, b / 1e6 / g, r ? sprintf("%.1f", r / 1e6) : "-", gp / 1024, gf, g / s,
			g / s * (r ? b / r : 1) }'
done
printf '%s\n' "$(cat "$gitleaks/version")"
"$SECRETS_TOOL" "$T/trees/python" 2>&1 >/dev/null | grep -o 'rules=[0-9]*'
