#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The web servers that tests start: the honest one and the faulty one, with curl as the client.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir -p "$T/www/sub"
head -c 300000 /dev/urandom >"$T/www/big"
echo "small" >"$T/www/sub/small"
get() { run curl -sS -o "$T/got" -m 10 "$@"; }

files_start files "$T/www"
now "files by HTTP and HTTPS, in parts, with a password"
get -f "$FILES_URL/big"
assert_same "$T/www/big" "$T/got"
get -f --cacert "$FILES_CA" "$FILES_TLS_URL/sub/small"
assert_file "$T/got" small
get --capath /nonexistent --cacert /etc/ssl/certs/ca-certificates.crt "$FILES_TLS_URL/sub/small"
assert_status 60 "an authority that nobody knows"
get -f -r 100-199 "$FILES_URL/big"
assert_eq 100 "$(wc -c <"$T/got")"
get -f -r 100-199 "$FILES_URL/norange/big"
assert_same "$T/www/big" "$T/got"
get -f "$FILES_URL/basic/big"
assert_status 22
get -f -u tester:secret "$FILES_URL/basic/big"
assert_same "$T/www/big" "$T/got"
get -D "$T/head" "$FILES_URL/429/x"
assert_contains "$(cat "$T/head")" "429"
assert_contains "$(cat "$T/head")" "Retry-After: 1"
assert_contains "$(cat "$T/files/access.log")" "authorization=yes"

faults_start faults --root "$T/www"
now "faults by path"
get "$FAULT_URL/~truncate=5000/big"
assert_status 18 "a truncated body"
assert_eq 5000 "$(wc -c <"$T/got")"
get "$FAULT_URL/~reset=5000/big"
assert_status 56 "a reset connection"
get "$FAULT_URL/~length=9/big"
assert_status 18 "a length too long"
get -f "$FAULT_URL/~corrupt=10/big"
assert_status 0
assert_eq 1 "$(cmp -l "$T/www/big" "$T/got" | wc -l)" "bytes that differ"
get -L --max-redirs 5 "$FAULT_URL/~loop/big"
assert_status 47 "a redirect loop"
get -f -L "$FAULT_URL/~redirect=3/big"
assert_same "$T/www/big" "$T/got"
get -f "$FAULT_URL/~status=503,times=2,retry-after=7/big"
assert_status 22
get -f "$FAULT_URL/~status=503,times=2,retry-after=7/big"
assert_status 22
get -f "$FAULT_URL/~status=503,times=2,retry-after=7/big"
assert_status 0 "the third time"
run curl -sS -m 1 -o "$T/got" "$FAULT_URL/~stall=1000/big"
assert_status 28 "a stalled body"

now "what reached the other host"
get -f -L --location-trusted -u a:b "$FAULT_URL/~other/big"
assert_json <(tail -n 1 "$FAULT_LOG") '[.path, .headers.authorization]' '["/big","Basic YTpi"]'
get -f -L -u a:b "$FAULT_URL/~other/big"
assert_json <(tail -n 1 "$FAULT_LOG") '[.path, .headers.authorization]' '["/big",null]'

now "rules, in front of a registry"
registry_start registry --images small
faults_start front --upstream "$REGISTRY_URL"
cat >"$FAULT_RULES" <<'END'
[{"match": "/tags/list", "page": 2},
 {"match": "HEAD /v2/.*/manifests/", "drop": "Docker-Content-Digest"},
 {"match": "GET /v2/.*/blobs/", "corrupt": 20}]
END
run curl -fsS -D "$T/head" "$FAULT_URL/v2/library/alpine/tags/list"
assert_json "$T/out" '.tags | length' 2
assert_contains "$(cat "$T/head")" 'rel="next"'
assert_ok curl -fsS -I "$FAULT_URL/v2/library/busybox/manifests/1"
assert_lacks "${OUT,,}" docker-content-digest
assert_contains "${OUT,,}" "content-length: "
assert_ok skopeo inspect --raw --tls-verify=false "docker://${FAULT_URL#http://}/library/busybox:1"
run skopeo copy -q --src-tls-verify=false "docker://${FAULT_URL#http://}/library/busybox:1" "dir:$T/copied"
assert_status 1 "corrupt blobs"
