#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sbuild lock records what RUN downloads, with Buildah: what makes a step stale, what is kept, and what happens when a
# step fails or the run is killed.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/record_lib.sh"

registry_start registry --images small
sbuild_config "$REGISTRY"
engine_buildah_setup buildah
export SBUILD_ENGINE=buildah

# The layers of other stages than the last one stay, as its cache.
nothing_left() { :; }
record_and_replay

now "an unchanged lock is a matter of milliseconds"
lan_files "$T/www"
P=$T/q
mkdir "$P"
cat >"$P/Dockerfile" <<END
FROM alpine:3.20
RUN wget -q -O /one $WEB/one
RUN wget -q -O /late $WEB/late
RUN wget -q -O /two $WEB/two
END

now "what was finished before a step failed is kept"
lock
assert_status 1
assert_contains "$ERR" "its output says why"
assert_json "$P/Dockerfile.lock" '[.steps[].requests]' '[1]'
assert_eq 1 "$(asked /one)"
printf 'late\n' >"$T/www/late"
lock
assert_status 0
assert_json "$P/Dockerfile.lock" '[.steps[].requests]' '[1,1,1]'
assert_eq 1 "$(asked /one)" "requests for what was locked"

best=1000000
for i in {1..7}; do
	start=${EPOCHREALTIME/[.,]/}
	no_engine "$SBUILD" lock "$P" >/dev/null || fail "an unchanged lock wants an engine"
	took=$((${EPOCHREALTIME/[.,]/} - start))
	((took >= best)) || best=$took
done
printf 'unchanged: %s us\n' "$best"
((best < 100000)) || fail "an unchanged lock takes $best microseconds"

now "killed at several moments; the next run goes on"
head -c 300000 /dev/zero >"$T/www/large"
for i in {1..6}; do
	sed -i "\$d" "$P/Dockerfile"
	echo "RUN : $i; wget -q -O /two $WEB/slow/large?$i" >>"$P/Dockerfile"
	cp "$P/Dockerfile.lock" "$T/before.lock"
	setsid "$SBUILD" lock --network host "$P" >"$T/out" 2>"$T/err" </dev/null &
	pid=$!
	sleep "$(printf '%d.%d' $((i / 2)) $((i % 2 * 5)))"
	kill -KILL -- "-$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	jq -e . "$P/Dockerfile.lock" >/dev/null || fail "the lock is damaged"
	lock
	assert_status 0
	assert_eq 300000 "$(step_field ": $i" .size)"
	assert_json "$P/Dockerfile.lock" '.steps | length' 3
done
assert_eq 1 "$(asked /one)" "requests for what was locked"

now "what a build missed is recorded by the next lock, whatever has not changed"
# A step that asks for something else when it is recorded; nobody should write one.
cat >"$P/Dockerfile" <<END
FROM alpine:3.20
RUN wget -q -O /one $WEB/one; [ -d /.sbuild-rec ] || wget -q -O /two $WEB/two
END
lock
assert_status 0
run sbuild build -q -o "$T/missed" "$P"
assert_status 3
assert_contains "$ERR" "$WEB/two"
run no_engine "$SBUILD" lock "$P"
assert_status 2
lock
assert_status 0
assert_contains "$OUT" "up to date"
run no_engine "$SBUILD" lock "$P"
assert_status 0

now "what a reviewer should know"
# Busybox' wget says GET to a proxy, whatever it sends.
cat >"$P/Dockerfile" <<END
FROM alpine:3.20
RUN printf 'POST $WEB/one HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 1\\r\\nConnection: close\\r\\n\\r\\nx' | nc \$(echo \$http_proxy | tr -c '0-9.' ' ')
RUN env -i /bin/busybox wget -q -O /two $WEB/one || true
END
lock
assert_status 0
assert_contains "$ERR" "Dockerfile:2: RUN printf"
assert_contains "$ERR" "sends data to $WEB/one"
assert_contains "$ERR" "Dockerfile:3: RUN env -i"
lock --json --update
assert_status 0
assert_json "$T/out" '[.warnings[] | select(.kind == "post") | .line]' '[2]'
assert_json "$T/out" .recorded 2

now "credentials only where the engine keeps them from steps, and only by the user's own word"
printf 'machine packages.example.org login u password p\n' >"$HOME/.netrc"
sbuild_config "$REGISTRY" '. + {recording: {credentials: ["packages.example.org"]}}'
lock --update
assert_status 9
assert_contains "$ERR" "Docker 28"
sbuild_config "$REGISTRY"
printf '{"recording": {"credentials": ["packages.example.org"]}}' >"$P/sbuild.json"
lock
assert_status 2
rm "$P/sbuild.json" "$HOME/.netrc"

now "--no-run tells what is not locked"
echo "RUN wget -q $WEB/one" >>"$P/Dockerfile"
run no_engine "$SBUILD" lock --no-run "$P"
assert_status 0
assert_contains "$OUT" "1 RUN instruction is not locked (--no-run)"
run no_engine "$SBUILD" lock --no-run --json "$P"
assert_json "$T/out" .unlocked 1

now "no image is left in the engine"
engine_buildah_setup other
printf 'FROM alpine:3.20\nRUN wget -q -O /one %s/one\n' "$WEB" >"$P/Dockerfile"
lock
assert_status 0
assert_ok buildah images -a --quiet
assert_eq "" "$OUT" "images that recording left behind"

now "a disk that is full, for what the engine hands out or for the store, is one message"
for size in 12m 34m; do
	P=$T/small.$size
	mkdir "$P"
	mount -t tmpfs -o "size=$size" tmpfs "$P"
	at_end umount "$P"
	head -c 20000000 /dev/urandom >"$T/www/big"
	printf 'FROM alpine:3.20\nRUN wget -q -O /big %s/big\n' "$WEB" >"$P/Dockerfile"
	lock
	assert_status 10
	assert_matches "$(tail -n 1 "$T/err")" "[Nn]o space left"
	assert_json "$P/Dockerfile.lock" '.steps' '[]'
done
