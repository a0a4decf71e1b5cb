#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sbuild inspect from the outside: files, standard input, several files in one process, exit statuses, and output that is
# good text and good JSON whatever the bytes are. What it says about Dockerfiles is in tests/dockerfile.
# shellcheck disable=SC2016 # the $ are Dockerfiles'
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$T" || exit
cat >Dockerfile <<'EOF'
# syntax=docker/dockerfile:1
ARG V=20
FROM node:$V AS build
RUN <<END
make
END
FROM scratch
COPY --from=build \
  /out /
EOF

check() { # WHAT EXPECTED ACTUAL
	[[ $2 == "$3" ]] || fail "$1: \"$3\", not \"$2\""
}

now 'text for people'
sbuild inspect Dockerfile >out
grep -q '^Dockerfile: 5 instructions, 2 stages, 3 references$' out || fail 'no summary'
grep -Eq '^3 +0 +build +node:20' out || fail 'no stage'
grep -Eq '^3 +from +node:\$V +node:20$' out || fail 'no reference'
grep -Eq '^4-6 +RUN +<<END \(1 line\)$' out || fail 'no heredoc'
grep -Eq '^8-9 +COPY +--from=build /out /$' out || fail 'no continued instruction'

now 'one JSON object, from a file and from standard input'
sbuild inspect --json Dockerfile >out
check 'keys' 'directives instructions references stages' "$(jq -r 'keys | join(" ")' out)"
sbuild inspect --json - <Dockerfile >from-stdin
cmp out from-stdin
sbuild inspect --json --syntax-only Dockerfile >out
check 'keys' 'directives instructions' "$(jq -r 'keys | join(" ")' out)"

now 'several files: one object per line, a bad one among them'
printf 'FROM scratch\n\nRNU x\n' >bad
status=0
sbuild inspect --json Dockerfile bad missing Dockerfile >out 2>err || status=$?
check 'exit status' 10 "$status"
check 'files' 'Dockerfile Dockerfile' "$(jq -r .file out | xargs)"
check 'lines' 2 "$(wc -l <out)"
check 'the error' 'bad:3:1: unknown instruction: RNU (did you mean RUN?)' "$(head -n 1 err)"
grep -q missing err || fail 'nothing about the missing file'

now 'exit status 1 for what cannot be parsed'
for text in '' '#\n' 'RUN a\n' 'FROM a b\n' 'FROM scratch\nRUN <<A\n' 'FROM ${x:?}\n'; do
	status=0
	# shellcheck disable=SC2059 # it is the format
	printf "$text" | sbuild inspect - >out 2>err || status=$?
	check "exit status of \"$text\"" 1 "$status"
	grep -Eq '^<stdin>:[0-9]+(:[0-9]+)?: ' err || fail "no position: $(cat err)"
	[[ ! -s out ]] || fail 'output in spite of an error'
done

now 'any bytes make valid JSON and a harmless text'
printf 'FROM scratch\nRUN \033[31m\001\377\342\200\256 "x"\nENV a=\377\\\n # c\nLABEL b=\\\n' >odd
sbuild inspect --json odd | jq -e '.instructions[1].args[0] | test("\u001b\\[31m\u0001\ufffd\u202e \"x\"")' >/dev/null || fail 'JSON'
sbuild inspect odd >out
! LC_ALL=C grep -q "$(printf '[\001\033\377]')" out || fail 'control characters in the text'

now 'large input: an answer or a clear error'
{ echo 'FROM scratch' && seq -f 'RUN echo %g' 100000; } >large
check 'instructions' 100001 "$(sbuild inspect --json large | jq '.instructions | length')"
{ echo 'FROM scratch' && printf 'RUN ' && head -c 70000 /dev/zero | tr '\0' a; } >long
status=0
sbuild inspect long 2>err || status=$?
check 'exit status' 1 "$status"
check 'the error' 'long:2: dockerfile line greater than max allowed size of 65535' "$(cat err)"
truncate -s 200M huge
status=0
sbuild inspect huge 2>err || status=$?
check 'exit status' 1 "$status"
