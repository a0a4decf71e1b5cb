#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sbuild build --check-reproducible: what differs between two builds of it is found, told by layer, instruction, file and
# kind, with what helps; nothing is tagged then. The same image is tagged as ever. With real engines.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry_start registry
sbuild_config "$REGISTRY"
engine_buildah_setup buildah

# project NAME RUN...: a Dockerfile with these steps on a base.
project() {
	local dir=$T/$1 step
	shift
	mkdir -p "$dir"
	printf 'content\n' >"$dir/file"
	{
		printf 'FROM debian:bookworm-slim\nWORKDIR /srv\nCOPY file /opt/file\n'
		for step; do printf 'RUN %s\n' "$step"; done
	} >"$dir/Dockerfile"
	assert_ok sbuild lock "$dir"
}

# check ENGINE NAME [OPTION...]
check() {
	run sbuild build --check-reproducible --engine "$1" -t "$2:1.0.0" --report "$T/$2.html" "${@:3}" "$T/$2"
}

project clean 'echo same >/etc/same' 'mkdir -p /var/log/apt && date +%N >/var/log/apt/term.log'
project random 'true' 'head -c 40 /dev/urandom | sha256sum >/etc/random'
# shellcheck disable=SC2016 # expanded in the step
project date 'echo quiet >/etc/quiet' 'date -u >/built && echo "<script>alert(1)</script> $(date +%s%N)" >/page'
project many 'nproc >/srv/processors; ls -U / >/dev/null; date | gzip >/srv/a.gz; umask >/srv/umask' \
	"touch /srv/\$(date +%s).tmp; mkdir /srv/\$\$.d; chmod \$((600 + \$(date +%s) % 2 * 40)) /opt/file; :"

# shellcheck disable=SC2016 # expanded in the step
project host 'hostname >/etc/who && getent hosts "$(hostname)"'

# page_is_whole FILE: every element is closed, and none can do or fetch anything.
page_is_whole() {
	/usr/bin/python3 -B - "$1" <<-'END'
		import sys
		from html.parser import HTMLParser

		class Page(HTMLParser):
		    open = []
		    def handle_starttag(self, tag, attributes):
		        assert tag in "html head meta title style body h1 h2 h3 h4 p strong section article code pre table tr th td ul li".split(), tag
		        for name, value in attributes:
		            assert name in "lang charset http-equiv content name class".split(), name
		        if tag != "meta":
		            self.open.append(tag)
		    def handle_endtag(self, tag):
		        assert self.open.pop() == tag, tag

		page = Page()
		page.feed(open(sys.argv[1], encoding="utf-8").read())
		page.close()
		assert not page.open, page.open
	END
}

# findings ENGINE: what that engine's builds must show.
findings() {
	local engine=$1 tagged=$2

	now "$engine: a clean one"
	check "$engine" clean
	assert_status 0
	assert_contains "$OUT" "the same image from "
	assert_contains "$OUT" "time: the second build began two seconds after the end of the first"
	assert_contains "$OUT" "umask: 0077 instead of 0022"
	assert_contains "$OUT" "image ID"
	assert_contains "$(cat "$T/clean.html")" "The same image."
	assert_ok "$tagged" clean
	clean=$(jq -r .image "$T/clean/.sbuild/result.json")
	assert_absent "$T/clean/.sbuild/check"

	now "$engine: a random number"
	check "$engine" random
	assert_status 1
	assert_contains "$OUT" "the images differ"
	assert_contains "$OUT" 'Dockerfile:5: RUN head -c 40 /dev/urandom | sha256sum >/etc/random'
	assert_contains "$OUT" "  /etc/random: content"
	assert_matches "$OUT" 'first: line 1: [0-9a-f]{64}  -'
	assert_contains "$OUT" "likely: something random"
	assert_lacks "$OUT" "/opt/file"
	run "$tagged" random
	assert_ne 0 "$STATUS" "something was tagged"
	assert_absent "$T/random/.sbuild/result.json"

	now "$engine: a date"
	check "$engine" date
	assert_status 1
	assert_contains "$OUT" 'Dockerfile:5: RUN date -u >/built'
	assert_contains "$OUT" "  /built: content"
	assert_contains "$OUT" "likely: a time"
	assert_lacks "$OUT" "/etc/quiet"
	assert_contains "$(cat "$T/date.html")" '&lt;script&gt;alert(1)&lt;/script&gt;'
	assert_ok page_is_whole "$T/date.html"

	now "$engine: the host name, which is the same in every build"
	check "$engine" host
	assert_status 1
	assert_contains "$OUT" "first: line 1: buildkitsandbox"
	assert_contains "$OUT" "other: line 1: sbuild-check"
	assert_contains "$OUT" "likely: the name of the host"

	now "$engine: many kinds"
	check "$engine" many
	assert_status 1
	[[ -z ${SHOW-} ]] || printf '%s\n' "$OUT"
	assert_contains "$OUT" "/srv/a.gz: content"
	assert_contains "$OUT" "what is packed in it differs"
	assert_contains "$OUT" "only in the first build"
	assert_contains "$OUT" "only in the other build"
}

in_buildah() { buildah inspect --type image "$1:1.0.0"; }
in_docker() { docker image inspect "$1:1.0.0"; }

findings buildah in_buildah
built_by_buildah=$clean
check buildah clean
if command -v podman >/dev/null; then
	assert_contains "$OUT" "engine: podman"
else
	assert_contains "$OUT" "could not be varied:"
	assert_contains "$OUT" "engine: there is no other one here"
fi

