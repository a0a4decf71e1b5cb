#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sealed_bench.sh [ROUNDS]: sealed steps against plain ones. Prints figures and ratios, asserts nothing about them; taken in
# turns, ROUNDS times (default 3), the best of each counts.
#   - the RUN steps of the examples, replayed without a network, against "docker build --no-cache" with the network;
#     what is not a RUN (contexts, export, loading) is shown apart
#   - what sealing adds to a step that does nothing
#   - "sbuild lock" of a project that has not changed
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/sealed_lib.sh"

SBUILD=${SBUILD:-$E2E/../../build/release/cli/sbuild}
[[ -x $SBUILD ]] || fail "$SBUILD: build it first, or name another one in SBUILD"
rounds=${1:-3}
examples=(apt npm pip go cargo)

SEALED_MIRROR=yes # for the peer
sealed_start
# The peer reaches the registries as this machine does, with the authorities that it trusts.
mkdir "$T/ca"
cp /etc/ssl/certs/ca-certificates.crt "$T/ca/"
plain_dockerfile() { # DIR: the same with these authorities
	awk '{ print } toupper($1) == "FROM" && $2 != "scratch" {
		print "COPY --from=ca ca-certificates.crt /ca.pem"
		print "ENV NODE_EXTRA_CA_CERTS=/ca.pem PIP_CERT=/ca.pem SSL_CERT_FILE=/ca.pem CARGO_HTTP_CAINFO=/ca.pem"
	}' "$1/Dockerfile" >"$1/plain.Dockerfile"
}

# run_seconds LOG: what the RUN steps of a build took together, from its plain progress.
run_seconds() {
	awk '/^#[0-9]+ \[.*\] RUN / { step[$1] = 1 }
		/^#[0-9]+ DONE / && ($1 in step) { sub("s", "", $3); sum += $3 } END { printf "%.1f\n", sum }' "$1"
}

declare -A best
keep() { # NAME VALUE
	[[ -n ${best[$1]-} && $(bc <<<"$2 >= ${best[$1]}") == 1 ]] || best[$1]=$2
}
measure() { # NAME COMMAND...: seconds of the RUN steps, and of everything
	local name=$1 TIMEFORMAT=%R
	shift
	total=$({ time "$@" >"$T/out" 2>"$T/err"; } 2>&1) || { tail -n 20 "$T/err" >&2 && fail "$*"; }
	cat "$T/out" "$T/err" >"$T/log"
	keep "$name" "$(run_seconds "$T/log")"
	keep "$name.total" "$total"
}
plain() { # NAME
	docker buildx build --no-cache --progress=plain --build-context "ca=$T/ca" -f "$T/$1/plain.Dockerfile" -t "$1:plain" "$T/$1"
}
sealed() { # NAME
	sbuild build --offline --no-cache --progress=plain -t "$1:1.0.0" "$T/$1"
}

for name in "${examples[@]}"; do
	example_project "$name"
	plain_dockerfile "$T/$name"
done
project nothing < <(echo 'FROM debian:trixie-slim' && for i in {1..20}; do echo "RUN true $i"; done)
cp "$T/nothing/Dockerfile" "$T/nothing/plain.Dockerfile"
for name in "${PROJECTS[@]}"; do
	now "$name: lock"
	assert_ok sbuild lock "$T/$name"
done
for ((round = 0; round < rounds; round++)); do
	for name in "${PROJECTS[@]}"; do
		now "$name: round $((round + 1))"
		measure "$name" sealed "$name"
		measure "$name.plain" plain "$name"
	done
	measure lock sbuild lock "$T/apt"
done

printf '\n%-10s %28s %28s %8s %8s\n' '' 'sealed, offline: RUN, all' 'plain, online: RUN, all' 'ratio' 'of all'
for name in "${examples[@]}"; do
	printf '%-10s %17s s, %6s s %18s s, %6s s %8s %8s\n' "$name" "${best[$name]}" "${best[$name.total]}" "${best[$name.plain]}" \
		"${best[$name.plain.total]}" "$(bc -l <<<"scale=2; ${best[$name]} / ${best[$name.plain]}")" \
		"$(bc -l <<<"scale=2; ${best[$name.total]} / ${best[$name.plain.total]}")"
done
printf 'a RUN that does nothing: %.0f ms sealed, %.0f ms plain\n' \
	"$(bc -l <<<"${best[nothing]} * 50")" "$(bc -l <<<"${best[nothing.plain]} * 50")"
printf 'sbuild lock with nothing to do: %.0f ms\n' "$(bc -l <<<"${best[lock.total]} * 1000")"
