#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The forms of a report, as their readers take them, with hostile text in every place.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

schema=$("$INFRA/sarif-schema.sh")
report() { run "${REPORT_TOOL:?the path of the built report_tool}" "$@"; }

# checked FORM COUNT: the last output is good, and has so many findings that count.
checked() {
	cp "$T/out" "$T/report.$1"
	run /usr/bin/python3 -B "$INFRA/check_report.py" "$1" "$T/report.$1" "$schema"
	assert_status 0 "$1: $ERR"
	assert_eq "$2" "$OUT" "findings in $1"
}

for form in json sarif github junit html; do
	now "$form: hostile text, and no finding"
	for kind in lint scan empty; do
		report "$kind" "$form"
		assert_status 0
		checked "$form" "$([[ $kind == empty ]] && echo 0 || echo 1)"
	done
done

now "json: everything comes back as it was"
report scan json
assert_json "$T/out" '.findings[0].message | contains("]]></script>")' true
assert_json "$T/out" '.findings[0].place.removed' 2
assert_json "$T/out" '[.findings[] | select(.ignored)] | length' 1

now "sarif: what is ignored is suppressed, a fix is there, the layer is told"
report scan sarif
assert_json "$T/out" '.runs[0].results[1].suppressions[0].justification | contains("script")' true
assert_json "$T/out" '.runs[0].results[0].fixes | length' 1
assert_json "$T/out" '.runs[0].results[0].properties.removedInLayer' 2

now "github: no line of a file can begin another command"
report lint github
assert_eq 1 "$(wc -l <"$T/out")" "lines"

now "text: no line is longer than the terminal but for what must not be broken, and nothing is obeyed"
report scan text 60 verbose
assert_status 0
cp "$T/out" "$T/text"
run grep -anP '[\x00-\x08\x0b-\x1f\x7f]|\x{202e}' "$T/text"
assert_status 1 "control characters in text"
report lint text 80 quiet
assert_eq 1 "$(wc -l <"$T/out")" "lines of a quiet report"
