#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# faults.sh start DIR (--root FILES | --upstream URL)    the server of fault_server.py
# faults.sh stop DIR
#
# DIR/env gets FAULT_URL, FAULT_OTHER_URL (another port: another host), FAULT_TLS_URL, FAULT_CA,
# FAULT_LOG (one JSON object per request) and FAULT_RULES (the file of rules, read at every request).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

start() {
	local dir=$1 plain other tls
	shift
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	"$here/tls.sh" make "$dir/tls" faults.test
	rm -f "$dir/fault.ports"
	: >"$dir/fault.jsonl"
	infra_spawn "$dir" faults /usr/bin/python3 -B "$here/fault_server.py" --dir "$dir" "$@" \
		--cert "$dir/tls/server.pem" --key "$dir/tls/server.key"
	infra_wait "$dir" faults 20 test -s "$dir/fault.ports" || infra_die "the fault server did not start"
	read -r plain other tls <"$dir/fault.ports"
	: >"$dir/env"
	infra_env "$dir/env" "FAULT_URL=http://127.0.0.1:$plain" "FAULT_OTHER_URL=http://127.0.0.1:$other" \
		"FAULT_TLS_URL=https://127.0.0.1:$tls" "FAULT_CA=$dir/tls/ca.pem" "FAULT_LOG=$dir/fault.jsonl" \
		"FAULT_RULES=$dir/rules.json"
}

stop() {
	infra_stop "$1/faults.pid"
	rm -f "$1/env"
}

case ${1-} in
start | stop)
	[[ $# -ge 2 ]] || infra_die "usage: $1 DIR"
	"$@"
	;;
*) infra_die "usage: start DIR (--root FILES | --upstream URL) | stop DIR" ;;
esac
