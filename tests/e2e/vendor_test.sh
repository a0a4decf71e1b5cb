#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# "sbuild vendor": everything that the lock names, from the cache or upstream, and nothing else.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry_start registry
WWW=$T/www
mkdir -p "$WWW"
printf 'the payload\n' >"$T/payload"
"$INFRA/signatures.sh" make "$WWW" "$T/payload"
head -c 300000 /dev/urandom >"$WWW/big.bin"
printf 'two\n' >"$WWW/two.txt"
files_start files "$WWW"
"$INFRA/git-server.sh" sample "$T/repos"
git_start git "$T/repos"
sbuild_config "$REGISTRY"

P=$T/project
LOCK=$P/Dockerfile.lock
STORE=$P/sbuild.vendor
mkdir -p "$P/keys"
cp "$WWW/good.asc" "$P/keys/"
cat >"$P/Dockerfile" <<END_OF_FILE
FROM busybox
# sbuild: verify signature={url}.asc key=keys/good.asc fingerprint=$(cat "$WWW/good.fpr")
ADD $FILES_URL/payload /x/
ADD $FILES_URL/big.bin /x/
ADD $GIT_HTTP_URL/tool.git#v1.0.0 /src
COPY --from=alpine:3.20 /etc /etc
END_OF_FILE
assert_ok sbuild lock "$P"
cp "$LOCK" "$T/good.lock"
objects() { (cd "$1" && find sha256 -type f | sort); }
objects "$STORE" >"$T/good.objects"

now "everything is there already"
assert_ok sbuild vendor "$P"
assert_contains "$OUT" "sbuild.vendor: "
assert_lacks "$OUT" "added"

now "from the cache alone"
rm -rf "$STORE"
assert_ok in_empty_network "$SBUILD" vendor "$P"
assert_eq "$(cat "$T/good.objects")" "$(objects "$STORE")"
assert_file "$STORE/.gitattributes"
assert_ok sbuild verify "$P"

now "from upstream alone, with an empty cache"
rm -rf "$STORE" "${XDG_CACHE_HOME:?}"/*
assert_ok sbuild vendor "$P"
assert_eq "$(cat "$T/good.objects")" "$(objects "$STORE")"
assert_ok in_empty_network "$SBUILD" verify "$P"
assert_same "$T/good.lock" "$LOCK"

now "a damaged object is replaced"
big=$(find "$STORE/sha256" -size +200k)
printf x | dd of="$big" conv=notrunc status=none
run sbuild verify "$P"
assert_status 7
assert_ok sbuild vendor "$P"
assert_ok sbuild verify "$P"

now "upstream has other bytes, or none"
rm -rf "$STORE" "${XDG_CACHE_HOME:?}"/*
cp "$WWW/big.bin" "$T/big.bin"
head -c 300000 /dev/urandom >"$WWW/big.bin"
run sbuild vendor "$P"
assert_status 7
assert_contains "$ERR" "$FILES_URL/big.bin"
assert_contains "$ERR" "--update=$FILES_URL/big.bin"
assert_eq "" "$(find "$STORE" -size +200k 2>/dev/null)"
rm "$WWW/big.bin"
run sbuild vendor "$P"
assert_status 6
assert_contains "$ERR" "$FILES_URL/big.bin: the file is gone upstream"
cp "$T/big.bin" "$WWW/big.bin"
assert_ok sbuild vendor "$P"
assert_same "$T/good.lock" "$LOCK"

now "a key file that is gone from the context"
rm -rf "$STORE" "${XDG_CACHE_HOME:?}"/*
rm "$P/keys/good.asc"
run sbuild vendor "$P"
assert_status 6
assert_contains "$ERR" "public key"
cp "$WWW/good.asc" "$P/keys/"
assert_ok sbuild vendor "$P"

now "base images"
assert_ok sbuild vendor --images "$P"
objects "$STORE" >"$T/with-images"
[[ $(wc -l <"$T/with-images") -gt $(wc -l <"$T/good.objects") ]] || fail "no layers were added"
rm -rf "${XDG_CACHE_HOME:?}"/*
assert_ok in_empty_network "$SBUILD" vendor --images "$P"
assert_lacks "$OUT" "added"
assert_ok in_empty_network "$SBUILD" verify "$P"

layer=$(comm -13 "$T/good.objects" "$T/with-images" | head -n1)
mv "$STORE/$layer" "$T/layer"
run sbuild verify "$P"
assert_status 7
assert_contains "$OUT" 'is not all in sbuild.vendor, as other base images are; run "sbuild vendor --images"'
mv "$T/layer" "$STORE/$layer"

now "the list"
assert_ok sbuild vendor --list "$P"
for name in "$FILES_URL/payload" "$FILES_URL/payload (signature)" "$FILES_URL/payload (public key)" \
	"docker.io/library/busybox:latest" "(layer for " "$GIT_HTTP_URL/tool.git#v1.0.0"; do
	assert_contains "$OUT" "$name"
done
assert_lacks "$OUT" "missing"
rm "$STORE/sha256"/*/"$(sha256sum <"$T/payload" | cut -d' ' -f1)"
assert_ok sbuild vendor --list "$P"
assert_matches "$OUT" "payload +sha256:[0-9a-f]{64} +missing"
run sbuild vendor --list --prune "$P"
assert_status 2
assert_ok sbuild vendor "$P"

