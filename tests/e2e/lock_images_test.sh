#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What "sbuild lock" pins images to: digests, versioned tags, platforms, every place where an image can be named.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry_start registry
sbuild_config "$REGISTRY"
P=$T/project
mkdir "$P"
LOCK=$P/Dockerfile.lock

dockerfile() { cat >"$P/Dockerfile"; }

# locked [option...]: locks, and leaves the lock as JSON.
locked() {
	run sbuild lock --no-run "$@" "$P"
	assert_status 0
	jq -e . "$LOCK" >/dev/null || fail "the lock is no JSON"
}

# entry NAME: the normalised name's entry, with what tests compare.
entry() { jq -c --arg n "$1" '.images[] | select(.name == $n)' "$LOCK"; }
field() { entry "$1" | jq -c "$2"; }

pinned() { # REFERENCE VERSION|null: what it is pinned to
	local name=$1
	rm -rf "$LOCK"
	dockerfile <<<"FROM $name"
	locked
	assert_json "$LOCK" '.images | length' 1
	assert_json "$LOCK" '.images[0].ref' "\"$name\""
	assert_json "$LOCK" '.images[0].version' "$2"
	assert_json "$LOCK" '.images[0].where' '["FROM"]'
}

now "the versioned tag: equal digest, the same words"
pinned node:20 '"20.19.4"'
assert_json "$LOCK" '.images[0].digest' "\"$(image_digest library/node:20)\""
assert_json "$LOCK" '.images[0].name' '"docker.io/library/node:20"'
pinned node:20-slim '"20.19.4-slim"'
pinned node:20-alpine '"20.19.4-alpine"'
pinned node:20-bookworm '"20.19.4-bookworm"'
pinned node:iron '"20.19.4"'
pinned node '"22.18.0"'
pinned node:lts '"22.18.0"'
pinned debian:bookworm-slim '"bookworm-20240311-slim"'
pinned debian:bookworm '"bookworm-20240311"'
pinned debian:12-slim '"12.5-slim"'
pinned python:3.12-slim '"3.12.5-slim"'
pinned python:3.13-rc-slim '"3.13.0rc1-slim"'
pinned alpine '"3.20.3"'
pinned alpine:3 '"3.20.3"'
pinned busybox:stable '"1.35.0"'
pinned acme/prerelease '"2.0.0"'
pinned acme/manytags '"4.1.2"'
pinned acme/nested:1 '"1.0.0"'

now "no versioned tag: a reason, and never a guess"
pinned acme/wordy null
assert_json "$LOCK" '.images[0].reason' '"there is no versioned tag for it"'
assert_contains "$OUT" "no versioned tag"
pinned acme/prerelease:next null

now "a digest is kept; its tag is looked at"
digest=$(image_digest library/node:20)
pinned "node:20@$digest" '"20.19.4"'
assert_json "$LOCK" '.images[0].digest' "\"$digest\""
pinned "node:20.19.4@$digest" '"20.19.4"'
pinned "node:22.18.0@$digest" null
pinned "node@$digest" null

now "variables, their defaults, --build-arg"
dockerfile <<'END_OF_FILE'
ARG VERSION=20
ARG BASE=node:${VERSION}-slim
FROM ${BASE} AS one
FROM debian:${SUITE:-bookworm}
COPY --from=one /a /b
END_OF_FILE
rm -f "$LOCK"
locked
assert_json "$LOCK" '[.images[].name] | sort' '["docker.io/library/debian:bookworm","docker.io/library/node:20-slim"]'
# shellcheck disable=SC2016 # the Dockerfile's variables
assert_json "$LOCK" '[.images[].ref] | sort' '["${BASE}","debian:${SUITE:-bookworm}"]'
assert_json "$LOCK" '.profiles[0].args // {}' '{}'
locked --build-arg VERSION=22.18.0 --build-arg BASE=node:22 --build-arg UNUSED=1
assert_json "$LOCK" '[.images[].name] | sort' '["docker.io/library/debian:bookworm","docker.io/library/node:22"]'
assert_lacks "$(cat "$LOCK")" UNUSED
# shellcheck disable=SC2016 # the Dockerfile's variables
dockerfile <<<'ARG V
FROM node:${V}'
run sbuild lock --no-run "$P"
assert_status 1
assert_contains "$ERR" "Dockerfile:2"

