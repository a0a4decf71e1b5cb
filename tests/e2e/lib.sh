# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The frame of every end-to-end test. A test is a bash script NAME_test.sh that begins with
#     . "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# and then alternates between doing things and asserting. It gets
#     $T       a directory of its own, removed at the end (SBUILD_TEST_KEEP=1 keeps it)
#     $SBUILD  the built program; "sbuild ARGS" runs it
# and a home, configuration and cache inside $T, so that nothing of the user's is seen or changed.
# Whatever it starts through the functions below is stopped when it ends, however it ends.
# The first failing assertion says what, where and why, and ends the test.

set -euo pipefail

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
INFRA=$E2E/../infra
export SBUILD_TEST_CACHE=${SBUILD_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sbuild-tests}

# Lower case, since engines take paths for image names and want those in lower case.
T=$(printf '/tmp/sbuild-e2e.%04x%04x' $RANDOM $RANDOM)
mkdir -m 700 "$T"
mkdir "$T"/{home,config,cache,docker-config,run}
chmod 700 "$T/run"
export HOME=$T/home XDG_CONFIG_HOME=$T/config XDG_CACHE_HOME=$T/cache XDG_RUNTIME_DIR=$T/run DOCKER_CONFIG=$T/docker-config
export LC_ALL=C.UTF-8 TZ=UTC NO_COLOR=1
unset REGISTRY_AUTH_FILE SOURCE_DATE_EPOCH DOCKER_HOST DOCKER_CONTEXT BUILDX_BUILDER BUILDKIT_PROGRESS
unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY all_proxy

_now='before the first "now"'
_stops=()
_failed=

# ---- what a test says ----------------------------------------------------------------------------

# now TEXT: what the next lines are about; shown when one of them fails.
now() {
	_now=$*
	printf '%(%H:%M:%S)T %s\n' -1 "$*"
}

# fail TEXT: ends the test, naming the line of the test script that was running.
fail() {
	local i
	_failed=1
	{
		printf 'FAILED: %s\n' "$*"
		printf '    in: %s\n' "$_now"
		for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
			[[ ${BASH_SOURCE[i]} == "${BASH_SOURCE[0]}" ]] || printf '    at: %s:%s\n' "${BASH_SOURCE[i]}" "${BASH_LINENO[i - 1]}"
		done
	} >&2
	exit 1
}

_show() { # FILE: enough of it to understand a failure
	local size
	size=$(wc -c <"$1")
	printf -- '---- %s (%s bytes)\n' "${1##*/}" "$size" >&2
	if ((size > 6000)); then
		{ head -c 3000 "$1" && printf '\n[…]\n' && tail -c 3000 "$1"; } | cat -v >&2
	else
		cat -v "$1" >&2
	fi
}

# ---- running -------------------------------------------------------------------------------------

sbuild() { "${SBUILD:?the path of the built sbuild}" "$@"; }

# run COMMAND...: leaves its exit status in $STATUS, its output in $OUT and $ERR (also as files $T/out and $T/err).
run() {
	STATUS=0
	"$@" >"$T/out" 2>"$T/err" </dev/null || STATUS=$?
	_ran=$*
	# shellcheck disable=SC2034 # for the test that sources this
	OUT=$(tr -d '\0' <"$T/out")
	# shellcheck disable=SC2034
	ERR=$(tr -d '\0' <"$T/err")
}

# ---- asserting -----------------------------------------------------------------------------------

# assert_status N [TEXT]: of the last run.
assert_status() {
	if [[ $STATUS -ne $1 ]]; then
		_show "$T/out"
		_show "$T/err"
		fail "exit status $STATUS instead of $1: ${2-$_ran}"
	fi
}

assert_ok() { # COMMAND...
	run "$@"
	assert_status 0
}

assert_eq() { # EXPECTED ACTUAL [TEXT]
	[[ $1 == "$2" ]] || fail "${3-values differ}
  expected: $1
    actual: $2"
}

assert_ne() { # ONE OTHER [TEXT]
	[[ $1 != "$2" ]] || fail "${3-values should differ}: $1"
}

assert_contains() { # TEXT PART [ABOUT]
	[[ $1 == *"$2"* ]] || fail "${3-text} does not contain: $2
  text: $1"
}

assert_lacks() { # TEXT PART [ABOUT]
	[[ $1 != *"$2"* ]] || fail "${3-text} contains: $2
  text: $1"
}

assert_matches() { # TEXT EXTENDED-REGEX [ABOUT]
	[[ $1 =~ $2 ]] || fail "${3-text} does not match: $2
  text: $1"
}

