# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Shared by the programs in this directory and by scripts/: the cache, locks,
# ports, pid files, and what this machine says about its own Debian mirror.
# Source it; it defines functions only and changes no shell options.

infra_log() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

infra_die() {
	infra_log "$*"
	exit 1
}

infra_need_root() {
	[[ $EUID -eq 0 ]] || infra_die "needs root (mounts and namespaces): run it as root or under sudo"
}

# infra_need COMMAND...: every command must be there; scripts/lib/packages.sh lists the packages.
infra_need() {
	local missing=() c
	for c in "$@"; do
		PATH="$PATH:/usr/sbin:/sbin" command -v "$c" >/dev/null || missing+=("$c")
	done
	[[ ${#missing[@]} -eq 0 ]] ||
		infra_die "missing programs: ${missing[*]} (scripts/test.sh installs them)"
}

# Debian's own interpreter: a PATH may hold another one of unknown age.
infra_python() {
	if [[ -x /usr/bin/python3 ]]; then /usr/bin/python3 -B "$@"; else python3 -B "$@"; fi
}

infra_cache() {
	local dir=${SBUILD_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sbuild-tests}
	mkdir -p "$dir/locks"
	printf '%s\n' "$dir"
}

# infra_cached NAME FUNCTION [ARG...]: prints the path of the cached thing NAME.
# When it is not there yet, FUNCTION PATH ARG... makes it under a temporary
# path that is renamed when it is complete; a lock keeps others waiting.
# FUNCTION runs where "set -e" has no effect, so it must chain what may fail.
infra_cached() {
	local name=$1 make=$2 cache path tmp
	shift 2
	cache=$(infra_cache)
	path=$cache/$name
	if [[ ! -e $path ]]; then
		mkdir -p "$(dirname "$path")"
		(
			exec 9>"$cache/locks/${name//\//_}"
			flock 9
			[[ -e $path ]] && exit 0
			tmp=$cache/.making.${name//\//_}
			rm -rf "$tmp"
			infra_log "making $name (once, then cached in $cache)"
			"$make" "$tmp" "$@" 9>&- || infra_die "could not make $name"
			mv -T "$tmp" "$path"
		) >&2 || return 1
	fi
	printf '%s\n' "$path"
}

# A port that nobody listens on, below the range that outgoing connections use.
infra_free_port() {
	local port tries=0
	while ((tries++ < 200)); do
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
		if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			printf '%s\n' "$port"
			return 0
		fi
	done
	infra_die "no free port found"
}

infra_start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# A pid file holds "PID STARTTIME", so that a reused number is never taken for ours.
infra_write_pid() { printf '%s %s\n' "$2" "$(infra_start_time "$2")" >"$1"; }

infra_pid_alive() {
	local pid start state
	[[ -r $1 ]] && read -r pid start <"$1" || return 1
	[[ -n $start && $(infra_start_time "$pid") == "$start" ]] || return 1
	state=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c1)
	[[ $state != Z ]]
}

# infra_spawn DIR NAME COMMAND...: in the background, log in DIR/NAME.log, pid in DIR/NAME.pid.
infra_spawn() {
	local dir=$1 name=$2
	shift 2
	setsid "$@" </dev/null >"$dir/$name.log" 2>&1 &
	infra_write_pid "$dir/$name.pid" $!
	disown
}

# infra_stop PIDFILE [SECONDS]: SIGTERM, then SIGKILL after SECONDS (10).
infra_stop() {
	local file=$1 wait=${2:-10} pid _ i
	if infra_pid_alive "$file"; then
		read -r pid _ <"$file"
		kill -TERM "$pid" 2>/dev/null || true
		for ((i = 0; i < wait * 20; i++)); do
			infra_pid_alive "$file" || break
			sleep 0.05
		done
		if infra_pid_alive "$file"; then
			infra_log "$(basename "$file"): did not stop in ${wait}s, killing it"
			kill -KILL "$pid" 2>/dev/null || true
		fi
	fi
	rm -f "$file"
}

# infra_wait DIR NAME SECONDS COMMAND...: until COMMAND succeeds or process NAME is gone.
infra_wait() {
	local dir=$1 name=$2 limit=$3 i
	shift 3
	for ((i = 0; i < limit * 20; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		if ! infra_pid_alive "$dir/$name.pid"; then
			infra_log "$name ended early:"
			tail -n 15 "$dir/$name.log" >&2
			return 1
		fi
		sleep 0.05
	done
	infra_log "$name did not answer in ${limit}s:"
	tail -n 15 "$dir/$name.log" >&2
	return 1
}

infra_tcp_open() { (exec 3<>"/dev/tcp/${2:-127.0.0.1}/$1") 2>/dev/null; }

# infra_env FILE NAME=VALUE...: adds export lines that any shell can source.
infra_env() {
	local file=$1 pair
	shift
	for pair in "$@"; do
		printf 'export %s=%q\n' "${pair%%=*}" "${pair#*=}" >>"$file"
	done
}

# The Debian archive that this machine itself installs from.
infra_mirror() {
	local codename uri
	codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
	# shellcheck disable=SC2016 # apt expands these names
	uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk -v r="$codename" '$2 == r && $3 == "main" { print $1; exit }')
	case $uri in
	mirror+file:*) uri=$(awk '!/^#/ && NF { print $1; exit }' "$(sed 's|^mirror+file:||; s|/$||' <<<"$uri")") ;;
	esac
	[[ -n $uri ]] || infra_die "apt names no archive for $codename"
	printf '%s\n' "$uri"
}

# The settings of this machine's apt that reaching that archive may need, one per line.
infra_apt_options() {
	local key value
	for key in Acquire::http::Proxy Acquire::https::Proxy Acquire::Check-Valid-Until Acquire::Check-Date; do
		value=$(apt-config shell v "$key" | sed "s/^v='\(.*\)'\$/\1/")
		[[ -z $value ]] || printf '%s "%s";\n' "$key" "$value"
	done
}

# infra_apt_sources DIR SUITE: makes DIR/apt.conf, for "APT_CONFIG=DIR/apt.conf apt-get source …" from that archive
# without a change to the machine's own apt.
infra_apt_sources() {
	mkdir -p "$1/state/lists/partial" "$1/cache/archives/partial" || return 1
	{
		cat <<-END
			Dir::State "$1/state";
			Dir::Cache "$1/cache";
			Dir::Etc::SourceList "$1/sources.list";
			Dir::Etc::SourceParts "$1/none";
			APT::Sandbox::User "root";
		END
		infra_apt_options
	} >"$1/apt.conf"
	printf 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$(infra_mirror)" "$2" \
		>"$1/sources.list"
	APT_CONFIG=$1/apt.conf apt-get -qq update >&2
}

# infra_mmdebstrap TARGET SUITE PACKAGES [OPTION...]
infra_mmdebstrap() {
	local target=$1 suite=$2 packages=$3 mirror line
	# A mirror that is behind has a Release file past its date; what is made here is for tests alone.
	local opts=(--aptopt='Acquire::Check-Valid-Until "false";')
	shift 3
	infra_need mmdebstrap
	mirror=$(infra_mirror)
	while read -r line; do opts+=(--aptopt="$line"); done < <(infra_apt_options)
	mmdebstrap --quiet --variant=minbase --include="$packages" "${opts[@]}" "$@" "$suite" "$target" "$mirror"
}
