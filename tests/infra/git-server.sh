#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# git-server.sh start DIR ROOT [--listen ADDRESS] [--user U:P]   serves every repository below ROOT
# git-server.sh stop DIR
# git-server.sh sample ROOT                   makes ROOT/tool.git, the same commits each time
#
# DIR/env gets GIT_DAEMON_URL (git://), GIT_HTTP_URL, GIT_HTTPS_URL and GIT_CA; DIR/git-http.jsonl
# has one JSON object per HTTP request. --user asks every HTTP request for that user.
#
# tool.git: branch main (two commits after v1.1.0), branch old; tags v1.0.0 (lightweight), v1.1.0
# (annotated), v1.1.0-signed (signed); a signed commit at branch signed; a symbolic link, an
# executable, a .dockerignore, and .gitattributes with export-ignore and a filter that is not
# there. ROOT/git-signer.asc is the public key, ROOT/git-signer.fpr its fingerprint.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

start() {
	local dir=$1 root port http https address=127.0.0.1
	[[ -d ${2-} ]] || infra_die "no directory to serve"
	infra_need git openssl
	root=$(cd "$2" && pwd)
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	shift 2
	if [[ ${1-} == --listen ]]; then
		address=$2
		shift 2
	fi
	"$here/tls.sh" make "$dir/tls" git.test "$address"
	port=$(infra_free_port)
	infra_spawn "$dir" git-daemon env GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory 'GIT_CONFIG_VALUE_0=*' \
		"$(git --exec-path)/git-daemon" --export-all --reuseaddr --listen="$address" --port="$port" --base-path="$root" "$root"
	rm -f "$dir/git-http.ports"
	: >"$dir/git-http.jsonl"
	infra_spawn "$dir" git-http /usr/bin/python3 -B "$here/git_http.py" --dir "$dir" --root "$root" \
		--listen "$address" --cert "$dir/tls/server.pem" --key "$dir/tls/server.key" "$@"
	if ! infra_wait "$dir" git-daemon 20 infra_tcp_open "$port" "$address" ||
		! infra_wait "$dir" git-http 20 test -s "$dir/git-http.ports"; then
		stop "$dir"
		infra_die "the git server did not start"
	fi
	read -r http https <"$dir/git-http.ports"
	: >"$dir/env"
	infra_env "$dir/env" "GIT_DAEMON_URL=git://$address:$port" "GIT_HTTP_URL=http://$address:$http" \
		"GIT_HTTPS_URL=https://$address:$https" "GIT_CA=$dir/tls/ca.pem"
}

stop() {
	infra_stop "$1/git-daemon.pid"
	infra_stop "$1/git-http.pid"
	rm -f "$1/env"
}

sample() {
	local root=$1 work
	infra_need git gpg
	mkdir -p "$root"
	root=$(cd "$root" && pwd)
	work=$(mktemp -d /tmp/sbuild-git.XXXXXX)
	# shellcheck disable=SC2064 # the directory of now
	trap "GNUPGHOME='$work/gpg' gpgconf --kill all 2>/dev/null; rm -rf '$work'" EXIT
	(
		# Nothing of the user's own git: names, hooks, signing.
		export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME=$work GNUPGHOME=$work/gpg
		export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.org GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.org
		commit() {
			export GIT_AUTHOR_DATE="$1 +0000" GIT_COMMITTER_DATE="$1 +0000"
			git add -A && git commit -q "${@:3}" -m "$2"
		}
		mkdir -m 700 "$GNUPGHOME"
		printf 'no-auto-check-trustdb\ntrust-model always\n' >"$GNUPGHOME/gpg.conf"
		gpg --batch --quiet --passphrase '' --quick-generate-key 'Ada (git) <ada@example.org>' ed25519 sign never
		fpr=$(gpg --batch --with-colons --list-keys | awk -F: '$1 == "fpr" { print $10; exit }')
		git init -q -b main "$work/tool"
		cd "$work/tool"
		git config user.signingKey "$fpr"
		printf '#!/bin/sh\necho tool 1.0.0\n' >tool.sh
		chmod +x tool.sh
		mkdir -p docs sub/deeper
		printf 'read me\n' >docs/README
		printf 'deep\n' >sub/deeper/file
		ln -s ../docs/README sub/link
		printf '*.sh\n' >.dockerignore
		printf 'docs export-ignore\n*.bin filter=absent\n' >.gitattributes
		printf 'raw\r\nbytes\n' >data.bin
		commit 1700000000 'first'
		git tag v1.0.0
		git branch old
		printf '#!/bin/sh\necho tool 1.1.0\n' >tool.sh
		commit 1710000000 'second'
		git tag -a v1.1.0 -m 'release 1.1.0'
		git tag -s v1.1.0-signed -m 'release 1.1.0, signed'
		git checkout -q -b signed
		printf 'signed\n' >signed.txt
		commit 1715000000 'signed change' -S
		git checkout -q main
		printf '#!/bin/sh\necho tool 1.2.0-dev\n' >tool.sh
		commit 1720000000 'third'
		printf 'more\n' >>docs/README
		commit 1720000100 'fourth'
		rm -rf "$root/tool.git"
		git clone -q --bare "$work/tool" "$root/tool.git"
		git -C "$root/tool.git" remote remove origin
		git -C "$root/tool.git" config uploadpack.allowFilter true
		gpg --batch --quiet --armor --export "$fpr" >"$root/git-signer.asc"
		printf '%s\n' "$fpr" >"$root/git-signer.fpr"
	)
}

case ${1-} in
start | stop | sample)
	[[ $# -ge 2 ]] || infra_die "usage: $1 DIR"
	"$@"
	;;
*) infra_die "usage: start DIR ROOT [--user U:P] | stop DIR | sample ROOT" ;;
esac
