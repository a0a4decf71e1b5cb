#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Secrets of every kind, made by a seeded generator, in images that real engines build: in a layer, deleted in a later
# one, in a squashed image, in configuration and history, within archives, in a binary. All of them are found. And what
# is found in images without any.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cases=$E2E/../secrets/cases.txt
context=$T/context
mkdir -p "$context"

# Other secrets in each place, so that none is found instead of another.
seed=1
for place in plain deleted nested binary squashed; do
	"$PLANT_TOOL" "$cases" $((seed++)) "$context/$place" >"$T/$place.tsv"
done
for place in env label cmd entrypoint healthcheck onbuild arg; do
	"$PLANT_TOOL" "$cases" $((seed++)) "$T/$place" >"$T/$place.tsv"
done
now "$(wc -l <"$T/plain.tsv") kinds of secrets"

# kinds PLACE [FORM...]: which there are of these forms.
kinds() {
	local place=$1
	shift
	awk -F'\t' -v forms=" ${*:-line text file} " 'index(forms, " " $3 " ") { print $1 }' "$T/$place.tsv" | sort
}
for place in plain env label; do
	[[ $(kinds "$place" line text | wc -l) -ge 60 ]] || fail "too few kinds for $place"
done

# Archives within archives, and a program with bytes around each secret.
python3 - "$context" <<'END'
import io, os, sys, tarfile, zipfile
root = sys.argv[1]
inner = io.BytesIO()
with tarfile.open(fileobj=inner, mode="w:gz") as t:
    t.add(root + "/nested", "nested")
