#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The program inside a RUN by itself, in bare roots (Debian, busybox, scratch) without any engine: what it makes of
# exit statuses, signals, orphans, descriptors, users and read-only roots, and that it leaves nothing behind.
# shellcheck disable=SC2016 # scripts for the shells inside
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case $(uname -m) in
aarch64) arch=arm64 ;;
*) arch=amd64 ;;
esac
PROGRAM=${SBUILD_STEP_DIR:-$(dirname "$SBUILD")/../builder/step}/sbuild-step-linux-$arch
[[ -x $PROGRAM ]] || fail "no $PROGRAM"

mkdir -p "$T"/{debian,busybox,scratch,step/objects}
tar -C "$T/debian" -xzf "$("$INFRA/base-image.sh" debian)"
tar -C "$T/busybox" -xzf "$("$INFRA/base-image.sh" busybox)"
# Nothing at all: the one program that runs in it is given its path.
cp "$T/busybox/bin/busybox" "$T/scratch/sh"
for root in debian busybox scratch; do
	mkdir -p "$T/$root"/{.sbuild-bin,.sbuild-step,.sbuild-tmp}
done
mkdir -p "$T"/{debian,busybox}/{proc,dev,etc}
printf 'nameserver 127.0.0.1\n' | tee "$T/debian/etc/resolv.conf" >"$T/busybox/etc/resolv.conf"

step_json() { # MODE
	printf '{"version":1,"id":"0123456789ab","label":"RUN test","mode":"%s","epoch":1700000000,"tolerate-expiry":true}\n' "$1"
}
step_json replay >"$T/step/step.json"
printf '{"version":1}\n' >"$T/step/manifest"

