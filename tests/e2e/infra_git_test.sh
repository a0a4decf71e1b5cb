#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The git servers that tests start, and the repository that they serve.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$INFRA/git-server.sh" sample "$T/repositories"
git_start git "$T/repositories"
export GIT_SSL_CAINFO=$GIT_CA

now "the same references by every protocol"
assert_ok git ls-remote "$GIT_DAEMON_URL/tool.git"
daemon=$OUT
assert_contains "$daemon" 'refs/tags/v1.1.0^{}'
assert_ok git ls-remote "$GIT_HTTP_URL/tool.git"
assert_eq "$daemon" "$OUT"
assert_ok git ls-remote "$GIT_HTTPS_URL/tool.git"
assert_eq "$daemon" "$OUT"
assert_contains "$(cat "$T/git/git-http.jsonl")" git-upload-pack

now "a shallow fetch of one tag"
assert_ok git init -q "$T/clone"
assert_ok git -C "$T/clone" fetch -q --depth 1 "$GIT_HTTPS_URL/tool.git" refs/tags/v1.1.0
assert_ok git -C "$T/clone" show FETCH_HEAD:tool.sh
assert_contains "$OUT" "tool 1.1.0"

now "commits are the same on every machine, signatures verify"
assert_ok git clone -q "$GIT_DAEMON_URL/tool.git" "$T/full"
assert_eq 0084d892fb1df03bc7720e84ebc69828d357bbd7 "$(git -C "$T/full" rev-parse 'v1.1.0^{commit}')"
mkdir -m 700 "$T/gnupg"
export GNUPGHOME=$T/gnupg
assert_ok gpg --batch -q --import "$T/repositories/git-signer.asc"
fingerprint=$(cat "$T/repositories/git-signer.fpr")
run git -C "$T/full" verify-tag --raw v1.1.0-signed
assert_status 0
assert_contains "$ERR" "VALIDSIG $fingerprint"
run git -C "$T/full" verify-commit --raw origin/signed
assert_contains "$ERR" "VALIDSIG $fingerprint"
run git -C "$T/full" verify-tag v1.1.0
assert_status 1 "a tag without a signature"

now "a user and a password"
git_start private "$T/repositories" --user ada:lovelace
run env GIT_TERMINAL_PROMPT=0 git ls-remote "$GIT_HTTP_URL/tool.git"
assert_status 128
assert_ok git ls-remote "${GIT_HTTP_URL/\/\///\/ada:lovelace@}/tool.git"
