#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# tls.sh make DIR [NAME...]: a certificate authority of its own in DIR/ca.pem and a server
# certificate that it signed in DIR/server.pem and DIR/server.key, for localhost,
# 127.0.0.1, ::1 and every NAME or IPv4 address. Does nothing when they are there already.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

make() {
	local dir=$1 names=DNS:localhost,IP:127.0.0.1,IP:::1 name
	shift
	for name in "$@"; do
		if [[ $name =~ ^[0-9.]+$ ]]; then names+=,IP:$name; else names+=,DNS:$name; fi
	done
	infra_need openssl
	mkdir -p "$dir"
	[[ ! -s $dir/server.pem ]] || return 0
	(
		cd "$dir"
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
			-subj '/CN=sbuild test authority' -keyout ca.key -out ca.pem \
			-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=localhost' \
			-keyout server.key -out server.csr
		printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' "$names" >server.ext
		openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 \
			-extfile server.ext -out server.pem
		rm -f server.csr server.ext
	) >"$dir/tls.log" 2>&1 || infra_die "no certificate (log: $dir/tls.log)"
}

case ${1-} in
make)
	[[ $# -ge 2 ]] || infra_die "usage: make DIR [NAME...]"
	"$@"
	;;
*) infra_die "usage: make DIR [NAME...]" ;;
esac
