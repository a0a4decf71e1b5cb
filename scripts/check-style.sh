#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# check-style.sh: what can be told about the sources by looking at them. Prints every finding, one line each; exit
# status 1 when there is one. CONTRIBUTING.md gives the reasons.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

library=(base dockerfile shell fetch lock rules builder)
mapfile -t c_files < <(find "${library[@]}" cli include tests -name '*.[ch]' | sort)
mapfile -t library_files < <(find "${library[@]}" -name '*.[ch]' -not -path 'builder/step/*' | sort)
mapfile -t scripts < <(find .ci scripts tests examples -type f \( -name '*.sh' -o -name '*.py' -o -path .ci/run \) | sort)
mapfile -t cmake_files < <(find . -path ./build -prune -o \( -name CMakeLists.txt -o -name '*.cmake' \) -print | sort)
mapfile -t texts < <(find . -maxdepth 1 -name '*.md' && find docs examples tests -name '*.md')
failed=0

# complain TEXT: about the lines on standard input, if there are any.
complain() {
	local line
	while IFS= read -r line; do
		failed=1
		printf '%s: %s\n' "${line%%$'\r'}" "$1"
	done
}

# Functions with a better one: bounded, reentrant, or ours (include/sbuild/{alloc,slice,buf,fs,process}.h).
banned='strcpy|strcat|strncpy|strncat|sprintf|vsprintf|strtok|atoi|atol|atoll|atof|sscanf|gets|gmtime|localtime|asctime|ctime'
banned+='|system|popen|tmpnam|tempnam|mktemp|alloca|rand|srand|malloc|calloc|realloc|strdup|strndup|setjmp|vfork|execlp|execvp'
complain 'banned function' < <(
	grep -nEH "(^|[^A-Za-z0-9_>.\"])($banned)[ ]?\(" "${c_files[@]}" | grep -vE '^base/alloc\.c:|^[^:]*:[0-9]+: *(//|/?\*)')

complain 'the library never prints and never exits' < <(
	grep -nEH '(^|[^A-Za-z0-9_])(printf|puts|putchar|fputs|perror|fprintf|exit|_exit|abort)\(' "${library_files[@]}" |
		grep -vE '^base/(alloc|digest|process)\.c:|^[^:]*:[0-9]+: *(//|/?\*)')

complain 'something is left to do' < <(grep -nEHw 'TODO|FIXME|XXX|HACK' "${c_files[@]}" "${scripts[@]}" "${texts[@]}" |
	grep -v '^scripts/check-style.sh:')

# Package registries come from the machine's own configuration. (The pattern is no host name itself.)
hosts='(deb|security|snapshot|ftp)[.]debian[.]org|registry[.](npmjs|yarnpkg)[.]|pypi[.]org|pythonhosted[.]org|[/.]crates[.]io'
hosts+='|proxy[.]golang[.]org|rubygems[.]org|dl-cdn[.]alpinelinux|repo1?[.]maven'
complain 'the host name of a package registry' < <(git grep -nEI "$hosts" -- . ':!scripts/check-style.sh')

complain 'a path of one machine' < <(git grep -nEI '/work/(main|shared|notes)' -- . ':!scripts/check-style.sh')

complain 'white space at the end of a line' < <(git grep -nEI '[ 	]+$' -- '*.[ch]' '*.sh' '*.py' '*.md' '*.txt' '*.cmake' ':!tests/fuzz/corpus')

for file in "${c_files[@]}"; do
	[[ $(wc -l <"$file") -le 1000 ]] || echo "$file" | complain 'longer than 1000 lines'
	[[ $(head -n 1 "$file") == '// SPDX-License-Identifier: Apache-2.0' ]] || echo "$file:1" | complain 'no SPDX line'
	[[ -z $(tail -c 1 "$file") ]] || echo "$file" | complain 'no newline at the end'
done
for file in "${scripts[@]}" "${cmake_files[@]}"; do
	head -n 2 "$file" | grep -q '^# SPDX-License-Identifier: Apache-2.0$' || echo "$file:1" | complain 'no SPDX line'
done

clang-format --dry-run "${c_files[@]}" 2>&1 | grep -E '^[^ ].*(warning|error):' | sed 's/: warning:.*//' | complain 'not as clang-format has it'
complain 'a misspelling' < <(codespell --quiet-level=2 --ignore-words scripts/lib/spelling.txt \
	--skip 'build,.git,./tests/fuzz/corpus,LICENSE' . 2>&1)

[[ $failed -ne 0 ]] || echo "style: fine (${#c_files[@]} C files)"
exit "$failed"
