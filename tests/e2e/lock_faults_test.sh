#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# "sbuild lock" against servers that misbehave and disks that are full: an answer of its own for each, never a
# half-written lock, no credentials for strangers, and the next run finishes.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WWW=$T/www
mkdir -p "$WWW"
head -c 400000 /dev/urandom >"$WWW/big"
SHA=$(sha256sum <"$WWW/big" | cut -d' ' -f1)
P=$T/project
LOCK=$P/Dockerfile.lock
mkdir "$P"

fresh() { rm -rf "$LOCK" "$P/sbuild.vendor" "$XDG_CACHE_HOME/sbuild"; }
dockerfile() { cat >"$P/Dockerfile"; }

# lock_fails STATUS MESSAGE: from nothing, and leaves no lock.
lock_fails() {
	fresh
	run sbuild lock "$P"
	assert_status "$1" "$2"
	assert_contains "$ERR" "$2"
	assert_contains "$ERR" "Dockerfile:"
	assert_absent "$LOCK"
}

lock_works() {
	fresh
	run sbuild lock "$P"
	assert_status 0
}

# --- files ----------------------------------------------------------------------------------------

faults_start faults --root "$WWW"
sbuild_config

file() { # FAULTS: a Dockerfile that adds the big file through them
	dockerfile <<<"FROM scratch
ADD --checksum=sha256:$SHA $FAULT_URL/~$1/big /x"
}

now "files: what a retry or a continued transfer mends"
for fault in truncate=5000,times=1 reset=5000,times=1 length=9,times=1 status=503,times=2,retry-after=0 \
	status=500,times=1 status=429,times=1,retry-after=1 redirect=3 chunked nolength norange truncate=100000,times=1,norange; do
	file "$fault"
	lock_works
	assert_json "$LOCK" '.files[0].digest' "\"sha256:$SHA\""
done

now "files: what cannot be mended"
file corrupt=-1
lock_fails 7 "$SHA"
file status=404
lock_fails 8 404
file status=401
lock_fails 8 401
file status=403
lock_fails 8 403
file status=410
lock_fails 6 410
file status=500
lock_fails 8 500
file loop
lock_fails 8 redirect

now "files: a failure keeps the old lock, and what had arrived is not fetched again"
dockerfile <<<"FROM scratch
ADD $FAULT_URL/big /x"
lock_works
cp -p "$LOCK" "$T/before"
dockerfile <<<"FROM scratch
ADD $FAULT_URL/~length=0/big /y
ADD $FAULT_URL/~status=404/big /x"
run sbuild lock "$P"
assert_status 8
assert_same "$T/before" "$LOCK"
sed -i '$d' "$P/Dockerfile"
assert_ok sbuild lock "$P"

now "files: the server goes away in the middle"
file drip=20000
fresh
sbuild lock "$P" >"$T/out" 2>"$T/err" &
pid=$!
sleep 0.4
stop_part faults.sh faults
status=0
wait "$pid" || status=$?
assert_eq 8 "$status" "$(cat "$T/err")"
assert_absent "$LOCK"
faults_start faults2 --root "$WWW"
file length=0
run sbuild lock "$P"
assert_status 0

# --- registries -----------------------------------------------------------------------------------

