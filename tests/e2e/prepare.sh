#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Fills the cache of tests/infra, so that no test waits for downloads within its own time limit.
set -euo pipefail

infra=$(cd "$(dirname "${BASH_SOURCE[0]}")/../infra" && pwd)
"$infra/base-image.sh" busybox
"$infra/base-image.sh" debian
"$infra/docker-engine.sh" client
"$infra/docker-engine.sh" client forky
"$infra/signed-releases.sh" fetch
"$infra/sarif-schema.sh"
"$infra/../bench/corpus.sh"
# Two at once: they download and unpack by turns.
"$infra/toolchain.sh" trixie
printf '%s\n' 'rust scm ruby' 'java go' 'node python' 'dnf busybox-arm64' | xargs -P 2 -I{} sh -c "'$infra/toolchain.sh' {}"
work=$(mktemp -d /tmp/sbuild-prepare.XXXXXX)
trap '"$infra/registry.sh" stop "$work"; rm -rf "$work"' EXIT
for kind in all small sealed; do
	"$infra/registry.sh" start "$work" --images "$kind"
	"$infra/registry.sh" stop "$work"
done
