#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# gitleaks.sh [SUITE]     prints a directory with the program gitleaks and a file `version` (Debian's; default: trixie)
#
# A peer for benchmarks. The program alone, taken out of its package: nothing is installed or configured.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

make_gitleaks() { # DIRECTORY SUITE
	infra_mmdebstrap "$1.root" "$2" gitleaks --variant=extract && mkdir -p "$1" &&
		cp "$1.root/usr/bin/gitleaks" "$1/gitleaks" &&
		gzip -dc "$1.root/usr/share/doc/gitleaks/changelog.Debian.gz" | head -n 1 >"$1/version"
	local status=$?
	rm -rf "$1.root"
	return "$status"
}

suite=${1:-trixie}
infra_cached "tools/gitleaks-$suite-1" make_gitleaks "$suite"
