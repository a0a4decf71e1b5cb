#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# files.sh start DIR ROOT [--listen ADDRESS]
#                              nginx on loopback (or ADDRESS) serving the files below ROOT, by HTTP and HTTPS
# files.sh stop DIR
#
# The same files under every prefix, what changes is the manner:
#   /          plain, with Range and Last-Modified
#   /slow/     200 KB a second
#   /norange/  the whole file whatever Range asks
#   /basic/    needs tester / secret
#   /limited/  at most 5 requests a second, then 429 with Retry-After: 1
#   /429/ and /503/  always that status, with Retry-After: 1
#   /moved/    a redirect to the same file below /signed/, with a token in its query that changes each time
#   /signed/   plain
# DIR/env gets FILES_URL, FILES_TLS_URL and FILES_CA; DIR/access.log is the access log
# (method, path, status, bytes, range, authorization present or not).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/infra/common.sh
. "$here/common.sh"

start() {
	local dir=$1 root port tls address=127.0.0.1
	[[ -d ${2-} ]] || infra_die "no directory to serve"
	infra_need nginx openssl
	root=$(cd "$2" && pwd)
	if [[ ${3-} == --listen ]]; then address=$4; fi
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	"$here/tls.sh" make "$dir/tls" files.test "$address"
	printf 'tester:%s\n' "$(openssl passwd -apr1 secret)" >"$dir/htpasswd"
	port=$(infra_free_port)
	tls=$(infra_free_port)
	mkdir -p "$dir/tmp"
	cat >"$dir/nginx.conf" <<-END
		user $(id -un);
		worker_processes 1;
		daemon off;
		pid $dir/nginx-own.pid;
		error_log $dir/error.log warn;
		events { worker_connections 512; }
		http {
		  types { text/plain txt asc; }
		  default_type application/octet-stream;
		  sendfile on;
		  server_tokens off;
		  map \$http_authorization \$sent_authorization { default yes; "" no; }
		  log_format tests '\$request_method \$scheme \$host \$request_uri \$status \$body_bytes_sent'
		                   ' range="\$http_range" authorization=\$sent_authorization';
		  access_log $dir/access.log tests;
		  client_body_temp_path $dir/tmp; proxy_temp_path $dir/tmp; fastcgi_temp_path $dir/tmp;
		  uwsgi_temp_path $dir/tmp; scgi_temp_path $dir/tmp;
		  limit_req_zone \$server_name zone=limited:1m rate=5r/s;
		  limit_req_status 429;
		  server {
		    listen $address:$port;
		    listen $address:$tls ssl http2;
		    server_name files.test;
		    ssl_certificate $dir/tls/server.pem;
		    ssl_certificate_key $dir/tls/server.key;
		    autoindex off;
		    location / { root $root; }
		    location /slow/ { alias $root/; limit_rate 200k; }
		    location /norange/ { alias $root/; max_ranges 0; }
		    location /basic/ { alias $root/; auth_basic files; auth_basic_user_file $dir/htpasswd; }
		    location /limited/ { alias $root/; limit_req zone=limited; error_page 429 @later; }
		    location /429/ { add_header Retry-After 1 always; return 429; }
		    location /503/ { add_header Retry-After 1 always; return 503; }
		    location ~ ^/moved/(.*)\$ { return 302 \$scheme://\$http_host/signed/\$1?X-Amz-Signature=\$request_id; }
		    location /signed/ { alias $root/; }
		    location @later { add_header Retry-After 1 always; return 429; }
		  }
		}
	END
	infra_spawn "$dir" nginx nginx -e "$dir/error.log" -c "$dir/nginx.conf"
	if ! infra_wait "$dir" nginx 20 infra_tcp_open "$port" "$address"; then
		tail -n 5 "$dir/error.log" >&2
		stop "$dir"
		infra_die "nginx did not start"
	fi
	: >"$dir/env"
	infra_env "$dir/env" "FILES_URL=http://$address:$port" "FILES_TLS_URL=https://$address:$tls" \
		"FILES_CA=$dir/tls/ca.pem"
}

stop() {
	infra_stop "$1/nginx.pid"
	rm -f "$1/env"
}

case ${1-} in
start | stop)
	[[ $# -ge 2 ]] || infra_die "usage: $1 DIR"
	"$@"
	;;
*) infra_die "usage: start DIR ROOT | stop DIR" ;;
esac
