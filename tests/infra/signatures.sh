#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# signatures.sh make DIR FILE    everything that can vouch for FILE, and everything that pretends to
#
# With keys made for the occasion. In DIR (NAME is FILE's base name):
#   good.asc, expired.asc, revoked.asc, other.asc    public keys, armoured; fingerprints in *.fpr
#   subkey.asc, subkey.fpr, subkey.primary.fpr       a key whose signing subkey signed
#   NAME                    the file itself;  NAME.flipped has one bit changed
#   NAME.asc  NAME.sig      detached, armoured and binary, by "good"
#   NAME.KEY.asc            detached, by expired, revoked, other, subkey
#   NAME.sha1.asc           by "good" with SHA-1 as its digest
#   NAME.two.asc            by "good" and "other" in one file
#   NAME.elsewhere.asc      by "good", of another file
#   SHA256SUMS (GNU), SHA256SUMS.star (hash *name), SHA256SUMS.bsd, SHA512SUMS;  SHA256SUMS.wrong names other hashes
#   SHA256SUMS.asc          detached by "good";  SHA256SUMS.clear is clear-signed by "good"
#   minisign.pub, minisign-other.pub, NAME.minisig   Ed25519 by minisign, when it is installed
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

work=

gpg_() { gpg --homedir "$work/gpg" --batch --quiet --no-tty --yes --pinentry-mode loopback --passphrase '' "$@" 2>>"$work/log"; }

fingerprint() { gpg_ --with-colons --list-keys "$1" | awk -F: '$1 == "fpr" { print $10; exit }'; }

new_key() { # NAME [gpg option...]
	local name=$1
	shift
	gpg_ "$@" --quick-generate-key "$name <$name@example.org>" ed25519 sign "${expire:-never}"
}

export_key() {
	gpg_ --armor --export "<$1@example.org>" >"$dir/$1.asc"
	fingerprint "<$1@example.org>" >"$dir/$1.fpr"
}

sign() { # KEY OUT FILE [gpg option...]
	gpg_ "${@:4}" --local-user "<$1@example.org>" --output "$2" --detach-sign "$3"
}

make() {
	local name key
	dir=$1
	infra_need gpg sha256sum
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	name=$(basename "$2")
	[[ $2 -ef $dir/$name ]] || cp "$2" "$dir/$name"
	work=$(mktemp -d /tmp/sbuild-keys.XXXXXX)
	trap 'gpgconf --homedir "$work/gpg" --kill all 2>/dev/null || true; rm -rf "$work"' EXIT
	mkdir -m 700 "$work/gpg"
	printf 'no-auto-check-trustdb\n' >"$work/gpg/gpg.conf"

	new_key good
	new_key other
	new_key revoked
	expire=1y new_key expired --faked-system-time 20200101T000000
	gpg_ --quick-generate-key 'subkey <subkey@example.org>' ed25519 cert never
	gpg_ --quick-add-key "$(fingerprint '<subkey@example.org>')" ed25519 sign never

	cd "$dir"
	# One bit in the middle: the size stays.
	cp "$name" "$name.flipped"
	perl -e 'open(my $f, "+<", $ARGV[0]) or die; binmode $f; my $at = int((-s $f) / 2); seek $f, $at, 0; read $f, my $c, 1;
		seek $f, $at, 0; print $f chr(ord($c) ^ 1)' "$name.flipped"
	printf 'another file\n' >"$work/another"
	sign good "$name.asc" "$name" --armor
	sign good "$name.sig" "$name"
	sign other "$name.other.asc" "$name" --armor
	sign revoked "$name.revoked.asc" "$name" --armor
	sign subkey "$name.subkey.asc" "$name" --armor
	sign expired "$name.expired.asc" "$name" --armor --faked-system-time 20200601T000000
	sign good "$name.sha1.asc" "$name" --armor --digest-algo SHA1
	sign good "$name.elsewhere.asc" "$work/another" --armor
	gpg_ --armor --local-user '<good@example.org>' --local-user '<other@example.org>' \
		--output "$name.two.asc" --detach-sign "$name"

	sha256sum "$name" >SHA256SUMS
	sha256sum --binary "$name" >SHA256SUMS.star
	sha256sum --tag "$name" >SHA256SUMS.bsd
	sha512sum "$name" >SHA512SUMS
	printf '%064d  %s\n' 0 "$name" >SHA256SUMS.wrong
	# A list has more than one line.
	for key in SHA256SUMS SHA512SUMS; do
		(cd "$work" && "$(tr '[:upper:]' '[:lower:]' <<<"${key%SUMS}")sum" another) >>"$key"
	done
	sign good SHA256SUMS.asc SHA256SUMS --armor
	gpg_ --local-user '<good@example.org>' --output SHA256SUMS.clear --clear-sign SHA256SUMS

	# The certificate that gpg wrote when it made the key, with the colon that guards it removed.
	sed 's/^:-----BEGIN/-----BEGIN/' "$work/gpg/openpgp-revocs.d/$(fingerprint '<revoked@example.org>').rev" >"$work/rev"
	gpg_ --import "$work/rev"
	for key in good other revoked expired subkey; do export_key "$key"; done
	cp subkey.fpr subkey.primary.fpr
	gpg_ --with-colons --list-keys '<subkey@example.org>' | awk -F: '$1 == "fpr" { last = $10 } END { print last }' >subkey.fpr

	if command -v minisign >/dev/null; then
		minisign -G -W -f -p minisign.pub -s "$work/minisign.key" >/dev/null
		minisign -G -W -f -p minisign-other.pub -s "$work/other.key" >/dev/null
		minisign -S -s "$work/minisign.key" -m "$name" -x "$name.minisig" >/dev/null </dev/null
	fi
}

case ${1-} in
make)
	[[ $# -eq 3 && -f $3 ]] || infra_die "usage: make DIR FILE"
	make "$2" "$3"
	;;
*) infra_die "usage: make DIR FILE" ;;
esac