now "somewhere else"
assert_ok in_empty_network "$SBUILD" vendor --images --to "$T/elsewhere" "$P"
assert_eq "$(cat "$T/with-images")" "$(objects "$T/elsewhere")"
for to in oci://registry.example.org/x:1 registry.example.org/x:1 localhost:5000/x; do
	run sbuild vendor --to "$to" "$P"
	assert_status 2
	assert_contains "$ERR" "--to wants a directory"
done

now "what no lock names goes, what any lock names stays"
mkdir -p "$P/service"
printf 'FROM scratch\nADD %s /\n' "$FILES_URL/two.txt" >"$P/service/Dockerfile"
assert_ok sbuild lock -f "$P/service/Dockerfile" "$P"
assert_file "$P/service/Dockerfile.lock"
printf 'junk' >"$T/junk"
junk=$(sha256sum <"$T/junk" | cut -d' ' -f1)
mkdir -p "$STORE/sha256/${junk:0:2}"
cp "$T/junk" "$STORE/sha256/${junk:0:2}/$junk"
objects "$STORE" | grep -v "$junk" >"$T/wanted"
printf '{"lockfileVersion": 3}\n' >"$P/package.lock"
assert_ok sbuild vendor --prune "$P"
assert_contains "$OUT" "1 removed"
assert_eq "$(cat "$T/wanted")" "$(objects "$STORE")"
assert_ok sbuild verify -f "$P/service/Dockerfile" "$P"
rm -r "$P/service"
assert_ok sbuild vendor --prune "$P"
assert_eq "$(cat "$T/with-images")" "$(objects "$STORE")"

now "a lock that cannot be read may need anything"
mkdir -p "$P/service"
sed '4i =======' "$LOCK" >"$P/service/Dockerfile.lock"
cp -r "$STORE/sha256" "$T/before"
mkdir -p "$STORE/sha256/${junk:0:2}"
cp "$T/junk" "$STORE/sha256/${junk:0:2}/$junk"
run sbuild vendor --prune "$P"
assert_status 1
assert_contains "$ERR" "service/Dockerfile.lock:4"
assert_contains "$ERR" "nothing was removed"
assert_file "$STORE/sha256/${junk:0:2}/$junk" junk
rm -r "$P/service"

now "several at once"
rm -rf "$STORE" "${XDG_CACHE_HOME:?}"/*
pids=()
for i in 1 2 3 4; do
	sbuild vendor --images "$P" >"$T/run$i" 2>&1 &
	pids+=($!)
done
for i in "${!pids[@]}"; do
	wait "${pids[i]}" || fail "run $((i + 1)) failed: $(cat "$T/run$((i + 1))")"
done
assert_eq "$(cat "$T/with-images")" "$(objects "$STORE")"
assert_ok sbuild verify "$P"

now "killed at random moments"
for i in 1 2 3 4 5 6 7 8; do
	rm -rf "$STORE" "${XDG_CACHE_HOME:?}"/*
	sbuild vendor --images "$P" >"$T/killed" 2>&1 &
	pid=$!
	sleep "0.0$((RANDOM % 10))$i"
	kill -9 "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	run sbuild verify "$P"
	[[ $STATUS -eq 0 || $STATUS -eq 7 ]] || assert_status 0
	assert_lacks "$OUT" damaged
	assert_ok sbuild vendor --images "$P"
	assert_eq "$(cat "$T/with-images")" "$(objects "$STORE")"
done
assert_same "$T/good.lock" "$LOCK"
