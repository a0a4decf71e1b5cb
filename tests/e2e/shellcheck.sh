#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every shell program of the tree passes shellcheck.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mapfile -t programs < <(find scripts tests examples -name '*.sh')
shellcheck --external-sources --source-path=SCRIPTDIR --exclude=SC1091 .ci/run "${programs[@]}"