middle = io.BytesIO()
with zipfile.ZipFile(middle, "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("inner.tar.gz", inner.getvalue())
with tarfile.open(root + "/nested.tar", "w") as t:
    info = tarfile.TarInfo("middle.zip")
    info.size = len(middle.getvalue())
    t.addfile(info, io.BytesIO(middle.getvalue()))
with open("/bin/true", "rb") as f:
    program = f.read()
for kind in os.listdir(root + "/binary"):
    for directory, _, names in os.walk(root + "/binary/" + kind):
        for name in names:
            path = os.path.join(directory, name)
            with open(path, "rb") as f:
                text = f.read()
            if b"\0" not in text:
                with open(path, "wb") as f:
                    f.write(program + b"\0\1\2" + text + b"\0\xff\xfe" + program[:999])
END
rm -r "$context/nested"

# Words of CMD and the like are written into the Dockerfile; what ENV, LABEL and history get comes by options.
words() { # PLACE
	local file form
	while IFS=$'\t' read -r _ file form; do
		[[ $form == file ]] || jq -Rs . <"$T/$1/$file"
	done <"$T/$1.tsv" | jq -sc '["program"] + .'
}
{
	printf 'FROM alpine:3.20\nCOPY plain /srv/plain\nCOPY deleted /srv/deleted\nRUN rm -r /srv/deleted\n'
	printf 'COPY nested.tar /srv/\nCOPY binary /srv/binary\n'
	i=0
	while IFS=$'\t' read -r _ file form; do
		[[ $form != file ]] || continue
		# shellcheck disable=SC2016 # for Docker to expand
		printf 'ARG E%d\nENV V%d=$E%d\n' $i $i $i
		i=$((i + 1))
	done <"$T/env.tsv"
	printf 'CMD %s\nENTRYPOINT %s\nHEALTHCHECK CMD %s\n' "$(words cmd)" "$(words entrypoint)" "$(words healthcheck)"
	while IFS=$'\t' read -r _ file form; do
		[[ $form != line ]] || printf 'ONBUILD RUN run %s\n' "$(jq -Rrs 'gsub("^\\s+|\\s+$"; "")' <"$T/onbuild/$file")"
	done <"$T/onbuild.tsv"
} >"$T/Dockerfile.planted"
{
	printf 'FROM alpine:3.20\n'
	for ((j = 0; j < i; j++)); do printf 'ARG A%d\n' $j; done
	printf 'RUN true\n'
} >"$T/Dockerfile.history"
printf 'FROM alpine:3.20\nCOPY squashed /srv/squashed\nRUN true\n' >"$T/Dockerfile.squashed"

options=()
i=0
while IFS=$'\t' read -r _ file form; do
	[[ $form != file ]] || continue
	options+=(--build-arg "E$i=$(cat "$T/env/$file")" --build-arg "A$i=$(cat "$T/arg/$file")" --label "l$i=$(cat "$T/label/$file")")
	i=$((i + 1))
done <"$T/env.tsv"

now "an engine builds them"
registry_start registry --images small
engine_docker_start docker --mirror "$REGISTRY"
engine_buildah_setup buildah --mirror "$REGISTRY"
sbuild_config "$REGISTRY"
for name in planted history; do
	run docker buildx build -q --provenance=false -f "$T/Dockerfile.$name" "${options[@]}" -t "$name:1.0.0" "$context"
	assert_status 0 "docker buildx build of $name"
done
assert_ok buildah bud --squash -q -f "$T/Dockerfile.squashed" -t squashed:1.0.0 "$context"

# expect_found NAME WHERE FORM...: every kind of that place's forms is in the report $T/NAME.json, where WHERE (a jq filter
# over a finding) holds. An assignment that looks like a secret counts for a secret of its own kind as well.
expect_found() {
	local report=$1 place=$2 where=$3
	shift 3
	jq -r ".findings[] | select(.kind != null) | select($where) | .kind" "$T/$report.json" | sort -u >"$T/found"
	kinds "$place" "$@" | comm -23 - "$T/found" >"$T/missing"
	printf '   %s: %d of %d kinds\n' "$place" "$(($(kinds "$place" "$@" | wc -l) - $(wc -l <"$T/missing")))" "$(kinds "$place" "$@" | wc -l)"
	[[ ! -s $T/missing ]] || fail "not found in $place: $(tr '\n' ' ' <"$T/missing")"
}

now "all of them are found, where they are"
run sbuild scan --format json --output "$T/planted.json" docker:planted:1.0.0
assert_status 1
expect_found planted plain '.place.where | contains("srv/plain/")'
expect_found planted deleted '(.place.where | contains("srv/deleted/")) and (.place.removed // 0) > 0'
expect_found planted nested '.place.where | contains("srv/nested.tar!/middle.zip!/inner.tar.gz!/nested/")'
expect_found planted binary '.place.where | contains("srv/binary/")' line text
expect_found planted env '.place.where | startswith("config.Env")' line text
expect_found planted label '.place.where | startswith("config.Labels")' line text
expect_found planted cmd '.place.where == "config.Cmd"' line text
expect_found planted entrypoint '.place.where == "config.Entrypoint"' line text
expect_found planted healthcheck '.place.where == "config.Healthcheck.Test"' line text
expect_found planted onbuild '.place.where | startswith("config.OnBuild")' line
run sbuild scan --format json --output "$T/history.json" docker:history:1.0.0
assert_status 1
expect_found history arg '.place.where | startswith("history")' line text
run sbuild scan --format json --output "$T/squashed.json" buildah:squashed:1.0.0
assert_status 1
expect_found squashed squashed '.place.where | contains("srv/squashed/")'

now "images without secrets: at most one finding each"
cat >"$T/catalog.json" <<'END'
[{"name": "clean/debian", "tags": ["1"], "index": false, "platforms": ["linux/amd64"], "layers": ["debian"], "config": {}},
 {"name": "clean/node", "tags": ["1"], "index": false, "platforms": ["linux/amd64"], "layers": ["debian", "node"], "config": {}},
 {"name": "clean/python", "tags": ["1"], "index": false, "platforms": ["linux/amd64"], "layers": ["debian", "python"], "config": {}}]
END
mapfile -t chains < <("$INFRA/toolchain.sh" node python)
"$INFRA/oci_image.py" layout --layer "debian=$("$INFRA/base-image.sh" debian)" --layer "node=${chains[0]}" --layer "python=${chains[1]}" \
	--out "$T/clean" "$T/catalog.json"
for name in debian node python; do
	run sbuild scan --format json --output "$T/clean.json" "$T/clean/clean/$name"
	# What is true of any image like these: it runs as root, and has no labels.
	jq -c '.findings[] | select(.severity != "info" and .rule != "SB810") | [.rule, .message]' "$T/clean.json" >"$T/false"
	printf '   %s: %d\n' "$name" "$(wc -l <"$T/false")"
	[[ $(wc -l <"$T/false") -le 1 ]] || fail "findings in $name: $(cat "$T/false")"
done
