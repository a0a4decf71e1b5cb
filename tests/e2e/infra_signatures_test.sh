#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Signatures that tests use: the real releases, and the ones made for the occasion, with gpg as the judge.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

judge() { # KEY SIGNATURE FILE: the words of gpg's status lines that matter
	rm -rf "$T/gpg"
	mkdir -m 700 "$T/gpg"
	gpg --homedir "$T/gpg" --batch -q --no-auto-check-trustdb --import "$1" 2>/dev/null
	gpg --homedir "$T/gpg" --batch --status-fd 1 --verify "$2" "$3" 2>/dev/null |
		awk '$2 ~ /^(GOODSIG|BADSIG|ERRSIG|EXPKEYSIG|REVKEYSIG)$/ { print $2 }' | xargs
}

now "real releases"
releases=$("$INFRA/signed-releases.sh" fetch)
count=0
while IFS=$'\t' read -r name file primary signer state; do
	assert_matches "$primary $signer" '^[0-9A-F]{40} [0-9A-F]{40}$'
	case $state in
	good) word=GOODSIG ;;
	expired) word=EXPKEYSIG ;;
	*) word=REVKEYSIG ;;
	esac
	key=$releases/$name/signing-key.asc
	assert_contains "$(judge "$key" "$releases/$name/$file.asc" "$releases/$name/$file")" "$word" "$name"
	head -c 1000 "$releases/$name/$file" >"$T/cut"
	assert_contains "$(judge "$key" "$releases/$name/$file.asc" "$T/cut")" BADSIG "$name cut short"
	count=$((count + 1))
done <"$releases/releases.tsv"
[[ $count -ge 8 ]] || fail "only $count signed releases"

now "made ones"
echo "the payload" >"$T/payload"
"$INFRA/signatures.sh" make "$T/made" "$T/payload"
cd "$T/made"
assert_eq GOODSIG "$(judge good.asc payload.asc payload)"
assert_eq GOODSIG "$(judge good.asc payload.sig payload)"
assert_eq GOODSIG "$(judge subkey.asc payload.subkey.asc payload)"
assert_eq GOODSIG "$(judge good.asc SHA256SUMS.asc SHA256SUMS)"
assert_eq BADSIG "$(judge good.asc payload.asc payload.flipped)"
assert_eq BADSIG "$(judge good.asc payload.elsewhere.asc payload)"
assert_eq ERRSIG "$(judge other.asc payload.asc payload)"
assert_eq EXPKEYSIG "$(judge expired.asc payload.expired.asc payload)"
assert_eq REVKEYSIG "$(judge revoked.asc payload.revoked.asc payload)"
assert_eq "GOODSIG ERRSIG" "$(judge good.asc payload.two.asc payload)"
assert_ne "$(cat subkey.fpr)" "$(cat subkey.primary.fpr)"
assert_ok sha256sum --check --ignore-missing SHA256SUMS
assert_ok minisign -V -p minisign.pub -m payload -x payload.minisig
run minisign -V -p minisign-other.pub -m payload -x payload.minisig
assert_status 1
