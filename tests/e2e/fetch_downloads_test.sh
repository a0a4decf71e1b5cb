#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Downloads by the fetch module: broken transfers, resuming, redirects, mirrors, refused addresses, TLS, credentials.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir -p "$T/www"
head -c 3000000 /dev/urandom >"$T/www/big"
sha=$(sha256sum <"$T/www/big" | cut -d' ' -f1)
files_start files "$T/www"
faults_start faults --root "$T/www"
fetch() { run "${FETCH_TOOL:?the path of the built fetch_tool}" "$@"; }
ranges() { jq -r '.headers.range // "none"' "$FAULT_LOG" | tr '\n' ' '; }
# got FAULT: the whole file came, whatever the server did to it.
got() {
	rm -f "$T/o"
	: >"$FAULT_LOG"
	fetch download "$sha" 3000000 "$FAULT_URL/~$1/big" "$T/o"
	assert_status 0 "$1"
	assert_same "$T/www/big" "$T/o"
}
# not_got FAULT STATUS MESSAGE
not_got() {
	rm -f "$T/o"
	: >"$FAULT_LOG"
	fetch download "$sha" 3000000 "$FAULT_URL/~$1/big" "$T/o"
	assert_status "$2" "$1"
	assert_contains "$ERR" "$3"
}

now "this machine's own addresses are refused, until the user allows them"
fetch get "$FILES_URL/big"
assert_status 8
assert_contains "$ERR" "allow-hosts"
fetch get "http://169.254.169.254/latest"
assert_status 8
assert_contains "$ERR" "metadata"
sbuild_config ""
not_got "to=http%3a%2f%2f169.254.169.254%2flatest" 8 "metadata"
printf '{}\n' >"$XDG_CONFIG_HOME/sbuild/config.json"
fetch get "http://localhost:${FILES_URL##*:}/big"
assert_status 8 "a name that resolves to loopback"
sbuild_config ""

now "a broken transfer goes on where it stopped"
got truncate=1000000,times=2
assert_eq "none bytes=1000000- bytes=2000000- " "$(ranges)"
got reset=500000,times=1
got status=503,times=2,retry-after=1
got status=429,times=1
got truncate=1000000,norange,times=1
assert_eq "none bytes=1000000- " "$(ranges)"
got redirect=3
got chunked
got other

now "in a later run too"
head -c 1000000 "$T/www/big" >"$T/o"
: >"$FAULT_LOG"
fetch download "$sha" 3000000 "$FAULT_URL/big" "$T/o"
assert_status 0
assert_eq "bytes=1000000- " "$(ranges)"
assert_same "$T/www/big" "$T/o"
head -c 1000000 /dev/zero >"$T/o"
: >"$FAULT_LOG"
fetch download "$sha" 3000000 "$FAULT_URL/big" "$T/o"
assert_status 0 "a beginning that is not that of the file"
assert_eq "bytes=1000000- none " "$(ranges)"
assert_same "$T/www/big" "$T/o"
cp "$T/www/big" "$T/o"
fetch download "$sha" 3000000 "$FAULT_URL/big" "$T/o"
assert_status 0 "a beginning that is all"
head -c 1000 /dev/zero >"$T/o"
fetch download "$FAULT_URL/big" "$T/o"
assert_status 0 "a beginning of which nothing is known"
assert_same "$T/www/big" "$T/o"

now "what cannot be got, and why"
not_got status=404 8 "answered 404"
not_got status=410 6 "answered 410"
not_got status=403 8 "answered 403"
not_got corrupt=1000000 7 "do not use it"
not_got length=9 7 "instead of 3000000"
not_got gzip 7 "instead of 3000000"
not_got loop 8 "more than 10 redirects"
not_got headers=500 1 "bytes of headers"
not_got "to=ftp%3a%2f%2fx%2fy" 8 "only http and https"
not_got truncate=1000000,badrange 8 "bytes remaining"
assert_eq 5 "$(wc -l <"$FAULT_LOG")" "tries"
FETCH_PATIENCE=1 fetch download "$sha" 3000000 "$FAULT_URL/~stall=1000/big" "$T/o"
assert_status 8 "a server that falls silent"
fetch get "http://localhost:1/"
assert_status 8
fetch get "http://nobody.invalid/"
assert_status 8
mkdir "$T/small"
mount -t tmpfs -o size=1m tmpfs "$T/small"
at_end umount "$T/small"
fetch download "$sha" 3000000 "$FAULT_URL/big" "$T/small/o"
assert_status 10
assert_contains "$ERR" "No space left"

now "mirrors, one after the other"
rm -f "$T/o"
fetch download "$sha" 3000000 "$FAULT_URL/~corrupt=5/big" "$T/o" "$FAULT_OTHER_URL/~status=404/big" "$FILES_URL/big"
assert_status 0
assert_contains "$OUT" "$FILES_URL/big"
assert_same "$T/www/big" "$T/o"

now "credentials stay where they belong"
: >"$FAULT_LOG"
fetch download "$sha" 3000000 "http://me:secret@${FAULT_URL#http://}/~other/big" "$T/o2"
assert_status 0
assert_json <(tail -n 1 "$FAULT_LOG") '[.path, .headers.authorization]' '["/big",null]'
assert_json <(head -n 1 "$FAULT_LOG") '.headers.authorization' '"Basic bWU6c2VjcmV0"'
assert_lacks "$OUT$ERR" secret
fetch download "http://me:secret@${FAULT_URL#http://}/~status=404/big?token=secret" "$T/o3"
assert_status 8
assert_lacks "$OUT$ERR" secret

now "TLS"
fetch get "$FAULT_TLS_URL/big"
assert_status 8
assert_contains "$ERR" "certificate"
export CURL_CA_BUNDLE=$FAULT_CA
rm -f "$T/o"
fetch download "$sha" 3000000 "$FAULT_TLS_URL/big" "$T/o"
assert_status 0
fetch get "$FAULT_TLS_URL/~downgrade/big"
assert_status 8
assert_contains "$ERR" "from https to http"

now "a signal stops it at once, and the next run goes on"
rm -f "$T/o"
run timeout --preserve-status -s KILL 2 "$FETCH_TOOL" download "$FAULT_URL/~drip=40000/big" "$T/o"
[[ -s $T/o ]] || fail "nothing was written"
: >"$FAULT_LOG"
fetch download "$sha" 3000000 "$FAULT_URL/big" "$T/o"
assert_status 0
assert_matches "$(ranges)" '^bytes=[0-9]+- $'
assert_same "$T/www/big" "$T/o"
