#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Registries as the fetch module sees them: every way of logging in, pages of tags, pulls that break, mirrors.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

fetch() { run "${FETCH_TOOL:?the path of the built fetch_tool}" "$@"; }
# resolves REF: to the digest that images.json says.
resolves() {
	fetch resolve "$1"
	assert_status 0 "resolve $1"
	assert_contains "$OUT" "$(image_digest "${1#"$REGISTRY/"}")" "$1"
}
# whole LAYOUT: every blob is what its name says.
whole() {
	(cd "$1/blobs/sha256" && for f in *; do printf '%s  %s\n' "$f" "$f"; done | sha256sum --quiet -c) || fail "$1 is damaged"
	assert_eq "" "$(ls "$1/partial")" "what is left in partial"
}

now "no authentication, on loopback by plain http"
registry_start plain
count=0
while read -r name; do
	resolves "$REGISTRY/$name"
	count=$((count + 1))
done < <(jq -r '.[] | .name + ":" + .tags[0]' "$INFRA/images.json")
[[ $count -ge 20 ]] || fail "only $count images"
fetch resolve "$REGISTRY/library/nonesuch:1"
assert_status 8
assert_contains "$ERR" "answered 404"
fetch platforms "$REGISTRY/acme/nested:1"
assert_contains "$OUT" "linux/arm64"
fetch tags "$REGISTRY/library/alpine"
assert_eq "3 3.19 3.19.4 3.20 3.20.3 latest" "$(sort <<<"$OUT" | xargs)"
plain=$REGISTRY

now "pulling: the index byte for byte, one platform or all, twice"
fetch pull "$T/one" "$REGISTRY/library/alpine:3" linux/amd64
assert_status 0
whole "$T/one"
fetch pull "$T/all" "$REGISTRY/library/alpine:3"
assert_status 0
whole "$T/all"
[[ $(find "$T/all/blobs" -type f | wc -l) -gt $(find "$T/one/blobs" -type f | wc -l) ]] || fail "all is not more than one"
digest=$(image_digest library/alpine:3)
assert_same "$T/one/blobs/sha256/${digest#sha256:}" "$T/all/blobs/sha256/${digest#sha256:}"
fetch pull "$T/one" "$REGISTRY/library/alpine:3"
assert_status 0
assert_eq "$(cd "$T/all/blobs/sha256" && echo *)" "$(cd "$T/one/blobs/sha256" && echo *)"
assert_json "$T/one/index.json" '[.manifests[] | .annotations["org.opencontainers.image.ref.name"]]' '["3"]'
fetch pull "$T/oci" "$REGISTRY/acme/tool:1"
assert_status 0
assert_ok skopeo inspect --raw "oci:$T/oci:1"

now "Basic: from config.json, auth.json and a helper; without them the message says what to do"
registry_start basic --auth basic --images small
fetch resolve "$REGISTRY/library/alpine:3"
assert_status 8
assert_contains "$ERR" "docker login $REGISTRY"
docker_login "$REGISTRY" "$REGISTRY_USER" wrong
fetch resolve "$REGISTRY/library/alpine:3"
assert_status 8
assert_lacks "$OUT$ERR" wrong
docker_login "$REGISTRY" "$REGISTRY_USER" "$REGISTRY_PASSWORD"
resolves "$REGISTRY/library/alpine:3"
fetch pull "$T/basic-layout" "$REGISTRY/library/alpine:3"
assert_status 0
whole "$T/basic-layout"
rm "$DOCKER_CONFIG/config.json"
mkdir "$XDG_RUNTIME_DIR/containers"
jq -n --arg h "$REGISTRY/library" --arg a "$(printf '%s:%s' "$REGISTRY_USER" "$REGISTRY_PASSWORD" | base64 -w0)" \
	'{auths: {($h): {auth: $a}}}' >"$XDG_RUNTIME_DIR/containers/auth.json"
resolves "$REGISTRY/library/alpine:3"
mv "$XDG_RUNTIME_DIR/containers/auth.json" "$T/auth.json"
REGISTRY_AUTH_FILE=$T/auth.json resolves "$REGISTRY/library/alpine:3"
mkdir "$T/bin"
cat >"$T/bin/docker-credential-test" <<'SCRIPT'
#!/bin/sh
read -r server
[ "$server" = "$REGISTRY" ] || { echo "credentials not found in native keychain"; exit 1; }
printf '{"ServerURL":"%s","Username":"%s","Secret":"%s"}' "$server" "$REGISTRY_USER" "$REGISTRY_PASSWORD"
SCRIPT
chmod +x "$T/bin/docker-credential-test"
printf '{"credsStore": "test"}\n' >"$DOCKER_CONFIG/config.json"
export REGISTRY REGISTRY_USER REGISTRY_PASSWORD
PATH=$T/bin:$PATH resolves "$REGISTRY/library/alpine:3"
fetch resolve "$REGISTRY/library/alpine:3"
assert_status 8 "a helper that is not installed"
assert_contains "$ERR" "docker-credential-test is not installed"
rm "$DOCKER_CONFIG/config.json"

now "Bearer over TLS: anonymous, with a user, with an identity token"
registry_start bearer --auth bearer --tls --images small --private acme/ --refresh "refresh me"
fetch resolve "$REGISTRY/library/alpine:3"
assert_status 8 "an authority that nobody knows"
assert_contains "$ERR" "certificate"
mkdir -p "$XDG_CONFIG_HOME/docker/certs.d/$REGISTRY"
cp "$REGISTRY_CA" "$XDG_CONFIG_HOME/docker/certs.d/$REGISTRY/ca.crt"
resolves "$REGISTRY/library/alpine:3"
fetch resolve "$REGISTRY/acme/tool:1"
assert_status 8 "a private image without a user"
assert_contains "$ERR" "docker login"
docker_login "$REGISTRY" "$REGISTRY_USER" "$REGISTRY_PASSWORD"
resolves "$REGISTRY/acme/tool:1"
assert_json <(tail -n 1 "$T/bearer/token.jsonl") '[.method, .who]' '["GET","tester"]'
fetch pull "$T/bearer-layout" "$REGISTRY/acme/tool:1"
assert_status 0
whole "$T/bearer-layout"
jq -n --arg h "$REGISTRY" '{auths: {($h): {identitytoken: "refresh me"}}}' >"$DOCKER_CONFIG/config.json"
resolves "$REGISTRY/acme/tool:1"
assert_json <(tail -n 1 "$T/bearer/token.jsonl") '[.method, .who]' '["POST","refresh-token"]'
rm "$DOCKER_CONFIG/config.json"

now "what goes wrong"
REGISTRY=$plain
faults_start front --upstream "http://$plain"
sbuild_config "${FAULT_URL#http://}"
fault() {
	printf '%s\n' "$1" >"$FAULT_RULES"
	: >"$FAULT_LOG"
	rm -rf "$T/layout"
}
fault '[{"match": "GET /v2/.*/blobs/", "truncate": 100, "times": 1}]'
fetch pull "$T/layout" alpine:3
assert_status 0
whole "$T/layout"
assert_contains "$(jq -r .headers.range "$FAULT_LOG")" "bytes=100-"
fault '[{"match": "/tags/list", "page": 2}]'
fetch tags alpine
assert_eq 6 "$(wc -l <"$T/out")" "tags of three pages"
assert_eq 3 "$(grep -c tags/list "$FAULT_LOG")" "pages"
fault '[{"match": "HEAD /v2/.*/manifests/", "drop": "Docker-Content-Digest"}]'
resolves library/alpine:3
fault '[{"match": "HEAD /v2/.*/manifests/", "status": 405}]'
resolves library/alpine:3
fault '[{"match": "/manifests/", "status": 429, "retry-after": 1, "times": 1}]'
resolves library/alpine:3
fault '[{"match": "/manifests/", "set": "Warning: 299 - \"old tag\""}]'
resolves library/alpine:3
assert_contains "$ERR" "says: old tag"
fault '[{"match": "GET /v2/.*/manifests/", "corrupt": 20}]'
fetch pull "$T/layout" alpine:3
assert_status 7
fault '[{"match": "GET /v2/.*/blobs/", "corrupt": 20}]'
fetch pull "$T/layout" alpine:3
assert_status 7
assert_contains "$ERR" "do not use it"
fault '[]'
fetch pull "$T/layout" alpine:3
assert_status 0
whole "$T/layout"

now "a mirror that fails is passed over; one that is not trusted is not asked what a tag is"
sbuild_config "${FAULT_URL#http://}" ".registries[\"docker.io\"].mirrors += [{location: \"$plain\", insecure: true}]"
fault '[{"match": "GET /v2/.*/(blobs|manifests)/", "corrupt": 20}]'
fetch pull "$T/layout" alpine:3
assert_status 0
whole "$T/layout"
sbuild_config "${FAULT_URL#http://}" '.registries["docker.io"].mirrors[0].resolve = false'
fault '[]'
https_proxy=http://127.0.0.1:1 fetch resolve alpine:3
assert_status 8
assert_eq "" "$(cat "$FAULT_LOG")" "what the mirror was asked"
assert_contains "$ERR" '"resolve": true'
sbuild_config "$plain" '.registries["docker.io"].blocked = true'
fetch resolve alpine:3
assert_status 2
assert_contains "$ERR" "blocked"

now "blobs on another host get no credentials"
registry_start basic2 --auth basic --images small
faults_start front2 --upstream "$REGISTRY_URL"
front=${FAULT_URL#http://}
docker_login "$front" "$REGISTRY_USER" "$REGISTRY_PASSWORD"
sbuild_config ""
fault "[{\"match\": \"GET /v2/.*/blobs/\", \"times\": 1, \"skip\": 0, \"to\": \"$FAULT_OTHER_URL/elsewhere\"}]"
fetch pull "$T/layout" "$front/library/alpine:3"
assert_status 8
assert_json <(jq -c 'select(.path == "/elsewhere")' "$FAULT_LOG" | head -n 1) '.headers.authorization' null
assert_contains "$(jq -r 'select(.path | contains("/manifests/")) | .headers.authorization' "$FAULT_LOG")" "Basic "