registry_start registry --images small --auth basic
faults_start wrong --upstream "$REGISTRY_URL"
FAULT_HOST=${FAULT_URL#http://}
sbuild_config "$FAULT_HOST"
docker_login "$FAULT_HOST" "$REGISTRY_USER" "$REGISTRY_PASSWORD"
dockerfile <<<'FROM alpine:3.20'
rules() { printf '%s\n' "$1" >"$FAULT_RULES"; }

now "registry: what a retry mends"
for rule in '{"match":"GET .*/blobs/","truncate":500,"times":1}' '{"match":"GET .*/blobs/","reset":500,"times":1}' \
	'{"match":"/manifests/","status":503,"times":1,"retry-after":0}' '{"match":".","status":429,"times":1,"retry-after":1}'; do
	rules "[$rule]"
	lock_works
	assert_json "$LOCK" '.images[0].digest' "\"$(image_digest library/alpine:3.20)\""
done

now "registry: what cannot be mended"
rules '[{"match":"GET .*/manifests/","corrupt":20}]'
lock_fails 7 "docker.io/library/alpine:3.20"
rules '[{"match":"GET .*/blobs/","corrupt":20}]'
fresh
run sbuild lock "$P"
assert_status 7
assert_absent "$LOCK"
rules '[{"match":"GET .*/blobs/","truncate":100}]'
fresh
run sbuild lock "$P"
assert_status 8
assert_absent "$LOCK"
for status in 403 404 500; do
	rules "[{\"match\":\"/manifests/\",\"status\":$status}]"
	lock_fails 8 "docker.io/library/alpine:3.20"
done
rules '[{"match":"/manifests/","loop":true}]'
lock_fails 8 redirect

now "registry: without the tag list there is no version, and the reason says so"
rules '[{"match":"/tags/list","status":403}]'
lock_works
assert_contains "$(jq -r '.images[0].reason' "$LOCK")" "could not be asked"

now "registry: no credential reaches the other host"
rules '[{"match":"GET .*/blobs/","other":true}]'
: >"$FAULT_LOG"
fresh
run sbuild lock "$P"
other=${FAULT_OTHER_URL##*:}
assert_ne 0 "$(jq -s "[.[] | select(.port == ${other%/})] | length" "$FAULT_LOG")" "requests at the other host"
assert_eq '[]' "$(jq -sc "[.[] | select(.port == ${other%/}) | .headers | (.authorization, .cookie) | values]" "$FAULT_LOG")"
assert_ne '[]' "$(jq -sc "[.[] | .headers.authorization | values]" "$FAULT_LOG")"
secret=$(printf '%s:%s' "$REGISTRY_USER" "$REGISTRY_PASSWORD" | base64 -w0)
[[ ! -e $LOCK ]] || assert_lacks "$(cat "$LOCK")" "$REGISTRY_PASSWORD"
assert_lacks "$ERR$OUT" "$secret"
assert_lacks "$ERR$OUT" "$REGISTRY_PASSWORD"

now "registry: wrong credentials"
rules '[]'
docker_login "$FAULT_HOST" "$REGISTRY_USER" "not the password"
lock_fails 8 "docker.io/library/alpine:3.20"
assert_lacks "$ERR" "not the password"
docker_login "$FAULT_HOST" "$REGISTRY_USER" "$REGISTRY_PASSWORD"
lock_works

# --- full disks -----------------------------------------------------------------------------------

now "a full disk: below the project, below the cache"
faults_start disk --root "$WWW"
sbuild_config
for place in "$P/sbuild.vendor" "$XDG_CACHE_HOME/sbuild"; do
	dockerfile <<<"FROM scratch
ADD $FAULT_URL/big /x"
	fresh
	mkdir -p "$place"
	mount -t tmpfs -o size=200k tmpfs "$place"
	at_end umount -q "$place"
	run sbuild lock "$P"
	assert_status 10 "$place"
	assert_contains "$ERR" "No space left"
	assert_absent "$LOCK"
	mount -o remount,size=4m "$place"
	run sbuild lock "$P"
	assert_status 0
	umount "$place"
done

now "a full disk where the lock itself is"
mkdir "$T/small"
mount -t tmpfs -o size=64k tmpfs "$T/small"
at_end umount "$T/small"
printf 'FROM scratch\nADD %s/big /x\n' "$FAULT_URL" >"$P/Dockerfile"
cp "$P/Dockerfile" "$T/small/Dockerfile"
fresh
lock_works
cp "$LOCK" "$T/small/Dockerfile.lock"
printf '# changed\n' >>"$T/small/Dockerfile"
cp "$T/small/Dockerfile.lock" "$T/before"
dd if=/dev/zero of="$T/small/filler" bs=4k 2>/dev/null || true
run sbuild lock -f "$T/small/Dockerfile" "$P"
assert_status 10
assert_same "$T/before" "$T/small/Dockerfile.lock"
rm "$T/small/filler"
run sbuild lock -f "$T/small/Dockerfile" "$P"
assert_status 0