now "only what the target needs; targets add up, the same one is replaced"
dockerfile <<'END_OF_FILE'
FROM node:20 AS build
FROM debian:bookworm AS run
COPY --from=build /a /b
FROM alpine:3 AS other
FROM run
END_OF_FILE
rm -f "$LOCK"
locked
assert_json "$LOCK" '[.images[].name] | sort' '["docker.io/library/debian:bookworm","docker.io/library/node:20"]'
locked --target other
assert_json "$LOCK" '[.images[].name] | sort' '["docker.io/library/alpine:3","docker.io/library/debian:bookworm","docker.io/library/node:20"]'
assert_json "$LOCK" '[.profiles[] | .target // ""] | sort' '["","other"]'

now "COPY --from, RUN --mount, # syntax"
dockerfile <<'END_OF_FILE'
# syntax=docker/dockerfile:1
FROM debian:bookworm-slim
COPY --from=busybox:1.35 /bin/busybox /b
RUN --mount=type=bind,from=acme/tool:1,target=/t true
RUN --network=none true
END_OF_FILE
rm -f "$LOCK"
locked
assert_eq '["docker.io/acme/tool:1",["MOUNT"],"1.2.3"]' "$(entry docker.io/acme/tool:1 | jq -c '[.name,.where,.version]')"
assert_eq '["COPY"]' "$(field docker.io/library/busybox:1.35 .where)"
assert_eq '["SYNTAX"]' "$(field docker.io/docker/dockerfile:1 .where)"
assert_eq '"1.7.0"' "$(field docker.io/docker/dockerfile:1 .version)"
assert_contains "$OUT" "1 RUN instruction is not locked (--no-run)"

now "one image under several names in several places is one entry"
dockerfile <<'END_OF_FILE'
FROM docker.io/library/busybox:1.35 AS a
FROM busybox:1.35
COPY --from=index.docker.io/library/busybox:1.35 /bin/busybox /b
COPY --from=a /bin/busybox /c
END_OF_FILE
rm -f "$LOCK"
locked
assert_json "$LOCK" '[.images[] | [.name, .where]]' '[["docker.io/library/busybox:1.35",["COPY","FROM"]]]'

now "ONBUILD of the base, and what its triggers want"
dockerfile <<<'FROM acme/onbuild-from:1'
rm -f "$LOCK"
locked
assert_eq '["COPY --from=acme/tool:1 /opt/tool /opt/tool","RUN /opt/tool > /onbuild"]' "$(field docker.io/acme/onbuild-from:1 .onbuild)"
assert_contains "$OUT" "1 RUN instruction is not locked (--no-run)" "a RUN of a trigger"
assert_contains "$(field docker.io/acme/tool:1 .where)" ONBUILD

now "who the base runs as"
dockerfile <<<'FROM acme/nonroot:1'
locked
assert_eq '"1000"' "$(field docker.io/acme/nonroot:1 .user)"

now "platforms"
dockerfile <<'END_OF_FILE'
FROM --platform=$BUILDPLATFORM node:20 AS build
FROM alpine:3
COPY --from=build /a /b
END_OF_FILE
rm -f "$LOCK"
locked --platform linux/amd64,linux/arm/v7 --platform linux/arm64/v8
assert_eq '["linux/amd64","linux/arm/v7","linux/arm64"]' "$(field docker.io/library/alpine:3 '.platforms | keys')"
cp "$LOCK" "$T/before"
locked
assert_same "$T/before" "$LOCK"
dockerfile <<<'FROM acme/armonly:1'
rm -f "$LOCK"
run sbuild lock --no-run --platform linux/amd64 "$P"
assert_status 8
assert_contains "$ERR" "no image for linux/amd64"
assert_contains "$ERR" "linux/arm64"
assert_contains "$ERR" "Dockerfile:1"
assert_absent "$LOCK"
locked --platform linux/arm64

now "lock twice changes nothing, and asks nobody"
example multi >/dev/null
dockerfile <<'END_OF_FILE'
# syntax=docker/dockerfile:1
ARG V=20
FROM node:${V} AS a
FROM acme/onbuild-from:1
COPY --from=a /a /b
END_OF_FILE
rm -f "$LOCK"
locked
cp -p "$LOCK" "$T/before"
before=$(stat -c '%Y %Z %i' "$LOCK")
requests=$(wc -l <"$T/registry/registry.log")
find "$P/sbuild.vendor" -type f -printf '%p %T@ %i\n' | sort >"$T/store.before"
sleep 1.1
locked
assert_same "$T/before" "$LOCK"
assert_eq "$before" "$(stat -c '%Y %Z %i' "$LOCK")" "the lock was touched"
assert_eq "$requests" "$(wc -l <"$T/registry/registry.log")" "requests to the registry"
assert_contains "$OUT" "up to date"
find "$P/sbuild.vendor" -type f -printf '%p %T@ %i\n' | sort >"$T/store.after"
assert_same "$T/store.before" "$T/store.after"
run in_empty_network "$SBUILD" lock --no-run "$P"
assert_status 0

