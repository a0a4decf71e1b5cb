#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sbuild rewrite: the pinned Dockerfile differs in the pinned words alone, and the printed command builds it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/build_lib.sh"

everything_start
everything_project "$T/all"
engine_buildah_setup buildah
assert_ok sbuild lock "$T/all"

now "what differs"
assert_ok sbuild rewrite --engine buildah "$T/all"
cp "$T/out" "$T/pinned"
cp "$T/err" "$T/command"
alpine=$(image_digest library/alpine:3.20)
busybox=$(image_digest library/busybox:1.35)
assert_contains "$(cat "$T/pinned")" "FROM docker.io/library/alpine:3.20.3@$alpine AS build"
assert_contains "$(cat "$T/pinned")" "COPY --from=docker.io/library/busybox:1.35.0@$busybox /bin/busybox /usr/bin/box"
assert_lacks "$(grep -v '^ARG' "$T/pinned")" "$FILES_URL"
grep -vE '^(FROM|ADD|COPY --from=|WORKDIR)' "$T/all/Dockerfile" >"$T/rest"
# Of the triggers, one is a COPY --from.
assert_contains "$(cat "$T/pinned")" " /opt/tool > /onbuild"
# Each RUN has mounts in front of its text, and SHELL around it.
sed -E '/^RUN /s/ --mount=type=(bind,from=sbuild-steps|tmpfs,target=\/\.sbuild-tmp)[^ ]*//g' "$T/pinned" >"$T/unsealed"
grep -vE '^(FROM|COPY --from=|WORKDIR|RUN /opt/tool > /onbuild$|SHELL)' "$T/unsealed" >"$T/pinned-rest"
assert_eq "$(grep -c '^RUN ' "$T/pinned")" "$(grep -c '^SHELL \["/.sbuild-bin/sbuild-step","--","/bin/sh","-c"\]$' "$T/pinned")"
assert_same "$T/rest" "$T/pinned-rest"

now "twice the same"
assert_ok sbuild rewrite --engine buildah -o "$T/second" "$T/all"
assert_same "$T/pinned" "$T/second"
assert_eq "" "$OUT" "standard output with --output"

now "the command works as printed"
assert_ok bash "$T/command"
run sbuild build -q --engine buildah -t all:1.0.0 "$T/all"
image_id >/dev/null
