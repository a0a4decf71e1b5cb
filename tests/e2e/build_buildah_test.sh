#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sbuild build with Buildah: everything that a Dockerfile can name, offline in an empty storage, and what the user gets.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/build_lib.sh"

everything_start
everything_project "$T/all"
export SBUILD_ENGINE=buildah
engine_buildah_setup buildah

now "without a lock nothing is built"
run sbuild build -t all:1.0.0 "$T/all"
assert_status 3
assert_contains "$ERR" "sbuild lock"

assert_ok sbuild lock "$T/all"

now "build, and what is in the image"
run sbuild build -q -t all:1.0.0 "$T/all"
first=$(image_id)
assert_ok buildah images -a --format '{{.Name}}:{{.Tag}}'
assert_contains "$OUT" "localhost/all:1.0.0"
assert_ok buildah inspect --type image --format '{{.FromImageID}}' all:1.0.0
assert_eq "${first#sha256:}" "$OUT" "image ID in the storage"
assert_json "$T/all/.sbuild/result.json" .image "\"$first\""
# Buildah itself wants the file that DOCKER_CONFIG promises.
printf '{}\n' >"$DOCKER_CONFIG/config.json"
assert_ok buildah from --name look all:1.0.0
mnt=$(buildah mount look)
assert_file "$mnt/greeting" "hello  you"
assert_file "$mnt/opt/data" data
assert_file "$mnt/triggered/onbuild" "tool 1.2.3"
assert_eq "755 7:8" "$(stat -c '%a %u:%g' "$mnt/copy/renamed")" "mode and owner of ADD --chmod --chown URL"
assert_same "$mnt/copy/renamed" "$T/files/release-1.0.tar.gz"
assert_eq "2020-02-02" "$(stat -c %y "$mnt/copy/renamed" | cut -d' ' -f1)" "time of a file that was added"
[[ -s $mnt/copy/all ]] || fail "the repository was empty"
assert_absent "$mnt/src/.git"
buildah rm look >/dev/null

now "twice the same, without cache, in another storage, without any network"
stop_part registry.sh registry
stop_part files.sh files
stop_part git-server.sh git
engine_buildah_setup other
run in_empty_network "$SBUILD" build -q --offline --no-cache -t all:1.0.1 "$T/all"
second=$(image_id)
assert_eq "$first" "$second" "image ID of the offline build"

now "outputs"
assert_ok sbuild build -q --offline -o "type=oci,dest=$T/all.tar" -o "type=local,dest=$T/rootfs" --iidfile "$T/iid" \
	--metadata-file "$T/meta.json" "$T/all"
assert_file "$T/iid" "$first"
assert_json "$T/meta.json" '."containerimage.config.digest"' "\"$first\""
assert_contains "$(tar -tf "$T/all.tar")" "blobs/sha256/${first#sha256:}"
assert_file "$T/rootfs/greeting" "hello  you"
assert_eq "600" "$(stat -c %a "$T/rootfs/opt/tool")" "mode"

now "heredocs, which this Buildah does not know, in other words"
mkdir "$T/heredoc"
cat >"$T/heredoc/Dockerfile" <<'END'
FROM alpine:3.20
ENV NAME=world
SHELL ["/bin/sh", "-ec"]
RUN <<EOF
echo "one $NAME" >/one
false || echo two >>/one
EOF
RUN cat <<A >/two && cat <<'B' >>/two
a $NAME
A
b $NAME
B
RUN <<EOF
#!/bin/busybox sh
echo script >/three
EOF
COPY --chmod=640 <<CONF /etc/conf
name=$NAME
CONF
END
registry_start registry2
sbuild_config "$REGISTRY"
assert_ok sbuild lock "$T/heredoc"
assert_ok sbuild build -q -o "$T/heredoc.out" "$T/heredoc"
assert_file "$T/heredoc.out/one" "one world
two"
assert_file "$T/heredoc.out/two" "a world
b \$NAME"
assert_file "$T/heredoc.out/three" script
assert_file "$T/heredoc.out/etc/conf" "name=world"

now "what it cannot do is refused with the version"
printf 'FROM alpine:3.20\nRUN --network=default true\n' >"$T/heredoc/Dockerfile"
assert_ok sbuild lock --no-run "$T/heredoc"
run sbuild build "$T/heredoc"
assert_status 9
assert_contains "$ERR" "buildah 1.28"
assert_contains "$ERR" "Dockerfile:2"
assert_ok sbuild build --offline "$T/heredoc"
run sbuild build --provenance=mode=max "$T/heredoc"
assert_status 9
assert_contains "$ERR" "--provenance"

now "a step that fails fails the build, and nothing gets a name"
printf 'FROM alpine:3.20\nRUN exit 3\n' >"$T/heredoc/Dockerfile"
assert_ok sbuild lock --no-run "$T/heredoc"
run sbuild build -t broken:1.0.0 "$T/heredoc"
assert_status 1
run buildah images broken:1.0.0
assert_ne 0 "$STATUS" "the broken image has a name"

now "ONBUILD of a stage in the same file: what it names comes from the lock, too"
cat >"$T/heredoc/Dockerfile" <<'END'
FROM alpine:3.20 AS base
ONBUILD COPY --from=busybox:1.35 /bin/busybox /bb
ONBUILD RUN --mount=type=bind,from=busybox:1.35,target=/x test -e /x/bin/busybox
FROM base AS a
FROM base
COPY --from=a /bb /bb2
END
assert_ok sbuild lock "$T/heredoc"
stop_part registry.sh registry2
assert_ok sbuild build --offline -q -o "$T/onbuild.out" "$T/heredoc"
cmp "$T/onbuild.out/bb" "$T/onbuild.out/bb2" || fail "the trigger has not run in both stages"
