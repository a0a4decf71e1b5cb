#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# scan_bench.sh [ROUNDS [SUITE]]: "sbuild scan" of whole images, all rules, one thread, and gitleaks from Debian (SUITE:
# trixie; GOMAXPROCS=1) over the same files, which were unpacked for it before, in the same run: uncompressed MB per second
# of CPU, the ratio, peak memory, findings that are no notes. Layers plain (as docker save has them) and gzipped. Asserts nothing.
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

SBUILD=${SBUILD:-$E2E/../../build/release/cli/sbuild}
rounds=${1:-2} suite=${2:-trixie}
gitleaks=$("$INFRA/gitleaks.sh" "$suite")
# Later versions call it otherwise.
look=(detect --no-git --source .)
if "$gitleaks/gitleaks" dir --help >/dev/null 2>&1; then look=(dir .); fi

mapfile -t chains < <("$INFRA/toolchain.sh" node python)
debian=$("$INFRA/base-image.sh" debian)
cat >"$T/catalog.json" <<'END'
[{"name": "debian", "tags": ["1"], "index": false, "platforms": ["linux/amd64"], "layers": ["debian"], "config": {}},
 {"name": "node", "tags": ["1"], "index": false, "platforms": ["linux/amd64"], "layers": ["debian", "node"], "config": {}},
 {"name": "python", "tags": ["1"], "index": false, "platforms": ["linux/amd64"], "layers": ["debian", "python"], "config": {}}]
END
"$INFRA/oci_image.py" layout --layer "debian=$debian" --layer "node=${chains[0]}" --layer "python=${chains[1]}" --out "$T/gzip" "$T/catalog.json"
declare -A layers=([debian]=$debian [node]="$debian ${chains[0]}" [python]="$debian ${chains[1]}")
for name in debian node python; do
	skopeo copy -q "oci:$T/gzip/$name" "docker-archive:$T/$name.tar:$name:1"
	# Each layer in a directory of its own, as each is scanned by itself.
	i=0
	for layer in ${layers[$name]}; do
		mkdir -p "$T/trees/$name/$((++i))"
		tar -xzf "$layer" -C "$T/trees/$name/$i" --exclude='./dev/*' --exclude='dev/*'
	done
done

# measure KEY TREE COMMAND…: CPU seconds into best[KEY], unless there was a better round; its peak KiB into peak[KEY].
declare -A best peak
measure() {
	local key=$1 tree=$2 figures
	shift 2
	figures=$(cd "$tree" && { /usr/bin/time -f '%U %S %M' "$@" >/dev/null 2>"$T/err.$key" || true; tail -n 1 "$T/err.$key"; })
	figures=$(awk '{ printf "%.3f %d", $1 + $2, $3 }' <<<"$figures")
	if [[ -z ${best[$key]:-} ]] || awk -v a="${figures% *}" -v b="${best[$key]}" 'BEGIN { exit !(a < b) }'; then
		best[$key]=${figures% *}
		peak[$key]=${figures#* }
	fi
}

printf '%-8s %7s  %8s %8s %8s %6s  %8s %8s  %10s %8s %8s  %6s\n' image MB 'plain s' MB/s 'peak MB' found 'gzip s' MB/s 'gitleaks s' MB/s 'peak MB' ratio
for name in debian node python; do
	bytes=$(find "$T/trees/$name" -type f -printf '%s\n' | awk '{ s += $1 } END { printf "%.0f", s }')
	for ((i = 0; i < rounds; i++)); do
		measure "plain.$name" "$T" "$SBUILD" scan --threads 1 --format json --output "$T/report.$name" "$T/$name.tar"
		measure "gzip.$name" "$T" "$SBUILD" scan --threads 1 --quiet "$T/gzip/$name"
		measure "gitleaks.$name" "$T/trees/$name" env GOMAXPROCS=1 "$gitleaks/gitleaks" "${look[@]}" --no-banner --exit-code 0 \
			--report-path "$T/gitleaks.$name"
	done
	awk -v n="$name" -v b="$bytes" -v s="${best[plain.$name]}" -v z="${best[gzip.$name]}" -v g="${best[gitleaks.$name]}" \
		-v sp="${peak[plain.$name]}" -v gp="${peak[gitleaks.$name]}" \
		-v f="$(jq '[.findings[] | select(.severity != "info" and .rule != "SB810")] | length' "$T/report.$name")" 'BEGIN {
		printf "%-8s %7.1f  %8.2f %8.1f %8.1f %6d  %8.2f %8.1f  %10.2f %8.1f %8.1f  %6.1f\n", n, b / 1e6, s, b / 1e6 / s, sp / 1024, f,
			z, b / 1e6 / z, g, b / 1e6 / g, gp / 1024, g / s }'
done
cat "$gitleaks/version"
