#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sbuild lock records what RUN downloads, with Docker: both image stores, steps at once, an engine whose caches go away.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/record_lib.sh"

registry_start registry --images small
sbuild_config "$REGISTRY"
export SBUILD_ENGINE=docker
# The daemon would look for this one of its caller's directories in its own root.
unset XDG_RUNTIME_DIR
engine_docker_start docker

nothing_left() {
	assert_ok docker images -aq
	assert_eq "" "$OUT" "images that recording left behind"
}
record_and_replay

lan_files "$T/www"
P=$T/q
mkdir "$P"

now "stages run at once; the finished one survives the other's failure"
cat >"$P/Dockerfile" <<END
FROM alpine:3.20 AS a
RUN wget -q -O /one $WEB/one
FROM alpine:3.20 AS b
RUN sleep 3; wget -q -O /late $WEB/late
FROM alpine:3.20
COPY --from=a /one /
COPY --from=b /late /
RUN --mount=type=cache,target=/c wget -q -O /c/two $WEB/two && cp /c/two /two
RUN --network=host cp /two /three
RUN --network=none cp /two /four
END
lock --allow network.host
assert_status 1
assert_json "$P/Dockerfile.lock" '[.steps[] | select(.requests == 1)] | length' 1
printf 'late\n' >"$T/www/late"
lock --allow network.host
assert_status 0
assert_contains "$ERR" "Dockerfile:9: RUN cp /two /three keeps its network (--network=host)"
assert_eq '"host"' "$(step_field /three .network)"
assert_eq null "$(step_field /four .requests)"
assert_eq 1 "$(asked /one)"

now "the user's cache mounts are cold: what is in them would not be recorded"
sed -i 's,cp /c/two /two,cat /c/two >/two,' "$P/Dockerfile"
printf 'FROM alpine:3.20\nRUN --mount=type=cache,target=/c test -e /c/two || wget -q -O /c/two %s/two\n' "$WEB" >"$P/Dockerfile.cache"
lock --allow network.host
assert_status 0
run sbuild lock --network host -f "$P/Dockerfile.cache" "$P"
assert_status 0
assert_json "$P/Dockerfile.cache.lock" '[.steps[].requests]' '[1]'
echo "# another" >>"$P/Dockerfile.cache"
sed -i 's,test -e,test -f,' "$P/Dockerfile.cache"
run sbuild lock --network host -f "$P/Dockerfile.cache" "$P"
assert_status 0
assert_json "$P/Dockerfile.cache.lock" '[.steps[].requests]' '[1]'

now "a step that is in the engine's cache, its recording gone, is built once more"
rm -rf "$P" && mkdir "$P"
printf 'FROM alpine:3.20\nRUN wget -q -O /one %s/one\nRUN wget -q -O /late %s/never\n' "$WEB" "$WEB" >"$P/Dockerfile"
setsid "$SBUILD" lock --network host "$P" >"$T/out" 2>"$T/err" </dev/null &
pid=$!
wait "$pid" || true
rm -f "$P/Dockerfile.lock"
docker builder prune --force --filter type=exec.cachemount >/dev/null
sed -i '$d' "$P/Dockerfile"
lock
assert_status 0
assert_json "$P/Dockerfile.lock" '[.steps[].requests]' '[1]'

now "several targets with arguments of their own"
rm -rf "$P" && mkdir "$P"
cat >"$P/Dockerfile" <<END
FROM alpine:3.20 AS base
ARG V=one
RUN wget -q -O /v $WEB/\$V
FROM base AS test
RUN wget -q -O /t $WEB/two
FROM base
RUN wget -q -O /l $WEB/one
END
lock
assert_status 0
lock --target test
assert_status 0
assert_contains "$OUT" "1 of 4 changed" "the base was locked already"
lock --target test --build-arg V=two
assert_status 0
assert_eq 2 "$(step_field 'V' .requests)"
assert_json "$P/Dockerfile.lock" '[.profiles[].args]' '[null,{"V":"two"}]'
run no_engine "$SBUILD" lock "$P"
assert_status 0
assert_eq 2 "$(step_field 'V' .requests)"
for target in "" "--target=test --build-arg=V=two"; do
	# shellcheck disable=SC2086 # words
	run sbuild build -q --offline $target -o "$T/targets" "$P"
	assert_status 0
done

now "the classic image store"
stop_part docker-engine.sh docker
engine_docker_start classic --store classic
rm -rf "$P" && mkdir "$P"
printf 'FROM alpine:3.20\nRUN wget -q -O /one %s/one\n' "$WEB" >"$P/Dockerfile"
lock
assert_status 0
nothing_left
stop_part files.sh web
run sbuild build -q --offline -o "$T/classic.out" "$P"
assert_status 0
assert_file "$T/classic.out/one" ONE
