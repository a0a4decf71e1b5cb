#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sbuild scan without a daemon: every form of input of one image gives the same findings; layers that take away what
# others have; the base left out; archives that are truncated, hostile, or very large.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

images=$E2E/tools/scan_images.py

# A private key of a form that every set of rules knows; made here, so that none stands in the repository.
openssl genpkey -algorithm ed25519 -out "$T/secret" 2>/dev/null
body=$(sed -n 2p "$T/secret")
sbuild_config ""

# findings FILE: a line for each finding of a report, what does not depend on where the image was taken from. Annotations
# and the places of blobs are not the same everywhere.
findings() {
	jq -r '.findings[] | select(.rule != "SB905") | [.rule, .place.where, .place.layer, .place.removed, .fingerprint] | @tsv' "$1" | sort
}

# scan NAME STATUS OPTION...: the report in $T/NAME.json
scan() {
	local name=$1 status=$2
	shift 2
	run sbuild scan --format json --output "$T/$name.json" "$@"
	assert_status "$status" "scan $*"
	assert_lacks "$(cat "$T/$name.json" "$T/err")" "$body" "a report shows the secret: $name"
}

now "an OCI layout: what there is to find"
"$images" layout "$T/layout" "$T/secret"
scan layout 1 "$T/layout"
findings "$T/layout.json" >"$T/expected"
while read -r rule count; do
	assert_eq "$count" "$(jq --arg r "$rule" '[.findings[] | select(.rule == $r)] | length' "$T/layout.json")" "findings of $rule"
done <<'END'
SB901 2
SB902 3
SB903 6
SB904 1
SB810 1
SB820 1
SB821 1
SB824 1
SB825 1
SB826 1
SB830 1
SB831 1
SB840 1
SB842 1
SB843 1
SB851 4
END

now "layers: what a later one deletes, replaces, or hides is found, and both history lines are told"
for path in gone settings dir/hidden; do
	assert_json "$T/layout.json" "[.findings[] | select(.place.where == \"layer 1: app/$path\" and .rule == \"SB902\") |
		[.place.layer, .place.removed, .place.history, .place.removedBy]]" '[[1,2,"COPY first","RUN rm second"]]'
done
assert_json "$T/layout.json" '[.findings[] | select(.place.where == "layer 1: app/kept") | .place.removed // 0]' '[0]'
assert_json "$T/layout.json" '[.findings[] | select(.rule == "SB820") | .place.where]' '["layer 1: usr/bin/other"]'
assert_json "$T/layout.json" '[.findings[] | select(.place.layer == 3 and .rule == "SB901") | .place.where]' \
	'["layer 3: srv/a.tar!/b.zip!/c.tar.gz!/deep/config.properties"]'

now "a file that is emptied, or a directory that a later layer has again, is still in the image"
"$images" emptied "$T/emptied" "$T/secret"
scan emptied 1 "$T/emptied"
assert_json "$T/emptied.json" '[.findings[] | select(.rule == "SB831" or .rule == "SB845") | [.place.where, .place.removed // 0]] | sort' \
	'[["layer 1: app/.env",2],["layer 1: app/.git",0],["layer 1: id_rsa",2],["layer 1: k/id_rsa",2],["layer 2: root/.netrc",0]]'

now "layers that nobody can read say why"
"$images" types "$T/types" "$T/secret"
tar -cf "$T/types.tar" -C "$T/types" .
for path in "$T/types" "$T/types.tar"; do
	scan types 1 "$path"
	assert_json "$T/types.json" '[.findings[] | select(.rule == "SB901") | .place.where]' '["layer 1: key"]'
	assert_contains "$(jq -r '.findings[] | select(.rule == "SB800") | .message' "$T/types.json")" "it is encrypted"
	assert_contains "$(jq -r '.findings[] | select(.rule == "SB800") | .message' "$T/types.json")" "does not come with the image"
done

now "configuration and history, also of entries without a layer"
for place in 'config.Env[1]' config.Labels.two config.Cmd config.Entrypoint config.Healthcheck.Test 'config.OnBuild[0]' 'history[1]'; do
	assert_json "$T/layout.json" "[.findings[] | select(.place.where == \"$place\")] | length" 1
