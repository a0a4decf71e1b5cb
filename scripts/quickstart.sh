#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# quickstart.sh: from a fresh clone on Debian 12 (root or sudo) to an image built twice, the second time
# without any network: installs what is needed, builds sbuild, locks, builds and rebuilds examples/hello.
#
# The engine is Docker where its daemon answers, else Debian's Buildah (nothing to start). Where docker.io does
# not answer, the base image is made from Debian packages and served by a registry on loopback.
# Everything it makes is in build/: the program in build/release, the copy of the example in build/quickstart.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/lib/packages.sh
. scripts/lib/packages.sh
infra=$PWD/tests/infra
work=$PWD/build/quickstart

stop_registry() {
	[[ ! -d $work/registry ]] || as_root "$infra/registry.sh" stop "$work/registry"
}

# A base image under the name that the example uses, with the version that it really has.
serve_base_image() {
	local layer version
	layer=$(as_root env "SBUILD_TEST_CACHE=$cache" "$infra/base-image.sh" debian)
	version=$(tar -xOzf "$layer" ./etc/debian_version)
	jq --arg v "$version" --arg d "$(date -r "$layer" +%Y%m%d)" '[.[] | select(.tags | index("bookworm-slim")) |
		.tags = ["bookworm-slim", "bookworm-" + $d + "-slim", "12-slim", $v + "-slim"] | .platforms = ["linux/amd64"]]' \
		"$infra/images.json" >"$work/images.json"
	as_root env "SBUILD_TEST_CACHE=$cache" "$infra/registry.sh" start "$work/registry" --images none
	trap stop_registry EXIT
	as_root env "SBUILD_TEST_CACHE=$cache" "$infra/registry.sh" push "$work/registry" "$work/images.json"
	# shellcheck disable=SC1091
	. "$work/registry/env"
	mkdir -p "$work/config/sbuild"
	jq -n --arg r "$REGISTRY" '{registries: {"docker.io": {mirrors: [{location: $r, resolve: true, insecure: true}]}}}' \
		>"$work/config/sbuild/config.json"
	settings+=("XDG_CONFIG_HOME=$work/config")
}

# Does Docker Hub's registry answer at all? Without a token it says 401.
hub_answers() {
	python3 - <<-'END'
		import sys, urllib.error, urllib.request
		try:
		    urllib.request.urlopen("https://registry-1.docker.io/v2/", timeout=10)
		except urllib.error.HTTPError as answer:
		    sys.exit(answer.code not in (200, 401))
		except OSError:
		    sys.exit(1)
	END
}

# run_sbuild ARG...: as whoever may use the engine, under the words in "under".
run_sbuild() {
	printf '\n$ sbuild %s\n' "$*"
	"${privilege[@]}" "${under[@]}" env "${settings[@]}" "$sbuild" "$@"
}

packages_install "${packages_build[@]}" "${packages_run[@]}"

say "building sbuild"
configure_and_build release
sbuild=$(find "$PWD/build/release" -type f -name sbuild -perm -1 | head -n 1)
[[ -n $sbuild ]] || die "the build made no sbuild"

cache=${SBUILD_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sbuild-tests}
settings=("HOME=$HOME" "PATH=$PATH")
privilege=()
under=()
if timeout 20 docker version >/dev/null 2>&1; then
	engine=docker
	say "engine: Docker $(docker version --format '{{.Server.Version}}')"
else
	engine=buildah
	say "engine: Buildah $(buildah --version | awk '{ print $3 }'), since no Docker daemon answers"
	privilege=(as_root)
	settings+=(BUILDAH_RUNTIME=runc BUILDAH_ISOLATION=oci)
fi

[[ ! -e $work ]] || as_root rm -rf "$work"
mkdir -p "$work"
cp -a examples/hello "$work/hello"
if hub_answers; then
	say "base image: from docker.io"
else
	say "base image: docker.io does not answer, so one is made from Debian packages and served on loopback"
	serve_base_image
fi

say "examples/hello (a copy, in build/quickstart/hello)"
cd "$work/hello"
run_sbuild lock
run_sbuild build --engine "$engine" -t hello:1.0.0 --iidfile "$work/first"

say "the same without the network"
trap - EXIT
stop_registry
if [[ $engine == buildah ]]; then
	printf 'sbuild and Buildah run where there is no network interface but loopback.\n'
	# shellcheck disable=SC2016 # expanded by the inner shell
	under=(unshare --net -- bash -c 'ip link set lo up && exec "$@"' bash)
fi
run_sbuild build --engine "$engine" --offline --no-cache -t hello:1.0.0 --iidfile "$work/second"
[[ $EUID -eq 0 ]] || as_root chown -R "$EUID:$(id -g)" "$work"

say "the image, built twice"
printf 'online   %s\noffline  %s\n' "$(cat "$work/first")" "$(cat "$work/second")"
cmp -s "$work/first" "$work/second" || die "the two images differ"
