#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What "sbuild build" refuses, and how it says so. Nothing here gets as far as an engine.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry_start registry --images small
sbuild_config "$REGISTRY"
mkdir "$T/p"
# shellcheck disable=SC2016 # variables of the Dockerfile
printf 'ARG TAG=3.20\nARG FREE=1\nFROM alpine:${TAG}\nARG FREE\nRUN echo $FREE\n' >"$T/p/Dockerfile"
export SBUILD_ENGINE=buildah

now "no lock"
run sbuild build -t p:1.0.0 "$T/p"
assert_status 3
assert_contains "$ERR" "sbuild lock"
assert_ok sbuild lock "$T/p"

now "tags that are no version"
for tag in p p:latest p:stable p:edge p:bookworm; do
	run sbuild build -t "$tag" "$T/p"
	assert_status 2 "tag $tag"
	assert_contains "$ERR" "--allow-moving-tag" "message for $tag"
done

now "an instruction that the lock does not cover, by line"
cp "$T/p/Dockerfile" "$T/Dockerfile.locked"
printf 'COPY --from=busybox:1.35 /bin/busybox /b\n' >>"$T/p/Dockerfile"
run sbuild build -t p:1.0.0 "$T/p"
assert_status 3
assert_contains "$ERR" "Dockerfile:6"
assert_contains "$ERR" "busybox:1.35"

now "a lock that gives one image the config of another, by which its triggers and variables would be judged"
cp "$T/p/Dockerfile.lock" "$T/lock.before"
assert_ok sbuild lock "$T/p"
cp "$T/p/Dockerfile.lock" "$T/lock.both"
for member in config manifest; do
	jq -c --arg m "$member" '(.images[] | select(.ref | startswith("busybox")) | .platforms[][$m]) as $other |
		(.images[] | select(.ref | startswith("alpine")) | .platforms[][$m]) = $other' "$T/lock.both" >"$T/p/Dockerfile.lock"
	run sbuild build --offline -t p:1.0.0 "$T/p"
	assert_status 7 "$member"
	assert_contains "$ERR" "the lock has a $member of docker.io/library/alpine:3.20 for linux/"
	run sbuild verify "$T/p"
	assert_status 7 "$member"
	assert_contains "$ERR$OUT" "the lock has a $member of docker.io/library/alpine:3.20 for linux/"
done
cp "$T/lock.before" "$T/p/Dockerfile.lock"
cp "$T/Dockerfile.locked" "$T/p/Dockerfile"

now "a build argument that reaches a FROM; others pass this gate"
run sbuild build -t p:1.0.0 --build-arg TAG=3.19 "$T/p"
assert_status 3
assert_contains "$ERR" "TAG"
assert_contains "$ERR" "sbuild lock"

now "a platform that is not locked"
run sbuild build -t p:1.0.0 --platform linux/s390x "$T/p"
assert_status 3
assert_contains "$ERR" "s390x"

now "a context from the network"
for where in docker-image://alpine https://example.org/x.git git@example.org:a/b; do
	run sbuild build -t p:1.0.0 --build-context "x=$where" "$T/p"
	assert_status 4 "$where"
	assert_contains "$ERR" "not locked"
done
for where in nowhere github.com/a/b target:x; do
	run sbuild build -t p:1.0.0 --build-context "x=$where" "$T/p"
	assert_status 2 "$where"
done

now "a directory that an engine would take for a repository"
mkdir -p "$T/github.com/a/b"
assert_ok env -C "$T" "$SBUILD" rewrite --build-context x=github.com/a/b p
assert_contains "$OUT$ERR" "x=$T/github.com/a/b"

now "options that contradict each other or say nothing"
run sbuild build -t p:1.0.0 --offline --push "$T/p"
assert_status 2
for option in --network=host --allow=network.host --cache-from=example.org/cache; do
	run sbuild build -t p:1.0.0 --offline "$option" "$T/p"
	assert_status 2 "$option"
	assert_contains "$ERR" "--offline contradict each other"
done
run sbuild build -t --help --allow-moving-tag "$T/p"
assert_status 1
assert_contains "$ERR" "no image reference"
run sbuild build --push "$T/p"
assert_status 2
run sbuild build -o type=iso,dest=x "$T/p"
assert_status 2
assert_contains "$ERR" "type=oci"
run sbuild build --pull "$T/p"
assert_status 2
assert_contains "$ERR" "sbuild lock --update"

now "no engine: the remedy, and the exit status of doctor"
mkdir "$T/empty"
for program in git sh env; do ln -s "$(command -v $program)" "$T/empty/$program"; done
unset SBUILD_ENGINE
run env PATH="$T/empty" "$SBUILD" build -t p:1.0.0 "$T/p"
assert_status 9
assert_contains "$ERR" "install buildah"
run env PATH="$T/empty" "$SBUILD" build --engine docker -t p:1.0.0 "$T/p"
assert_status 9
assert_contains "$ERR" "docker is not installed"
run env PATH="$T/empty" "$SBUILD" doctor "$T/p"
assert_status 9
assert_contains "$OUT" "buildah is not installed"

now "doctor with an engine"
engine_buildah_setup buildah
docker_login registry.example.org someone s3cret
assert_ok sbuild doctor "$T/p"
assert_contains "$OUT" "buildah 1.28"
assert_contains "$OUT" "registry.example.org"
assert_contains "$OUT" "$REGISTRY"
assert_lacks "$OUT" "s3cret"
assert_lacks "$OUT" "$(printf 'someone:s3cret' | base64)"
