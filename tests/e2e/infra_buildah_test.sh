#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Buildah with a storage of its own: from a registry, and from an OCI layout without any network, twice the same.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry_start registry --images small
engine_buildah_setup buildah --mirror "$REGISTRY"
mkdir -p "$T/context" "$T/named"
echo "from the named context" >"$T/named/file"
echo "context" >"$T/context/hello"

now "a base image from the registry that answers for docker.io, and a mount from a named context"
cat >"$T/context/Dockerfile" <<'END'
FROM node:20-alpine
COPY hello /hello
RUN --mount=type=bind,from=extra,target=/x cat /x/file /hello
END
assert_ok buildah images -q
assert_eq "" "$OUT" "images of a fresh storage"
assert_ok buildah bud --build-context "extra=$T/named" --network none --timestamp 1700000000 --no-cache -t made:1.0.0 "$T/context"
assert_contains "$OUT" "from the named context"

now "from an OCI layout, in an empty network, in two storages: the same image"
jq '[.[] | select(.tags | index("20.19.4-alpine"))]' "$INFRA/images.json" >"$T/catalog.json"
"$INFRA/oci_image.py" layout --layer "busybox=$("$INFRA/base-image.sh" busybox)" --out "$T/layout" "$T/catalog.json"
sed -i "1s|.*|FROM oci:$T/layout/library/node:20.19.4-alpine|" "$T/context/Dockerfile"
stop_part registry.sh registry
digests=()
for storage in one two; do
	engine_buildah_setup "$storage"
	assert_ok in_empty_network buildah bud --build-context "extra=$T/named" --network none --timestamp 1700000000 --no-cache -t made:1.0.0 "$T/context"
	assert_contains "$OUT" "from the named context"
	assert_ok buildah images --format '{{.Digest}}' made:1.0.0
	assert_matches "$OUT" '^sha256:[0-9a-f]{64}$'
	digests+=("$OUT")
done
assert_eq "${digests[0]}" "${digests[1]}" "digest of the two builds"

now "RUN reaches the machine's network unless told otherwise"
printf 'FROM oci:%s\nRUN grep -c : /proc/net/dev\n' "$T/layout/library/node:20.19.4-alpine" >"$T/context/Dockerfile"
assert_ok buildah bud --no-cache "$T/context"
interfaces=$(grep -E '^[0-9]+$' "$T/out" | head -n 1)
[[ $interfaces -gt 1 ]] || fail "RUN saw $interfaces network interface(s)"