now "a comment does not change what is locked, nor the epoch"
epoch=$(jq .epoch "$LOCK")
sed -i '1a # a comment' "$P/Dockerfile"
locked
assert_eq "$epoch" "$(jq .epoch "$LOCK")"
assert_contains "$OUT" "written"

now "another cache, a fresh clone: the same lock"
rm -rf "$XDG_CACHE_HOME/sbuild"
cp "$LOCK" "$T/before"
locked
assert_same "$T/before" "$LOCK"
rm -rf "$XDG_CACHE_HOME/sbuild" "$P/sbuild.vendor"
locked
assert_same "$T/before" "$LOCK"

now "--update NAME moves that one only"
dockerfile <<'END_OF_FILE'
FROM acme/moving:1 AS a
FROM acme/moving-too:1
COPY --from=a /x /y
END_OF_FILE
push() { # N
	cat >"$T/moving.json" <<END_OF_FILE
[{"name": "acme/moving", "tags": ["1", "1.0.$1"], "layers": [{"files": {"/x": "moving $1\n"}}]},
 {"name": "acme/moving-too", "tags": ["1", "1.0.$1"], "layers": [{"files": {"/x": "too $1\n"}}]}]
END_OF_FILE
	"$INFRA/registry.sh" push "$T/registry" "$T/moving.json"
}
push 1
rm -f "$LOCK"
locked
assert_json "$LOCK" '[.images[].version]' '["1.0.1","1.0.1"]'
push 2
locked
assert_json "$LOCK" '[.images[].version]' '["1.0.1","1.0.1"]'
locked --update=moving
assert_eq '"1.0.2"' "$(field docker.io/acme/moving:1 .version)"
assert_eq '"1.0.1"' "$(field docker.io/acme/moving-too:1 .version)"
assert_matches "$OUT" '\* +image +acme/moving:1 '
assert_contains "$OUT" "1 of 2 changed"
push 3
locked --update
assert_json "$LOCK" '[.images[].version]' '["1.0.3","1.0.3"]'
run sbuild lock --no-run --update=nothing-like-it "$P"
assert_status 2
assert_contains "$ERR" "nothing-like-it"

now "--min-age"
jq '.[].created = (now | todate)' "$T/moving.json" >"$T/young.json"
sed -i 's/1\.0\.3/1.0.4/; s/moving 3/moving 4/; s/too 3/too 4/' "$T/young.json"
"$INFRA/registry.sh" push "$T/registry" "$T/young.json"
locked --update --min-age 7d
assert_json "$LOCK" '[.images[].version]' '["1.0.3","1.0.3"]'
assert_contains "$ERR" "stays as it is"
rm -f "$LOCK"
run sbuild lock --no-run --min-age 7d "$P"
assert_status 4
assert_contains "$ERR" "--min-age"
assert_absent "$LOCK"

now "the report as JSON"
locked --json
assert_json "$T/out" '[.written, (.entries | length), .entries[0].kind, .entries[0].changed]' '[true,2,"image",true]'

now "what is not there"
dockerfile <<<'FROM acme/not-there:1'
run sbuild lock --no-run "$P"
assert_status 8
assert_contains "$ERR" "Dockerfile:1"
assert_contains "$ERR" "acme/not-there"
dockerfile <<<$'FROM scratch\nCOPY --from=biuld /x /x'
run sbuild lock --no-run "$P"
assert_status 8
assert_contains "$ERR" "Dockerfile:2"
assert_contains "$ERR" "no stage has this name either"
dockerfile <<<$'ARG V\nFROM alpine:${V}'
run sbuild lock --no-run "$P"
assert_status 1
# shellcheck disable=SC2016 # as written
assert_contains "$ERR" 'Dockerfile:2: alpine:${V}: "alpine:"'
dockerfile <<<'FROM ACME/Bad:1'
run sbuild lock --no-run "$P"
assert_status 1
