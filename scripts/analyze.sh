#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# analyze.sh [tidy|gcc|valgrind]...: the slow looks at the sources; all of them without an argument. Everything they say
# is an error: a false alarm is silenced where it arises, with the reason.
#   tidy      clang-tidy with .clang-tidy
#   gcc       gcc -fanalyzer
#   valgrind  the unit tests without sanitizers under valgrind: leaks, uninitialised memory, open files
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

configure() { # DIRECTORY [cmake option...]
	local dir=$1
	shift
	cmake -S . -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DSBUILD_TESTS=ON -DSBUILD_E2E=OFF "$@" >"$dir.log" 2>&1 ||
		{ cat "$dir.log" >&2 && return 1; }
}

analyze_tidy() {
	configure build/tidy -DCMAKE_C_COMPILER=clang
	jq -r '.[].file' build/tidy/compile_commands.json | grep -v /tests/ | sort -u |
		xargs --max-procs="$(nproc)" --max-args=4 clang-tidy -p build/tidy --quiet 2>/dev/null
}

analyze_gcc() {
	# The analyzer of gcc 12 does not follow the cleanup attribute, so what it says about leaks is noise; and since
	# sb_slice_z() takes NULL, it believes that its callers may have it.
	configure build/gcc-analyzer -DCMAKE_C_COMPILER=gcc -DSBUILD_TESTS=OFF -DSBUILD_WERROR=ON \
		'-DCMAKE_C_FLAGS=-fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-file-leak -Wno-analyzer-null-argument'
	cmake --build build/gcc-analyzer --target sbuild
}

analyze_valgrind() {
	local failed=0 test
	configure build/valgrind -DSBUILD_SANITIZE=OFF
	cmake --build build/valgrind
	for test in build/valgrind/tests/unit/*_test; do
		# What was open before is not the test's.
		if ! (cd build/valgrind/tests/unit && valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
			--track-fds=yes --trace-children=no --child-silent-after-fork=yes "./${test##*/}" >"${test##*/}.log" 2>&1) ||
			grep -A 1 'Open file descriptor' "$test.log" | grep -q '^==[0-9]*==    at '; then
			failed=1
			printf '%s:\n' "$test"
			grep -E '^==|FAILED|ERROR' "$test.log" || tail -n 20 "$test.log"
		fi
	done
	return "$failed"
}

[[ $# -gt 0 ]] || set -- tidy gcc valgrind
mkdir -p build
for part in "$@"; do
	printf '==> %s\n' "$part"
	"analyze_$part"
done
