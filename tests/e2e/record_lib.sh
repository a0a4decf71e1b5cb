# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests of recording have in common; sourced after lib.sh. An engine is there already.

# lan_files DIR: the files below DIR by HTTP from an address of this machine that is not its loopback, which steps have
# for themselves. Sets WEB, and WEB_LOG with one line per request.
lan_files() {
	local n=$((RANDOM % 200 + 20)) i lan
	for ((i = 0; i < 200; i++, n = (n + 7) % 200 + 20)); do
		lan=10.215.$n.1
		ip address add "$lan/32" dev lo 2>/dev/null && break
	done
	at_end ip address del "$lan/32" dev lo
	rm -rf "$T/web"
	_start files.sh web "$1" --listen "$lan"
	WEB=$FILES_URL
	WEB_LOG=$T/web/access.log
}

# asked PATH: how often the server was asked for it.
asked() { grep -c " $1 " "$WEB_LOG" || true; }

# lock ARG...: of $P, with the network of the machine.
lock() { run sbuild lock --network host "$@" "$P"; }

step_field() { # COMMAND-PART FIELD: of a step in the lock
	jq -c --arg c "$1" "[.steps[] | select(.command | contains(\$c))][0] | $2" "$P/Dockerfile.lock"
}

# no_engine COMMAND...: with an engine that does not exist.
no_engine() { env SBUILD_ENGINE=none "$@"; }

# record_and_replay: what every engine has to do. "nothing_left" is the test's: the engine has no image.
record_and_replay() {
	mkdir -p "$T/www" "$T/p"
	P=$T/p
	printf 'one\n' >"$T/www/one"
	printf 'two\n' >"$T/www/two"
	lan_files "$T/www"
	cat >"$P/Dockerfile" <<-END
		FROM alpine:3.20 AS tool
		RUN wget -q -O /one $WEB/one && wget -q -O /again $WEB/one
		FROM alpine:3.20
		COPY package /
		RUN wget -q -O /two $WEB/two
		RUN wget -q -O /gone $WEB/gone || echo "not there" >/gone
		RUN echo "nothing from the network" >/three
		COPY --from=tool /one /
		USER 1000
		RUN wget -q -O /dev/null $WEB/one
	END
	printf 'v1\n' >"$P/package"

	now "what RUN downloads is locked"
	lock
	assert_status 0
	assert_contains "$OUT" "1 request, 4 bytes"
	assert_contains "$OUT" "no requests"
	assert_json "$P/Dockerfile.lock" '[.steps[] | .requests // 0] | sort' '[0,1,1,1,1]'
	assert_eq 1 "$(asked /two)"
	nothing_left

	now "what nothing has changed of needs no engine"
	cp "$P/Dockerfile.lock" "$T/first.lock"
	run no_engine "$SBUILD" lock "$P"
	assert_status 0
	assert_contains "$OUT" "up to date"
	touch "$P/package"
	chmod 600 "$P/package"
	run no_engine "$SBUILD" lock "$P"
	assert_status 0

	now "files that no step depends on make nothing stale"
	printf 'text\n' >"$P/README"
	run no_engine "$SBUILD" lock "$P"
	assert_status 0
	assert_same "$P/Dockerfile.lock" "$T/first.lock"

	now "files that a step depends on do, and what is locked stays as it is"
	printf 'ONE\n' >"$T/www/one"
	printf 'TWO\n' >"$T/www/two"
	printf 'v2\n' >"$P/package"
	run no_engine "$SBUILD" lock "$P"
	assert_status 2
	lock
	assert_status 0
	assert_same "$P/Dockerfile.lock" "$T/first.lock"
	assert_eq 1 "$(asked /two)"

	now "another user, without what this one remembers, gets the same lock"
	mv "$XDG_CACHE_HOME/sbuild/recorded" "$T/recorded"
	lock
	assert_status 0
	assert_same "$P/Dockerfile.lock" "$T/first.lock"
	assert_eq 1 "$(asked /two)"

	now "an edited step keeps what the old one had"
	sed -i "s,RUN wget -q -O /two,RUN : new; wget -q -O /new $WEB/one; wget -q -O /two," "$P/Dockerfile"
	lock
	assert_status 0
	assert_eq 2 "$(step_field ": new" .requests)"
	assert_eq 1 "$(asked /two)"
	assert_json "$P/Dockerfile.lock" '.steps | length' 5

	now "--update of one step"
	lock --update=/again
	assert_status 0
	assert_contains "$OUT" "1 of 6 changed"
	lock --update=nothing-like-it
	assert_status 2
	lock --update=wget
	assert_status 2
	assert_contains "$ERR" "several"

	now "the servers go; what was locked builds without them"
	stop_part files.sh web
	run sbuild build -q --offline -o "$T/built" "$P"
	assert_status 0
	assert_file "$T/built/two" two
	assert_file "$T/built/new" ONE
	assert_file "$T/built/one" ONE
	assert_file "$T/built/gone" "not there"
	assert_ok sbuild verify "$P"

	now "a build argument that changes what is asked for is a miss, and the lock's business"
	sed -i "s,^COPY package /,ARG F=two\\n&,; s,$WEB/two,$WEB/\$F," "$P/Dockerfile"
	lock
	assert_status 0
	run sbuild build -q -o "$T/built" --build-arg F=three "$P"
	assert_status 3
	assert_contains "$ERR" "/three"
}
