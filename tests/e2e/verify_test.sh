#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What "sbuild verify" finds: stale, unpinned, damaged, drift, gone; and that git's conversions do no harm.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry_start registry
WWW=$T/www
mkdir -p "$WWW/dist"
printf 'the payload\n' >"$T/payload"
"$INFRA/signatures.sh" make "$WWW" "$T/payload"
printf 'a release\r\nwith CRLF\n' >"$WWW/dist/tool-1.0.tgz"
files_start files "$WWW"
"$INFRA/git-server.sh" sample "$T/repos"
git_start git "$T/repos"
sbuild_config "$REGISTRY"

P=$T/project
LOCK=$P/Dockerfile.lock
mkdir -p "$P/keys"
cp "$WWW/good.asc" "$P/keys/"

write_dockerfile() { # more lines on standard input
	{
		cat <<END_OF_FILE
ARG V=1.0
FROM busybox AS base
ARG V
# sbuild: verify signature={url}.asc key=keys/good.asc fingerprint=$(cat "$WWW/good.fpr")
ADD $FILES_URL/payload /x/
ADD $FILES_URL/dist/tool-\${V}.tgz /x/
ADD $GIT_HTTP_URL/tool.git#main /src
COPY --from=acme/tool:1 /tool /tool
END_OF_FILE
		cat
	} >"$P/Dockerfile"
}

# finds STATUS TEXT...: verify ends with STATUS and says every TEXT.
finds() {
	local status=$1 text
	shift
	run sbuild verify "${VERIFY[@]}" "$P"
	assert_status "$status"
	for text; do assert_contains "$OUT" "$text"; done
}
VERIFY=()

write_dockerfile </dev/null
assert_ok sbuild lock "$P"
cp "$LOCK" "$T/good.lock"
cp -a "$P/sbuild.vendor" "$T/good.vendor"
restore() {
	cp "$T/good.lock" "$LOCK"
	rm -rf "$P/sbuild.vendor"
	cp -a "$T/good.vendor" "$P/sbuild.vendor"
	write_dockerfile </dev/null
}

now "all is well, without a network and without the user's cache"
finds 0 "all is well"
run in_empty_network env XDG_CACHE_HOME="$T/empty-cache" "$SBUILD" verify "$P"
assert_status 0
assert_same "$T/good.lock" "$LOCK"

now "no lock, a lock of another time, a lock in conflict"
rm "$LOCK"
run sbuild verify "$P"
assert_status 3
assert_contains "$ERR" 'there is no Dockerfile.lock; run "sbuild lock" first'
jq '.version = 2' "$T/good.lock" >"$LOCK"
run sbuild verify "$P"
assert_status 2
assert_contains "$ERR" "version 2"
sed '3i <<<<<<< HEAD' "$T/good.lock" >"$LOCK"
run sbuild verify "$P"
assert_status 1
assert_contains "$ERR" "Dockerfile.lock:3: it has the markers of a merge conflict"
restore

now "stale: every reference that is not covered, with its line"
write_dockerfile <<<"COPY --from=alpine:3.20 /a /a
ADD $FILES_URL/other /o"
finds 3 'Dockerfile:9: COPY --from: alpine:3.20 is not in the lock; run "sbuild lock"' \
	"Dockerfile:10: ADD $FILES_URL/other is not in the lock"
sed -i 's/V=1.0/V=2.0/' "$P/Dockerfile"
finds 3 "Dockerfile:6: ADD $FILES_URL/dist/tool-\${V}.tgz: \"$FILES_URL/dist/tool-2.0.tgz\" is not in the lock"
restore
printf '# a comment\n' >>"$P/Dockerfile"
finds 0
restore

now "what must vouch has changed"
sed -i '/sbuild: verify/d' "$P/Dockerfile"
finds 3 "$FILES_URL/payload: what must vouch for it is not what the lock was made with"
restore
sed -i "s|^ADD $FILES_URL/dist|# sbuild: verify sha256=$(printf '%064d' 1)\n&|" "$P/Dockerfile"
finds 3 "Dockerfile:7: $FILES_URL/dist/tool-1.0.tgz: what must vouch"
restore
cp "$WWW/other.asc" "$P/keys/good.asc"
finds 3 "$FILES_URL/payload: what must vouch"
cp "$WWW/good.asc" "$P/keys/good.asc"

