#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What people get wrong: each mistake has its exit status and one sentence that names the thing and the remedy.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

sbuild_config ""
mkdir -p "$T/p/sub/Dockerfile" "$T/none"
cd "$T/p"
printf 'FROM scratch\nCOPY a /a\n' >Dockerfile
echo a >a
assert_ok sbuild lock

# refused STATUS TEXT ARG...: by sbuild, which says so in one line (and where help is, for options).
refused() {
	local status=$1 text=$2
	shift 2
	run sbuild "$@"
	assert_status "$status"
	assert_contains "$ERR" "$text" "message of sbuild $*"
	assert_eq 1 "$(grep -vc '^Try "sbuild ' "$T/err")" "lines of the message of sbuild $*"
	assert_eq "" "$OUT" "standard output of sbuild $*"
}

now "options"
for command in lock build rewrite inspect; do
	refused 2 'sbuild: --platform wants OS/ARCH[/VARIANT] such as linux/arm64, not "riscy"' "$command" --platform riscy Dockerfile
done
refused 2 'did you mean --platform?' build --platfrom linux/amd64
refused 2 'there is no command "lok"; did you mean "lock"?' lok

for tag in 'A B:1' 'host:99999/a:1' 'a:1@sha256:00'; do
	refused 2 "sbuild: --tag: " build -t "$tag"
done

for context in name =path name= ''; do
	refused 2 "--build-context wants NAME=PATH, not \"$context\"" lock --build-context "$context"
done

now "no Dockerfile there"
refused 2 "there is no Dockerfile in $T/none; name the Dockerfile with -f" lock "$T/none"
refused 2 "Dockerfile is a directory; name the Dockerfile with -f" lock "$T/p/sub"
refused 2 "-f wants a file, and $T/p is a directory" lock -f .

now "locks that are none"
cp Dockerfile.lock "$T/good.lock"
for text in '' ' ' '{' 'null' '[]' '{"version":1}' '{"version":1,"dockerfile":"Dockerfile"}'; do
	printf '%s' "$text" >Dockerfile.lock
	for command in verify lock vendor; do
		refused 1 'restore the file or run "sbuild lock" without it' "$command"
		assert_contains "$ERR" "Dockerfile.lock:1:"
	done
done
cp "$T/good.lock" Dockerfile.lock

now "a registry and a server that are not there: named once"
mkdir "$T/away"
cd "$T/away"
printf 'FROM localhost:9/away:1\n' >Dockerfile
refused 8 "sbuild: Dockerfile:1: localhost:9/away:1: cannot reach" lock
printf 'FROM scratch\nADD http://127.0.0.1:9/file /\n' >Dockerfile
run sbuild lock
assert_status 8
assert_contains "$ERR" "sbuild: Dockerfile:2: cannot reach http://127.0.0.1:9/file"
cd "$T/p"

now "doctor tells of another Dockerfile"
cp Dockerfile other.Dockerfile
run sbuild doctor -f other.Dockerfile
assert_contains "$OUT" 'other.Dockerfile: there is no other.Dockerfile.lock; run "sbuild lock'

now "output to a device"
engine_buildah_setup buildah
export SBUILD_ENGINE=buildah
run sbuild build -q -o type=tar,dest=/dev/full
assert_status 10
assert_contains "$ERR" "No space left on device"
[[ -c /dev/full ]] || fail "/dev/full is no device any more"
ln -s /proc/self/fd/1 "$T/own-output"
assert_ok sbuild build -q --iidfile "$T/own-output"
[[ -L $T/own-output ]] || fail "the name of standard output is a file now"
assert_eq 2 "$(grep -o 'sha256:' "$T/out" | wc -l)" "image IDs"

now "results that have no place: known before anything is built"
rm -rf .sbuild
refused 10 "--iidfile $T/nowhere/id cannot be made: No such file or directory; nothing was built" build --iidfile "$T/nowhere/id"
refused 10 "--metadata-file $T/nowhere/meta cannot be made" build --metadata-file "$T/nowhere/meta"
refused 2 "--output $T is a directory; name a file" build -o "type=oci,dest=$T"
refused 10 "--output /nowhere/a.tar cannot be made" build -o type=tar,dest=/nowhere/a.tar
assert_absent .sbuild/image
# shellcheck disable=SC2016 # expanded by the inner shell
run env SBUILD="$SBUILD" script -qec '"$SBUILD" build -o -' /dev/null
assert_status 2
assert_contains "$OUT" "an image is not for a terminal"

now "stopped in the middle, and not by the terminal"
coproc server {
	exec python3 -uc 'import socket, time
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1]); c = s.accept(); print("there"); time.sleep(60)'
}
# shellcheck disable=SC2154 # set by coproc
at_end kill "$server_PID"
read -r port <&"${server[0]}"
printf 'FROM scratch\nADD http://127.0.0.1:%s/slow /\n' "$port" >stop.Dockerfile
"$SBUILD" lock -f stop.Dockerfile >"$T/out" 2>"$T/err" &
pid=$!
read -r _ <&"${server[0]}"
kill -TERM "$pid"
STATUS=0
wait "$pid" || STATUS=$?
assert_eq 130 "$STATUS" "exit status of a run that was stopped"
assert_contains "$(cat "$T/err")" "sbuild: interrupted; run it again, what is finished is kept"
assert_absent stop.Dockerfile.lock

now "docker help sbuild"
ln -s "$(readlink -f "$SBUILD")" "$T/docker-sbuild"
assert_ok "$T/docker-sbuild" help sbuild
assert_contains "$OUT" "Usage: sbuild COMMAND"

now "digests are whole on a narrow terminal"
# shellcheck disable=SC2016 # expanded by the inner shell
assert_ok env SBUILD="$SBUILD" script -qec 'stty cols 60 rows 20; "$SBUILD" build -t narrow:1' /dev/null
assert_matches "$OUT" 'image ID  sha256:[0-9a-f]{64}'
