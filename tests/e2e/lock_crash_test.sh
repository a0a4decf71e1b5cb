#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kill -9 at random moments of "lock" and "vendor": the lock is always the old or the new one, and the next run finishes.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WWW=$T/www
mkdir -p "$WWW"
files_start files "$WWW"
registry_start registry --images small
sbuild_config "$REGISTRY"
P=$T/project
LOCK=$P/Dockerfile.lock
mkdir "$P"
cat >"$P/Dockerfile" <<END_OF_FILE
FROM alpine:3.20
COPY --from=acme/tool:1 /opt/tool /opt/tool
ADD $FILES_URL/one $FILES_URL/two /x/
ADD $FILES_URL/three /y/
END_OF_FILE

upstream() { # N: other files than before
	local name
	for name in one two three; do
		{ echo "$1 $name" && head -c 300000 /dev/zero; } >"$WWW/$name.new"
		mv "$WWW/$name.new" "$WWW/$name"
	done
}

# crash DELAY COMMAND…: starts it, and kills it after so many seconds.
crash() {
	"${@:2}" >"$T/out" 2>"$T/err" </dev/null &
	local pid=$!
	sleep "$1"
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

# A time from 0 to a bit more than the last whole run took.
moment() { awk -v r="$RANDOM" -v s="$1" 'BEGIN { printf "%.3f", r / 32767 * s * 1.1 }'; }

seconds_of() { # COMMAND…
	local start=$EPOCHREALTIME
	assert_ok "$@"
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

upstream 0
assert_ok sbuild lock "$P"

now "lock"
upstream first
took=$(seconds_of "$SBUILD" lock --update "$P")
old=0 new=0
for i in {1..25}; do
	upstream "$i"
	cp "$LOCK" "$T/old"
	# Each way of having little or much to do.
	((i % 3)) || rm -rf "$XDG_CACHE_HOME/sbuild"
	((i % 4)) || rm -rf "$P/sbuild.vendor"
	crash "$(moment "$took")" "$SBUILD" lock --update "$P"
	cp "$LOCK" "$T/after"
	assert_ok sbuild lock --update "$P"
	if cmp -s "$T/after" "$T/old"; then
		old=$((old + 1))
	else
		assert_same "$LOCK" "$T/after"
		new=$((new + 1))
	fi
	assert_json "$LOCK" '[.files[].digest]' "$(for name in one three two; do sha256sum <"$WWW/$name" | cut -d' ' -f1; done |
		jq -Rnc '[inputs | "sha256:" + .]')"
	run sbuild verify "$P"
	assert_status 0
done
printf 'killed lock: %d times the old lock, %d times the new one\n' "$old" "$new"

now "vendor"
rm -rf "$P/sbuild.vendor" "$XDG_CACHE_HOME/sbuild"
took=$(seconds_of "$SBUILD" vendor "$P")
cp "$LOCK" "$T/old"
for i in {1..25}; do
	rm -rf "$P/sbuild.vendor"
	((i % 2)) || rm -rf "$XDG_CACHE_HOME/sbuild"
	crash "$(moment "$took")" "$SBUILD" vendor "$P"
	assert_same "$T/old" "$LOCK"
	assert_ok sbuild vendor "$P"
	run sbuild verify "$P"
	assert_status 0
done

now "nothing is left behind that grows"
echo "# changed" >>"$P/Dockerfile"
assert_ok sbuild lock "$P"
assert_eq "" "$(find "$P" -name 'Dockerfile.lock?*' -o -name '.Dockerfile.lock*')"
assert_ok sbuild vendor --prune "$P"