object() { # DIGEST: its path in the store
	local hex=${1#sha256:}
	printf '%s/sbuild.vendor/sha256/%s/%s' "$P" "${hex:0:2}" "$hex"
}
file_digest() { jq -r --arg u "$1" '.files[] | select((.expanded // .url) == $u) | .digest' "$LOCK"; }

now "the store: missing and damaged"
payload=$(object "$(file_digest "$FILES_URL/payload")")
rm "$payload"
finds 7 "Dockerfile:5: $FILES_URL/payload" 'is not in sbuild.vendor; run "sbuild vendor"'
restore
printf 'The payload\n' >"$payload"
finds 7 "$FILES_URL/payload" "damaged"
restore
rm "$(object "$(jq -r '.images[] | select(.ref == "busybox") | .platforms[].config' "$LOCK")")"
finds 7 "busybox" "config"
rm -rf "$P/sbuild.vendor"
finds 7 "there is no sbuild.vendor here" '"sbuild vendor"'
restore

now "evidence is verified again, whatever the lock says"
printf 'another payload\n' >"$T/evil"
evil=$(sha256sum <"$T/evil" | cut -d' ' -f1)
jq -c --arg u "$FILES_URL/payload" --arg d "sha256:$evil" \
	'(.files[] | select(.url == $u)) |= (.digest = $d | .size = 16)' "$T/good.lock" >"$LOCK"
mkdir -p "$(dirname "$(object "$evil")")"
cp "$T/evil" "$(object "$evil")"
finds 7 "$FILES_URL/payload: the signature"
restore
jq -c '(.files[].evidence[]? | select(.kind == "openpgp") | .signers[0].fingerprint) = ("0" * 40)' \
	"$T/good.lock" >"$LOCK"
finds 7 "who has not signed it"
restore

now "unpinned: the repository demands that somebody vouches"
echo '{"require-signatures": true}' >"$P/sbuild.json"
finds 4 "$FILES_URL/dist/tool-1.0.tgz: nobody vouches for it"
rm "$P/sbuild.json"

now "the gravest finding gives the exit status"
write_dockerfile <<<"COPY --from=alpine:3.20 /a /a"
rm "$payload"
finds 7 "alpine:3.20 is not in the lock" "is not in sbuild.vendor"
restore

now "online: nothing has changed"
VERIFY=(--online)
finds 0 "all is well"

now "online: drift"
printf 'a release\r\nwith more\n' >"$WWW/dist/tool-1.0.tgz"
git -C "$T/repos/tool.git" update-ref refs/heads/main v1.0.0
finds 5 "Dockerfile:6: $FILES_URL/dist/tool-1.0.tgz has other bytes now" "--update=$FILES_URL/dist/tool-1.0.tgz" \
	"Dockerfile:7: $GIT_HTTP_URL/tool.git#main: refs/heads/main is "
jq -c '(.images[] | select(.ref == "busybox") | .digest) = "sha256:'"$(printf '%064d' 1)"'"' "$T/good.lock" >"$LOCK"
run sbuild verify --online "$P"
assert_contains "$OUT" "Dockerfile:2: docker.io/library/busybox:latest is "
assert_contains "$OUT" "--update=docker.io/library/busybox:latest"
restore

now "online: gone"
rm "$WWW/dist/tool-1.0.tgz"
git -C "$T/repos/tool.git" symbolic-ref HEAD refs/heads/old
git -C "$T/repos/tool.git" update-ref -d refs/heads/main
finds 6 "Dockerfile:6: $FILES_URL/dist/tool-1.0.tgz: it is gone upstream" "refs/heads/main is gone upstream"
assert_same "$T/good.lock" "$LOCK"

now "online: no answer is not the same as gone"
stop_part registry.sh registry
finds 6 "docker.io/library/busybox:latest: "
VERIFY=()
finds 0

now "git's conversions and ignore rules do no harm"
printf '*.tgz\ndist/\nsbuild.vendor/tmp\n*\n!Dockerfile*\n!keys\n!keys/*\n!sbuild.vendor\n!sbuild.vendor/**\n' >"$P/.gitignore"
git -C "$P" init -q
git -C "$P" config core.autocrlf true
git -C "$P" -c core.safecrlf=false add .
git -C "$P" -c user.name=t -c user.email=t@example.org commit -qm "all of it"
git -C "$P" ls-files | grep -q '^Dockerfile.lock$' || fail "the lock is not committed"
git -c core.autocrlf=true clone -q "$P" "$T/clone"
grep -q $'\r' "$T/clone/Dockerfile" || fail "git did not convert the Dockerfile, so this tests nothing"
P=$T/clone
finds 0
run in_empty_network env XDG_CACHE_HOME="$T/empty-cache" "$SBUILD" verify "$P"
assert_status 0

now "the same below rules that name what is in the store by its kind"
printf '*.tgz\n*.lock.bak\ndist/\nvendor/\nsha256/\ntmp/\n' >"$T/project/.gitignore"
rm -rf "$T/project/.git"
git -C "$T/project" init -q
git -C "$T/project" -c core.autocrlf=true -c core.safecrlf=false add .
git -C "$T/project" -c user.name=t -c user.email=t@example.org commit -qm "all of it"
git -c core.autocrlf=true clone -q "$T/project" "$T/clone2"
P=$T/clone2
finds 0
