#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# signed-releases.sh fetch     prints the directory of the releases (downloaded once, then cached)
#
# Real upstream releases with their real detached OpenPGP signatures and keys, as Debian's source
# packages carry them. The machine's apt configuration is not touched. In the directory:
#   NAME/FILE, NAME/FILE.asc, NAME/signing-key.asc
#   releases.tsv   one line each: NAME, FILE, fingerprint of the primary key, fingerprint of the key
#                  that signed, and "good", "expired" (the key, today) or "revoked"
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

# Small ones, of different projects, file formats and key types.
packages=(hello grep gzip wget libassuan libgpg-error nano less m4 curl unbound xz-utils patch)

# The key that made the signature, as gpg's status lines tell; the exit code says less.
describe() { # HOME FILE
	gpg --homedir "$1" --batch --no-auto-check-trustdb --status-fd 1 --verify "$2.asc" "$2" 2>/dev/null |
		awk '$2 == "VALIDSIG" { signer = $3; primary = $NF }
		     $2 == "GOODSIG" { state = "good" } $2 == "EXPKEYSIG" { state = "expired" } $2 == "REVKEYSIG" { state = "revoked" }
		     END { if (signer && state) print primary "\t" signer "\t" state }'
}

make_releases() {
	local out=$1 apt=$1/apt name file key state
	rm -rf "$out"
	infra_apt_sources "$apt" bookworm && mkdir "$apt/sources" || return 1
	for name in "${packages[@]}"; do
		mkdir -p "$apt/sources/$name"
		(cd "$apt/sources/$name" && APT_CONFIG=$apt/apt.conf apt-get -qq source --download-only "$name" >&2) ||
			{ infra_log "$name is not to be had, going on without it" && continue; }
		file=$(find "$apt/sources/$name" -name '*.orig.tar.*' ! -name '*.asc' | head -n 1)
		[[ -n $file && -e $file.asc ]] || continue
		key=$(tar -tf "$apt/sources/$name"/*.debian.tar.* | grep -m 1 -E '^debian/upstream/signing-key\.(asc|pgp)$' || true)
		[[ -n $key ]] || continue
		rm -rf "$apt/gpg"
		mkdir -m 700 "$apt/gpg" && mkdir "$out/$name" || return 1
		tar -xOf "$apt/sources/$name"/*.debian.tar.* "$key" >"$apt/key" || return 1
		gpg --homedir "$apt/gpg" --batch --quiet --no-auto-check-trustdb --import "$apt/key" 2>/dev/null || true
		gpg --homedir "$apt/gpg" --batch --armor --export >"$out/$name/signing-key.asc"
		state=$(describe "$apt/gpg" "$file")
		[[ -n $state ]] || { rm -rf "${out:?}/$name" && continue; }
		mv "$file" "$file.asc" "$out/$name/" || return 1
		printf '%s\t%s\t%s\n' "$name" "$(basename "$file")" "$state" >>"$out/releases.tsv"
	done
	GNUPGHOME=$apt/gpg gpgconf --kill all 2>/dev/null || true
	rm -rf "$apt"
	[[ $(wc -l <"$out/releases.tsv") -ge 8 ]] || { infra_log "fewer than 8 signed releases" && return 1; }
}

case ${1-} in
fetch) infra_need gpg apt-get && infra_cached signed/releases-1 make_releases ;;
*) infra_die "usage: fetch" ;;
esac