assert_file() { # PATH [CONTENT]
	[[ -f $1 ]] || fail "no such file: $1"
	if [[ $# -gt 1 ]]; then assert_eq "$2" "$(cat "$1")" "content of $1"; fi
}

assert_absent() { # PATH
	[[ ! -e $1 && ! -L $1 ]] || fail "should not exist: $1"
}

assert_same() { # FILE FILE
	cmp -s -- "$1" "$2" || fail "$1 and $2 differ: $(cmp -- "$1" "$2" 2>&1)"
}

assert_json() { # FILE JQ-FILTER EXPECTED: compared in compact form
	assert_eq "$3" "$(jq -c "$2" "$1" 2>&1)" "$2 of $1"
}

# ---- real parts ----------------------------------------------------------------------------------

# at_end COMMAND...: run when the test ends, the last one first.
at_end() {
	local line
	printf -v line '%q ' "$@"
	_stops+=("$line")
}

_end() {
	local status=$? i
	trap - EXIT
	set +e
	if [[ $status -ne 0 && -z $_failed ]]; then
		printf 'FAILED: a command ended with status %s\n    in: %s\n' "$status" "$_now" >&2
	fi
	for ((i = ${#_stops[@]} - 1; i >= 0; i--)); do eval "${_stops[i]}"; done
	if [[ -n ${SBUILD_TEST_KEEP-} ]]; then
		printf 'kept: %s\n' "$T"
	else
		rm -rf "$T"
	fi
	exit "$status"
}
trap _end EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# Each of these starts one of the programs of tests/infra in $T/NAME and takes over its
# environment; the README there tells which variables that is.
_start() { # PROGRAM NAME ARG...
	local program=$1 dir=$T/$2
	shift 2
	at_end "$INFRA/$program" stop "$dir"
	"$INFRA/$program" start "$dir" "$@" || fail "$program did not start"
	# shellcheck disable=SC1091
	. "$dir/env"
}

registry_start() { _start registry.sh "$@"; }      # NAME [options]
engine_docker_start() { _start docker-engine.sh "$@"; } # NAME [options]
files_start() { _start files.sh "$@"; }            # NAME ROOT
faults_start() { _start faults.sh "$@"; }          # NAME --root FILES | --upstream URL
git_start() { _start git-server.sh "$@"; }         # NAME ROOT [options]

engine_buildah_setup() { # NAME [options]
	local dir=$T/$1
	shift
	at_end "$INFRA/buildah.sh" clean "$dir"
	"$INFRA/buildah.sh" setup "$dir" "$@" || fail "no Buildah"
	# shellcheck disable=SC1091
	. "$dir/env"
}

# engine_stop NAME, registry_stop NAME …: before the test's end, to take something away.
stop_part() { # PROGRAM NAME
	"$INFRA/$1" stop "$T/$2"
}

# in_empty_network COMMAND...: with a loopback interface and nothing else.
in_empty_network() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --net -- bash -c 'ip link set lo up && exec "$@"' bash "$@"
}

# sbuild_config [HOST:PORT] [JQ-FILTER]: the user's configuration: that registry answers for docker.io (by plain
# HTTP), downloads may come from this machine; the filter changes the rest.
sbuild_config() {
	mkdir -p "$XDG_CONFIG_HOME/sbuild"
	jq -n --arg r "${1-}" '{"allow-hosts": ["127.0.0.1", "localhost"]} +
		if $r == "" then {} else
		{registries: {"docker.io": {mirrors: [{location: $r, resolve: true, insecure: true}]}}} end' |
		jq "${2-.}" >"$XDG_CONFIG_HOME/sbuild/config.json"
}

# docker_login HOST USER PASSWORD: credentials as "docker login" leaves them.
docker_login() {
	mkdir -p "$DOCKER_CONFIG"
	[[ -s $DOCKER_CONFIG/config.json ]] || printf '{}\n' >"$DOCKER_CONFIG/config.json"
	jq --arg h "$1" --arg a "$(printf '%s:%s' "$2" "$3" | base64 -w0)" '.auths[$h].auth = $a' \
		"$DOCKER_CONFIG/config.json" >"$T/login.json"
	mv "$T/login.json" "$DOCKER_CONFIG/config.json"
}

# image_digest NAME:TAG: what that reference of images.json must resolve to.
image_digest() {
	[[ -s $T/image-digests ]] || /usr/bin/python3 -B "$INFRA/oci_image.py" digest \
		--layer "debian=$("$INFRA/base-image.sh" debian)" --layer "busybox=$("$INFRA/base-image.sh" busybox)" \
		"$INFRA/images.json" >"$T/image-digests"
	awk -v n="$1" '$1 == n { print $2 }' "$T/image-digests"
}

# example NAME: a copy of examples/NAME in $T/NAME.
example() {
	cp -a "$E2E/../../examples/$1" "$T/$1"
}
