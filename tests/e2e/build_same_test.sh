#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The same image, whatever builds it: Docker with either store and Buildah, another umask, another user, another clone,
# another day, another machine by its name and its number of processors.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/build_lib.sh"

everything_start
everything_project "$T/all"
example hello
example multi
engine_buildah_setup buildah
assert_ok sbuild lock --no-run "$T/all"
assert_ok sbuild lock --no-run "$T/hello"
releases=$("$INFRA/signed-releases.sh" fetch)
mkdir "$T/files/hello"
cp "$releases"/hello/hello_2.10.orig.tar.gz "$T/files/hello/hello-2.10.tar.gz"
cp "$releases"/hello/hello_2.10.orig.tar.gz.asc "$T/files/hello/hello-2.10.tar.gz.sig"
arguments=(--build-arg "RELEASES=$FILES_URL" --build-arg "SOURCES=$GIT_HTTP_URL/tool.git#v1.0.0")
assert_ok sbuild lock --no-run "${arguments[@]}" "$T/multi"

now "Buildah, and Buildah again from a clone under another umask a year later"
run sbuild build -q --engine buildah -t all:1.0.0 "$T/all"
all=$(image_id)
run sbuild build -q --engine buildah -t hello:1.0.0 "$T/hello"
hello=$(image_id)
run sbuild build -q --engine buildah "${arguments[@]}" -t multi:1.0.0 "$T/multi"
multi=$(image_id)
assert_json "$T/all/.sbuild/result.json" .image "\"$all\""
multi_manifest=$(jq -r .manifest "$T/multi/.sbuild/result.json")
manifest=$(jq -r .manifest "$T/all/.sbuild/result.json")
mkdir "$T/clone"
(umask 027 && cp -r --no-preserve=all "$T/all/." "$T/clone/")
chmod 700 "$T/clone/tool"
rm -rf "$T/clone/.sbuild"
find "$T/clone" -exec touch -h -d '2031-01-01' {} +
chown -R 1234:1234 "$T/clone"
run bash -c 'umask 077; exec "$@"' bash "$SBUILD" build -q --engine buildah --no-cache -t all:1.0.0 "$T/clone"
assert_eq "$all" "$(image_id)" "image ID of the clone"
assert_eq "$manifest" "$(jq -r .manifest "$T/clone/.sbuild/result.json")" "manifest digest of the clone"

# elsewhere ENGINE: everything at once that must not matter, for an example with RUN, images, a release and a repository.
elsewhere() {
	local place=$T/elsewhere/$1/a.project faked=(faketime '2031-02-03 04:05:06')
	now "$1, five years later on one processor of a host with another name, in another directory"
	mkdir -p "$place"
	(umask 077 && cp -r --no-preserve=all "$T/multi/." "$place/")
	rm -rf "$place/.sbuild"
	if nm -D "$SBUILD" 2>/dev/null | grep -q __asan_init; then faked=(); fi # both want to be loaded first
	# shellcheck disable=SC2016 # expanded by the inner shell
	run unshare --uts bash -c 'hostname elsewhere; umask 077; exec "$@"' bash taskset --cpu-list 0 "${faked[@]}" "$SBUILD" \
		build -q --engine "$1" --no-cache "${arguments[@]}" -t multi:1.0.0 "$place"
	assert_eq "$multi" "$(image_id)" "image ID of multi, built elsewhere"
	assert_eq "$multi_manifest" "$(jq -r .manifest "$place/.sbuild/result.json")" "manifest digest of multi, built elsewhere"
}
elsewhere buildah

# Another user with copies of all that root has for itself.
other_user() {
	local client
	now "another user, who may use the daemon, under another umask"
	client=$(dirname "$(command -v docker)")
	mkdir "$T/user"
	cp "$SBUILD" "$T/user/sbuild"
	cp "${SBUILD%/*}"/../builder/step/sbuild-step-linux-* "$T/user/"
	cp -rL "$client" "$T/user/client"
	cp -r "$T/all" "$T/config" "$T/user/"
	rm -rf "$T/user/all/.sbuild"
	mkdir "$T/user/home" "$T/user/docker"
	cp -r "$T/user/client/cli-plugins" "$T/user/docker/"
	chown -R 1234:1234 "$T/user"
	chmod 711 "$T" "$(dirname "${DOCKER_HOST#unix://}")"
	chmod 666 "${DOCKER_HOST#unix://}"
	# shellcheck disable=SC2016 # expanded by the inner shell
	run setpriv --reuid=1234 --regid=1234 --clear-groups env HOME="$T/user/home" XDG_CACHE_HOME="$T/user/cache" \
		XDG_CONFIG_HOME="$T/user/config" DOCKER_CONFIG="$T/user/docker" PATH="$T/user/client:$PATH" \
		bash -c 'umask 077; exec "$@"' bash "$T/user/sbuild" build -q --engine docker -t all:1.0.1 "$T/user/all"
	assert_eq "$all" "$(image_id)" "image ID of another user's build"
}

for store in containerd classic; do
	now "Docker with the $store store"
	engine_docker_start "$store" --store "$store"
	run sbuild build -q --engine docker -t all:1.0.0 "$T/all"
	assert_eq "$all" "$(image_id)" "image ID from Docker"
	assert_eq "$manifest" "$(jq -r .manifest "$T/all/.sbuild/result.json")" "manifest digest from Docker"
	run sbuild build -q --engine docker -t hello:1.0.0 "$T/hello"
	assert_eq "$hello" "$(image_id)" "image ID of hello from Docker"
	run sbuild build -q --engine docker "${arguments[@]}" -t multi:1.0.0 "$T/multi"
	assert_eq "$multi" "$(image_id)" "image ID of multi from Docker"
	assert_eq "$multi_manifest" "$(jq -r .manifest "$T/multi/.sbuild/result.json")" "manifest digest of multi from Docker"
	if [[ $store == containerd ]]; then
		other_user
		elsewhere docker
	fi
	stop_part docker-engine.sh "$store"
done
