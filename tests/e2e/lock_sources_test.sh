#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# ADD of URLs and git repositories: who vouches for them, and who must not.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WWW=$T/www
mkdir -p "$WWW"
printf 'the payload\n' >"$T/payload"
"$INFRA/signatures.sh" make "$WWW" "$T/payload"
mkdir "$WWW/bad"
cp "$WWW/payload.flipped" "$WWW/bad/payload"
cp "$WWW/payload.asc" "$WWW/bad/payload.asc"
files_start files "$WWW"
sbuild_config
P=$T/project
LOCK=$P/Dockerfile.lock
mkdir -p "$P/keys"
cp "$WWW"/{good,other,expired,revoked,subkey}.asc "$WWW/minisign.pub" "$P/keys/"
fpr() { cat "$WWW/$1.fpr"; }
sha() { "sha$1sum" <"$WWW/payload" | cut -d' ' -f1; }
URL=$FILES_URL/payload

dockerfile() { cat >"$P/Dockerfile"; }

# add URL WORDS…: a Dockerfile that adds URL under a verify comment of these words; a fresh lock.
add() {
	rm -f "$LOCK"
	{
		echo 'FROM scratch'
		[[ $# -eq 1 ]] || echo "# sbuild: verify ${*:2}"
		echo "ADD $1 /x/"
	} | dockerfile
	run sbuild lock "$P"
}

good() { # URL WORDS…: must be accepted
	add "$@"
	assert_status 0
}

bad() { # STATUS MESSAGE URL WORDS…
	add "${@:3}"
	assert_status "$1" "${*:3}"
	assert_contains "$ERR" "$2"
	assert_contains "$ERR" "Dockerfile:"
	assert_absent "$LOCK"
}

evidence() { jq -c "[.files[0].evidence[] | $1]" "$LOCK"; }

now "nobody vouches: locked by its hash, with one warning"
good "$URL"
assert_json "$LOCK" '.files[0].digest' "\"sha256:$(sha 256)\""
assert_json "$LOCK" '.files[0].size' 12
assert_eq '["tofu"]' "$(evidence .kind)"
assert_eq 1 "$(grep -c 'nobody vouches' "$T/err")"
assert_file "$P/sbuild.vendor/sha256/$(sha 256 | cut -c1-2)/$(sha 256)" "the payload"
cp "$LOCK" "$T/before"
run sbuild lock --require-signatures "$P"
assert_status 4
assert_contains "$ERR" "Dockerfile:2"
assert_same "$T/before" "$LOCK"
rm "$LOCK"
run sbuild lock --require-signatures "$P"
assert_status 4
assert_absent "$LOCK"

now "a hash"
dockerfile <<END_OF_FILE
FROM scratch
ADD --checksum=sha256:$(sha 256) $URL /x/
END_OF_FILE
assert_ok sbuild lock --require-signatures "$P"
assert_eq '["checksum"]' "$(evidence .kind)"
dockerfile <<END_OF_FILE
FROM scratch
ARG SUM=sha256:$(sha 256)
ADD --checksum=\$SUM $URL /x/
ARG SUM=
END_OF_FILE
assert_ok sbuild lock --require-signatures "$P"
dockerfile <<END_OF_FILE
FROM scratch
ARG SUM
ADD --checksum=\$SUM $URL /x/
END_OF_FILE
run sbuild lock "$P"
assert_status 1
assert_contains "$ERR" "Dockerfile:3"
assert_contains "$ERR" "--checksum is empty"
for n in 256 384 512; do
	good "$URL" "sha$n=$(sha $n)"
	assert_eq "[\"sha$n:$(sha $n)\"]" "$(evidence .checksum)"
	bad 7 "was demanded" "$FILES_URL/bad/payload" "sha$n=$(sha $n)"
done
rm -f "$LOCK"
sed 's/^ADD /ADD --checksum=sha256:'"$(sha 256)"' /; /verify/d' -i "$P/Dockerfile"
run sbuild lock "$P"
assert_status 7

now "OpenPGP, detached"
good "$URL" "signature={url}.asc key=keys/good.asc fingerprint=$(fpr good)"
assert_eq '["openpgp"]' "$(evidence .kind)"
assert_contains "$OUT" "OpenPGP"
assert_lacks "$ERR" "nobody vouches"
cp -p "$LOCK" "$T/before"
assert_ok sbuild lock --require-signatures "$P"
assert_same "$T/before" "$LOCK"
good "$URL" "signature={url}.sig key=keys/good.asc fingerprint=$(fpr good)"
good "$URL" "signature={dir}/{file}.subkey.asc key=keys/subkey.asc fingerprint=$(fpr subkey)"
good "$URL" "signature={url}.subkey.asc key=keys/subkey.asc fingerprint=$(fpr subkey.primary)"
good "$URL" "signature={url}.two.asc key=keys/good.asc key=keys/other.asc fingerprint=$(fpr good) fingerprint=$(fpr other) threshold=2"
# each failure has words of its own
bad 7 "other bytes" "$FILES_URL/bad/payload" "signature={url}.asc key=keys/good.asc fingerprint=$(fpr good)"
bad 7 "$(fpr good)" "$URL" "signature={url}.asc key=keys/good.asc fingerprint=$(fpr other)"
bad 7 "not in the given key file" "$URL" "signature={url}.other.asc key=keys/good.asc fingerprint=$(fpr good)"
bad 7 "expired" "$URL" "signature={url}.expired.asc key=keys/expired.asc fingerprint=$(fpr expired)"
bad 7 "revoked" "$URL" "signature={url}.revoked.asc key=keys/revoked.asc fingerprint=$(fpr revoked)"
bad 7 "SHA" "$URL" "signature={url}.sha1.asc key=keys/good.asc fingerprint=$(fpr good)"
bad 7 "other bytes" "$URL" "signature={url}.elsewhere.asc key=keys/good.asc fingerprint=$(fpr good)"
bad 7 "signature" "$URL" "signature={url} key=keys/good.asc fingerprint=$(fpr good)"
bad 7 "2" "$URL" "signature={url}.asc key=keys/good.asc key=keys/other.asc fingerprint=$(fpr good) fingerprint=$(fpr other) threshold=2"
bad 8 "payload.none" "$URL" "signature={url}.none key=keys/good.asc fingerprint=$(fpr good)"
bad 1 "no keys/none.asc" "$URL" "signature={url}.asc key=keys/none.asc fingerprint=$(fpr good)"
bad 10 "" "$URL" "signature={url}.asc key=../project/keys/good.asc fingerprint=$(fpr good)"
# who signed it, and what to write
bad 7 "fingerprint=$(fpr good)" "$URL" "signature={url}.asc key=keys/good.asc"
bad 7 "key=FILE" "$URL" "signature={url}.asc"

now "checksum lists"
good "$URL" "checksums={dir}/SHA256SUMS checksums-signature={dir}/SHA256SUMS.asc key=keys/good.asc fingerprint=$(fpr good)"
assert_eq "[[\"checksums\",\"sha256:$(sha 256)\"]]" "$(evidence '[.kind, .checksum]')"
assert_contains "$OUT" "list signed by"
good "$URL" "checksums={dir}/SHA256SUMS.clear key=keys/good.asc fingerprint=$(fpr good)"
for list in SHA256SUMS SHA256SUMS.star SHA256SUMS.bsd SHA512SUMS SHA256SUMS.clear; do
	good "$URL" "checksums={dir}/$list"
	assert_contains "$ERR" "unsigned checksum list" "$list"
	assert_eq '["checksums","tofu"]' "$(evidence .kind)"
	run sbuild lock --require-signatures "$P"
	assert_status 4
done
bad 7 "SHA256SUMS.wrong" "$URL" "checksums={dir}/SHA256SUMS.wrong"
bad 7 "SHA256SUMS" "$FILES_URL/bad/payload" "checksums=$FILES_URL/SHA256SUMS"
bad 7 "checksums-signature=" "$URL" "checksums={dir}/SHA256SUMS key=keys/good.asc fingerprint=$(fpr good)"
bad 7 "other bytes" "$URL" "checksums={dir}/SHA512SUMS checksums-signature={dir}/SHA256SUMS.asc key=keys/good.asc fingerprint=$(fpr good)"
bad 8 "other.asc" "$FILES_URL/other.asc" "checksums={dir}/SHA256SUMS"

now "minisign"
good "$URL" "minisign=$(sed -n 2p "$WWW/minisign.pub")"
assert_eq '["minisign"]' "$(evidence .kind)"
good "$URL" "minisign=keys/minisign.pub"
good "$URL" "minisign=keys/minisign.pub signature={url}.minisig"
bad 7 "payload.minisig" "$URL" "minisign=$(sed -n 2p "$WWW/minisign-other.pub")"

now "malformed comments, and comments that would do nothing"
bad 1 "not known" "$URL" "signatur={url}.asc"
bad 1 "full fingerprint" "$URL" "signature={url}.asc key=keys/good.asc fingerprint=ABCD1234"
dockerfile <<<'FROM scratch
# sbuild: verify sha256=00
COPY a /'
run sbuild lock "$P"
assert_status 1
assert_contains "$ERR" "Dockerfile:2"
dockerfile <<<"FROM scratch
# sbuild: verify sha256=$(sha 256)

ADD $URL /"
run sbuild lock "$P"
assert_status 1
dockerfile <<<"FROM scratch
# sbuild: verify sha256=$(sha 256)
ADD localfile /"
run sbuild lock "$P"
assert_status 1
assert_contains "$ERR" "without a URL"

now "settings: what they demand is added to what the comment demands"
sbuild_config "" ".trust = {\"$FILES_URL/\": \"signature={url}.asc key=keys/good.asc fingerprint=$(fpr good)\"}"
good "$URL" "sha512=$(sha 512)"
assert_eq '["checksum","openpgp"]' "$(evidence .kind | jq -c sort)"
bad 7 "was demanded" "$URL" "sha512=$(sha 384)$(printf '%032d' 0)"
bad 8 "SHA256SUMS.asc.asc" "$FILES_URL/SHA256SUMS.asc" "sha256=$(sha256sum <"$WWW/SHA256SUMS.asc" | cut -d' ' -f1)"
sbuild_config
echo '{"require-signatures": true}' >"$P/sbuild.json"
bad 4 "nobody vouches" "$URL"
rm "$P/sbuild.json"

now "what is locked stays; a demand that is added later is looked at, the file is not fetched again"
good "$URL"
: >"$T/files/access.log"
sed -i "s|^ADD|# sbuild: verify signature={url}.asc key=keys/good.asc fingerprint=$(fpr good)\nADD|" "$P/Dockerfile"
assert_ok sbuild lock "$P"
assert_eq '["openpgp"]' "$(evidence .kind)"
assert_lacks "$(cat "$T/files/access.log")" " /payload "
assert_contains "$(cat "$T/files/access.log")" " /payload.asc "
verified=$(evidence .verified_at)
echo '# more' >>"$P/Dockerfile"
sleep 1.1
assert_ok sbuild lock "$P"
assert_eq "$verified" "$(evidence .verified_at)"

now "upstream changes: the lock keeps the old one until --update"
cp "$WWW/payload" "$T/old"
good "$URL"
echo "another payload" >"$WWW/payload"
assert_ok sbuild lock "$P"
assert_json "$LOCK" '.files[0].size' 12
rm -rf "$P/sbuild.vendor" "$XDG_CACHE_HOME/sbuild"
run sbuild lock "$P"
assert_status 7 "the locked bytes are nowhere any more"
assert_ok sbuild lock --update=payload "$P"
assert_json "$LOCK" '.files[0].size' 16
cp "$T/old" "$WWW/payload"
# a new --checksum says that the new bytes are meant
sed -i "s|^ADD|ADD --checksum=sha256:$(sha 256)|" "$P/Dockerfile"
assert_ok sbuild lock "$P"
assert_json "$LOCK" '.files[0].size' 12

now "several files at once, one URL twice, where they came from"
dockerfile <<END_OF_FILE
FROM scratch
ARG BASE=$FILES_URL
ADD \${BASE}/payload \${BASE}/SHA256SUMS /x/
ADD $URL /y/
END_OF_FILE
rm "$LOCK"
assert_ok sbuild lock "$P"
assert_json "$LOCK" '[.files[].url]' "[\"\${BASE}/SHA256SUMS\",\"\${BASE}/payload\"]"

now "--min-age"
rm "$LOCK"
touch "$WWW/payload" "$WWW/SHA256SUMS"
run sbuild lock --min-age 1h "$P"
assert_status 4
assert_contains "$ERR" "--min-age"
touch -d '2 days ago' "$WWW/payload" "$WWW/SHA256SUMS"
assert_ok sbuild lock --min-age 1h "$P"
assert_json "$LOCK" .epoch "$(stat -c %Y "$WWW/payload")"

now "loopback only where the user's own configuration allows it"
mv "$XDG_CONFIG_HOME/sbuild/config.json" "$T/config.json"
rm "$LOCK"
rm -rf "$XDG_CACHE_HOME/sbuild" "$P/sbuild.vendor"
run sbuild lock "$P"
assert_status 8
mv "$T/config.json" "$XDG_CONFIG_HOME/sbuild/config.json"

# --- git ------------------------------------------------------------------------------------------

now "git: branches, tags of both kinds, commits"
"$INFRA/git-server.sh" sample "$T/repositories"
git_start git "$T/repositories"
export GIT_SSL_CAINFO=$GIT_CA
cp "$T/repositories/git-signer.asc" "$P/keys/"
SIGNER=$(cat "$T/repositories/git-signer.fpr")
REPO=$GIT_DAEMON_URL/tool.git
commit() { git -C "$T/repositories/tool.git" rev-parse "$1^{commit}"; }

git_field() { # REFERENCE FIELD EXPECTED: the lock's answer for this reference
	add "$REPO$1"
	assert_status 0
	assert_json "$LOCK" ".git[0]$2" "$3"
}
git_field "" .ref '"refs/heads/main"'
git_field "#main" .commit "\"$(commit main)\""
git_field "#v1.0.0" .commit "\"$(commit v1.0.0)\""
git_field "#v1.0.0" '["tag-object"] // .git[0].tag_object' null
git_field "#v1.1.0" .commit "\"$(commit v1.1.0)\""
assert_matches "$(jq -r '.git[0] | .["tag-object"] // .tag_object' "$LOCK")" '^[0-9a-f]{40}$'
git_field "#$(commit v1.1.0)" .commit "\"$(commit v1.1.0)\""
git_field "#v1.1.0:docs" .subdir '"docs"'
assert_contains "$ERR" "nobody vouches"
archive=$(jq -r '.git[0].archive | sub("sha256:"; "")' "$LOCK")
assert_eq "tree/ tree/README" "$(tar -tf "$P/sbuild.vendor/sha256/${archive:0:2}/$archive" | xargs)"
cp -p "$LOCK" "$T/before"
assert_ok sbuild lock "$P"
assert_same "$T/before" "$LOCK"

now "git by https"
add "$GIT_HTTPS_URL/tool.git#v1.1.0"
assert_status 0
assert_json "$LOCK" '.git[0].commit' "\"$(commit v1.1.0)\""

now "git: checksums"
dockerfile <<<"FROM scratch
ADD --checksum=$(commit v1.1.0 | cut -c1-12) $REPO#v1.1.0 /x"
assert_ok sbuild lock --require-signatures "$P"
dockerfile <<<"FROM scratch
ADD --checksum=$(commit v1.1.0 | cut -c1-12) $REPO#main /x"
run sbuild lock "$P"
assert_status 7
assert_contains "$ERR" "was demanded"

now "git: signed tags and commits"
signed="key=keys/git-signer.asc fingerprint=$SIGNER"
good "$REPO#v1.1.0-signed" "$signed"
assert_json "$LOCK" '.git[0].evidence[0].kind' '"openpgp"'
assert_lacks "$ERR" "nobody vouches"
cp -p "$LOCK" "$T/before"
assert_ok sbuild lock "$P"
assert_same "$T/before" "$LOCK"
good "$REPO#signed" "$signed"
bad 7 "not signed" "$REPO#v1.1.0" "$signed"
bad 7 "not signed" "$REPO#main" "$signed"
bad 7 "$SIGNER" "$REPO#v1.1.0-signed" "key=keys/git-signer.asc fingerprint=$(fpr good)"
bad 7 "" "$REPO#v1.1.0-signed" "key=keys/good.asc fingerprint=$(fpr good)"
bad 1 "git repository" "$REPO#v1.1.0-signed" "signature={url}.asc $signed"

now "git: --update follows the branch"
add "$REPO#main"
assert_status 0
git clone -q "$T/repositories/tool.git" "$T/work"
git -C "$T/work" -c user.name=A -c user.email=a@b commit -q --allow-empty -m more
git -C "$T/work" push -q origin HEAD:main
assert_ok sbuild lock "$P"
assert_ne "$(commit main)" "$(jq -r '.git[0].commit' "$LOCK")"
assert_ok sbuild lock --update "$P"
assert_json "$LOCK" '.git[0].commit' "\"$(commit main)\""

now "git: what is not there"
bad 8 "no-such-tag" "$REPO#no-such-tag"
