#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A build that is killed at any moment leaves nothing that a later one stumbles over, and two at once wait for each other.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry_start registry --images small
sbuild_config "$REGISTRY"
engine_buildah_setup buildah
export SBUILD_ENGINE=buildah
mkdir "$T/p"
printf 'FROM alpine:3.20\nCOPY . /src\nRUN sleep 0.2; echo made >/made\nRUN echo more >/more\n' >"$T/p/Dockerfile"
assert_ok sbuild lock "$T/p"
run sbuild build -q -t p:1.0.0 "$T/p"
assert_status 0
id=$OUT

now "killed at 12 moments; the next build gives the same image"
for i in {1..12}; do
	setsid "$SBUILD" build -q --no-cache -t p:1.0.0 "$T/p" >"$T/out" 2>"$T/err" </dev/null &
	pid=$!
	sleep "$(printf '0.%02d' $((i * 8)))"
	kill -KILL -- "-$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	run sbuild build -q -t p:1.0.0 "$T/p"
	assert_status 0
	assert_eq "$id" "$OUT" "image ID after kill $i"
done
jq -e . "$T/p/.sbuild/result.json" >/dev/null || fail "result.json is damaged"

now "what was kept of the last build and is no longer what it was is made again"
for blob in "$T"/p/.sbuild/image/blobs/sha256/*; do
	size=$(stat -c %s "$blob")
	rm "$blob"
	head -c "$size" /dev/zero >"$blob"
done
run sbuild build -q -t p:1.0.0 -o "type=oci,dest=$T/again,tar=false" "$T/p"
assert_status 0
assert_eq "$id" "$OUT"
for blob in "$T"/again/blobs/sha256/*; do
	assert_eq "${blob##*/}" "$(sha256sum <"$blob" | cut -d' ' -f1)" "content of a blob"
done

now "two at once"
sbuild build -q -t p:1.0.1 "$T/p" >"$T/one" 2>"$T/one.err" &
first=$!
run sbuild build -q -t p:1.0.2 "$T/p"
assert_status 0
wait "$first" || fail "the other build failed: $(cat "$T/one.err")"
assert_eq "$id" "$OUT"
assert_eq "$id" "$(cat "$T/one")"
