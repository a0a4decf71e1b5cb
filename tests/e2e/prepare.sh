#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Fills the cache of tests/infra, so that no test waits for downloads within its own time limit.
set -euo pipefail

infra=$(cd "$(dirname "${BASH_SOURCE[0]}")/../infra" && pwd)
"$infra/base-image.sh" busybox
"$infra/base-image.sh" debian
"$infra/docker-engine.sh" client
"$infra/signed-releases.sh" fetch
work=$(mktemp -d /tmp/sbuild-prepare.XXXXXX)
trap '"$infra/registry.sh" stop "$work"; rm -rf "$work"' EXIT
for kind in all small; do
	"$infra/registry.sh" start "$work" --images "$kind"
	"$infra/registry.sh" stop "$work"
done