done

now "every other form of the same image has the same findings"
"$images" old "$T/secret" >"$T/made.tar"
skopeo copy -q "oci:$T/layout" "docker-archive:$T/docker.tar:app:1"
skopeo copy -q "oci:$T/layout" "oci-archive:$T/oci.tar"
same() { # NAME ARG...
	local name=$1
	shift
	scan "$name" 1 "$@"
	findings "$T/$name.json" | diff -u "$T/expected" - >&2 || fail "other findings: $*"
}
same docker "$T/docker.tar"
same docker-prefix "docker-archive:$T/docker.tar:app:1"
same oci "oci-archive:$T/oci.tar"
same oci-prefix "oci:$T/layout"
same one-thread --threads 1 "$T/layout"
same old "$T/made.tar"
for form in docker oci made; do
	sbuild scan --format json --output "$T/piped.json" - <"$T/$form.tar" || true
	findings "$T/piped.json" | diff -u "$T/expected" - >&2 || fail "other findings: $form as standard input"
	STATUS=0
	# shellcheck disable=SC2002 # a pipe is what is tested
	cat "$T/$form.tar" | sbuild scan --format json --output "$T/piped.json" - || STATUS=$?
	assert_eq 1 "$STATUS" "exit status of a pipe"
	findings "$T/piped.json" | diff -u "$T/expected" - >&2 || fail "other findings: $form through a pipe"
	for pack in gzip zstd xz; do
		"$pack" -1 <"$T/$form.tar" >"$T/packed" 2>/dev/null
		same packed "$T/packed"
	done
done

now "layers that are links to others, as docker save wrote those that are alike"
"$images" links "$T/secret" >"$T/links.tar"
scan links 1 "$T/links.tar"
assert_json "$T/links.json" '[.findings[] | select(.rule == "SB901" or .rule == "SB902") | .place.layer]' '[1,2]'
STATUS=0
# shellcheck disable=SC2002
cat "$T/links.tar" | sbuild scan --format json --output "$T/links.json" - || STATUS=$?
assert_eq 1 "$STATUS"
assert_json "$T/links.json" '[.findings[] | select(.rule == "SB901" or .rule == "SB902") | .place.layer]' '[1,2]'

now "a registry, with and without credentials"
registry_start registry --images none
skopeo copy -q --dest-tls-verify=false "oci:$T/layout" "docker://$REGISTRY/app:1.0.0"
same registry "registry:$REGISTRY/app:1.0.0"
same by-name "$REGISTRY/app:1.0.0"
now "a registry whose connections break: the rest is asked for, and verified"
faults_start front --upstream "$REGISTRY_URL"
skopeo copy -q --dest-tls-verify=false "oci:$T/layout" "docker://$REGISTRY/broken:1.0.0"
big='GET /v2/broken/blobs/'$(basename "$(find "$T/layout/blobs" -size +1000k)" | sed 's/^/sha256:/')
for fault in '"truncate": 700000, "times": 1' '"truncate": 700000, "norange": true, "times": 1' '"reset": 900000, "times": 2'; do
	printf '[{"match": "%s", %s}]\n' "$big" "$fault" >"$FAULT_RULES"
	same broken "registry:${FAULT_URL#http://}/broken:1.0.0"
done
printf '[{"match": "%s", "corrupt": 700000}]\n' "$big" >"$FAULT_RULES"
scan corrupt 1 "registry:${FAULT_URL#http://}/broken:1.0.0"
assert_json "$T/corrupt.json" '[.findings[] | select(.rule == "SB800") | .place.layer]' '[1]'

registry_start private --images none --auth basic --private ""
docker_login "$REGISTRY" "$REGISTRY_USER" "$REGISTRY_PASSWORD"
skopeo copy -q --dest-tls-verify=false --dest-creds "$REGISTRY_USER:$REGISTRY_PASSWORD" "oci:$T/layout" "docker://$REGISTRY/app:1.0.0"
same private "registry:$REGISTRY/app:1.0.0"
run sbuild scan "registry:$REGISTRY/none:1.0.0"
assert_status 8

