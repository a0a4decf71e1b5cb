#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The user's login for a host that the user's settings name, on an engine that keeps it from the step: it opens the door
# upstream, and neither step, image, lock nor log has it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/record_lib.sh"

export SBUILD_ENGINE=docker
unset XDG_RUNTIME_DIR
registry_start registry --images sealed
engine_docker_start docker --suite forky
mkdir -p "$T/www" "$T/p"
printf 'private\n' >"$T/www/one"
lan_files "$T/www"
cat /etc/ssl/certs/ca-certificates.crt "$FILES_CA" >"$T/trusted.pem"
unset CURL_CA_BUNDLE SSL_CERT_DIR
export SSL_CERT_FILE=$T/trusted.pem
host=${FILES_TLS_URL#https://}
P=$T/p
cat >"$P/Dockerfile" <<END
FROM buildpack-deps:trixie-scm
RUN curl -fsS -o /one $FILES_TLS_URL/basic/one
RUN env >/env; cat /proc/[0-9]*/environ >/environ 2>/dev/null; cat /.sbuild-step/* >/files 2>/dev/null; true
END
printf 'machine %s login tester password secret\n' "${host%:*}" >"$HOME/.netrc"

now "without the setting the door stays closed"
sbuild_config "$REGISTRY"
lock
assert_status 1
assert_contains "$(tail -n 1 "$WEB_LOG")" " 401 "

now "with it, it opens"
sbuild_config "$REGISTRY" ". + {recording: {credentials: [\"$host\"]}}"
lock
assert_status 0
assert_contains "$(grep ' 200 ' "$WEB_LOG")" "authorization=yes"

now "and nobody has the login"
secret=$(printf 'tester:secret' | base64)
assert_lacks "$ERR" "$secret"
assert_lacks "$(cat "$P/Dockerfile.lock")" "$secret"
if grep -rqF -e "$secret" -e SBUILD_STEP_CREDENTIALS=. "$P"; then fail "the login is in the project"; fi
run sbuild build -q --offline -o "$T/built" "$P"
assert_status 0
assert_file "$T/built/one" private
for file in env environ files; do
	if grep -qaF -e "$secret" "$T/built/$file"; then fail "the step had the login in /$file"; fi
done
