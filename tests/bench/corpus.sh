#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# corpus.sh     prints the path of a directory of real Dockerfiles (gathered once, about a minute, then cached)
#
# They are what the packages of corpus.txt carry, fetched by this machine's own apt and pip. A package that is not to be
# had is left out; index.tsv says which file came from which.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/../infra/common.sh"

fetch() { # KIND NAME DIR APT
	mkdir -p "$3" || return 1
	case $1 in
	# Some mirrors lack the rest of a source package: its archives are enough.
	debian) (cd "$3" && APT_CONFIG=$4/apt.conf apt-get -qq source --download-only --tar-only "$2" >/dev/null 2>&1) ;;
	pypi) python3 -m pip --quiet --disable-pip-version-check download --no-deps --only-binary :all: --dest "$3" "$2" >&2 ;;
	*) infra_die "corpus.txt: what is \"$1\"?" ;;
	esac
}

make_corpus() { # OUT
	local work=$1.work kind name file files archives=()
	rm -rf "$work" && mkdir -p "$work" && infra_apt_sources "$work/apt" trixie || return 1
	while read -r kind name; do
		fetch "$kind" "$name" "$work/$name" "$work/apt" || true
		mapfile -t files < <(find "$work/$name" -type f \( -name '*.orig*.tar.*' -o -name '*.whl' \) ! -name '*.asc' | LC_ALL=C sort)
		[[ ${#files[@]} -gt 0 ]] || infra_log "$name is not to be had, going on without it"
		for file in "${files[@]}"; do archives+=("$name" "$file"); done
	done < <(grep -v '^#' "$here/corpus.txt")
	infra_python "$here/corpus.py" "$1" "${archives[@]}" && rm -rf "$work"
}

infra_cached "dockerfiles-$(cat "$here"/corpus.{txt,py} | sha256sum | head -c 16)" make_corpus
