#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The registries that tests start, with skopeo as the client: every way of authentication, known digests, more images.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

raw_digest() { skopeo inspect --raw "$@" | sha256sum | sed 's/ .*//; s/^/sha256:/'; }

now "no authentication: every tag of the catalogue resolves to the digest that it must have"
registry_start plain
count=0
while read -r name tag; do
	assert_eq "$(image_digest "$name:$tag")" "$(raw_digest --tls-verify=false "docker://$REGISTRY/$name:$tag")" "$name:$tag"
	count=$((count + 1))
done < <(jq -r '.[] | .name + " " + .tags[0]' "$INFRA/images.json")
[[ $count -ge 20 ]] || fail "only $count images"
assert_eq "$(image_digest library/node:20.19.4)" "$(image_digest library/node:20)"
assert_ne "$(image_digest library/node:20)" "$(image_digest library/node:20-slim)"

now "more images"
cat >"$T/more.json" <<'END'
[{"name": "acme/more", "tags": ["1", "1.0.0"], "layers": [{"files": {"/a/b": {"text": "x", "mode": "0600"}, "/a/l": {"link": "b"}}}]}]
END
"$INFRA/registry.sh" push "$T/plain" "$T/more.json"
assert_ok skopeo inspect --tls-verify=false "docker://$REGISTRY/acme/more:1.0.0"
assert_ok skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/acme/more:1" "dir:$T/more"
layer=$(jq -r '.layers[0].digest' "$T/more/manifest.json")
assert_contains "$(tar -tvzf "$T/more/${layer#sha256:}")" "a/l -> b"

now "Basic"
registry_start basic --auth basic --images small
run skopeo inspect --tls-verify=false "docker://$REGISTRY/library/alpine:3"
assert_status 1
run skopeo inspect --tls-verify=false --creds "$REGISTRY_USER:wrong" "docker://$REGISTRY/library/alpine:3"
assert_status 1
assert_ok skopeo inspect --tls-verify=false --creds "$REGISTRY_USER:$REGISTRY_PASSWORD" "docker://$REGISTRY/library/alpine:3"
docker_login "$REGISTRY" "$REGISTRY_USER" "$REGISTRY_PASSWORD"
assert_ok skopeo inspect --tls-verify=false "docker://$REGISTRY/library/alpine:3"

now "Bearer over TLS with an authority of its own: anonymous tokens for what is public, a user for the rest"
registry_start bearer --auth bearer --tls --images small --private acme/ --refresh "refresh me"
mkdir -p "$T/certs"
cp "$REGISTRY_CA" "$T/certs/ca.crt"
run skopeo inspect "docker://$REGISTRY/library/alpine:3"
assert_status 1 "the authority is not known"
assert_ok skopeo inspect --cert-dir "$T/certs" "docker://$REGISTRY/library/alpine:3"
run skopeo inspect --cert-dir "$T/certs" "docker://$REGISTRY/acme/tool:1"
assert_status 1 "a private image without a user"
assert_ok skopeo inspect --cert-dir "$T/certs" --creds "$REGISTRY_USER:$REGISTRY_PASSWORD" "docker://$REGISTRY/acme/tool:1"
assert_json <(tail -n 1 "$T/bearer/token.jsonl") '[.who, .granted[0].actions]' '["tester",["pull"]]'
realm=$(curl -sS --cacert "$REGISTRY_CA" -D - -o "$T/body" "$REGISTRY_URL/v2/" | sed -n 's/.*realm="\([^"]*\)".*/\1/p')
assert_ok curl -fsS -d grant_type=refresh_token -d service=registry.test -d scope=repository:acme/tool:pull \
	--data-urlencode "refresh_token=refresh me" "$realm"
token=$(jq -r .access_token <<<"$OUT")
assert_ok curl -fsS --cacert "$REGISTRY_CA" -H "Authorization: Bearer $token" "$REGISTRY_URL/v2/acme/tool/tags/list"
assert_contains "$OUT" 1.2.3
