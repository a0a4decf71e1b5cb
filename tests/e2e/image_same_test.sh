#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The canonical image: steps of which engines tell the same change in different ways, and steps that leave what differs
# from build to build, give one image; and that image is what the Dockerfile says.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry_start registry
sbuild_config "$REGISTRY"
engine_buildah_setup buildah
mkdir "$T/hard" "$T/scratch"
echo content >"$T/hard/file"
cat >"$T/hard/Dockerfile" <<'END'
FROM debian:bookworm-slim AS made
RUN mkdir -p /tree/sub && echo one > /tree/one && ln /tree/one /tree/sub/link && ln -s ../one /tree/sub/soft && chmod 700 /tree/sub
FROM debian:bookworm-slim
MAINTAINER somebody
LABEL z=1 a=2
ENV FIRST=1 PATH=/opt/bin:$PATH
ENV FIRST=2
COPY --from=made /tree /tree
COPY file /opt/file
RUN echo x > /srv/a && ln /srv/a /srv/b && ln -s a /srv/c && mkdir -m 1777 /srv/t && touch /srv/t/gone && chown 5:6 /srv/t
RUN rm -rf /srv/t && mkdir /srv/t && touch /srv/t/new
RUN rm /etc/issue && rm -rf /usr/share/doc && mkdir -p /usr/share/doc/new && ln /etc/debian_version /etc/linked
RUN chmod 0644 /etc/passwd && chown root:root /etc/group && touch /etc/shells /etc
RUN true
RUN cp /etc/hostname /etc/hosts /srv/ 2>/dev/null; mkfifo /srv/fifo; echo y > "/srv/ü 1"; touch -d '2001-02-03 04:05:06' /srv/old; rm -f /srv/hostname /srv/hosts
RUN mkdir -p /var/log/apt /var/cache/ldconfig /root/.npm/_logs && date +%N | tee /var/log/dpkg.log /var/log/apt/term.log /var/cache/ldconfig/aux-cache /root/.npm/_logs/x.log /etc/machine-id
RUN useradd --create-home --uid 1234 joe && rm -f /etc/*- && chage --lastday 0 joe && rm -rf /var/log/lastlog /var/log/faillog
RUN mkdir -p "/deep/$(printf 'n%.0s' $(seq 120))/$(printf 'm%.0s' $(seq 120))" && rm -rf /srv/t/new
EXPOSE 80 53/udp
VOLUME /data
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s CMD true
USER joe
ENTRYPOINT ["/bin/sh"]
CMD ["-c", "id"]
END
cat >"$T/scratch/Dockerfile" <<'END'
FROM busybox:1.35.0 AS b
FROM scratch
COPY --from=b /bin/ /bin/
RUN ["/bin/busybox", "touch", "/touched"]
WORKDIR /
END
for project in hard scratch; do assert_ok sbuild lock "$T/$project"; done

build() { # ENGINE PROJECT: prints the image ID
	run sbuild build --quiet --no-cache --engine "$1" -t "$2:1.0.0" "$T/$2"
	assert_status 0
	printf '%s\n' "$OUT"
}

now "Buildah, twice"
hard=$(build buildah hard)
scratch=$(build buildah scratch)
assert_eq "$hard" "$(build buildah hard)" "image ID of the second build"

now "Docker"
unset XDG_RUNTIME_DIR # the daemon lives in a root of its own, where this directory is not
engine_docker_start docker
assert_eq "$hard" "$(build docker hard)" "image ID from Docker"
assert_eq "$scratch" "$(build docker scratch)" "image ID from Docker, from scratch"

in_container() { docker run --rm "$@"; }

now "it is what the Dockerfile says"
# shellcheck disable=SC2016 # expanded in the container
assert_ok in_container --user 0 hard:1.0.0 -c '
	set -e
	cd /srv
	stat -c "%n %F %a %u" a b c fifo old t "ü 1" /tree/one /tree/sub /tree/sub/link /home/joe /opt/file
	test a -ef b && test /tree/one -ef /tree/sub/link
	readlink c; readlink /tree/sub/soft; stat -c %y old; ls /usr/share/doc /srv/t; cat /etc/linked
	test ! -e /etc/issue; test ! -e /srv/t/gone; test ! -e /var/log/dpkg.log; test -d /var/log/apt; test ! -e /root/.npm/_logs/x.log
	echo "$FIRST $PATH"; ls -d /deep/*/*'
expected='a regular file 644 0
b regular file 644 0
c symbolic link 777 0
fifo fifo 644 0
old regular empty file 644 0
t directory 755 0
ü 1 regular file 644 0
/tree/one regular file 644 0
/tree/sub directory 700 0
/tree/sub/link regular file 644 0
/home/joe directory 755 1234
/opt/file regular file 644 0
a
../one
2001-02-03 04:05:06.000000000 +0000
/srv/t:

/usr/share/doc:
new'
assert_contains "$OUT" "$expected"
assert_contains "$OUT" "2 /opt/bin:/usr/local/sbin"
assert_contains "$OUT" "/deep/nnnn"
assert_ok in_container hard:1.0.0
assert_contains "$OUT" "uid=1234(joe)"
assert_ok docker image inspect hard:1.0.0
assert_json "$T/out" '.[0].Config | [.User, .Entrypoint, .Cmd, .StopSignal, (.Labels | [.a, .z]), (.ExposedPorts | keys), (.Volumes | keys)]' \
	'["joe",["/bin/sh"],["-c","id"],"SIGINT",["2","1"],["53/udp","80/tcp"],["/data"]]'

now "as a tar and as a directory"
mkdir "$T/out.d"
for kind in "type=tar,dest=$T/hard.tar" "type=local,dest=$T/out.d"; do
	assert_ok sbuild build --quiet --engine docker --output "$kind" "$T/hard"
done
tar -xOf "$T/hard.tar" etc/linked >"$T/linked"
assert_same "$T/linked" "$T/out.d/etc/linked"
assert_eq "$(stat -c %i "$T/out.d/srv/a")" "$(stat -c %i "$T/out.d/srv/b")" "inode of a hard link"
assert_eq "1234" "$(stat -c %u "$T/out.d/home/joe")" "owner"
assert_absent "$T/out.d/etc/issue"
