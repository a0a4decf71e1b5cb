#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Real upstream releases with their real signatures and keys, through `sbuild lock`: the good ones, and what must not pass.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

releases=$("$INFRA/signed-releases.sh" fetch)
WWW=$T/www
P=$T/project
LOCK=$P/Dockerfile.lock
mkdir -p "$WWW" "$P/keys"
names=()
declare -A file primary signer state
while IFS=$'\t' read -r name f p s st; do
	names+=("$name")
	file[$name]=$f primary[$name]=$p signer[$name]=$s state[$name]=$st
	mkdir "$WWW/$name"
	cp "$releases/$name/$f" "$releases/$name/$f.asc" "$WWW/$name/"
	cp "$releases/$name/signing-key.asc" "$P/keys/$name.asc"
	# GnuPG takes SHA-1 for good enough still; sbuild does not.
	gpg --list-packets "$WWW/$name/$f.asc" 2>/dev/null | grep -q 'digest algo [123],' && state[$name]=weak
done <"$releases/releases.tsv"
[[ ${#names[@]} -ge 8 ]] || fail "only ${#names[@]} signed releases"
files_start files "$WWW"
# shellcheck disable=SC2119 # no registry
sbuild_config

url() { printf '%s/%s/%s' "$FILES_URL" "$1" "${file[$1]}"; }

# demand NAME [KEY [FINGERPRINT [SIGNATURE]]]: a verified ADD of that release, of its own key, signer and signature unless
# others are given.
demand() {
	printf '# sbuild: verify signature=%s key=keys/%s.asc fingerprint=%s\nADD %s /src/\n' \
		"${4-{url\}.asc}" "${2-$1}" "${3-${primary[$1]}}" "$(url "$1")"
}

lock() { # DEMAND: with nothing known before
	rm -f "$LOCK"
	printf 'FROM scratch\n%s\n' "$1" >"$P/Dockerfile"
	run sbuild lock "$P"
}

refused() { # MESSAGE DEMAND
	lock "$2"
	assert_status 7 "$2"
	assert_contains "$ERR" "$1"
	assert_contains "$ERR" "Dockerfile:3"
	assert_absent "$LOCK"
}

# A release by somebody else than NAME's signer.
other() {
	local name
	for name in "${names[@]}"; do
		if [[ ${primary[$name]} != "${primary[$1]}" && ${state[$name]} == good ]]; then
			printf '%s' "$name"
			return
		fi
	done
}

now "the good ones, all in one Dockerfile, by primary key and by signing subkey"
good=()
text=
for name in "${names[@]}"; do
	[[ ${state[$name]} == good ]] || continue
	good+=("$name")
	pin=primary
	[[ $((${#good[@]} % 2)) -eq 0 ]] || pin=signer
	declare -n pins=$pin
	text+=$(demand "$name" "$name" "${pins[$name]}")$'\n'
done
[[ ${#good[@]} -ge 8 ]] || now "only ${#good[@]} of the releases are good today"
lock "$text"
assert_status 0
assert_json "$LOCK" '[.files[].evidence[].kind] | unique' '["openpgp"]'
assert_json "$LOCK" '.files | length' "${#good[@]}"
for name in "${good[@]}"; do
	assert_json "$LOCK" ".files[] | select(.url == \"$(url "$name")\") | .digest" "\"sha256:$(sha256sum <"$WWW/$name/${file[$name]}" | cut -d' ' -f1)\""
	assert_contains "$(cat "$LOCK")" "${signer[$name]}" "$name's signer"
done
assert_ok sbuild verify "$P"

now "expired, revoked and weak ones, each in its own words"
for name in "${names[@]}"; do
	case ${state[$name]} in
	expired) refused "which has expired" "$(demand "$name")" ;;
	revoked) refused "revoked" "$(demand "$name")" ;;
	weak) refused "which can be forged" "$(demand "$name")" ;;
	esac
done

now "locked while the key was good, verified today"
if grep -qa __asan_init "$SBUILD"; then
	echo "(not with sanitizers: they and faketime both want to be loaded first)"
else
	for name in "${names[@]}"; do
		[[ ${state[$name]} == expired ]] || continue
		made=$(gpg --list-packets "$WWW/$name/${file[$name]}.asc" 2>/dev/null | sed -n 's/.*created \([0-9]*\),.*/\1/p' | head -n 1)
		expires=$(gpg --show-keys --with-colons "$P/keys/$name.asc" 2>/dev/null |
			awk -F: -v id="${primary[$name]: -16}" '$1 == "pub" && $5 == id { print $7 }')
		rm -f "$LOCK"
		printf 'FROM scratch\n%s\n' "$(demand "$name")" >"$P/Dockerfile"
		run faketime "@$((made + 86400))" "$SBUILD" lock "$P"
		if ((made + 86400 < expires)); then
			assert_status 0 "$name"
			assert_ok sbuild verify "$P"
			then_good=1
		else
			# Some packages never got the renewed key.
			assert_status 7 "$name"
		fi
	done
	[[ -n ${then_good-} ]] || fail "no release was good once and is expired now"
fi

now "one bit flipped"
for name in "${good[@]}"; do
	f=$WWW/$name/${file[$name]}
	perl -e 'open(my $f, "+<", $ARGV[0]) or die; binmode $f; my $at = int((-s $f) / 3); seek $f, $at, 0; read $f, my $c, 1;
		seek $f, $at, 0; print $f chr(ord($c) ^ 4)' "$f"
	rm -rf "$P/sbuild.vendor" "$XDG_CACHE_HOME/sbuild"
	refused "other bytes" "$(demand "$name")"
	cp "$releases/$name/${file[$name]}" "$f"
done
rm -rf "$P/sbuild.vendor" "$XDG_CACHE_HOME/sbuild"

now "somebody else's key, somebody else's fingerprint, the signature of another file"
for name in "${good[@]}"; do
	else=$(other "$name")
	refused "not in the given key file" "$(demand "$name" "$else")"
	refused "${signer[$name]}" "$(demand "$name" "$name" "${primary[$else]}")"
	refused "other bytes" "$(demand "$name" "$else" "${primary[$else]}" "$(url "$else").asc")"
done
