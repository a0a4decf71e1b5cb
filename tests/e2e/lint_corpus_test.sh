#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# lint and lint --fix over a thousand real Dockerfiles: nothing crashes, RUN texts are understood, fixes hold.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

corpus=$("$E2E/../bench/corpus.sh")
now "the corpus"
/usr/bin/python3 -B "$E2E/lint_corpus.py" "$SBUILD" "$corpus" "$T/corpus" || fail "see above"

now "every form of the whole"
cd "$T/corpus"
schema=$("$INFRA/sarif-schema.sh")
count=
for form in json sarif github junit; do
	sbuild lint --format "$form" . >"$T/report" || [[ $? -eq 1 ]] || fail "$form"
	run /usr/bin/python3 -B "$INFRA/check_report.py" "$form" "$T/report" "$schema"
	assert_status 0 "$form: $ERR"
	assert_eq "${count:=$OUT}" "$OUT" "findings in $form"
done
