#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What RUN steps were recorded with is vendored, verified and asked for again like everything else in the lock.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WWW=$T/www
P=$T/project
LOCK=$P/Dockerfile.lock
STORE=$P/sbuild.vendor
mkdir -p "$WWW/pool" "$P"
head -c 50000 /dev/urandom >"$WWW/pool/tool.tgz"
for i in 1 2 3 4 5; do printf 'index %s\n' $i >"$WWW/pool/index-$i"; done
mkdir -p "$WWW/pad/-"
printf 'the package' >"$WWW/pad-1.0.0.tgz"
cp "$WWW/pad-1.0.0.tgz" "$WWW/pad/-/"
files_start files "$WWW"
sbuild_config ""

cat >"$P/Dockerfile" <<'END_OF_FILE'
FROM scratch
RUN fetch the tool
END_OF_FILE
assert_ok sbuild lock --no-run "$P"

hex() { sha256sum | cut -c 1-64; }
# put FILE: into the store.
put() {
	local name
	name=$(hex <"$1")
	mkdir -p "$STORE/sha256/${name:0:2}"
	cp "$1" "$STORE/sha256/${name:0:2}/$name"
}
# answer FILE URL [MEMBERS]: a line of the step manifest; the file is in the store afterwards.
answer() {
	put "$1"
	printf '{"digest":"sha256:%s","method":"GET","size":%s,"status":200,"url":"%s"%s}\n' \
		"$(hex <"$1")" "$(stat -c %s "$1")" "$2" "${3-}"
}
{
	printf '{"version":1}\n'
	for i in 1 2 3 4 5; do answer "$WWW/pool/index-$i" "$FILES_URL/pool/index-$i"; done
	answer "$WWW/pool/tool.tgz" "$FILES_URL/pool/tool.tgz" ',"wanted":{"accept":"application/gzip"}'
	answer "$WWW/pad-1.0.0.tgz" "$FILES_URL/pad/-/pad-1.0.0.tgz"
	printf 'only with a secret\n' >"$T/secret"
	answer "$T/secret" "$FILES_URL/pool/signed?sig=-"
} >"$T/manifest"
put "$T/manifest"
jq -c --arg text "sha256:$(printf 'fetch the tool' | hex)" --arg manifest "sha256:$(hex <"$T/manifest")" \
	'.steps = [{command: "fetch the tool", $text, platform: .profiles[0].platforms[0], requests: 8, size: 50084, $manifest}]
	| .packages = [{purl: "pkg:npm/pad@1.0.0", digest: "sha256:'"$(hex <"$WWW/pool/tool.tgz")"'", integrity: "sha512-x",
		vouched: "package-lock.json", steps: ["STEP"]}]' \
	"$LOCK" >"$T/new.lock"
cp "$T/new.lock" "$LOCK"
id=$(sbuild why "fetch the" "$P" | sed -n 's/^  id  *\([0-9a-f]*\),.*/\1/p')
sed -i "s/STEP/$id/" "$T/new.lock"
cp "$T/new.lock" "$LOCK"
cp -a "$STORE" "$T/good.vendor"
object() { printf '%s/sha256/%.2s/%s' "$STORE" "$1" "$1"; }
tool=$(hex <"$WWW/pool/tool.tgz")
manifest=$(hex <"$T/manifest")
secret=$(hex <"$T/secret")
restore() {
	rm -rf "$STORE"
	cp -a "$T/good.vendor" "$STORE"
}

now "all is there, and the names are told"
assert_ok sbuild verify "$P"
assert_ok sbuild vendor "$P"
assert_contains "$OUT" "9 objects were there"
assert_ok sbuild vendor --list "$P"
assert_contains "$OUT" "$FILES_URL/pool/tool.tgz"
assert_contains "$OUT" "RUN fetch the tool (step manifest)"
assert_lacks "$OUT" "not of this lock"
run sbuild verify --online "$P"
assert_status 0

now "why"
assert_ok sbuild why tool.tgz "$P"
assert_contains "$OUT" "download $FILES_URL/pool/tool.tgz"
assert_contains "$OUT" "needed by    Dockerfile:2: RUN fetch the tool"
assert_contains "$OUT" "answer       GET, status 200, 50000 bytes"
assert_contains "$OUT" "digest       sha256:$tool"
assert_ok sbuild why "${secret:0:12}" "$P"
assert_contains "$OUT" "/pool/signed?sig=-"
assert_ok sbuild why "fetch the" "$P"
assert_contains "$OUT" "step RUN fetch the tool"
assert_contains "$OUT" "asks for     8 requests, 50084 bytes, 1 package"
assert_ok sbuild why pad@1 "$P"
assert_contains "$OUT" "package pkg:npm/pad@1.0.0"
assert_contains "$OUT" "needed by    Dockerfile:2: RUN fetch the tool"
assert_contains "$OUT" "vouched by   package-lock.json"
run sbuild why nothing-of-the-kind "$P"
assert_status 8

