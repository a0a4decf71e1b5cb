#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The Docker Engine that tests start: empty, with an image given as an OCI layout, with and without a network,
# with either image store, and gone without a trace.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

now "an OCI layout as a named context on an engine that never saw an image and has no network"
mkdir -p "$T/layout" "$T/context"
jq '[.[] | select(.name == "library/busybox")]' "$INFRA/images.json" >"$T/catalog.json"
"$INFRA/oci_image.py" layout --layer "busybox=$("$INFRA/base-image.sh" busybox)" --out "$T/layout" "$T/catalog.json"
digest=$(image_digest library/busybox:1.35.0)
assert_matches "$digest" '^sha256:[0-9a-f]{64}$'
cat >"$T/context/Dockerfile" <<END
FROM busybox:1.35.0@$digest
COPY hello /hello
RUN cat /hello && tail -n 1 /proc/net/dev > /net && echo "interfaces: \$(cat /net)"
END
echo "hello from a file" >"$T/context/hello"
engine_docker_start engine --net empty
assert_ok docker images -q
assert_eq "" "$OUT" "images of a fresh engine"
assert_ok docker buildx build --network none --progress plain --provenance=false -t made:1.0.0 \
	--build-context "busybox:1.35.0@$digest=oci-layout://$T/layout/library/busybox:1.35.0@$digest" "$T/context"
assert_contains "$ERR" "hello from a file"
assert_matches "$ERR" 'interfaces: +lo:'
assert_ok docker images --format '{{.Repository}}:{{.Tag}}'
assert_contains "$OUT" "made:1.0.0"

now "without the context the build fails, since nothing can be reached"
run docker buildx build --network none --no-cache --progress plain -t made:2.0.0 - <"$T/context/Dockerfile"
assert_ne 0 "$STATUS" "exit status"
stop_part docker-engine.sh engine
pid_file=$T/engine/dockerd.pid
assert_absent "$pid_file"
assert_lacks "$(cat /proc/mounts)" "$T/engine"

now "the classic image store, a registry as the mirror of docker.io, and a network in RUN"
registry_start registry --images small
engine_docker_start classic --store classic --mirror "$REGISTRY"
printf 'FROM alpine:3.20\nRUN cat /etc/alpine-release; grep -c : /proc/net/dev\n' >"$T/context/Dockerfile"
assert_ok docker buildx build --progress plain --load -t classic:1.0.0 "$T/context"
assert_contains "$ERR" "3.20.3"
assert_ok docker info --format '{{.Driver}}'
assert_eq overlay2 "$OUT" "storage driver"
assert_ok docker save classic:1.0.0 -o "$T/classic.tar"
assert_contains "$(tar -tf "$T/classic.tar")" manifest.json
