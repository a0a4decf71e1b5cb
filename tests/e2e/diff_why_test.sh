#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# "sbuild diff" and "sbuild why": a lock in words.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry_start registry
WWW=$T/www
mkdir -p "$WWW"
printf 'one\n' >"$WWW/file.txt"
files_start files "$WWW"
sbuild_config "$REGISTRY"
P=$T/project
LOCK=$P/Dockerfile.lock
mkdir "$P"
cat >"$P/Dockerfile" <<END_OF_FILE
ARG V=20
FROM node:\${V} AS build
FROM alpine:3.20
COPY --from=node:20 /a /a
ADD $FILES_URL/file.txt /x/
END_OF_FILE
cd "$P"
assert_ok sbuild lock
digest=$(jq -r '.files[0].digest' "$LOCK")

now "why"
assert_ok sbuild why node
assert_contains "$OUT" "image docker.io/library/node:20"
assert_contains "$OUT" "Dockerfile:4: COPY --from: node:20"
assert_contains "$OUT" "20.19.4"
assert_ok sbuild why "${digest:0:15}"
assert_contains "$OUT" "file $FILES_URL/file.txt"
assert_contains "$OUT" "Dockerfile:5: ADD"
assert_contains "$OUT" "nobody (first use)"
assert_ok sbuild why "${digest#sha256:}" "$P"
assert_contains "$OUT" "$FILES_URL/file.txt"
assert_ok sbuild why "$(jq -r '.images[] | select(.ref == "alpine:3.20") | .platforms[].config' "$LOCK")"
assert_contains "$OUT" "config for linux/"
run sbuild why nothing-like-this
assert_status 8
assert_contains "$ERR" 'nothing in the lock is called "nothing-like-this"'
assert_eq "" "$OUT"

now "diff: between two files"
cp "$LOCK" "$T/old.lock"
assert_ok sbuild diff "$T/old.lock"
assert_eq "" "$OUT"
printf 'changed\n' >"$WWW/file.txt"
sed -i 's/alpine:3.20/busybox/' Dockerfile
assert_ok sbuild lock --update="$FILES_URL/file.txt"
assert_ok sbuild diff "$T/old.lock"
assert_contains "$OUT" "file $FILES_URL/file.txt: same URL, other bytes: ${digest:0:19} → "
assert_contains "$OUT" "image alpine:3.20: removed"
assert_contains "$OUT" "image busybox: added"
assert_lacks "$OUT" "node"
cp "$T/out" "$T/words"
cd /
assert_ok sbuild diff "$T/old.lock" "$LOCK"
assert_same "$T/words" "$T/out"
cd "$P"

now "diff: against what git has"
run sbuild diff
assert_status 2
assert_contains "$ERR" "no git repository"
git init -q
run sbuild diff
assert_status 0
assert_contains "$OUT" "image busybox: added"
cp "$LOCK" "$T/new.lock"
cp "$T/old.lock" "$LOCK"
git add Dockerfile.lock
git -c user.name=t -c user.email=t@example.org commit -qm "the old one"
assert_ok sbuild diff
assert_eq "" "$OUT"
cp "$T/new.lock" "$LOCK"
assert_ok sbuild diff
assert_same "$T/words" "$T/out"

now "diff: what is no lock"
run sbuild diff "$T/none" "$LOCK"
assert_status 2
run sbuild diff Dockerfile "$LOCK"
assert_status 1
assert_contains "$ERR" "Dockerfile:1"
