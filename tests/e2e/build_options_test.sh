#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The options of docker build, handed to each engine: contexts, secrets, labels, targets, platforms, pushing; and chroot
# isolation, where Buildah itself cannot take the network away.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry_start registry
sbuild_config "$REGISTRY"
# Buildah wants the file that DOCKER_CONFIG promises; a daemon would look for the other directory in its own root.
printf '{}\n' >"$DOCKER_CONFIG/config.json"
unset XDG_RUNTIME_DIR
mkdir "$T/p" "$T/extra" "$T/pair"
printf 'extra\n' >"$T/extra/file"
printf 'hush' >"$T/secret"
cat >"$T/p/Dockerfile" <<'END'
FROM alpine:3.20 AS first
ARG WORD=none
COPY --from=extra file /extra
RUN --mount=type=secret,id=s wc -c </run/secrets/s >/length; echo "$WORD" >/word
FROM first
RUN echo second >/second
END
cat >"$T/pair/Dockerfile" <<'END'
FROM acme/tool:1
COPY Dockerfile /
END
assert_ok sbuild lock --platform linux/amd64 --platform linux/arm64 "$T/pair"
assert_ok sbuild lock --target first --build-context "extra=$T/extra" "$T/p"

check() { # ENGINE
	now "$1: arguments, contexts, secrets, labels, targets"
	export SBUILD_ENGINE=$1
	rm -rf "$T/out" "$T/oci"
	assert_ok sbuild build --build-context "extra=$T/extra" --secret "id=s,src=$T/secret" --label org.example.a="b c" \
		--build-arg WORD=seen --target first -o "$T/rootfs.$1" -o "type=oci,dest=$T/oci.$1,tar=false" "$T/p"
	assert_file "$T/rootfs.$1/extra" extra
	assert_file "$T/rootfs.$1/length" 4
	assert_file "$T/rootfs.$1/word" seen
	assert_absent "$T/rootfs.$1/second"
	assert_absent "$T/rootfs.$1/run/secrets/s"
	image=$(jq -r '.manifests[0].digest' "$T/oci.$1/index.json")
	config=$(jq -r .config.digest "$T/oci.$1/blobs/sha256/${image#sha256:}")
	assert_json "$T/oci.$1/blobs/sha256/${config#sha256:}" '.config.Labels' '{"org.example.a":"b c"}'

	now "$1: several platforms, one index"
	assert_ok sbuild build --platform linux/amd64,linux/arm64 -t pair:1.0.0 -o "type=oci,dest=$T/pair.$1,tar=false" "$T/pair"
	index=$(jq -r '.manifests[0].digest' "$T/pair.$1/index.json")
	assert_json "$T/pair.$1/blobs/sha256/${index#sha256:}" '[.manifests[].platform.architecture]' '["amd64","arm64"]'
	run sbuild build --platform linux/amd64,linux/arm64 -t pair:1.0.0 "$T/pair"
	assert_status 2
	assert_contains "$ERR" "type=oci"

	now "$1: push"
	assert_ok sbuild build -q --push -t "$REGISTRY/team/pair:1.0.0-$1" "$T/pair"
	assert_ok curl -sf "$REGISTRY_URL/v2/team/pair/manifests/1.0.0-$1" \
		-H 'Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
	assert_json "$T/out" .config.digest "\"$(jq -r .image "$T/pair/.sbuild/result.json")\""
}

engine_buildah_setup buildah
cp "$CONTAINERS_REGISTRIES_CONF" "$T/registries.conf"
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >>"$T/registries.conf"
export CONTAINERS_REGISTRIES_CONF=$T/registries.conf
check buildah
engine_docker_start docker
check docker
assert_eq "$(cat "$T/oci.buildah/index.json")" "$(cat "$T/oci.docker/index.json")" "the two indexes"

now "Buildah with chroot isolation: --offline still means no network"
printf 'FROM alpine:3.20\nRUN grep -c : /proc/net/dev >/interfaces\n' >"$T/p/Dockerfile"
assert_ok sbuild lock "$T/p"
export SBUILD_ENGINE=buildah BUILDAH_ISOLATION=chroot
assert_ok sbuild build --offline -o "$T/chroot" "$T/p"
assert_file "$T/chroot/interfaces" 1
