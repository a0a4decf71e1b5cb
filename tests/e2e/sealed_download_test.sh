#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What Dockerfiles download by hand: signed releases by curl and wget, repositories by git, redirects to signed URLs; and the
# shapes that a RUN has: heredoc, exec form, another SHELL, another user, a server of its own, cache mounts, stages.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/sealed_lib.sh"

sealed_start
releases=$("$INFRA/signed-releases.sh" fetch)
mkdir -p "$T/lan/hello" "$T/git"
cp "$releases"/hello/hello_2.10.orig.tar.gz "$T/lan/hello/hello-2.10.tar.gz"
cp "$releases"/hello/hello_2.10.orig.tar.gz.asc "$T/lan/hello/hello-2.10.tar.gz.sig"
printf 'some data\n' >"$T/lan/data.txt"
head -c 3000000 /dev/zero | tr '\0' 'x' >"$T/lan/large.txt"
lan_start "$T/lan"

# A repository with another one in it, by a relative URL as forges have them.
"$INFRA/git-server.sh" sample "$T/git" >/dev/null
git init -q -b main "$T/super"
git -C "$T/super" -c protocol.file.allow=always submodule --quiet add "$T/git/tool.git" tool
git -C "$T/super" config -f .gitmodules submodule.tool.url ../tool.git
printf 'outer\n' >"$T/super/outer.txt"
git -C "$T/super" add -A
GIT_AUTHOR_DATE='2024-03-12T00:00:00Z' GIT_COMMITTER_DATE='2024-03-12T00:00:00Z' \
	git -C "$T/super" -c user.name=test -c user.email=test@example.org commit -q -m one
git clone -q --bare "$T/super" "$T/git/super.git"
_start git-server.sh git "$T/git" --listen "$LAN"
trust "$GIT_CA"

example_project signed-download
ARGS[signed-download]="--build-arg RELEASES=$FILES_TLS_URL"

project git <<END
FROM buildpack-deps:trixie-scm
WORKDIR /src
RUN git clone --depth 1 --recurse-submodules --shallow-submodules $GIT_HTTPS_URL/super.git && \\
    rm -rf super/.git super/tool/.git
RUN git clone -q --branch v1.1.0 $GIT_HTTP_URL/tool.git && git -C tool rev-parse HEAD >head && rm -rf tool/.git
CMD ["sh", "-c", "cat super/outer.txt; ls super/tool; cat head"]
END

project shapes <<END
FROM buildpack-deps:trixie-scm AS base
RUN useradd --create-home app && mkdir /out
# Redirects to a URL with a token that is another one each time.
RUN curl -fsSL -o /out/moved $FILES_TLS_URL/moved/data.txt && wget -q -O /out/moved2 $FILES_URL/moved/data.txt
RUN <<EOF
set -e
curl -fsS $FILES_URL/data.txt >/out/heredoc
for part in 0-99 100-199 1000000-; do
  curl -fsS -r \$part $FILES_URL/large.txt | wc -c >>/out/ranges
done
EOF
RUN cat <<EOF >/out/text
no script
EOF
RUN ["curl", "-fsS", "--output", "/out/exec form", "$FILES_TLS_URL/data.txt"]
USER app
RUN curl -fsS $FILES_TLS_URL/data.txt >/home/app/data && whoami >>/home/app/data
USER root
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN curl -fsS $FILES_TLS_URL/data.txt | tee /out/pipe | grep some
# A server of the step's own on loopback, by name and by address.
COPY server.pl /
RUN perl /server.pl & sleep 0.5; \\
    curl -fsS http://127.0.0.1:8123/ >/out/own && curl -fsS http://localhost:8123/ >>/out/own && kill %1
# A cache that is never warm.
RUN --mount=type=cache,target=/var/cache/acme \\
    { test -e /var/cache/acme/data || curl -fsS -o /var/cache/acme/data $FILES_TLS_URL/data.txt; } && \\
    cp /var/cache/acme/data /out/cached
# Many at once.
RUN seq 40 | xargs -P 20 -I{} curl -fsS -o /tmp/{} $FILES_TLS_URL/data.txt && cat /tmp/* | wc -l >/out/many && rm /tmp/*
# A question that is answered "no".
RUN curl -sS -o /dev/null -w '%{http_code}\\n' $FILES_URL/missing >/out/missing

FROM debian:trixie-slim
COPY --from=base /out /out
COPY --from=base /home/app/data /out/user
CMD ["sh", "-c", "cd /out; for f in *; do echo \"\$f: \$(cat \"\$f\")\"; done"]
END
cat >"$T/shapes/server.pl" <<'END'
use IO::Socket;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1:8123", Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
    sysread($client, my $request, 4096);
    print $client "HTTP/1.0 200 OK\r\n\r\nmine\n";
    close $client;
}
END

record "${PROJECTS[@]}"
assert_eq "" "$(cat "$T"/shapes/sbuild.vendor/sha256/*/* "$T/shapes/Dockerfile.lock" | grep -a -o 'X-Amz-Signature=[0-9a-f]\{8\}' || true)" \
	"tokens in lock and store"

disconnect
stop_part files.sh files
stop_part git-server.sh git
BUILDAH=(signed-download git)
replay "${PROJECTS[@]}"
ran signed-download "Noteworthy changes in release 2.10"
ran git outer
ran git "$(git -C "$T/git/tool.git" rev-parse 'v1.1.0^{commit}')"
for line in "moved: some data" "moved2: some data" "heredoc: some data" "exec form: some data" "pipe: some data" \
	"cached: some data" "own: mine" "many: 40" "missing: 404" "text: no script"; do
	ran shapes "$line"
done
ran shapes "user: some data
app"
ran shapes "ranges: 100
100
2000000"
