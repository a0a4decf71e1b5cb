#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What a sealed step must not do, and what sbuild refuses: other ways out, requests that nobody recorded, a changed store,
# another Dockerfile; and the documented ways to leave one step unsealed.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/sealed_lib.sh"

sealed_start
mkdir "$T/lan"
printf 'one\n' >"$T/lan/one.txt"
printf 'two\n' >"$T/lan/two.txt"
lan_start "$T/lan"
name_server=$(awk '/^nameserver/ { print $2; exit }' /etc/resolv.conf)

project plain <<END
FROM buildpack-deps:trixie-scm
RUN curl -fsS $FILES_URL/one.txt >/one
CMD ["cat", "/one"]
END
record plain

now "every other way out of a step leads nowhere"
project escape <<END
FROM buildpack-deps:trixie-scm
RUN curl -fsS $FILES_URL/one.txt >/one; if [ -z "\$TRY" ]; then exit 0; fi; \\
    ls /sys/class/net >/interfaces; \\
    ! timeout 3 bash -c 'echo >/dev/tcp/$LAN/${FILES_URL##*:}' && \\
    ! timeout 3 curl --noproxy '*' -fsS $FILES_URL/one.txt && \\
    ! timeout 3 env -i curl -fsS $FILES_URL/two.txt && \\
    ! timeout 3 perl -MIO::Socket -e 'my \$s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "$name_server:53") or exit 1; \$s->send("x") or exit 1' && \\
    ! timeout 3 perl -MSocket -e 'socket(my \$s, PF_INET, SOCK_RAW, 1) && send(\$s, "\\x08\\0\\xf7\\xff\\0\\0\\0\\0", 0, sockaddr_in(0, inet_aton("$LAN"))) or exit 1' && \\
    echo tight >/tight
CMD ["cat", "/tight", "/interfaces"]
END
sed -i 's/^RUN curl/ARG TRY\nRUN curl/' "$T/escape/Dockerfile"
record escape
run sbuild build -q --build-arg TRY=1 -t escape:1.0.0 "$T/escape"
assert_status 0
assert_ok docker run --rm --network none escape:1.0.0
assert_eq "tight
lo" "$OUT" "what the step found"

now "a request that nobody recorded: exit 3, named at once and in the list at the end"
project miss <<END
FROM buildpack-deps:trixie-scm
ARG NAME=one
RUN curl -fsS $FILES_URL/\$NAME.txt -o /a; curl -fsS "$FILES_TLS_URL/\$NAME.txt?x=1" -o /b; true
END
record miss
run sbuild build -q -t miss:1.0.0 "$T/miss"
assert_status 0
run sbuild build --progress=plain --build-arg NAME=two -t miss:1.0.0 "$T/miss"
assert_status 3
assert_contains "$OUT$ERR" "sbuild: not in the lock: GET $FILES_URL/two.txt"
last=$(tail -n 8 "$T/err")
assert_contains "$last" "$FILES_URL/two.txt" "the end of the output"
assert_contains "$last" "$FILES_TLS_URL/two.txt?x=1" "the end of the output"
assert_contains "$last" "sbuild lock" "the end of the output"
assert_lacks "$last" "one.txt" "the end of the output"
assert_lacks "$(cat "$T/files/access.log")" "/two.txt" "what the server was asked"

now "a lock of another Dockerfile"
cp -a "$T/plain" "$T/other"
sed -i 's/one/two/' "$T/other/Dockerfile"
run sbuild build -t other:1.0.0 "$T/other"
assert_status 3
assert_contains "$ERR" "sbuild lock"

now "editing what no download depends on makes nothing stale"
cp -a "$T/plain" "$T/edited"
printf '# a remark\nLABEL edited=yes\n' >>"$T/edited/Dockerfile"
assert_ok sbuild build -q -t edited:1.0.0 "$T/edited"
assert_ok sbuild lock "$T/edited"
assert_eq "$(jq -c .steps "$T/plain/Dockerfile.lock")" "$(jq -c .steps "$T/edited/Dockerfile.lock")" "steps of the lock"

now "a changed body and a changed manifest in the store are refused before anything runs"
for what in one manifest; do
	rm -rf "$T/bad"
	cp -a "$T/plain" "$T/bad"
	for object in "$T"/bad/sbuild.vendor/sha256/*/*; do
		if [[ $what == one ]]; then
			[[ $(cat "$object") == one ]] || continue
			chmod u+w "$object"
			printf 'evil\n' >"$object"
		else
			grep -q '"method"' "$object" || continue
			chmod u+w "$object"
			sed -i 's/200/201/' "$object"
		fi
	done
	run sbuild build -q --offline -t bad:1.0.0 "$T/bad"
	assert_status 7 "$what changed"
done

now "a step that is left unsealed: in the Dockerfile and on the command line"
project open <<END
FROM buildpack-deps:trixie-scm
RUN --network=default curl -fsS $FILES_URL/two.txt >/two
RUN curl -fsS $FILES_URL/one.txt >/one
CMD ["cat", "/one", "/two"]
END
assert_ok sbuild lock "$T/open"
assert_contains "$ERR" "--network=default"
run sbuild build --progress=plain -t open:1.0.0 "$T/open"
assert_status 0
assert_contains "$ERR" "--network=default"
run sbuild build --progress=plain --no-cache --build-arg NAME=two --allow-network=3 -t miss:1.0.1 "$T/miss"
assert_status 0
assert_contains "$ERR" "--allow-network"
run sbuild build --allow-network=nothing -t miss:1.0.1 "$T/miss"
assert_status 2

now "RUN --network=none of the user keeps its meaning"
project none <<END
FROM buildpack-deps:trixie-scm
RUN --network=none ! curl -fsS $FILES_URL/one.txt && ls /sys/class/net >/interfaces && env >/env
CMD ["cat", "/interfaces"]
END
assert_ok sbuild lock "$T/none"
assert_ok sbuild build -q -t none:1.0.0 "$T/none"
assert_ok docker run --rm --network none none:1.0.0
assert_eq lo "$OUT"

now "nothing of ours is in an image"
run sbuild build -q -o "type=local,dest=$T/rootfs" "$T/plain"
assert_status 0
assert_eq "" "$(find "$T/rootfs" -name '*sbuild*')" "files of sbuild in the image"
