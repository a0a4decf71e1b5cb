#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sbuild push with the Docker Engine: what is pushed is what was scanned, all of its platforms, and no other image that
# somebody gives the name meanwhile.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry_start registry --images none
engine_docker_start docker --store containerd --insecure "$REGISTRY"
sbuild_config ""
export SBUILD_ENGINE=docker
openssl genpkey -algorithm ed25519 -out "$T/secret" 2>/dev/null
mkdir "$T/context"
cp "$T/secret" "$T/context/key"
echo hello >"$T/context/hello"

# image NAME FILE OPTION...: an image of the engine with that one file.
image() {
	local name=$1 file=$2
	shift 2
	printf 'FROM scratch\nCOPY %s /file\nUSER 10001\n' "$file" >"$T/context/Dockerfile"
	assert_ok docker buildx build -q --load -t "$name" "$@" "$T/context"
}

in_registry() { # NAME:TAG: its digest
	skopeo inspect --raw --tls-verify=false "docker://$1" 2>/dev/null | sha256sum | cut -d " " -f 1
}
nothing=$(: | sha256sum | cut -d " " -f 1)

now "nothing to find: pushed, and its digest told"
image "$REGISTRY/clean:1.0.0" hello
assert_ok sbuild push "$REGISTRY/clean:1.0.0"
assert_contains "$OUT" "pushed $REGISTRY/clean:1.0.0@sha256:$(in_registry "$REGISTRY/clean:1.0.0")"

now "a secret: not pushed, and not shown"
image "$REGISTRY/leaky:1.0.0" key
run sbuild push "$REGISTRY/leaky:1.0.0"
assert_status 1
assert_contains "$OUT" "SB901"
assert_lacks "$OUT$ERR" "$(sed -n 2p "$T/secret")"
assert_eq "$nothing" "$(in_registry "$REGISTRY/leaky:1.0.0")"

now "another platform would be pushed without having been looked at"
image "$REGISTRY/multi:1.0.0" hello --platform linux/amd64,linux/arm64
assert_ok sbuild scan --engine docker --platform linux/amd64 "$REGISTRY/multi:1.0.0"
run sbuild push --platform linux/amd64 "$REGISTRY/multi:1.0.0"
assert_status 1
assert_contains "$OUT" "SB800"
assert_contains "$OUT" "linux/arm64 is part of the image"
assert_eq "$nothing" "$(in_registry "$REGISTRY/multi:1.0.0")"
assert_ok sbuild push --platform linux/amd64 --allow-findings "$REGISTRY/multi:1.0.0"
assert_ne "$nothing" "$(in_registry "$REGISTRY/multi:1.0.0")"

now "the name is given to another image while the first is scanned"
image "$REGISTRY/raced:1.0.0" hello
mkdir "$T/bin"
cat >"$T/bin/docker" <<END
#!/bin/bash
if [[ \$1 == save ]]; then $(command -v docker) tag "$REGISTRY/leaky:1.0.0" "$REGISTRY/raced:1.0.0"; fi
exec $(command -v docker) "\$@"
END
chmod +x "$T/bin/docker"
run env PATH="$T/bin:$PATH" "$SBUILD" push "$REGISTRY/raced:1.0.0"
assert_status 7
assert_contains "$ERR" "is another image now"
assert_contains "$ERR" "nothing was pushed"
assert_eq "$nothing" "$(in_registry "$REGISTRY/raced:1.0.0")"

now "the engine is told to stop when what it gives is no image"
cat >"$T/bin/docker" <<END
#!/bin/bash
if [[ \$1 == save ]]; then
	echo \$\$ >"$T/pid"
	yes no-tar | head -c 100000
	exec sleep 100
fi
exec $(command -v docker) "\$@"
END
SECONDS=0
run env PATH="$T/bin:$PATH" "$SBUILD" scan --engine docker "$REGISTRY/clean:1.0.0"
assert_ne 0 "$STATUS"
[[ $SECONDS -lt 30 ]] || fail "it waited for the engine"
if kill -0 "$(cat "$T/pid")" 2>/dev/null; then fail "the engine was left behind"; fi
