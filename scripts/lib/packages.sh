# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# Which Debian packages what needs, and how they get installed. Source it.

packages_build=(
	gcc libc6-dev cmake ninja-build pkg-config ccache ca-certificates
	libcurl4-openssl-dev libssl-dev libgpgme-dev libarchive-dev libjansson-dev zlib1g-dev libzstd-dev liblzma-dev libbz2-dev libpcre2-dev
)

# What makes sbuild-step for the other architecture; none of it is there under these names where nothing is foreign.
packages_cross=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross libssl-dev:arm64 libjansson-dev:arm64)

# What sbuild calls, the daemonless engine, and what makes and serves a base image of one's own.
packages_run=(
	git gpg gpg-agent openssh-client
	buildah runc containernetworking-plugins
	mmdebstrap docker-registry openssl jq python3 iproute2 procps
)

packages_test=(
	libcmocka-dev clang clang-format codespell shfmt python3-jsonschema python3-pip libclang-rt-14-dev
	apache2-utils binutils curl default-jre-headless dpkg-dev faketime libnss-wrapper minisign nginx-light qemu-user-static shellcheck skopeo xz-utils bzip2 zstd
)

say() { printf '\n==> %s\n' "$*"; }

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# as_root COMMAND...: through sudo unless root already.
as_root() {
	if [[ $EUID -eq 0 ]]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo -- "$@"
	else
		die "needs root: run it as root, or install sudo"
	fi
}

_missing() {
	local package
	for package in "$@"; do
		[[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) == 'install ok installed'* ]] || printf '%s\n' "$package"
	done
}

# packages_install PACKAGE...: installs those that are not there yet, and starts no service:
# Debian's nginx and docker-registry would listen on ports of the machine otherwise.
packages_install() {
	local missing guard=/usr/sbin/policy-rc.d guarded='' status=0 service
	command -v apt-get >/dev/null || die "installs from Debian's packages, and there is no apt-get here"
	mapfile -t missing < <(_missing "$@")
	[[ ${#missing[@]} -gt 0 ]] || return 0
	say "installing ${missing[*]}"
	if [[ ! -e $guard ]]; then
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$guard" >/dev/null
		as_root chmod 755 "$guard"
		guarded=1
	fi
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
			-o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null || status=$?
	[[ -z $guarded ]] || as_root rm -f "$guard"
	if [[ -d /run/systemd/system ]]; then
		for service in nginx docker-registry; do
			if [[ " ${missing[*]} " == *" $service"* ]]; then as_root systemctl --quiet disable "$service" || true; fi
		done
	fi
	[[ $status -eq 0 ]] || die "could not install: ${missing[*]}"
}

# packages_install_cross: the above, on amd64.
packages_install_cross() {
	[[ $(dpkg --print-architecture) == amd64 ]] || return 0
	[[ $(dpkg --print-foreign-architectures) == *arm64* ]] || as_root dpkg --add-architecture arm64
	packages_install "${packages_cross[@]}"
}

# configure_and_build PRESET [cmake option...]
configure_and_build() {
	local preset=$1 log
	shift
	if command -v ccache >/dev/null; then export CMAKE_C_COMPILER_LAUNCHER=ccache; fi
	mkdir -p "build/$preset"
	log=build/$preset/configure.log
	if ! cmake --preset "$preset" "$@" >"$log" 2>&1; then
		cat "$log" >&2
		die "could not configure the $preset build"
	fi
	cmake --build --preset "$preset"
}
