#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The recipe of docs/rules/SB104.md for programs that want a name for their user number: taken from the page itself, and
# run here as a user whom /etc/passwd does not know.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

page=$E2E/../../docs/rules/SB104.md
readonly uid=43210
chmod 711 "$T" # that user must get at the script
mkdir -m 1777 "$T/tmp"

# as_unknown COMMAND...: as a user without a name, in group 0 only.
as_unknown() {
	env TMPDIR="$T/tmp" HOME=/somewhere setpriv --reuid $uid --regid 0 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
}

now "the page has one recipe, and lint has nothing to say about it"
# shellcheck disable=SC2016 # these are backticks of Markdown
sed -n '/^## Fix/,/^## How/p' "$page" | sed -n '/^```dockerfile$/,/^```$/{/^```/d;p}' >"$T/Dockerfile"
run sbuild lint --only SB104 --only SB105 "$T/Dockerfile"
assert_status 0
assert_eq "no findings in 1 file" "$OUT"
sed -n "/<<'EOF' \/usr\/local\/bin\/with-name$/,/^EOF$/{/EOF/d;p}" "$T/Dockerfile" >"$T/with-name"
chmod 755 "$T/with-name"
assert_eq "#!/bin/sh" "$(head -n 1 "$T/with-name")" "first line of the script"
assert_contains "$(cat "$T/Dockerfile")" "install -y --no-install-recommends libnss-wrapper"

now "without it the number has no name"
run getent passwd $uid
assert_status 2
run as_unknown whoami
assert_status 1
assert_contains "$ERR" "cannot find name for user ID $uid"

now "with it, it has one: for programs that ask the C library, and for their home"
assert_eq app "$(as_unknown "$T/with-name" whoami)" "the name"
assert_eq "uid=$uid(app) gid=0(root) groups=0(root)" "$(as_unknown "$T/with-name" id)" "id"
assert_eq "app:x:$uid:0:app:/somewhere:/bin/sh" "$(as_unknown "$T/with-name" getent passwd $uid)" "the entry"
assert_eq /somewhere "$(as_unknown "$T/with-name" python3 -c 'import pwd, os; print(pwd.getpwuid(os.getuid()).pw_dir)')" "the home"

now "others keep their names, and arguments stay what they are"
assert_eq root "$(as_unknown "$T/with-name" id -nu 0)" "root's name"
assert_eq $'a b\n*' "$(as_unknown "$T/with-name" printf '%s\n' 'a b' '*')" "arguments"
run as_unknown "$T/with-name" sh -c 'exit 7'
assert_status 7

now "a user with a name is left alone"
# shellcheck disable=SC2016 # for the shell that is started
assert_eq root: "$("$T/with-name" sh -c 'echo "$(whoami):${LD_PRELOAD-}"')" "name and preload of root"

now "and nobody can write the list of accounts"
run as_unknown sh -c 'echo "x:x:0:0::/:/bin/sh" >>/etc/passwd'
assert_status 2