# room ROOT COMMAND...: the command in a container of its own, with the parts of a step mounted. $ROOM_NET: "up" leaves it
# the network. $ROOM_USER: a number. $ROOM_RO: the root is read-only. $ROOM_BARE: neither /proc nor /dev.
# $ROOM_AFTER: shell text that runs in the same container behind it, outside of the root.
room() {
	local root=$T/$1 net=--net
	shift
	[[ ${ROOM_NET-} != up ]] || net=
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		root="$root" program="$PROGRAM" step="${ROOM_STEP-$T/step}" net=$net user="${ROOM_USER-}" ro="${ROOM_RO-}" bare="${ROOM_BARE-}" \
		after="${ROOM_AFTER-}" log="$T/after" \
		unshare --mount --pid --fork --kill-child $net -- setsid bash -c '
			[[ -z $net ]] || ip link set lo up
			mount --make-rprivate / && mount --bind "$root" "$root" && mount --bind "$(dirname "$program")" "$root/.sbuild-bin" &&
				mount -t tmpfs none "$root/.sbuild-bin" && cp "$program" "$root/.sbuild-bin/sbuild-step" &&
				mount -o remount,ro "$root/.sbuild-bin" && mount --bind "$step" "$root/.sbuild-step" &&
				mount -t tmpfs -o mode=1777 none "$root/.sbuild-tmp" || exit 99
			if [[ -z $bare ]]; then mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" || exit 99; fi
			[[ -z $ro ]] || mount -o remount,bind,ro "$root" || exit 99
			as=()
			[[ -z $user ]] || as=(setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=-all)
			into=(env --unset={root,program,step,net,user,ro,bare,after,log,OLDPWD,SHLVL,_,PWD} chroot "$root" "${as[@]}")
			[[ $# -gt 0 && $1 != sbuild-step ]] || { shift && set -- /.sbuild-bin/sbuild-step "$@"; }
			cd /
			if [[ -z $after ]]; then exec "${into[@]}" "$@"; fi
			"${into[@]}" "$@"
			status=$?
			eval "$after" >"$log" 2>&1
			exit $status' bash "$@"
}
step() { # ROOT COMMAND...: as a RUN has it
	local root=$1
	shift
	room "$root" sbuild-step -- "$@"
}

now "exit statuses"
for root in debian busybox; do
	run step $root /bin/sh -c 'echo out; echo err >&2; exit 7'
	assert_status 7
	assert_eq out "$OUT"
	assert_eq err "$ERR"
	assert_ok step $root /bin/sh -c true
	run step $root nosuch
	assert_status 127
	assert_eq "sbuild: cannot run nosuch: No such file or directory" "$ERR"
	run step $root /etc/passwd
	assert_status 126
	run step $root /bin/sh -c 'kill -9 $$'
	assert_status 137
	run step $root /bin/sh -c 'kill -SEGV $$'
	assert_status 139
	run step $root /bin/sh -ec 'false; echo reached'
	assert_status 1
	assert_eq '' "$OUT"
done
run step debian /bin/bash -o pipefail -c 'false | cat'
assert_status 1

now "an image with nothing in it: no shell, no /tmp, no /proc, no library"
ROOM_BARE=1 run step scratch /sh -c 'echo $0 $SSL_CERT_FILE; exit 5' scratch
assert_status 5
assert_eq "scratch /.sbuild-tmp/step/trust.pem" "$OUT"

now "the command inherits what it would without: descriptors, signals, group, umask, limits"
inherited='umask; ulimit -a; grep -E "^(Sig[A-Z][a-z]|Shd)" /proc/self/status; cat /proc/self/oom_score_adj; readlink /proc/self/fd/* | sed "/^.proc/d; s/:\[.*//"; pwd; id'
(
	umask 027
	ulimit -n 333
	trap '' HUP # an engine may have reasons to
	exec 9</dev/zero
	room debian /bin/bash -c "$inherited" >"$T/plain" </dev/null
	step debian /bin/bash -c "$inherited" >"$T/stepped" </dev/null
)
assert_same "$T/plain" "$T/stepped"
assert_contains "$(cat "$T/stepped")" /dev/zero
run step debian /bin/sh -c 'echo $(cut -d " " -f 5 /proc/1/stat) $(cut -d " " -f 5 /proc/self/stat)'
assert_matches "$OUT" '^([0-9]+) \1$' "process groups"

now "standard input is the engine's"
assert_eq "from outside" "$(printf 'from outside' | step busybox /bin/cat)"
assert_eq "" "$(step busybox /bin/cat </dev/null)"

now "signals from outside reach the command, and what it makes of them counts"
signalled() { # SIGNAL EXPECTED-STATUS SCRIPT
	local pid status=0 inside tries=0
	rm -f "$T/ready"
	mkfifo "$T/ready"
	step debian /bin/bash -c "$3 # $T" >"$T/ready" 2>"$T/err" &
	pid=$!
	read -r <"$T/ready"
	# Process 1 of the container, as an engine sees it.
	while ! inside=$(pgrep -f "^/.sbuild-bin/sbuild-step -- .* # $T\$"); do
		((tries++ < 100)) || fail "not running"
		sleep 0.05
	done
	kill -s "$1" "$inside"
	wait $pid || status=$?
	assert_eq "$2" "$status" "status after $1"
}
for signal in TERM INT HUP QUIT USR1 USR2 WINCH; do
	signalled $signal 42 "trap 'exit 42' $signal; echo ready; while :; do sleep 0.05; done"
done
signalled TERM 143 'echo ready; exec sleep 60'

now "a signal to the whole group arrives once"
run step debian /bin/bash -c 'n=0; trap "n=\$((n + 1))" TERM; kill -TERM 0; sleep 0.3; echo $n'
assert_status 0
assert_eq 1 "$OUT"

now "orphans are reaped, and those that are left do not hold the step up"
run step debian /bin/bash -c 'for i in 1 2 3 4 5; do (sleep 0.05 &) ; done; sleep 0.5; grep -l "^State:.Z" /proc/[0-9]*/status | wc -l'
assert_eq 0 "$OUT"
begin=$SECONDS
run step debian /bin/bash -c 'sleep 100 & exit 3'
assert_status 3
((SECONDS - begin < 20)) || fail "waited for a background child"

now "any user, a read-only root: and nothing is left behind"
for user in 0 1000 65534; do
	ROOM_USER=$user ROOM_RO=1 ROOM_AFTER='find "$root/.sbuild-tmp" -mindepth 1' run step debian /bin/sh -c \
		'id -u; for f in /.sbuild-tmp/step/* /.sbuild-tmp/step/php.d/*; do test -r $f || echo unreadable: $f; done; ls -A /.sbuild-tmp'
	assert_status 0
	assert_eq "$user"$'\n'step "$OUT"
	assert_file "$T/after" ''
done
ROOM_USER=1000 run step debian /bin/sh -c 'umask 077; cat /.sbuild-tmp/step/trust.pem /etc/ssl/certs/ca-certificates.crt | sort | uniq -c | grep -c "BEGIN CERT"'
assert_status 0

now "other users of the step can read its files, and may put theirs beside them"
run step debian /bin/bash -c 'umask 077; setpriv --reuid=1234 --clear-groups sh -c "find /.sbuild-tmp/step -type f -exec cat {} + >/dev/null && touch /.sbuild-tmp/x"'
assert_status 0

now "dnf trusts the server, and its file is what it was"
mkdir -p "$T/busybox/etc/dnf"
printf '[main]\ngpgcheck=1\n' >"$T/busybox/etc/dnf/dnf.conf"
touch -d @1600000000.5 "$T/busybox/etc/dnf/dnf.conf"
before=$(stat -c '%a %u %i %s %y' "$T/busybox/etc/dnf/dnf.conf")
run step busybox /bin/sh -c 'cat /etc/dnf/dnf.conf; exit 4'
assert_status 4
assert_eq $'[main]\nsslcacert=/.sbuild-tmp/step/trust.pem\ngpgcheck=1' "$OUT"
assert_eq "$before" "$(stat -c '%a %u %i %s %y' "$T/busybox/etc/dnf/dnf.conf")"
assert_file "$T/busybox/etc/dnf/dnf.conf" $'[main]\ngpgcheck=1'
ROOM_RO=1 run step busybox /bin/sh -c 'cat /etc/dnf/dnf.conf'
assert_status 0
assert_eq $'[main]\ngpgcheck=1' "$OUT"
run step busybox /bin/sh -c 'echo keepcache=1 >>/etc/dnf/dnf.conf'
assert_file "$T/busybox/etc/dnf/dnf.conf" $'[main]\ngpgcheck=1\nkeepcache=1'

now "a step with a network is not sealed"
ROOM_NET=up run step busybox /bin/echo reached
assert_status 125
assert_eq '' "$OUT"
assert_matches "$ERR" '^sbuild: the step has a network \([^ ]+ is up\), so it is not sealed; .*--network=none$'

now "missing or damaged parts"
damaged() { # TEXT-OF-STEP.JSON TEXT-OF-MANIFEST PART-OF-THE-MESSAGE
	rm -rf "$T/damaged"
	mkdir -p "$T/damaged/objects"
	[[ -z $1 ]] || printf '%s' "$1" >"$T/damaged/step.json"
	[[ -z $2 ]] || printf '%s' "$2" >"$T/damaged/manifest"
	ROOM_STEP=$T/damaged run step busybox /bin/echo reached
	assert_status 125
	assert_eq '' "$OUT"
	assert_eq 1 "$(wc -l <"$T/err")" "lines on standard error"
	assert_contains "$ERR" "sbuild: "
	assert_contains "$ERR" "$3"
}
damaged '' '{"version":1}' /.sbuild-step/step.json
damaged '{"version":1,' '{"version":1}' /.sbuild-step/step.json
damaged "$(step_json play)" '{"version":1}' mode
damaged "$(step_json replay)" '' manifest
damaged "$(step_json replay)" '{"version":1}
{"method":"GET"' manifest

now "a miss fails a command that does not mind"
run step busybox /bin/sh -c 'wget -q -O /dev/null http://packages.example.org/x; true'
assert_status 3
assert_matches "$ERR" 'sbuild: not in the lock: GET http://packages.example.org/x \(step 0123456789ab: RUN test\); run "sbuild lock"'

now "a client that knows no proxy finds the server by name; own servers keep their ports and names"
run step debian /bin/bash -c 'unset http_proxy HTTP_PROXY
	exec 3<>/dev/tcp/packages.example.org/80 && printf "GET /y HTTP/1.0\r\nHost: packages.example.org\r\n\r\n" >&3 && head -n 1 <&3
	getent ahosts packages.example.org | head -n 1; getent ahosts localhost | head -n 1
	getent hosts nosuch; echo $?'
assert_status 3
assert_matches "$OUT" '^HTTP/1.[01] 403 Forbidden'
assert_matches "$OUT" '127\.83\.66\.1 +STREAM packages\.example\.org'
assert_matches "$OUT" '(::1|127\.0\.0\.1) +STREAM localhost'
assert_eq 2 "${OUT##*$'\n'}"
assert_contains "$ERR" "GET http://packages.example.org/y "
cp "$T/busybox/bin/busybox" "$T/debian/bin/busybox"
run step debian /bin/bash -c 'mkdir /tmp/w && echo own >/tmp/w/x && busybox httpd -p 80 -h /tmp/w && exec 3<>/dev/tcp/127.0.0.1/80 &&
	printf "GET /x HTTP/1.0\r\n\r\n" >&3 && tail -n 1 <&3'
assert_status 0
assert_eq own "$OUT"
run step debian /bin/bash -c 'exec 3<>/dev/tcp/keys.example.org/11371 && printf "GET /pks/lookup?search=x HTTP/1.0\r\nHost: keys.example.org:11371\r\n\r\n" >&3; cat <&3'
assert_status 3
assert_contains "$ERR" "GET http://keys.example.org:11371/pks/lookup?search=x "
now "nothing else leads out"
run step debian /bin/bash -c 'exec 3<>/dev/tcp/192.0.2.1/80; echo $?; exec 3<>/dev/tcp/packages.example.org/9418; echo $?; echo x >/dev/udp/192.0.2.1/53; echo $?'
assert_eq $'1\n1\n1' "$OUT"

now "the program's other commands, in an image with nothing in it"
ROOM_BARE=1 run room scratch sbuild-step probe
assert_status 0
assert_json "$T/out" '[.interfaces, .uid, .nameservers]' '[["lo"],0,[]]'
assert_json "$T/out" .kernel "\"$(uname -r)\""
mkdir -p "$T/scratch/c/0123/objects" "$T/scratch/c/4567" "$T/scratch/out"
printf '{"status":0}\n' >"$T/scratch/c/0123/done"
printf '{"version":1}\n' >"$T/scratch/c/0123/manifest"
printf x >"$T/scratch/c/0123/objects/$(printf x | sha256sum | cut -c 1-64)"
ROOM_BARE=1 run room scratch sbuild-step export /c/0123 /c/4567 /out
assert_status 0
assert_eq $'0123\n0123/done\n0123/manifest\n0123/objects\n0123/objects/HEX' \
	"$(cd "$T/scratch/out" && find . -mindepth 1 -printf '%P\n' | sed 's/[0-9a-f]\{64\}/HEX/' | sort)"
run room busybox sbuild-step
assert_status 2
assert_contains "$ERR" "usage: sbuild-step -- COMMAND"

now "signatures by keys that have expired since: good for apt; wrong ones are not"
export GNUPGHOME=$T/gnupg
mkdir -m 700 "$GNUPGHOME"
faketime -f '@2024-01-01 00:00:00' gpg --batch --quiet --passphrase '' --quick-generate-key 'Archive <archive@example.org>' rsa3072 sign 1y
repository=$T/debian/srv/repository
mkdir -p "$repository"
: >"$repository/Packages"
printf 'Origin: test\nSuite: test\nDate: Mon, 01 Jan 2024 00:00:00 UTC\nValid-Until: Mon, 08 Jan 2024 00:00:00 UTC\nSHA256:\n %s 0 Packages\n' \
	"$(sha256sum <"$repository/Packages" | cut -c 1-64)" >"$T/Release"
faketime -f '@2024-01-01 00:00:00' gpg --batch --quiet --clearsign -o "$repository/InRelease" "$T/Release"
gpg --export >"$T/debian/srv/archive.gpg"
rm -rf "$T/debian/etc/apt/sources.list.d" "$T/debian/etc/apt/sources.list"
printf 'deb [signed-by=/srv/archive.gpg] file:/srv/repository ./\n' >"$T/debian/etc/apt/sources.list"
run room debian apt-get -o APT::Update::Error-Mode=any update
assert_ne 0 "$STATUS" "apt by itself"
assert_matches "$OUT$ERR" 'EXPKEYSIG|invalid signature'
run step debian apt-get -o APT::Update::Error-Mode=any update
assert_status 0
assert_lacks "$OUT$ERR" "W:"
cp "$repository/InRelease" "$T/InRelease"
sed -i 's/^Origin: test/Origin: evil/' "$repository/InRelease"
run step debian apt-get -o APT::Update::Error-Mode=any update
assert_ne 0 "$STATUS" "a wrong signature"
assert_contains "$OUT$ERR" BADSIG
cp "$T/InRelease" "$repository/InRelease"

now "apt asks the server, whatever proxy the image was made for"
printf 'Acquire::http::Proxy "http://cache.example.org:3142";\n' >"$T/debian/etc/apt/apt.conf.d/01proxy"
printf 'deb [signed-by=/srv/archive.gpg] http://packages.example.org/repository ./\n' >"$T/debian/etc/apt/sources.list"
run step debian apt-get -o APT::Update::Error-Mode=any update
assert_status 3
assert_contains "$ERR" "not in the lock: GET http://packages.example.org/repository/./InRelease"
rm "$T/debian/etc/apt/apt.conf.d/01proxy"
printf 'deb [signed-by=/srv/archive.gpg] file:/srv/repository ./\n' >"$T/debian/etc/apt/sources.list"

now "while recording, what has expired is told"
mkdir -p "$T/recording/objects"
step_json record | sed 's/,"tolerate-expiry":true//' >"$T/recording/step.json"
printf '{"version":1}\n' >"$T/recording/manifest"
mkdir -p "$T/debian/.sbuild-rec"
cp /etc/ssl/certs/ca-certificates.crt "$T/recording/upstream-ca.pem"
ROOM_STEP=$T/recording run step debian apt-get -o APT::Update::Error-Mode=any update
assert_ne 0 "$STATUS" "recording"
assert_json "$T/debian/.sbuild-rec/done" .status "$STATUS"

now "the command cannot look up the credentials of a recording, with the capabilities that engines leave it"
capabilities=-all
for name in chown dac_override fsetid fowner mknod net_raw setgid setuid setfcap setpcap net_bind_service sys_chroot kill audit_write; do
	capabilities+=,+$name
done
ROOM_STEP=$T/recording run room debian env 'SBUILD_STEP_CREDENTIALS={"packages.example.org":"Basic c2VjcmV0"}' \
	setpriv --bounding-set=$capabilities --inh-caps=-all /.sbuild-bin/sbuild-step -- /bin/bash -c \
	'env; for f in environ maps mem; do cat /proc/1/$f && echo readable: $f; done; tr "\0" "\n" </proc/self/environ'
assert_status 0
assert_lacks "$OUT" CREDENTIALS
assert_lacks "$OUT" readable
assert_eq 3 "$(grep -c 'Permission denied' "$T/err")"

now "Java takes the trust store for one"
run step debian /bin/cat /.sbuild-tmp/step/trust.p12
assert_status 0
cp "$T/out" "$T/trust.p12"
assert_ok keytool -list -storetype PKCS12 -storepass changeit -keystore "$T/trust.p12"
assert_contains "$OUT" trustedCertEntry

now "the program itself"
assert_eq 1 "$(($(stat -c %s "$PROGRAM") < 8 << 20))" "smaller than 8 MiB"
assert_lacks "$(readelf -ld "$PROGRAM")" NEEDED
assert_lacks "$(readelf -ld "$PROGRAM")" INTERP
assert_lacks "$(strings -n 6 "$PROGRAM")" "$(cd "$E2E/../.." && pwd)" "the program"

now "how long it takes to the command"
cat >"$T/debian/times" <<'END'
begin=${EPOCHREALTIME/./}
for ((i = 0; i < 20; i++)); do "$@" /bin/true; done
end=${EPOCHREALTIME/./}
echo $(((end - begin) / 20))
END
printf 'a process alone: %s µs; behind sbuild-step: %s µs\n' "$(room debian /bin/bash /times env)" \
	"$(room debian /bin/bash /times /.sbuild-bin/sbuild-step --)"