now "--quiet, and an interrupt"
run sbuild build -q --check-reproducible --engine buildah "$T/random"
assert_status 1
assert_eq "" "$OUT" "standard output"
assert_contains "$ERR" "two builds make two images"
project slow 'sleep 61.25'
"$SBUILD" build --check-reproducible --engine buildah "$T/slow" >/dev/null 2>&1 &
pid=$!
for ((i = 0; i < 200; i++)); do
	if [[ -e $T/slow/.sbuild/check ]] && pgrep -f 'sleep 61.25' >/dev/null; then break; fi
	sleep 0.1
done
kill -TERM "$pid"
STATUS=0
wait "$pid" || STATUS=$?
assert_eq 130 "$STATUS" "exit status of an interrupted check"
assert_absent "$T/slow/.sbuild/check"

now "the usage"
run sbuild build --report "$T/x.html" "$T/clean"
assert_status 2
run sbuild build --expect nonsense "$T/clean"
assert_status 2
run sbuild build --keep-volatile=nonsense "$T/clean"
assert_status 2
assert_contains "$ERR" "npm-cache"

now "--expect"
assert_ok sbuild build -q --engine buildah --expect "$clean" -t expected:1.0.0 "$T/clean"
manifest=$(jq -r .manifest "$T/clean/.sbuild/result.json")
assert_ok sbuild build -q --engine buildah --expect "$manifest" -t expected:1.0.0 "$T/clean"
other=sha256:$(printf other | sha256sum | cut -d' ' -f1)
run sbuild build -q --engine buildah --expect "$other" -t refused:1.0.0 "$T/clean"
assert_status 7
assert_contains "$ERR" "$other"
assert_contains "$ERR" "$clean"
assert_contains "$ERR" "$manifest"
run in_buildah refused
assert_ne 0 "$STATUS" "what was not expected was tagged"

now "what came out, in files: true, and the same again"
attest() { # FILE
	assert_ok sbuild build -q --engine buildah --attestation "$1" --output "type=oci,dest=$T/clean.tar" -t clean:1.0.0 "$T/clean"
}
attest "$T/one.json"
attest "$T/two.json"
assert_same "$T/one.json" "$T/two.json"
mkdir "$T/layout"
tar -C "$T/layout" -xf "$T/clean.tar"
assert_json "$T/layout/index.json" '.manifests[0].digest' "\"$manifest\""
assert_json "$T/one.json" '[._type, .predicateType, (.subject | length), .subject[0].name, .subject[0].digest.sha256]' \
	"[\"https://in-toto.io/Statement/v1\",\"https://slsa.dev/provenance/v1\",1,\"clean:1.0.0\",\"${manifest#sha256:}\"]"
assert_json "$T/one.json" '[.predicate.buildDefinition.resolvedDependencies[] | select(.name) | select(.name | startswith("Docker")) | .digest.sha256]' \
	"[\"$(sha256sum <"$T/clean/Dockerfile" | cut -d' ' -f1)\",\"$(sha256sum <"$T/clean/Dockerfile.lock" | cut -d' ' -f1)\"]"
base=$(image_digest library/debian:bookworm-slim)
assert_json "$T/one.json" '[.predicate.buildDefinition.resolvedDependencies[] | select(.uri) | .digest.sha256]' "[\"${base#sha256:}\"]"
assert_lacks "$(cat "$T/one.json")" "20$(date +%y)-" "a statement without times"
result=$T/clean/.sbuild/result.json
assert_json "$result" '[.image, .manifest, .tags, (.platforms | length), .platforms[0].image, .platforms[0].manifest]' \
	"[\"$clean\",\"$manifest\",[\"clean:1.0.0\"],1,\"$clean\",\"$manifest\"]"
assert_json "$result" '."lock-digest"' "\"sha256:$(sha256sum <"$T/clean/Dockerfile.lock" | cut -d' ' -f1)\""
assert_json "$result" '[.platforms[0].layers[].base]' '[true,null,null]'
while read -r digest diff_id; do
	assert_eq "$diff_id" "sha256:$(gzip -dc <"$T/layout/blobs/sha256/${digest#sha256:}" | sha256sum | cut -d' ' -f1)" "diffID of a layer"
done < <(jq -r '.platforms[0].layers[] | .digest + " " + ."diff-id"' "$result")

now "a rule that is off makes another image"
run sbuild build -q --engine buildah --keep-volatile=apt-logs --expect "$clean" "$T/clean"
assert_status 7
printf '{"volatile": {"keep": ["apt-logs"]}}\n' >"$T/clean/sbuild.json"
run sbuild build -q --engine buildah --expect "$clean" "$T/clean"
assert_status 7
rm "$T/clean/sbuild.json"

now "several platforms"
mkdir "$T/pair"
printf 'FROM alpine:3.20\nCOPY Dockerfile /\n' >"$T/pair/Dockerfile"
assert_ok sbuild lock --platform linux/amd64,linux/arm64 "$T/pair"
run sbuild build --check-reproducible --engine buildah --platform linux/amd64,linux/arm64 -o "type=oci,dest=$T/pair.tar" "$T/pair"
assert_status 0
assert_matches "$OUT" $'^linux/amd64\nthe same image.*\nlinux/arm64\nthe same image'
assert_json "$T/pair/.sbuild/result.json" '[.platforms[].platform]' '["linux/amd64","linux/arm64"]'

unset XDG_RUNTIME_DIR # the daemon lives in a root of its own, where this directory is not
engine_docker_start docker
findings docker in_docker
assert_eq "$built_by_buildah" "$clean" "image ID from Docker"
check docker clean
assert_contains "$OUT" "the same image from 3 builds"
assert_contains "$OUT" "engine: buildah"
assert_contains "$OUT" "host name of the steps"
