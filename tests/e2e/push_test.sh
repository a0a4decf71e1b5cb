#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sbuild push: the tag is checked, the image scanned, and pushed by the engine when nothing counts.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry_start registry --images none
engine_buildah_setup buildah
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >>"$CONTAINERS_REGISTRIES_CONF"
sbuild_config ""
export SBUILD_ENGINE=buildah
# Buildah wants the file of its credentials to be there when it is named.
printf "{}\n" >"$DOCKER_CONFIG/config.json"
openssl genpkey -algorithm ed25519 -out "$T/secret" 2>/dev/null

# image NAME DOCKERFILE-LINE...: an image of the engine.
image() {
	local name=$1
	shift
	mkdir -p "$T/context"
	cp "$T/secret" "$T/context/key"
	printf '%s\n' "FROM scratch" "$@" >"$T/context/Dockerfile"
	assert_ok buildah bud -q -f "$T/context/Dockerfile" -t "$name" "$T/context"
}

in_registry() { # NAME:TAG: its digest
	skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$1" 2>/dev/null
}

now "an image with nothing to find is pushed, and its digest told"
printf 'hello\n' >"$T/hello"
mkdir -p "$T/context"
cp "$T/hello" "$T/context/hello"
image "$REGISTRY/clean:1.0.0" "COPY hello /hello" "USER 10001"
assert_ok sbuild push "$REGISTRY/clean:1.0.0"
digest=$(in_registry "$REGISTRY/clean:1.0.0")
assert_matches "$digest" '^sha256:[0-9a-f]{64}$'
assert_contains "$OUT" "pushed $REGISTRY/clean:1.0.0@$digest"

now "a secret, and nothing is pushed; the override is named"
image "$REGISTRY/leaky:1.0.0" "COPY key /key" "USER 10001"
run sbuild push "$REGISTRY/leaky:1.0.0"
assert_status 1
assert_contains "$OUT" "SB901"
assert_contains "$ERR" "was not pushed"
assert_contains "$ERR" "--allow-findings"
assert_lacks "$OUT$ERR" "$(sed -n 2p "$T/secret")"
if in_registry "$REGISTRY/leaky:1.0.0" >/dev/null; then fail "it was pushed"; fi

now "pushed all the same"
assert_ok sbuild push --allow-findings "$REGISTRY/leaky:1.0.0"
assert_matches "$(in_registry "$REGISTRY/leaky:1.0.0")" '^sha256:'

now "accepted with a reason"
image "$REGISTRY/known:1.0.0" "COPY key /key" "USER 10001"
assert_ok sbuild scan --write-ignore-file "$T/known.json" "$REGISTRY/known:1.0.0"
jq '.accepted[].reason = "a key for tests"' "$T/known.json" >"$T/reasons.json"
assert_ok sbuild push --ignore-file "$T/reasons.json" --require-reason "$REGISTRY/known:1.0.0"
run sbuild push --ignore-file "$T/known.json" --require-reason "$REGISTRY/known:1.0.0"
assert_status 2

now "warnings count, unless --fail-on says otherwise"
image "$REGISTRY/root:1.0.0" "COPY hello /hello"
run sbuild push "$REGISTRY/root:1.0.0"
assert_status 1
assert_contains "$OUT" "SB810"
assert_ok sbuild push --fail-on error "$REGISTRY/root:1.0.0"

now "tags that move are refused, all of them before anything is pushed"
image "$REGISTRY/moving:latest" "COPY hello /hello" "USER 10001"
run sbuild push "$REGISTRY/moving:latest"
assert_status 2
assert_contains "$ERR" "--allow-moving-tag"
image "$REGISTRY/first:1.0.0" "COPY hello /hello" "USER 10001"
run sbuild push "$REGISTRY/first:1.0.0" "$REGISTRY/moving:latest"
assert_status 2
if in_registry "$REGISTRY/first:1.0.0" >/dev/null; then fail "the first was pushed"; fi
run sbuild push "$REGISTRY/moving"
assert_status 2
assert_ok sbuild push --allow-moving-tag "$REGISTRY/moving:latest"
assert_matches "$(in_registry "$REGISTRY/moving:latest")" '^sha256:'

now "several: each is scanned, and one that is refused does not keep the others"
image "$REGISTRY/one:1.0.0" "COPY hello /hello" "USER 10001"
image "$REGISTRY/two:1.0.0" "COPY key /key" "USER 10001"
image "$REGISTRY/three:1.0.0" "COPY hello /hello" "USER 10001"
run sbuild push "$REGISTRY/one:1.0.0" "$REGISTRY/two:1.0.0" "$REGISTRY/three:1.0.0"
assert_status 1
assert_matches "$(in_registry "$REGISTRY/one:1.0.0")" '^sha256:'
assert_matches "$(in_registry "$REGISTRY/three:1.0.0")" '^sha256:'
if in_registry "$REGISTRY/two:1.0.0" >/dev/null; then fail "the one with the secret was pushed"; fi

now "what the engine does not have, and a registry that is gone"
run sbuild push "$REGISTRY/none:1.0.0"
assert_status 9
stop_part registry.sh registry
run sbuild push "$REGISTRY/clean:1.0.0"
assert_ne 0 "$STATUS"
assert_lacks "$OUT" "pushed "
