#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sbuild lint from the outside: which files it looks at, every form of its report, exit statuses, what silences it, --fix.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

schema=$("$INFRA/sarif-schema.sh")
P=$T/project
mkdir "$P"
cd "$P"

bad() { printf 'FROM debian:12.5\nRUN curl -fsSL https://example.org/install.sh | sh\nUSER 1000\n'; }
lint() { run sbuild lint "$@"; }
# found FILTER: what the last report in JSON has, as jq sees it
found() { jq -c "$1" "$T/out"; }

# checked FORM COUNT: the last output is good, and has so many findings that count.
checked() {
	cp "$T/out" "$T/report.$1"
	run /usr/bin/python3 -B "$INFRA/check_report.py" "$1" "$T/report.$1" "$schema"
	assert_status 0 "$1: $ERR"
	assert_eq "$2" "$OUT" "findings in $1"
}

now "a directory: by name and by content, sorted, without what belongs to others"
mkdir -p api/docker web node_modules/x .git vendor/y
bad | tee Dockerfile api/Dockerfile.prod api/docker/web.Dockerfile web/Containerfile node_modules/x/Dockerfile \
	.git/Dockerfile vendor/y/Dockerfile >/dev/null
bad >web/image-recipe
printf 'FROM here to there is a long way.\n' >web/notes
printf 'x = 1\n' >web/dockerfile.py
lint --format json --only SB301
assert_status 1
assert_eq '["Dockerfile","api/Dockerfile.prod","api/docker/web.Dockerfile","web/Containerfile","web/image-recipe"]' \
	"$(found '[.findings[].file]')" "the files that were found"
assert_eq 5 "$(found .files)"
lint --format json --only SB301 api
assert_eq '["api/Dockerfile.prod","api/docker/web.Dockerfile"]' "$(found '[.findings[].file]')"
lint --format json --only SB301 ./Dockerfile Dockerfile web/Containerfile
assert_eq '["Dockerfile","web/Containerfile"]' "$(found '[.findings[].file]')"

now "nothing to look at is a mistake"
mkdir "$T/empty"
lint "$T/empty"
assert_status 2
assert_contains "$ERR" "there is no Dockerfile"
lint missing
assert_ne 0 "$STATUS" "exit status for a missing file"
assert_contains "$ERR" "missing"

now "every form"
for form in json sarif github junit; do
	lint --format "$form" --only SB301
	assert_status 1
	checked "$form" 5
done
lint --format sarif --only SB301 Dockerfile
assert_json "$T/out" '.runs[0].results[0].locations[0].physicalLocation.region | [.startLine, .startColumn, .endLine]' '[2,5,2]'
lint --format github --only SB301 Dockerfile
assert_matches "$OUT" '^::error file=Dockerfile,line=2,col=5,'
lint --only SB301 Dockerfile
assert_matches "$OUT" $'^Dockerfile:2:5: error SB301 [a-z-]+: .*\n   2 \\| RUN curl .*\n     \\|     \\^~~.*\n       fix: .*\n\n1 error in 1 file$'
lint --quiet --only SB301 Dockerfile
assert_eq 1 "$(wc -l <"$T/out")" "lines of a quiet report"
lint --format json --only SB301 --output "$T/report" Dockerfile
assert_status 1
assert_eq '' "$OUT" "standard output beside --output"
assert_json "$T/report" '.summary.error' 1

now "columns are characters in SARIF, bytes elsewhere"
printf 'FROM debian:12.5\nRUN echo "äöü" && curl https://example.org/x | sh\n' >utf8.Dockerfile
lint --format sarif --only SB301 utf8.Dockerfile
assert_json "$T/out" '.runs[0].results[0].locations[0].physicalLocation.region.startColumn' 19
lint --format json --only SB301 utf8.Dockerfile
assert_eq 22 "$(found '.findings[0].column')"
rm utf8.Dockerfile

now "exit statuses, and what a severity does to them"
lint --only SB301 --fail-on error Dockerfile
assert_status 1
lint --only SB301 --fail-on never Dockerfile
assert_status 0
lint --only SB301 --rule SB301=warning --fail-on error Dockerfile
assert_status 0
lint --only SB301 --rule SB301=info Dockerfile
assert_status 0
assert_contains "$OUT" "info SB301"
lint --only SB301 --rule SB301=off Dockerfile
assert_status 0
assert_contains "$OUT" "no findings"
lint --rule SB399=off Dockerfile
assert_status 2
assert_contains "$ERR" "there is no rule"
lint --rule SB301=terrible Dockerfile
assert_status 2
lint --only pipe-to Dockerfile
assert_status 2
lint --fail-on sometimes Dockerfile
assert_status 2