now "an image of an engine"
engine_buildah_setup buildah
buildah pull -q "oci:$T/layout" >"$T/id"
buildah tag "$(cat "$T/id")" app:1.0.0
same engine "buildah:app:1.0.0"
same engine-by-name --engine buildah app:1.0.0
run sbuild scan buildah:none:1.0.0
assert_status 9

now "the base's layers are left out"
"$images" base "$T/base" "$T/secret"
skopeo copy -q "oci:$T/layout" "dir:$T/dir"
scan with-base 1 --base "$T/base" "$T/layout" || true
run jq -r '.findings[] | select(.place.layer == 1) | .rule' "$T/with-base.json"
if [[ $OUT ]]; then fail "findings of the base's layer: $OUT"; fi
assert_json "$T/with-base.json" '[.layers[] | .base // false]' '[true,false,false]'
run sbuild scan --base "$T/layout" "$T/base"
assert_status 2
assert_contains "$ERR" "is not built on"

now "several platforms; annotations and attestations of the one that was chosen"
"$images" index "$T/index" "$T/secret"
scan amd64 1 --platform linux/amd64 "$T/index"
assert_json "$T/amd64.json" '[.findings[] | select(.rule | test("SB90")) | .rule] | sort' '["SB905","SB906"]'
scan arm64 1 --platform linux/arm64 "$T/index"
assert_json "$T/arm64.json" '[.findings[] | select(.rule == "SB903")] | length' 6
run sbuild scan --platform linux/s390x "$T/index"
assert_status 2
assert_contains "$ERR" "linux/amd64, linux/arm64"

now "truncated: what was read is told, and what was found"
size=$(stat -c %s "$T/made.tar")
for part in 20 60 95; do
	head -c "$((size * part / 100))" "$T/made.tar" >"$T/cut.tar"
	scan cut 1 "$T/cut.tar"
	assert_json "$T/cut.json" '[.findings[] | select(.rule == "SB800")] | length > 0' true
	assert_json "$T/cut.json" '[.findings[] | select(.rule == "SB901" or .rule == "SB902")] | length > 0' true
	STATUS=0
	# shellcheck disable=SC2002
	cat "$T/cut.tar" | sbuild scan --format json --output "$T/cut.json" - || STATUS=$?
	assert_eq 1 "$STATUS"
	assert_json "$T/cut.json" '[.findings[] | select(.rule == "SB800")] | length > 0' true
done
blob=$(find "$T/base/blobs" -size +1000k)
cp -a "$T/base" "$T/damaged"
blob=${blob/base/damaged}
truncate -s "$(($(stat -c %s "$blob") - 1000))" "$blob"
scan damaged 1 "$T/damaged"
assert_json "$T/damaged.json" '[.findings[] | select(.rule == "SB800") | .place.layer]' '[1]'
assert_contains "$(jq -r '.findings[] | select(.rule == "SB800") | .message' "$T/damaged.json")" "layer 1 could only be read in part"

now "hostile: names, links, archives that unpack to far too much"
"$images" hostile "$T/hostile" "$T/secret"
scan hostile 1 "$T/hostile"
assert_json "$T/hostile.json" '[.findings[] | select(.rule == "SB801") | .place.where]' '["layer 1: bomb.gz"]'
for where in "layer 1: etc/escape" "layer 1: damaged.zip!/b" "layer 1: last" 'layer 1: new\\x0aline\\x1b[31m'; do
	assert_json "$T/hostile.json" "[.findings[] | select(.rule == \"SB901\" and .place.where == \"$where\")] | length" 1
done
scan deeper 1 --depth 8 "$T/hostile"
assert_json "$T/deeper.json" '[.findings[] | select(.place.where | startswith("layer 1: deep.tar") and (gsub("[^!]"; "") | length >= 8)) | .rule] | sort' '["SB802","SB901"]'

