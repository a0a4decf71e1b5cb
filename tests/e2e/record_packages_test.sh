#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What RUN downloads has names: packages in the lock, held against the project's own lock files, told by diff and why;
# and what happens when a recording is lost.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/record_lib.sh"

registry_start registry --images small
sbuild_config "$REGISTRY"
engine_buildah_setup buildah
export SBUILD_ENGINE=buildah

P=$T/p
LOCK=$P/Dockerfile.lock
mkdir -p "$P/web" "$T/www/pad/-" "$T/www/pool/c"
lan_files "$T/www"
printf 'the package\n' >"$T/www/pad/-/pad-1.0.0.tgz"
printf 'curl 1\n' >"$T/www/pool/c/curl_1.0-1_amd64.deb"
cat >"$P/Dockerfile" <<END
FROM alpine:3.20 AS web
RUN wget -q -O /pad $WEB/pad/-/pad-1.0.0.tgz
FROM alpine:3.20
RUN wget -q -O /curl $WEB/pool/c/curl_1.0-1_amd64.deb
COPY --from=web /pad /
END
# stated CONTENT: the project's own lock file says that this is the package.
stated() {
	printf '{"packages":{"node_modules/pad":{"version":"1.0.0","integrity":"sha512-%s"}}}' \
		"$(printf "%s\n" "$1" | openssl dgst -sha512 -binary | base64 -w0)" >"$P/web/package-lock.json"
}

now "what differs from what the project trusts is not locked"
stated "another package"
lock
assert_status 7
assert_contains "$ERR" "web/package-lock.json: pkg:npm/pad@1.0.0 is sha512-"
[[ ! -e $LOCK ]] || assert_json "$LOCK" '[.packages[] | select(.purl | contains("pad"))]' '[]'

now "what agrees is locked, with who vouches"
stated "the package"
lock
assert_status 0
assert_json "$LOCK" '[.packages[] | [.purl, .vouched]]' \
	'[["pkg:deb/debian/curl@1.0-1?arch=amd64",null],["pkg:npm/pad@1.0.0","web/package-lock.json"]]'
assert_json "$LOCK" '[.packages[].steps | length]' '[1,1]'
assert_ok sbuild verify "$P"
assert_ok sbuild why pad@1 "$P"
assert_contains "$OUT" "needed by    Dockerfile:2: RUN wget"
assert_contains "$OUT" "vouched by   web/package-lock.json"
assert_ok sbuild why curl@1 "$P"
assert_contains "$OUT" "vouched by   its package manager, if that fetched it"
cp "$LOCK" "$T/before.lock"

now "a review speaks of packages"
printf 'curl 2\n' >"$T/www/pool/c/curl_2.0-1_amd64.deb"
sed -i 's/curl_1.0/curl_2.0/' "$P/Dockerfile"
lock
assert_status 0
assert_ok sbuild diff "$T/before.lock" "$LOCK"
assert_contains "$OUT" "package curl (deb): 1.0-1 → 2.0-1"
assert_lacks "$OUT" "pad"

now "a recording that is lost is made anew when that is asked for by name"
cp "$LOCK" "$T/whole.lock"
rm -rf "$P/sbuild.vendor" "${XDG_CACHE_HOME:?}/sbuild/sha256"
lock
assert_status 7
assert_contains "$ERR" "and of others is in the lock, but not in sbuild.vendor; restore it from where it was vendored, or run"
updates=$(grep -o -e '--update=[0-9a-f]*' "$T/err")
assert_eq 2 "$(wc -l <<<"$updates")"
# shellcheck disable=SC2086 # two words
lock $updates
assert_status 0
assert_same "$T/whole.lock" "$LOCK"
assert_ok sbuild verify "$P"