now "settings of the repository"
printf '{"lint": {"rules": {"SB301": "info"}}}\n' >sbuild.json
lint --only SB301 Dockerfile
assert_status 0
lint --only SB301 --rule SB301=error Dockerfile
assert_status 1
printf '{"lint": {"rules": {"SB301": "error"}, "ignore": [{"rule": "SB301", "path": "api/**", "reason": "a demo"}]}}\n' >sbuild.json
lint --format json --only SB301
assert_eq '["api/Dockerfile.prod","api/docker/web.Dockerfile"]' "$(found '[.findings[] | select(.ignored) | .file]')"
printf '{"lint": {"rule": {}}}\n' >sbuild.json
lint Dockerfile
assert_status 2
assert_contains "$ERR" "sbuild.json"
rm sbuild.json

now "comments of three dialects silence one instruction"
printf 'FROM debian:12.5\n# sbuild: ignore=SB301 reason=it is ours\nRUN curl https://example.org/a | sh\nRUN curl https://example.org/b | sh\n' >Dockerfile
lint --format json --only SB301 Dockerfile
assert_eq '[[3,"it is ours"],[4,null]]' "$(found '[.findings[] | [.line, .ignored]]')"
lint --format json --only SB301 --no-ignore Dockerfile
assert_eq '[null,null]' "$(found '[.findings[].ignored]')"
# hadolint wants a pinned apt package under a name of its own
printf 'FROM debian:12.5\n# hadolint ignore=DL3008\nRUN apt-get update && apt-get install -y curl\n' >Dockerfile
lint --format json --only SB501 Dockerfile
assert_eq '[true]' "$(found '[.findings[] | has("ignored")]')" "hadolint's comment"
printf 'FROM debian:12.5\n# check=skip=JSONArgsRecommended\nCMD serve\n' >Dockerfile
lint --format json --only JSONArgsRecommended Dockerfile
assert_eq '[]' "$(found '[.findings[] | select(has("ignored") | not)]')" "BuildKit's comment above an instruction"
printf '# check=skip=JSONArgsRecommended\nFROM debian:12.5\nCMD serve\n' >Dockerfile
lint --format json --only JSONArgsRecommended Dockerfile
assert_eq '[]' "$(found '[.findings[] | select(has("ignored") | not)]')" "BuildKit's directive"

now "a reason can be required"
printf 'FROM debian:12.5\n# sbuild: ignore=SB301\nRUN curl https://example.org/a | sh\n' >Dockerfile
lint --format json --only SB301,SB001 Dockerfile
assert_status 0
lint --format json --only SB301,SB001 --require-reason Dockerfile
assert_status 1
assert_eq '["SB001","SB301"]' "$(found '[.findings[] | select(has("ignored") | not) | .rule] | sort')"

now "a baseline: what is there is accepted, what is new counts, lines may move"
bad >Dockerfile
lint --only SB301 --write-baseline known.json
assert_status 0
assert_eq 5 "$(jq '.accepted | length' known.json)"
lint --format json --only SB301 --baseline known.json
assert_status 0
assert_eq 5 "$(found .summary.ignored)"
{ printf 'ARG MOVED\n\n' && bad && printf 'RUN wget -qO- https://example.org/new | sh\n'; } >Dockerfile
lint --format json --only SB301 --baseline known.json
assert_status 1
assert_eq '[6]' "$(found '[.findings[] | select(has("ignored") | not) | .line]')"
lint --only SB301 --baseline known.json --no-ignore
assert_status 1
jq '.accepted[].expires = "2001-02-03"' known.json >expired.json
lint --format json --only SB301 --baseline expired.json api
assert_status 1
assert_contains "$(found '.findings[0].message')" "was accepted until 2001-02-03"
jq '.accepted[0].fingerprint = "zz"' known.json >broken.json
lint --baseline broken.json
assert_status 2
assert_contains "$ERR" "broken.json:"
lint --baseline missing.json
assert_ne 0 "$STATUS" "exit status for a missing baseline"
jq '.accepted[].reason = "since 2019"' known.json >reasons.json
bad >Dockerfile
rm -r web
lint --only SB301 --baseline reasons.json
assert_contains "$ERR" "2 entries name nothing any more"
lint --only SB301 --baseline reasons.json --write-baseline reasons.json
assert_eq '["since 2019"]' "$(jq -c '[.accepted[].reason] | unique' reasons.json)"
assert_eq 3 "$(jq '.accepted | length' reasons.json)"