now "bills of materials"
assert_ok sbuild sbom "$P"
cp "$T/out" "$T/bill"
assert_json "$T/bill" '[.components[].purl]' '["pkg:npm/pad@1.0.0"]'
assert_json "$T/bill" '.components[0].hashes[0].content' "\"$tool\""
assert_json "$T/bill" '[.components[0].properties[] | .value | sub(" .linux.*"; "")]' '["package-lock.json","RUN fetch the tool"]'
assert_ok sbuild sbom "$P"
assert_same "$T/bill" "$T/out"
assert_ok sbuild sbom --format spdx "$P"
assert_json "$T/out" '[.packages[].externalRefs[]?.referenceLocator]' '["pkg:npm/pad@1.0.0"]'
run sbuild sbom --format x "$P"
assert_status 2

now "the lock files of package managers"
integrity=$(openssl dgst -sha512 -binary "$WWW/pad-1.0.0.tgz" | base64 -w0)
printf '{"packages":{"node_modules/pad":{"version":"1.0.0","integrity":"sha512-%s"}}}' "$integrity" >"$P/package-lock.json"
assert_ok sbuild verify "$P"
integrity=$(printf other | openssl dgst -sha512 -binary | base64 -w0)
printf '{"packages":{"node_modules/pad":{"version":"1.0.0","integrity":"sha512-%s"}}}' "$integrity" >"$P/package-lock.json"
run sbuild verify "$P"
assert_status 7
assert_contains "$OUT" "package-lock.json: pkg:npm/pad@1.0.0 is sha512-$integrity there, but what $FILES_URL/pad/-/pad-1.0.0.tgz gave is"
rm "$P/package-lock.json"

now "pruning keeps what a manifest names"
printf junk >"$T/junk"
put "$T/junk"
assert_ok sbuild vendor --prune "$P"
assert_contains "$OUT" "1 removed"
assert_ok sbuild verify "$P"

now "missing answers are one finding, and come from upstream again"
rm "$(object "$tool")" "$(object "$(hex <"$WWW/pool/index-2")")"
run sbuild verify "$P"
assert_status 7
assert_contains "$OUT" "Dockerfile:2: RUN fetch the tool: 2 of its 8 downloads are not in sbuild.vendor"
assert_eq 1 "$(wc -l <"$T/out")"
assert_ok sbuild vendor "$P"
assert_contains "$OUT" "2 added"
assert_ok sbuild verify "$P"

now "a damaged answer is found by name and replaced"
printf x | dd of="$(object "$tool")" conv=notrunc status=none
run sbuild verify "$P"
assert_status 7
assert_contains "$OUT" "$FILES_URL/pool/tool.tgz"
rm -rf "${XDG_CACHE_HOME:?}"/*
assert_ok sbuild vendor "$P"
assert_ok sbuild verify "$P"

now "what had a secret in it, and a manifest, cannot be fetched"
rm -rf "${XDG_CACHE_HOME:?}"/* "$(object "$secret")"
run sbuild vendor "$P"
assert_status 6
assert_contains "$ERR" "$FILES_URL/pool/signed"
assert_contains "$ERR" "run \"sbuild lock --update=$id\" to record the step anew"
restore
rm "$(object "$manifest")"
run sbuild verify "$P"
assert_status 7
assert_contains "$OUT" "Dockerfile:2: RUN fetch the tool: its step manifest"
run sbuild vendor "$P"
assert_status 6
assert_contains "$ERR" "step manifest"
restore

now "drift is one line for all, what is gone another"
for i in 1 2 3 4; do printf 'INDEX %s\n' $i >"$WWW/pool/index-$i"; done
rm "$WWW/pool/tool.tgz"
run sbuild verify --online "$P"
assert_status 6
assert_contains "$OUT" "Dockerfile:2: RUN fetch the tool: 4 of its downloads have other bytes now than the lock says"
assert_contains "$OUT" "and 1 more"
assert_contains "$OUT" "1 of its downloads is gone upstream: $FILES_URL/pool/tool.tgz"
assert_eq 2 "$(wc -l <"$T/out")"
cp "$(object "$tool")" "$WWW/pool/tool.tgz"
run sbuild verify --online "$P"
assert_status 5

now "a RUN that is not in the lock is stale, one without a network is not"
cat >"$P/Dockerfile" <<'END_OF_FILE'
FROM scratch
RUN --network=none true
RUN fetch the tool
RUN [ "other", "things" ]
END_OF_FILE
run sbuild verify "$P"
assert_status 3
assert_contains "$OUT" 'Dockerfile:4: RUN [ "other", "things" ] is not in the lock for '
assert_contains "$OUT" 'run "sbuild lock"'
assert_eq 1 "$(wc -l <"$T/out")"

now "lock keeps what it did not record anew, and drops what has no stage any more"
assert_ok sbuild lock --no-run "$P"
assert_json "$LOCK" '.steps | length' 1
sed -i 's/^FROM.*/FROM scratch AS renamed/' "$P/Dockerfile"
assert_ok sbuild lock --no-run "$P"
assert_json "$LOCK" '.steps | length' 0

now "the lock of another Dockerfile"
cp "$T/new.lock" "$P/other.lock"
printf 'FROM scratch\nCOPY . /\n' >"$P/other"
run sbuild verify -f "$P/other" "$P"
assert_status 3
assert_contains "$ERR" 'other.lock is the lock of Dockerfile, not of other; remove it and run "sbuild lock -f other"'
run sbuild build -t x:1 -f "$P/other" "$P"
assert_status 3
assert_contains "$ERR" "is the lock of Dockerfile"