now "far too many attestations: the first are looked at, and it is told that the others were not"
"$images" attested "$T/attested" "$T/secret"
scan attested 1 "$T/attested"
assert_json "$T/attested.json" '[.findings[] | select(.rule == "SB801")] | length' 56
assert_json "$T/attested.json" '[.findings[] | select(.rule == "SB901")] | length' 1

now "sparse files"
"$images" sparse "$T/secret" >"$T/sparse.tar"
scan sparse 1 "$T/sparse.tar"
assert_json "$T/sparse.json" '[.findings[] | select(.place.where | endswith(": big")) | .place.layer]' '[1,2]'
assert_json "$T/sparse.json" '[.findings[] | select(.rule == "SB800" or .rule == "SB801")]' '[]'

now "no image at all"
printf 'nothing' >"$T/nothing"
tar -cf "$T/no-image.tar" -C "$T" nothing
mkdir "$T/empty"
for path in "$T/nothing" "$T/no-image.tar" /dev/null "$T/empty"; do
	run sbuild scan "$path"
	assert_matches "$STATUS" '^(1|10)$' "$path: $ERR"
	assert_matches "$ERR" "is no (archive of an image|OCI layout)"
done
run sbuild scan "docker-archive:$T/missing.tar"
assert_status 10

for name in -x engine:-x docker:--all-tags; do
	run sbuild scan -- "$name"
	assert_status 2 "$name"
	assert_contains "$ERR" "is no name of an image"
done

now "settings and the ignore file"
mkdir "$T/project"
cd "$T/project"
assert_ok sbuild scan --write-ignore-file known.json "$T/layout"
run sbuild scan --ignore-file known.json --quiet "$T/layout"
assert_status 0
run sbuild scan --ignore-file known.json --no-ignore --quiet "$T/layout"
assert_status 1
run sbuild scan --ignore-file known.json --require-reason --quiet "$T/layout"
assert_status 2
jq -n '{scan: {rules: {SB810: "off", "missing-labels": "off"}, "fail-on": "error", "ignore-file": "known.json"}}' >sbuild.json
run sbuild scan "$T/layout"
assert_status 0
jq -n '{scan: {rules: {SB999: "off"}}}' >sbuild.json
run sbuild scan "$T/layout"
assert_status 2
rm sbuild.json
run sbuild scan --only SB810 --rule SB810=info "$T/layout"
assert_status 0
run sbuild scan --only SB810 --fail-on info --rule SB810=info "$T/layout"
assert_status 1
cd "$T"

now "the forms of the report"
for form in json sarif github junit html; do
	run sbuild scan --format "$form" --output "$T/report.$form" "$T/layout"
	assert_status 1
	assert_lacks "$(cat "$T/report.$form")" "$body"
	if [[ $form == sarif ]]; then schema=$("$INFRA/sarif-schema.sh"); else schema=; fi
	assert_ok python3 -B "$INFRA/check_report.py" "$form" "$T/report.$form" ${schema:+"$schema"}
done
run sbuild scan "$T/layout"
assert_status 1
assert_contains "$OUT" "removed in layer 2: RUN rm second"
assert_lacks "$OUT" "$body"

now "a layer of 10 GB, compressed to 10 MB, through a pipe: in little memory"
cat >"$T/watch.py" <<'END'
import os, resource, sys
pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print("peak memory: %d MiB" % peak)
sys.exit(status if peak < 256 else 99)
END
"$images" huge "$T/secret" 10 gzip >"$T/huge.tar"
STATUS=0
# shellcheck disable=SC2002
cat "$T/huge.tar" | (
	# Address space: that of libraries and stacks is in it.
	ulimit -v 400000
	python3 "$T/watch.py" "$SBUILD" scan --format json --output "$T/huge.json" -
) || STATUS=$?
assert_eq 1 "$STATUS"
assert_json "$T/huge.json" '[.findings[] | select(.rule == "SB901") | .place.where]' '["layer 1: data/big"]'
assert_json "$T/huge.json" '[.findings[] | select(.rule == "SB800" or .rule == "SB801")]' '[]'
