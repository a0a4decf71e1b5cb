#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test.sh [ctest option...]: installs what the tests need (Debian 12, root or sudo), builds sbuild twice (release, and with
# ASan and UBSan) and runs every test: all of them on the release build, the unit tests and the plain runs of
# the fuzz targets on the sanitized one as well. Ends with ctest's summary and its exit status.
#
# The real parts that the end-to-end tests use are made once and cached in
# ${SBUILD_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sbuild-tests}.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/lib/packages.sh
. scripts/lib/packages.sh

packages_install "${packages_build[@]}" "${packages_run[@]}" "${packages_test[@]}"
packages_install_cross

say "building for release"
configure_and_build release -DSBUILD_TESTS=ON
say "building with ASan and UBSan"
configure_and_build debug -DSBUILD_TESTS=ON -DSBUILD_E2E=OFF

# Both builds as one, so that there is one summary.
mkdir -p build/all
printf 'subdirs("%s/build/%s")\n' "$PWD" release "$PWD" debug >build/all/CTestTestfile.cmake

say "testing"
export SBUILD_TEST_CACHE=${SBUILD_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sbuild-tests}
status=0
# The end-to-end tests mount file systems and make namespaces.
as_root env "PATH=$PATH" "HOME=$HOME" "SBUILD_TEST_CACHE=$SBUILD_TEST_CACHE" \
	ctest --test-dir build/all --output-on-failure --no-tests=error --parallel "$(nproc)" "$@" || status=$?
[[ $EUID -eq 0 ]] || as_root chown -R "$EUID:$(id -g)" build "$SBUILD_TEST_CACHE"
exit "$status"