now "--fix mends files, --dry-run shows a diff that patch applies"
mkdir "$T/fix"
cd "$T/fix"
printf 'FROM debian:12.5\nENV A b\nRUN echo x\n' >Dockerfile
printf 'from debian:12.5 as Build\nENV A b\n' >other.Dockerfile
cp -a . "$T/copy"
lint --fix --dry-run
assert_status 1
assert_same Dockerfile "$T/copy/Dockerfile"
cp "$T/out" "$T/diff"
assert_ok patch --quiet --strip=0 --directory "$T/copy" --input "$T/diff"
lint --fix
assert_same Dockerfile "$T/copy/Dockerfile"
assert_same other.Dockerfile "$T/copy/other.Dockerfile"
assert_contains "$(cat Dockerfile)" "ENV A=b"
lint --fix --dry-run
assert_status 0
assert_eq '' "$OUT" "a second diff"
run sbuild lint --dry-run
assert_status 2
cd "$P"

now "standard input"
STATUS=0
bad | sbuild lint --format json --only SB301 - >"$T/out" || STATUS=$?
assert_eq 1 "$STATUS"
assert_eq '"<stdin>"' "$(found '.findings[0].file')"
lint --fix - # nothing at all
assert_eq '' "$OUT" "what nothing is mended to"

now "names that are no UTF-8 or want to be obeyed, and files that cannot be read or parsed"
mkdir "$T/names"
cd "$T/names"
bad | tee $'a\xff.Dockerfile' $'b\n::error::x.Dockerfile' $'c\x1b[31m.Dockerfile' >/dev/null
for form in json sarif github junit; do
	lint --format "$form" --only SB301
	assert_status 1
	checked "$form" 3
done
lint --only SB301
assert_lacks "$OUT" $'\x1b'
assert_lacks "$OUT" $'\n::error'
rm ./*
printf 'FROM debian:12.5\nRUNN x\n' >Dockerfile
printf 'FROM debian:12.5\nUSER 1000\n' >Containerfile
lint --format json
assert_status 1
assert_eq '["SB000"]' "$(found '[.findings[] | select(.file == "Dockerfile") | .rule]')" "findings of what cannot be parsed"
assert_eq 2 "$(found .files)"
mkdir Dockerfile.d
lint Dockerfile.d/none Containerfile
assert_ne 0 "$STATUS" "exit status with one file missing"
assert_contains "$OUT" "Containerfile"

now "a huge file"
{
	printf 'FROM debian:12.5\n'
	for ((i = 0; i < 110000; i++)); do printf 'ENV KEY%d value\n' "$i"; done
} >Dockerfile
run timeout 60 "$SBUILD" lint --format json Dockerfile
assert_status 1
assert_eq true "$(found .cut)" "more findings than are shown"
head -c 20000000 /dev/zero | tr '\0' 'x' >Dockerfile
lint Dockerfile
assert_ne 0 "$STATUS" "exit status for 20 MB in one line"
assert_matches "$ERR$OUT" "Dockerfile"

now "what is locked is not told to be locked, and the locked base's user counts"
registry_start registry
sbuild_config "$REGISTRY"
jq -n '[{name: "acme/service", tags: ["1", "1.0", "1.0.0"], layers: ["busybox"], config: {Env: ["PATH=/bin"], User: "1000"}}]' \
	>"$T/images.json"
"$INFRA/registry.sh" push "$T/registry" "$T/images.json"
mkdir "$T/locked"
cd "$T/locked"
printf 'FROM acme/service:1\nRUN true\n' >Dockerfile
lint --format json --only SB101,SB102,SB403 Dockerfile
assert_eq '["SB101","SB403"]' "$(found '[.findings[].rule] | sort')"
assert_ok sbuild lock --no-run .
lint --format json --only SB101,SB102,SB403 Dockerfile
assert_status 0
assert_eq '[]' "$(found .findings)"
printf 'FROM debian:12.5\nRUN true\n' >Dockerfile
assert_ok sbuild lock --no-run .
lint --format json --only SB101,SB102,SB403 Dockerfile
assert_status 1
assert_eq '["SB101"]' "$(found '[.findings[].rule]')" "a locked base whose user is root"
